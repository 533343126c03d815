/**
 * A field for a local time. Of the hour that comes twice when clocks go back it asks which one is meant, and only then;
 * a time that clocks go forward over is refused. Its form gets the instant: ms since 1970, or nothing.
 * @module
 */

import { html, nothing } from "lit";
import { SlElement } from "../element.js";
import { clock, clockShort, day, instants, localField, zone } from "../time.js";

class Instant extends SlElement {
  /** @override */
  static properties = {
    field: {},
    name: {},
    describedby: {},
    required: { type: Boolean },
    seconds: { type: Boolean },
    value: { attribute: false },
    usual: { attribute: false },
    least: { attribute: false },
  };
  /** What is to be put into the input, once: drawn there each time it would take away what is half typed. @type {string | null} */
  #coming = null;
  #text = "";
  /** @type {number | null} */
  #at = null;
  #touched = false;

  constructor() {
    super();
    /** The identifier of the input, for its label. */
    this.field = "";
    this.name = "";
    this.describedby = "";
    this.required = false;
    this.seconds = false;
    /** What it is to show from now on. @type {number | null} */
    this.value = null;
    /** What it shows while nobody has touched it. @type {number | null} */
    this.usual = null;
    /** @type {number | null} */
    this.least = null;
  }

  /** @override @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("usual") && this.usual !== null && !this.#touched) this.#put(this.usual);
    if (changed.has("value") && this.value !== null && this.value !== this.#at) this.#put(this.value);
  }

  /** @override */
  updated() {
    const input = this.querySelector("input");
    if (this.#coming !== null && input) input.value = this.#coming;
    this.#coming = null;
    input?.setCustomValidity(this.#none());
  }

  /** @param {number} ms */
  #put(ms) {
    const step = this.seconds ? 1000 : 60_000;
    this.#at = Math.floor(ms / step) * step;
    this.#coming = this.#text = this.seconds ? `${localField(this.#at).slice(0, 10)}T${clock(this.#at)}` : localField(this.#at);
  }

  /** @param {Event} event */
  #typed(event) {
    this.#touched = true;
    this.#text = /** @type {HTMLInputElement} */ (event.target).value;
    const meant = instants(this.#text);
    this.#found(meant.length === 1 ? meant[0] ?? null : null);
  }

  /** @param {Event} event */
  #chosen(event) {
    this.#found(Number(/** @type {HTMLSelectElement} */ (event.target).value) || null);
  }

  /** @param {number | null} at */
  #found(at) {
    this.#at = at;
    this.requestUpdate();
    this.dispatchEvent(new CustomEvent("instant", { detail: at }));
  }

  /** What is wrong with a time that there is not. */
  #none() {
    if (!this.#text || instants(this.#text).length) return "";
    return `There was no ${this.#text.slice(11, 16)} on ${day(Date.parse(this.#text))}: the clocks go forward over it. Choose an earlier or a later time.`;
  }

  /** @param {number[]} meant */
  #which(meant) {
    if (meant.length < 2) return nothing;
    return html`<label for="${this.field}-which">Which one</label>
      <select id="${this.field}-which" required @change=${this.#chosen}>
        <option value="" ?selected=${this.#at === null}>The clocks go back: it comes twice</option>
        ${meant.map((at, index) => html`<option value=${at} ?selected=${at === this.#at}>${clockShort(at)} ${zone(at)}, ${index ? "after the clocks go back" : "before the clocks go back"}</option>`)}
      </select>`;
  }

  /** @override */
  render() {
    const none = this.#none();
    return html`<input id=${this.field} type="datetime-local" step=${this.seconds ? "1" : nothing} ?required=${this.required}
        min=${this.least === null ? nothing : localField(this.least)} aria-describedby=${this.describedby || nothing} @input=${this.#typed}>
      ${none ? html`<p class="said attention" role="alert">${none}</p>` : this.#which(instants(this.#text))}
      <input type="hidden" name=${this.name} .value=${this.#at === null ? "" : String(this.#at)}>`;
  }
}

customElements.define("sl-instant", Instant);
