/**
 * Recordings by place and time: an area on the map, from when to when; what was recorded there is listed with the place
 * where its camera stood then, wherever it is now.
 * @module
 */

import { html, nothing } from "lit";
import { callUp, replay } from "../actions.js";
import { get, problemOf } from "../api.js";
import { SlElement, fields } from "../element.js";
import { mapView } from "../map-view.js";
import { cameraById, store, tell } from "../store.js";
import { clockSure, day, duration, toIso } from "../time.js";
import { say } from "../words.js";
import "./instant.js";

/** @typedef {{start: string, end: string | null, street: string, place: import("../types.js").Place | null, bearing_deg: number | null, deployment: string | null}} Stay */
/** @typedef {{camera: string, number: number, name: string, stood: Stay, start: string, end: string, recorded: {start: string, end: string}[] | null}} Found */

const HOUR_MS = 3_600_000;
/** The field has no seconds: what was recorded just now is in the minute that goes on. */
const MINUTE_MS = 60_000;
const PIECES_SHOWN = 6;

class FindFootage extends SlElement {
  #open = false;
  /** @type {{found: Found[], left_off: boolean} | null} */
  #finds = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #busy = false;

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    if (this.#open) store.set({ outline: null });
  }

  /** @param {Event} event */
  #toggle(event) {
    const open = /** @type {HTMLDetailsElement} */ (event.target).open;
    if (open === this.#open) return;
    this.#open = open;
    store.set({ outline: open ? { corners: [], drawing: true, box: true } : null });
    this.requestUpdate();
  }

  get #corners() {
    return this.state.outline?.corners ?? [];
  }

  #view() {
    const corners = mapView.corners();
    if (corners) store.set({ outline: { corners, drawing: false } });
  }

  /** @param {Event} event */
  async #search(event) {
    const { start = "", end = "" } = fields(event);
    if (this.#corners.length < 3) {
      this.#problem = { type: "page", title: "No area is drawn yet.", cure: "Drag one on the map, click its corners, or take what the map shows." };
      this.requestUpdate();
      return;
    }
    if (this.state.outline) store.set({ outline: { ...this.state.outline, drawing: false } });
    this.#busy = true;
    this.#problem = null;
    this.requestUpdate();
    try {
      const area = this.#corners.map(([latitude, longitude]) => `${latitude.toFixed(6)},${longitude.toFixed(6)}`).join(";");
      this.#finds = await get(`/footage?${new URLSearchParams({ area, start: toIso(Number(start)), end: toIso(Number(end)) })}`);
    } catch (error) {
      this.#finds = null;
      this.#problem = problemOf(error);
    }
    this.#busy = false;
    this.requestUpdate();
  }

  /** @param {Found} one @param {string} start */
  #show(one, start) {
    const camera = cameraById(one.camera);
    if (!camera) {
      tell("You may not see that camera any more.", "attention");
      return;
    }
    callUp(camera);
    replay(Date.parse(start));
    // On a phone the list gives way to the picture.
    if (!matchMedia("(min-width: 860px)").matches) store.set({ panelOpen: false });
  }

  /** @param {Found} one */
  #found(one) {
    const { stood, recorded } = one;
    const there = stood.street || (stood.place ? `${stood.place.latitude.toFixed(5)}, ${stood.place.longitude.toFixed(5)}` : "");
    const since = `${day(Date.parse(stood.start))} ${clockSure(Date.parse(stood.start))}`;
    const until = stood.end ? `${day(Date.parse(stood.end))} ${clockSure(Date.parse(stood.end))}` : "now";
    return html`<li class="footage-found" data-found=${one.number}>
      <h4><span class="number">${one.number}</span> ${one.name}</h4>
      <p class="hint">Stood ${there ? `in ${there} ` : ""}from ${since} until ${until}${stood.end ? html`. <b>It stands elsewhere now.</b>` : "."}</p>
      ${recorded === null ? html`<p class="attention">Its camera host does not answer: what it recorded cannot be told now.</p>`
        : recorded.length === 0 ? html`<p class="hint">Nothing was recorded there then.</p>`
          : html`<ul class="footage-pieces">${recorded.slice(0, PIECES_SHOWN).map(({ start, end }) => {
            const [from, to] = [Date.parse(start), Date.parse(end)];
            return html`<li><button data-show=${start} @click=${() => this.#show(one, start)}>Show</button><span>${day(from)} ${clockSure(from)} – ${day(to) === day(from) ? "" : `${day(to)} `}${clockSure(to)}, ${duration(to - from)}</span></li>`;
          })}${recorded.length > PIECES_SHOWN ? html`<li class="hint">and ${recorded.length - PIECES_SHOWN} stretches more, on its timeline</li>` : nothing}</ul>`}
    </li>`;
  }

  #list() {
    const finds = this.#finds;
    if (!finds) return nothing;
    if (finds.found.length === 0) return html`<p class="said" role="status">No camera that you may play back stood there then.</p>`;
    return html`<p class="hint" role="status">${finds.found.length === 1 ? "One stay of a camera" : `${finds.found.length} stays of cameras`} in that area.${finds.left_off ? " There is more: ask for a smaller area or a shorter time." : ""}</p>
      <ul class="footage-list" id="footage-found">${finds.found.map((one) => this.#found(one))}</ul>`;
  }

  #form() {
    const now = store.serverClock.now();
    const corners = this.#corners;
    const drawing = this.state.outline?.drawing ?? false;
    const said = this.#problem ? say(this.#problem) : null;
    return html`<form id="footage-form" @submit=${(/** @type {Event} */ event) => void this.#search(event)}>
        <p class="hint" role="status">${drawing
          ? corners.length ? `${corners.length === 1 ? "One corner" : `${corners.length} corners`} so far${corners.length < 3 ? ", it needs three" : ""}.` : "Drag a rectangle on the map, or click its corners."
          : corners.length ? "The area is on the map." : "No area."}</p>
        <div class="buttons">
          ${drawing && corners.length > 2 ? html`<button type="button" @click=${() => store.set({ outline: { corners, drawing: false } })}>Done</button>` : nothing}
          ${corners.length ? html`<button type="button" id="footage-draw" @click=${() => store.set({ outline: { corners: [], drawing: true, box: true } })}>Draw again</button>` : nothing}
          <button type="button" id="footage-view" @click=${() => this.#view()}>What the map shows now</button></div>
        <div class="times">
          <label for="footage-start">From</label><sl-instant field="footage-start" name="start" required .usual=${now - HOUR_MS}></sl-instant>
          <label for="footage-end">Until</label><sl-instant field="footage-end" name="end" required .usual=${now + MINUTE_MS}></sl-instant>
        </div>
        ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
        <div class="buttons"><button class="primary" ?disabled=${this.#busy}>${this.#busy ? "Searching…" : "Find recordings"}</button></div>
      </form>
      ${this.#list()}`;
  }

  /** @override */
  render() {
    return html`<details id="footage" @toggle=${this.#toggle}><summary>Recordings by place and time</summary>${this.#open ? this.#form() : nothing}</details>`;
  }
}

customElements.define("sl-find-footage", FindFootage);
