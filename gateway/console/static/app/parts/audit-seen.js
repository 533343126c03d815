/**
 * Two questions to the audit: who saw this camera, and what did this person see?
 * @module
 */

import { html, nothing } from "lit";
import { ApiError, get, saveUrl } from "../api.js";
import { didInAll, when, who } from "../audit-words.js";
import { SlElement, fields } from "../element.js";
import { cameraById } from "../store.js";
import { fileTime, toIso } from "../time.js";
import { say } from "../words.js";

/** @typedef {import("../types.js").AuditEntry} AuditEntry */

const HOUR_MS = 3_600_000;

/** What a field for a local time takes. @param {number} ms */
function local(ms) {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

class AuditSeen extends SlElement {
  /** @type {{id: string, name: string}[]} */
  #people = [];
  /** @type {AuditEntry[] | null} */
  #found = null;
  /** @type {string | null} */
  #before = null;
  /** @type {URLSearchParams | null} */
  #asked = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #now = Date.now();

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#attempt(async () => {
      this.#people = await get("/audit/people");
    });
  }

  /** @param {() => Promise<unknown>} work */
  async #attempt(work) {
    this.#problem = null;
    try {
      await work();
    } catch (error) {
      this.#problem = error instanceof ApiError ? error.problem : { type: "page", ...say(error) };
    }
    this.requestUpdate();
  }

  /** What a form asks, or null where it asks nothing that can be answered. @param {Event} event */
  #question(event) {
    const { number = "", person = "", from = "", to = "" } = fields(event);
    const asked = new URLSearchParams({ start: toIso(Date.parse(from)), end: toIso(Date.parse(to)) });
    if (person) {
      asked.set("person", person);
      return asked;
    }
    const camera = this.state.cameras.find((one) => one.number === Number(number));
    if (camera) {
      asked.set("camera", camera.id);
      return asked;
    }
    this.#problem = { type: "page", title: `There is no camera ${number}.`, cure: "Its number stands on its tile and on the map." };
    this.requestUpdate();
    return null;
  }

  /** @param {SubmitEvent} event */
  async #ask(event) {
    const asked = this.#question(event);
    if (!asked) return;
    if (event.submitter?.dataset.csv !== undefined) {
      saveUrl(`/api/v1/audit/seen.csv?${asked}`, `seen-${fileTime(Date.now())}.csv`);
      return;
    }
    this.#asked = asked;
    await this.#attempt(async () => {
      const said = await get(`/audit/seen?${asked}`);
      [this.#found, this.#before] = [said.entries, said.before];
    });
  }

  async #more() {
    const asked = new URLSearchParams(this.#asked ?? "");
    asked.set("before", this.#before ?? "");
    await this.#attempt(async () => {
      const said = await get(`/audit/seen?${asked}`);
      [this.#found, this.#before] = [[...(this.#found ?? []), ...said.entries], said.before];
    });
  }

  /** @param {string} name @param {number} hours */
  #times(name, hours) {
    return html`<div class="times">
      <label for="${name}-from">From</label><input id="${name}-from" name="from" type="datetime-local" required .value=${local(this.#now - hours * HOUR_MS)}>
      <label for="${name}-to">To</label><input id="${name}-to" name="to" type="datetime-local" required .value=${local(this.#now + HOUR_MS / 60)}>
    </div>
    <div class="buttons"><button class="primary">Show</button><button data-csv>Save as CSV</button></div>`;
  }

  /** @param {AuditEntry} entry */
  #row(entry) {
    const camera = cameraById(entry.subject);
    const why = [entry.rule, entry.reference].filter(Boolean).join(" · ");
    return html`<li>
      <time datetime=${entry.start ?? entry.at}>${when(entry)}</time>
      <span class="audit-what"><b>${who(entry)}</b> ${didInAll(entry)}
        ${camera ? html`<span class="number">${camera.number}</span>` : "a camera that is no more"}
        <small>${entry.address ? `from ${entry.address}` : ""}${why ? ` (${why})` : ""}</small></span>
    </li>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h3>Who saw this camera?</h3>
      <form id="who-saw" @submit=${(/** @type {SubmitEvent} */ event) => void this.#ask(event)}>
        <label for="who-saw-number">Camera number</label>
        <input id="who-saw-number" name="number" inputmode="numeric" pattern="[0-9]{1,4}" required autocomplete="off">
        ${this.#times("who-saw", 1)}
      </form>
      <h3>What did this person see?</h3>
      <form id="person-saw" @submit=${(/** @type {SubmitEvent} */ event) => void this.#ask(event)}>
        <label for="person-saw-person">Person</label>
        <select id="person-saw-person" name="person" required>
          <option value="">Choose</option>
          ${this.#people.map(({ id, name }) => html`<option value=${id}>${name || `person ${id.slice(-6)}`}</option>`)}
        </select>
        ${this.#times("person-saw", 24)}
      </form>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#found?.length === 0 ? html`<p class="said" role="status">Nobody, in that time.</p>` : nothing}
      ${this.#found?.length ? html`<ol class="audit-list" id="seen">${this.#found.map((entry) => this.#row(entry))}</ol>` : nothing}
      ${this.#found && this.#before ? html`<button @click=${() => void this.#more()}>Show earlier</button>` : nothing}
    `;
  }
}

customElements.define("sl-audit-seen", AuditSeen);
