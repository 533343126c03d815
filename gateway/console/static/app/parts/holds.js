/**
 * Holds: placing one on the stretch that the timeline shows, and all that there are, those first that are to be looked
 * at again.
 * @module
 */

import { html, nothing } from "lit";
import { callUp, replay } from "../actions.js";
import { get, problemOf } from "../api.js";
import { SlElement, fields } from "../element.js";
import { DAY_MS, REVIEW_DAYS, armHold, closeEmptyHold, dateField, keep, place, release, stretch } from "../holds.js";
import { cameraById, may, selectedCamera, store, tell } from "../store.js";
import { clockSure, day } from "../time.js";
import { say } from "../words.js";
import "./instant.js";

/** @typedef {import("../types.js").Hold} Hold */

/** From when to when, in one line. @param {number} start @param {number} end @returns {string} */
const span = (start, end) => `${day(start)} ${clockSure(start)} – ${day(end) === day(start) ? "" : `${day(end)} `}${clockSure(end)}`;

class Holds extends SlElement {
  /** @type {Hold[] | null} */
  #holds = null;
  #away = 0;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #turn = -1;
  #releasing = "";

  /** @override */
  willUpdate() {
    if (this.#turn === this.state.holdsTurn) return;
    this.#turn = this.state.holdsTurn;
    void this.#load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    closeEmptyHold();
  }

  async #load() {
    try {
      const said = await get("/holds");
      [this.#holds, this.#away] = [said.holds, said.away];
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  /** @param {() => Promise<unknown>} work @param {string} done */
  async #attempt(work, done) {
    this.#problem = null;
    try {
      await work();
      tell(done);
      return true;
    } catch (error) {
      this.#problem = problemOf(error);
      return false;
    } finally {
      this.requestUpdate();
    }
  }

  /** @param {Event} event */
  async #place(event) {
    const { holding } = this.state;
    const { start = "", end = "", reason = "", authority = "", reference = "", review = "" } = fields(event);
    if (!holding) return;
    const number = cameraById(holding.camera)?.number ?? "";
    const stretch = { start: Number(start), end: Number(end) };
    const terms = { reason, authority, reference, review: Date.parse(`${review}T12:00:00`) };
    const ok = await this.#attempt(() => place(holding.camera, stretch, terms), `Camera ${number}, ${span(stretch.start, stretch.end)}, is held.`);
    if (ok) store.set({ holding: null });
  }

  #form() {
    const { holding } = this.state;
    if (!may("hold")) return nothing;
    const selected = selectedCamera();
    if (!holding) {
      return html`<div class="buttons"><button id="hold-begin" ?disabled=${!selected} @click=${armHold}>Hold what the timeline shows <kbd>H</kbd></button></div>`;
    }
    const camera = cameraById(holding.camera);
    const now = store.serverClock.now();
    const { words } = holding;
    const typed = (/** @type {Event} */ event) => {
      const { name, value } = /** @type {HTMLInputElement} */ (event.target);
      if (name in words && store.state.holding) store.set({ holding: { ...store.state.holding, words: { ...store.state.holding.words, [name]: value } } });
    };
    const edge = (/** @type {"start" | "end"} */ name) => (/** @type {CustomEvent<number | null>} */ { detail: at }) => {
      if (at !== null) store.set({ holding: { ...holding, [name]: at } });
    };
    return html`
      <h3>Hold of ${camera ? html`<span class="number">${camera.number}</span> ${camera.name}` : "a camera that you no longer see"}</h3>
      <form id="hold-form" @input=${typed} @submit=${(/** @type {Event} */ event) => void this.#place(event)}>
        <div class="times">
          <label for="hold-start">From</label><sl-instant field="hold-start" name="start" seconds required .value=${holding.start} @instant=${edge("start")}></sl-instant>
          <label for="hold-end">Until</label><sl-instant field="hold-end" name="end" seconds required .value=${holding.end} @instant=${edge("end")}></sl-instant>
        </div>
        ${this.#shown(holding, camera)}
        <label for="hold-reason">Why it must be kept</label>
        <input id="hold-reason" name="reason" required minlength="3" maxlength="500" autocomplete="off" .value=${words.reason}>
        <label for="hold-authority">On whose authority, if not your own</label>
        <input id="hold-authority" name="authority" maxlength="120" autocomplete="off" placeholder="Officer, court or statute" .value=${words.authority}>
        <div class="pair">
          <div><label for="hold-reference">Incident or request</label><input id="hold-reference" name="reference" maxlength="120" autocomplete="off" .value=${words.reference}></div>
          <div><label for="hold-review">Look again on</label><input id="hold-review" name="review" type="date" required
            min=${dateField(now + DAY_MS)} max=${dateField(now + 365 * DAY_MS)} .value=${words.review}></div>
        </div>
        <div class="buttons"><button class="primary">Hold it</button><button type="button" class="plain" @click=${() => store.set({ holding: null })}>Leave it</button></div>
      </form>
    `;
  }

  /**
   * Take the stretch anew from the timeline, while that is of the camera that is to be held; else lead back to it.
   * @param {import("../types.js").Holding} holding @param {import("../types.js").Camera | undefined} camera
   */
  #shown(holding, camera) {
    if (!camera) return nothing;
    return html`<div class="buttons">${selectedCamera()?.id === camera.id
      ? html`<button type="button" @click=${() => store.set({ holding: { ...holding, ...stretch() } })}>Take what the timeline shows</button>`
      : html`<button type="button" @click=${() => callUp(camera)}>Show camera ${camera.number} again</button>`}</div>`;
  }

  /** @param {Hold} hold */
  #show(hold) {
    const camera = cameraById(hold.camera);
    if (!camera) return;
    callUp(camera);
    replay(Date.parse(hold.start));
  }

  /** @param {Hold} hold */
  #release(hold) {
    if (this.#releasing !== hold.id) {
      this.#releasing = hold.id;
      this.requestUpdate();
      return;
    }
    this.#releasing = "";
    const camera = cameraById(hold.camera);
    void this.#attempt(() => release(hold), `The hold on camera ${camera?.number ?? ""} is released. What is past its time is deleted.`);
  }

  /** @param {Hold} hold */
  #one(hold) {
    const camera = cameraById(hold.camera);
    const review = hold.review ? Date.parse(hold.review) : null;
    const next = store.serverClock.now() + REVIEW_DAYS * DAY_MS;
    return html`<li class="waiting" data-hold=${hold.id} data-due=${hold.due}>
      <h3>${camera ? html`<span class="number">${camera.number}</span> ${camera.name}` : "A camera that you do not see"}</h3>
      <p>${span(Date.parse(hold.start), Date.parse(hold.end))}</p>
      <p><b>${hold.reason}</b></p>
      <p class="quiet">${hold.authority ? `On the authority of ${hold.authority}. ` : ""}Held ${hold.placed_by ? `by ${hold.placed_by} ` : ""}on ${day(Date.parse(hold.placed))}.
        ${review === null ? "No review date was set." : hold.due ? html`<b class="attention">Review due since ${day(review)}.</b>` : `Review on ${day(review)}.`}</p>
      <div class="buttons">
        ${camera && may("view_recorded") ? html`<button @click=${() => this.#show(hold)}>Show</button>` : nothing}
        ${may("hold")
          ? html`${hold.due || review === null
              ? html`<button @click=${() => void this.#attempt(() => keep(hold, next), `Kept. Next review on ${day(next)}.`)}>Still needed, until ${day(next)}</button>`
              : nothing}
            <button class="plain remove ${this.#releasing === hold.id ? "sure" : ""}" @blur=${() => { this.#releasing = ""; this.requestUpdate(); }}
              @click=${() => this.#release(hold)}>${this.#releasing === hold.id ? "Really release?" : "Release"}</button>`
          : nothing}
      </div>
    </li>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    const holds = this.#holds;
    return html`
      <h2>Holds</h2>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#form()}
      ${this.#away ? html`<p class="said attention">${this.#away === 1 ? "One camera host does" : `${this.#away} camera hosts do`} not answer: what is held there is not listed.</p>` : nothing}
      ${holds ? (holds.length === 0 ? html`<p class="hint">Nothing is held beyond its time.</p>` : html`<ul class="waitings">${holds.map((hold) => this.#one(hold))}</ul>`) : said ? nothing : html`<p class="hint">Loading…</p>`}
    `;
  }
}

customElements.define("sl-holds", Holds);
