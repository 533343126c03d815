/**
 * What the pages about people and rights share: they ask, say what went wrong where it was asked, and make sure twice.
 * They are drawn again when people or rights change, not with each camera's news.
 * @module
 */

import { LitElement, html, nothing } from "lit";
import { problemOf } from "../api.js";
import { directory } from "../directory.js";
import { cameraById, store, tell } from "../store.js";
import { say } from "../words.js";
import { callUp } from "../actions.js";

/** @typedef {import("../types.js").Problem} Problem */

const CAMERAS_SHOWN = 24;
/** The fields that a problem is about, the likeliest first. @type {Record<string, string[]>} */
const BLAMES = { "access.password": ["password"], "access.user": ["username"], "database.conflict": ["username", "name"], "access.rights": ["until", "name"] };

export class Asking extends LitElement {
  /** What went wrong, and where: the name of a form or act. @type {{where: string, problem: Problem} | null} */
  wrong = null;
  /** What was clicked once and is done by a second click. */
  sure = "";
  /** What is being done. @type {Set<string>} */
  #doing = new Set();
  /** @type {(() => void)[]} */
  #leave = [];
  #seen = "";

  /** @override */
  createRenderRoot() {
    return this;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#leave = [directory.subscribe(() => this.requestUpdate()), store.subscribe(() => this.#heard())];
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    for (const leave of this.#leave) leave();
  }

  #heard() {
    const { user, cameras, outline } = store.state;
    const seen = [user?.id, cameras.length, outline?.corners.length, outline?.drawing].join();
    if (seen !== this.#seen) this.requestUpdate();
    this.#seen = seen;
  }

  /**
   * Do something once, however often it is clicked; what is wrong is said where it was asked, and at the field.
   * @param {string} where the form or act that says it when it goes wrong @param {() => Promise<unknown>} work
   * @param {string} [done] what to say when it is done @returns {Promise<boolean>}
   */
  async attempt(where, work, done = "") {
    if (this.#doing.has(where)) return false;
    this.#doing.add(where);
    const hand = this.contains(document.activeElement);
    this.wrong = null;
    this.sure = "";
    this.#excuse();
    this.requestUpdate();
    try {
      await work();
      if (done) tell(done);
    } catch (error) {
      this.wrong = { where, problem: problemOf(error) };
    }
    this.#doing.delete(where);
    this.requestUpdate();
    await this.updateComplete;
    if (this.wrong) this.#blame(this.wrong);
    // What was clicked may be gone: who works by keys goes on from the head of the page.
    else if (hand && document.activeElement === document.body) /** @type {HTMLElement | null | undefined} */ (this.closest("sl-people, sl-deployments")?.querySelector("h2"))?.focus({ preventScroll: true });
    return this.wrong === null;
  }

  /** Mark the field that is meant, and go there. @param {{where: string, problem: Problem}} wrong */
  #blame({ where, problem }) {
    const form = this.querySelector(`#said-${where}`)?.closest("form");
    const named = problem.type === "api.request" ? [...problem.title.matchAll(/[:;] (\w+)[.:]/g)].map((found) => found[1] ?? "") : (BLAMES[problem.type] ?? form?.dataset["blames"]?.split(" ") ?? []);
    const field = named.map((name) => form?.elements.namedItem(name)).find((one) => one instanceof HTMLElement);
    if (!(field instanceof HTMLElement)) return;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-errormessage", `said-${where}`);
    field.focus();
  }

  #excuse() {
    for (const field of this.querySelectorAll("[aria-errormessage]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-errormessage");
    }
  }

  /** @param {string} where */
  said(where) {
    if (this.wrong?.where !== where) return nothing;
    const { title, cure } = say(this.wrong.problem);
    return html`<p class="said attention" role="alert" id="said-${where}"><strong>${title}</strong> ${cure}</p>`;
  }

  /**
   * A button that asks once more. What the second click does can be told beside it by then.
   * @param {{key: string, label: string, sure: string, act: () => unknown, before?: () => unknown, name?: string}} button
   */
  twice({ key, label, sure, act, before = () => {}, name = label }) {
    const asked = this.sure === key;
    const click = () => {
      if (asked) {
        void act();
        return;
      }
      this.sure = key;
      void before();
      this.requestUpdate();
    };
    return html`<button type="button" class="remove ${asked ? "sure" : "plain"}" data-act=${key} aria-label=${asked ? sure : name}
      @click=${click}>${asked ? sure : label}</button>${asked
        ? html`<button type="button" class="plain" @click=${() => { this.sure = ""; this.requestUpdate(); }}>Leave it</button>`
        : nothing}`;
  }
}

/** Cameras by their numbers; a click calls one up. @param {string[]} ids */
export function cameraChips(ids) {
  const known = ids.flatMap((id) => cameraById(id) ?? []).sort((one, other) => one.number - other.number);
  const more = known.length - CAMERAS_SHOWN;
  return html`<span class="chips">${known.slice(0, CAMERAS_SHOWN).map(
    (camera) => html`<button type="button" class="number" title="${camera.name}: call it up" aria-label="Call up camera ${camera.number}, ${camera.name}"
      @click=${() => callUp(camera)}>${camera.number}</button>`)}${more > 0 ? html`<span class="hint">and ${more} more</span>` : nothing}</span>`;
}

/**
 * A field for somebody: typed or chosen, by user name. One list serves all fields of a page.
 * @param {{id: string, label: string, required?: boolean, hint?: string}} field
 */
export function personField({ id, label, required = true, hint = "" }) {
  return html`<label for=${id}>${label}</label>
    <input id=${id} name="person" list="people-known" ?required=${required} autocomplete="off" spellcheck="false" autocapitalize="none"
      placeholder="User name" aria-describedby=${hint ? `${id}-hint` : nothing} @input=${known} @change=${known}>
    ${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}`;
}

/** What is said at the field itself, where nobody is called so. @param {Event} event */
function known(event) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const none = input.value !== "" && !directory.called(input.value);
  input.setCustomValidity(none ? `There is nobody called ${input.value}. Choose a user name from the list.` : "");
}

/** The list for {@link personField}; drawn once a page. @param {(person: import("../directory.js").Person) => boolean} [takes] */
export const peopleKnown = (takes = () => true) => html`<datalist id="people-known">${(directory.users ?? [])
  .filter(takes)
  .map((user) => html`<option value=${user.username}>${user.name}</option>`)}</datalist>`;
