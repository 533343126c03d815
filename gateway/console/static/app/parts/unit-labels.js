/**
 * Labels to be printed: for which units, on which paper, and where on a sheet that was begun. The PDF opens beside.
 * @module
 */

import { html, nothing } from "lit";
import { Asking } from "./people-asking.js";

/** @typedef {import("../units.js").Unit} Unit */

/** @type {[size: string, words: string, count: number][]} */
export const SIZES = [
  ["62x29", "Roll, 62 × 29 mm", 1], ["89x36", "Roll, 89 × 36 mm", 1], ["100x50", "Roll, 100 × 50 mm", 1],
  ["a4-21", "A4 sheet of 21 (63.5 × 38.1 mm)", 21], ["a4-14", "A4 sheet of 14 (99.1 × 38.1 mm)", 14], ["a4-8", "A4 sheet of 8 (99.1 × 67.7 mm)", 8],
];

/** @param {string[]} labels @param {string} size @param {number} first @returns {string} */
export function labelsAddress(labels, size, first) {
  const query = new URLSearchParams([...labels.map((label) => ["label", label]), ["size", size], ["first", String(first)]]);
  return `/api/v1/unit-labels.pdf?${query}`;
}

/** The field for the paper. @param {string} size @param {(size: string) => void} chosen */
export const sizeField = (size, chosen) => html`<label for="label-size">Paper</label>
  <select id="label-size" @change=${(/** @type {Event} */ event) => chosen(/** @type {HTMLSelectElement} */ (event.target).value)}>${SIZES.map(([each, words]) => html`<option value=${each} ?selected=${each === size}>${words}</option>`)}</select>`;

class UnitLabels extends Asking {
  /** @override */
  static properties = { units: { attribute: false } };

  /** @type {Set<string> | null} those that are wanted; null: nobody has chosen yet */
  #wanted = null;
  #size = "a4-21";
  #first = 1;

  constructor() {
    super();
    /** @type {Unit[]} */
    this.units = [];
    /** @type {() => void} */
    this.back = () => {};
  }

  /** @param {string} label @param {boolean} on */
  #choose(label, on) {
    this.#wanted ??= new Set();
    if (on) this.#wanted.add(label);
    else this.#wanted.delete(label);
    this.requestUpdate();
  }

  /** @override */
  render() {
    const units = this.units.filter(({ link }) => link !== "retired").sort((one, other) => one.label.localeCompare(other.label, "en", { numeric: true }));
    const wanted = units.map(({ label }) => label).filter((label) => this.#wanted?.has(label) ?? false);
    const count = SIZES.find(([size]) => size === this.#size)?.[2] ?? 1;
    return html`
      <div class="page-head"><button class="plain back" aria-label="Back to all units" @click=${this.back}>‹ Units</button><h2 tabindex="-1">Print labels</h2></div>
      <p class="hint">Each has the label in words, as a QR code and as a bar code, and whose the unit is where the settings say so.</p>
      <fieldset class="unit-choice"><legend>Which units</legend>
        <div class="buttons"><button class="plain" @click=${() => { this.#wanted = new Set(units.map(({ label }) => label)); this.requestUpdate(); }}>All</button>
          <button class="plain" @click=${() => { this.#wanted = new Set(); this.requestUpdate(); }}>None</button></div>
        <div class="unit-checks">${units.map(({ label }) => html`<label class="check"><input type="checkbox" value=${label} .checked=${wanted.includes(label)} @change=${(/** @type {Event} */ event) => this.#choose(label, /** @type {HTMLInputElement} */ (event.target).checked)}>${label}</label>`)}</div></fieldset>
      ${sizeField(this.#size, (size) => { this.#size = size; this.#first = 1; this.requestUpdate(); })}
      ${count > 1 ? html`<label for="label-first">Begin at label</label><input id="label-first" type="number" min="1" max=${count} .value=${String(this.#first)} aria-describedby="label-first-hint"
        @change=${(/** @type {Event} */ event) => { this.#first = Math.min(count, Math.max(1, Number(/** @type {HTMLInputElement} */ (event.target).value) || 1)); this.requestUpdate(); }}>
        <p class="hint" id="label-first-hint">Of ${count} on a sheet, from the upper left: for a sheet that was begun.</p>` : nothing}
      <div class="buttons">${wanted.length ? html`<a class="button primary" id="labels-print" target="_blank" rel="noopener" href=${labelsAddress(wanted, this.#size, this.#first)}>Labels as PDF (${wanted.length})</a>` : html`<p class="hint">Choose at least one unit.</p>`}</div>`;
  }
}

customElements.define("sl-unit-labels", UnitLabels);
