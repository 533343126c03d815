/**
 * What the pages about deployments share: they are drawn again with what is known of them, and a step that is sent twice
 * is taken once.
 * @module
 */

import { html } from "lit";
import { deployments, newKey, step } from "../deployments.js";
import { SlElement } from "../element.js";
import { mapView } from "../map-view.js";
import { store } from "../store.js";
import { localField } from "../time.js";
import { Unanswered } from "../unanswered.js";
import { Asking } from "./people-asking.js";

/** @typedef {import("../deployments-words.js").Deployment} Deployment */

export const DAY_MS = 86_400_000;

/** What a date field shows. @param {number} ms @returns {string} */
export const dateField = (ms) => localField(ms).slice(0, 10);

export class Deploying extends Asking {
  unanswered = new Unanswered(newKey);
  #leaving = () => {};

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#leaving = deployments.subscribe(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#leaving();
  }

  /**
   * Take a step from a form, and empty the form once it is taken.
   * @param {string} where @param {SubmitEvent} event @param {string} id @param {string} path @param {Record<string, unknown>} said @param {string} done
   */
  take(where, event, id, path, said, done) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    // With the button: two of a form say two things.
    const given = JSON.stringify([id, ...new FormData(form, event.submitter)]);
    return this.attempt(where, async () => {
      await this.unanswered.send(where, given, said, (sent) => step(id, path, sent));
      form.reset();
    }, done);
  }
}

/** What fits beside its name without pushing the rest of the page away. */
const SHOWN_WORDS = 240;

/** What somebody wrote, which may be pages: its beginning, and the whole of it by a click. @param {string} words */
export function atLength(words) {
  if (words.length <= SHOWN_WORDS) return words;
  const cut = words.slice(0, SHOWN_WORDS - 40);
  const shown = cut.slice(0, Math.max(cut.lastIndexOf(" "), SHOWN_WORDS / 2)).trimEnd();
  return html`<details class="dep-length"><summary><span class="dep-cut">${shown}…</span> <span class="dep-more">All of it</span><span class="dep-less">Less of it</span></summary>${words}</details>`;
}

/** A field for some sentences. @param {{id: string, name: string, label: string, hint?: string, rows?: number, value?: string}} field */
export const sentences = ({ id, name, label, hint = "", rows = 2, value = "" }) => html`<label for=${id}>${label}</label>
  <textarea id=${id} name=${name} rows=${rows} required minlength="3" maxlength="5000" placeholder=${hint} .defaultValue=${value}></textarea>`;

/** Where something stands, or is to: a click on the map, or typed. Its fields belong to the form around it. */
class PlaceFields extends SlElement {
  /** What it is before anybody says. @type {{latitude: number, longitude: number} | null} */
  place = null;
  legend = "Where";
  #typed = { latitude: "", longitude: "" };
  /** @type {unknown} */
  #picked = null;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    store.set({ placing: true, picked: this.place });
    const { place } = this;
    if (place) void this.updateComplete.then(() => mapView.show([[place.latitude, place.longitude]]));
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    store.set({ placing: false, picked: null });
  }

  /** @override */
  willUpdate() {
    const { picked } = this.state;
    if (picked === this.#picked) return;
    this.#picked = picked;
    if (picked) this.#typed = { latitude: picked.latitude.toFixed(6), longitude: picked.longitude.toFixed(6) };
  }

  /** @param {"latitude" | "longitude"} name @param {Event} event */
  #type(name, event) {
    this.#typed = { ...this.#typed, [name]: /** @type {HTMLInputElement} */ (event.target).value };
    const [latitude, longitude] = [Number(this.#typed.latitude), Number(this.#typed.longitude)];
    if (this.#typed.latitude && this.#typed.longitude) {
      this.#picked = { latitude, longitude };
      store.set({ picked: /** @type {any} */ (this.#picked) });
    }
  }

  #middle() {
    const middle = mapView.middle();
    if (middle) store.set({ picked: { latitude: middle[0], longitude: middle[1] } });
  }

  /** @override */
  render() {
    const { latitude, longitude } = this.#typed;
    return html`<fieldset class="dep-place" name="place" tabindex="-1"><legend>${this.legend}</legend>
      <p class="hint">${latitude ? "Click elsewhere on the map to correct it." : "Click on the map where it is."}</p>
      <div class="pair">
        <div><label for="place-latitude">Latitude</label><input id="place-latitude" name="latitude" inputmode="decimal" required pattern="-?\\d{1,2}(\\.\\d+)?"
          autocomplete="off" .value=${latitude} @change=${(/** @type {Event} */ event) => this.#type("latitude", event)}></div>
        <div><label for="place-longitude">Longitude</label><input id="place-longitude" name="longitude" inputmode="decimal" required pattern="-?\\d{1,3}(\\.\\d+)?"
          autocomplete="off" .value=${longitude} @change=${(/** @type {Event} */ event) => this.#type("longitude", event)}></div>
      </div>
      <div class="buttons"><button type="button" @click=${() => this.#middle()}>The map's middle</button></div>
    </fieldset>`;
  }
}

customElements.define("sl-place", PlaceFields);
