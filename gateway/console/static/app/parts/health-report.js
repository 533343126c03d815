/**
 * Availability: how much of a month's footage of each camera is there, and to what the rest was lost. To print, or as a table.
 * @module
 */

import { LitElement, html, nothing } from "lit";
import { callUp } from "../actions.js";
import { get, problemOf } from "../api.js";
import { asideWords, known, lostS, monthWords, months, shareWords, together, worstFirst } from "../health.js";
import { cameraById, store } from "../store.js";
import { day, dayAndTime, duration, fromIso } from "../time.js";
import { gapCause, line } from "../words.js";

/** @typedef {import("../health-types.js").Availability} Availability */
/** @typedef {import("../health-types.js").CameraMonth} CameraMonth */

/** It is not drawn anew with the page's state: nine hundred rows are many, and they stay as they are. */
class AvailabilityReport extends LitElement {
  /** @type {Availability | null} */
  #report = null;
  #month = months(store.serverClock.now())[0] ?? "";
  #problem = "";
  #asking = 0;

  /** @override */
  createRenderRoot() {
    return this;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    this.#asking += 1;
    const turn = this.#asking;
    [this.#report, this.#problem] = [null, ""];
    this.requestUpdate();
    try {
      const said = await get(`/health/availability?month=${this.#month}`);
      if (turn === this.#asking) this.#report = said;
    } catch (error) {
      if (turn === this.#asking) this.#problem = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** @param {CameraMonth} one */
  #row(one) {
    const lost = Object.entries(one.lost_s).sort(([, least], [, most]) => most - least);
    const camera = cameraById(one.camera);
    const told = [
      one.removed ? `Removed on ${day(fromIso(one.removed))}.` : "",
      lost.length ? `Lost ${duration(lostS(one) * 1000)}: ${lost.map(([cause, seconds]) => (lost.length > 1 ? `${gapCause(cause)}, ${duration(seconds * 1000)}` : gapCause(cause))).join("; ")}.` : "",
      ...asideWords(one),
      one.unknown_s >= 60 ? `Not known: ${duration(one.unknown_s * 1000)}.` : "",
    ].filter(Boolean);
    return html`<tr><td>${camera ? html`<button class="number" aria-label="Camera ${one.number}: call it up" @click=${() => callUp(camera)}>${one.number}</button>`
      : html`<span class="number">${one.number}</span>`}</td>
      <th scope="row">${one.name}${told.map((words) => html`<small>${words}</small>`)}</th><td class="share">${shareWords(one.availability)}</td></tr>`;
  }

  /** @param {Availability} report */
  #table({ cameras, unreached, start, end }) {
    const alone = unreached.length === 1;
    return html`
      <p class="availability-sum"><b>${shareWords(together(cameras))}</b> of what ${cameras.length === 1 ? "one camera" : `${cameras.length} cameras`} should have recorded is there.
        <small>${dayAndTime(fromIso(start))} to ${dayAndTime(fromIso(end))}, of which ${shareWords(known(cameras))} is known. What privacy forbade, when recording was off, and what is not known counts neither way.</small></p>
      ${unreached.length ? html`<p class="said attention" role="alert"><strong>Not known in full: ${alone ? "camera" : `${unreached.length} cameras:`} ${unreached.map(({ number, removed }) => (removed ? `${number} (removed)` : number)).join(", ")}.</strong>
        ${alone ? "Its camera host, or a disk of it, does" : "Their camera hosts, or disks of them, do"} not answer. Of today something is missing, and of what else is not written down yet. Ask again when ${alone ? "it does" : "they do"}.</p>` : nothing}
      ${cameras.length === 0 ? html`<p class="hint">There is nothing to tell of.</p>` : html`<table>
        <thead><tr><th scope="col"><span class="away">Number</span></th><th scope="col">Camera, and what it lost</th><th scope="col" class="share">Recorded</th></tr></thead>
        <tbody>${worstFirst(cameras).map((one) => this.#row(one))}</tbody></table>`}
    `;
  }

  /** @override */
  render() {
    return html`<section class="availability" aria-labelledby="availability-title">
      <h3 id="availability-title">Availability in ${monthWords(this.#month)}</h3>
      <div class="availability-acts"><label for="availability-month" class="away">Month</label>
        <select id="availability-month" @change=${(/** @type {Event} */ event) => { this.#month = /** @type {HTMLSelectElement} */ (event.target).value; void this.#load(); }}>
          ${months(store.serverClock.now()).map((month) => html`<option value=${month} ?selected=${month === this.#month}>${monthWords(month)}</option>`)}</select>
        <a class="button" id="availability-csv" href="/api/v1/health/availability.csv?month=${this.#month}" download="availability-${this.#month}.csv">As CSV</a>
        <button id="availability-print" ?disabled=${!this.#report} @click=${() => print()}>Print</button></div>
      ${this.#problem ? html`<div class="said attention"><span role="alert">${this.#problem}</span><div class="buttons"><button @click=${() => void this.#load()}>Try again</button></div></div>` : nothing}
      ${this.#report ? this.#table(this.#report) : this.#problem ? nothing : html`<p class="hint" role="status">Reading what is written down, and today's catalogs…</p>`}
    </section>`;
  }
}

customElements.define("sl-availability", AvailabilityReport);
