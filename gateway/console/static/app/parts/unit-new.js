/**
 * A new unit, step by step: its label, its certificate, the printed label, and a password for its camera. Each step is done
 * for good when it is done: whoever leaves goes on from the unit's own page.
 * @module
 */

import { html, nothing } from "lit";
import { get, send } from "../api.js";
import { fields } from "../element.js";
import { store } from "../store.js";
import "./unit-camera.js";
import "./unit-certificates.js";
import { Asking } from "./people-asking.js";
import { labelsAddress, sizeField } from "./unit-labels.js";

/** @typedef {import("../units.js").OneUnit} OneUnit */

const STEPS = ["Label", "Certificate", "Printed label", "Camera"];

class UnitNew extends Asking {
  /** @type {OneUnit | null} */
  #unit = null;
  #at = 0;
  #saved = false;
  #size = "62x29";

  constructor() {
    super();
    /** @type {(label: string) => void} where to go then; empty: the list */
    this.done = () => {};
  }

  /** @param {number} at */
  #step(at) {
    this.#at = at;
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector("h3"))?.focus());
  }

  /** @param {Event} event */
  async #enrol(event) {
    const { label = "", model = "", camera = "", note = "" } = fields(event);
    const ok = await this.attempt("label", async () => {
      this.#unit = await send("POST", "/units", { label: label.trim(), model, note, camera: camera || null });
    });
    if (ok) this.#step(1);
  }

  async #again() {
    if (!this.#unit) return;
    this.#unit = await get(`/units/${encodeURIComponent(this.#unit.label)}`);
    this.requestUpdate();
  }

  #label() {
    return html`<form aria-label="Label" @submit=${(/** @type {Event} */ event) => void this.#enrol(event)}>
      <label for="new-label">Label</label>
      <input id="new-label" name="label" required maxlength="32" pattern="[A-Za-z0-9][A-Za-z0-9_\\-]*" autocomplete="off" spellcheck="false" autocapitalize="characters" placeholder="D017" aria-describedby="new-label-hint">
      <p class="hint" id="new-label-hint">Letters, digits, hyphens, just as it is printed on the unit. It stands in its certificate, and is never given to another, in capitals or not.</p>
      <label for="new-model">Model</label><input id="new-model" name="model" maxlength="120" autocomplete="off">
      <label for="new-camera">Its camera, where it is enrolled already</label>
      <select id="new-camera" name="camera"><option value="">Not yet</option>${store.state.cameras.map(({ id, number, name }) => html`<option value=${id}>${number} ${name}</option>`)}</select>
      <label for="new-note">Note</label><input id="new-note" name="note" maxlength="1000" autocomplete="off">
      ${this.said("label")}
      <div class="buttons"><button class="primary">Make it known</button></div></form>`;
  }

  /** @param {OneUnit} unit */
  #certificate(unit) {
    return html`<p>With it the unit shows the broker who it is. It lasts thirteen months.</p>
      <sl-unit-certificates fresh .unit=${unit} .again=${() => this.#again()} .saved=${() => { this.#saved = true; this.requestUpdate(); }}></sl-unit-certificates>
      <div class="buttons">${this.#saved ? html`<button class="primary" @click=${() => this.#step(2)}>Go on: print its label</button>` : html`<button class="plain" @click=${() => this.#step(2)}>Later</button>`}</div>`;
  }

  /** @param {OneUnit} unit */
  #print(unit) {
    return html`<p>The field team scans it. Stick it where it can be reached when the unit hangs.</p>
      ${sizeField(this.#size, (size) => { this.#size = size; this.requestUpdate(); })}
      <div class="buttons"><a class="button" id="label-print" target="_blank" rel="noopener" href=${labelsAddress([unit.label], this.#size, 1)}>Label as PDF</a>
        <button class="primary" @click=${() => this.#step(3)}>Go on: its camera</button></div>`;
  }

  /** @param {OneUnit} unit */
  #camera(unit) {
    const camera = unit.cameras[0];
    return html`${camera
      ? html`<p>A camera as it comes from the factory opens to anybody who has read its manual.</p><sl-unit-camera .camera=${camera}></sl-unit-camera>`
      : html`<p class="said">Its camera is not enrolled yet. Enrol it under “Enrol”, choose it on the unit's page, and give it a random password there.</p>`}
      <div class="buttons"><button class="primary" id="unit-done" @click=${() => this.done(unit.label)}>Finish: show ${unit.label}</button></div>`;
  }

  /** @override */
  render() {
    const unit = this.#unit;
    return html`
      <div class="page-head"><button class="plain back" aria-label="Back to all units" @click=${() => this.done("")}>‹ Units</button><h2 tabindex="-1">New unit${unit ? ` ${unit.label}` : ""}</h2></div>
      <ol class="unit-steps" aria-label="Steps">${STEPS.map((words, index) => html`<li aria-current=${index === this.#at ? "step" : nothing} data-done=${index < this.#at}>${words}${index < this.#at ? html`<span class="away">: done</span>` : nothing}</li>`)}</ol>
      <h3 tabindex="-1">${this.#at + 1}. ${STEPS[this.#at]}</h3>
      ${!unit ? this.#label() : this.#at === 1 ? this.#certificate(unit) : this.#at === 2 ? this.#print(unit) : this.#camera(unit)}
    `;
  }
}

customElements.define("sl-unit-new", UnitNew);
