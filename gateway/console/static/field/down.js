/**
 * A unit that stands, and taking it down: the camera first, then its signs.
 * @module
 */

import { html, nothing } from "lit";
import { fields } from "../app/element.js";
import { cameraById } from "../app/store.js";
import { shoot } from "./photo.js";
import "./picture.js";
import { takenDown } from "./progress.js";
import "./scan.js";
import { FieldElement, opened } from "./state.js";
import { close, take } from "./work.js";

/** @typedef {import("./progress.js").Deployment} Deployment */

class FieldDown extends FieldElement {
  #seen = "";
  #looking = false;

  /** @param {Deployment} one */
  #unit(one) {
    if (this.#seen === "") {
      return html`<p>Take it down after you have scanned it, so that it is the right one.</p>
        <field-scan .found=${(/** @type {string} */ label) => { this.#seen = label; this.requestUpdate(); }}></field-scan>`;
    }
    if (this.#seen !== one.unit) {
      return html`<p class="said attention" role="alert"><strong>This is ${this.#seen}; ${one.unit} stands here.</strong></p>
        <button @click=${() => { this.#seen = ""; this.requestUpdate(); }}>Look again</button>`;
    }
    const down = (/** @type {Event} */ event) => {
      const { reason = "" } = fields(event);
      void take(one.id, [{ step: "removal", said: { text: reason }, words: "the unit is down" }]);
    };
    return html`<p>From then on it stands nowhere and records nothing.</p>
      <form class="typed" @submit=${down}><label for="why-down">Why</label>
        <input id="why-down" name="reason" required minlength="3" maxlength="500" autocomplete="off" .value=${one.valid ? "Its work is done." : "Its time is over."}>
        <button class="primary" id="is-down">${one.unit} is down</button></form>`;
  }

  /** @param {Deployment} one */
  #signs(one) {
    return html`<p>Signs last: photograph the post as you leave it, without them.</p>
      ${shoot("sign-photo", "Photograph the post without its signs", true, (photo) => take(one.id, [
        { step: "photos", said: { kind: "sign-down" }, words: "photo of the post", photo },
        { step: "signs-down", said: { text: "The signs are down, as in the photo." }, words: "signs are down" },
      ]))}`;
  }

  /** @override */
  render() {
    const one = opened();
    if (!one) return nothing;
    const done = takenDown(one);
    const camera = one.cameras[0];
    return html`<section class="card head"><h1>${one.street || one.title}${one.mount ? `, ${one.mount}` : ""}</h1>
        <p>Unit <b>${one.unit}</b> · ${one.title}</p>
        ${one.alarms.length ? html`<p class="said alarm">${one.alarms.join(", ")}</p>` : nothing}
        ${camera && cameraById(camera) && !done.unit ? html`<button @click=${() => { this.#looking = !this.#looking; this.requestUpdate(); }}>${this.#looking ? "Hide its picture" : "Show its picture"}</button>` : nothing}
        ${this.#looking && camera && !done.unit ? html`<field-picture .camera=${camera}></field-picture>` : nothing}</section>
      <section class="card part" data-part="removal" data-done=${done.unit} data-now=${!done.unit}>
        <h2><span aria-hidden="true">${done.unit ? "✓" : 1}</span> Take the unit down<span class="away">${done.unit ? ": done" : ""}</span></h2>${done.unit ? nothing : this.#unit(one)}</section>
      <section class="card part" data-part="signs-down" data-done=${done.signs} data-now=${done.unit && !done.signs}>
        <h2><span aria-hidden="true">${done.signs ? "✓" : 2}</span> The signs<span class="away">${done.signs ? ": done" : ""}</span></h2>${done.unit && !done.signs ? this.#signs(one) : nothing}</section>
      ${done.unit && done.signs ? html`<section class="card"><p class="said">Done. What it achieved is written in the control room.</p><button class="primary" @click=${close}>Back to the list</button></section>` : nothing}`;
  }
}

customElements.define("field-down", FieldDown);
