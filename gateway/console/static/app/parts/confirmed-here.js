/**
 * What was confirmed anew where cameras stand now: limits and no-look zones, presets, bearing, lens, reference view.
 * @module
 */

import { html, nothing } from "lit";
import { get } from "../api.js";
import { SlElement } from "../element.js";
import { cameraById } from "../store.js";

/** reference: undefined where it is not known. @typedef {{presets: {confirmed: boolean}[], reference: string | null | undefined}} Found */

class ConfirmedHere extends SlElement {
  /** @override */
  static properties = { cameras: { attribute: false }, turn: { attribute: false } };

  constructor() {
    super();
    /** @type {string[]} */
    this.cameras = [];
    this.turn = "";
    this.#of = "";
  }

  /** @type {Record<string, Found>} */
  #found = {};
  #of;

  /** @override */
  willUpdate() {
    const of = `${this.turn} ${this.cameras.join()}`;
    if (of === this.#of) return;
    this.#of = of;
    for (const id of this.cameras) void this.#load(id);
  }

  /** @param {string} id */
  async #load(id) {
    const head = cameraById(id)?.head;
    const [presets, view] = await Promise.all([
      head ? get(`/cameras/${id}/presets`).catch(() => []) : [],
      get(`/cameras/${id}/reference-view`).catch(() => ({ taken: undefined })),
    ]);
    this.#found = { ...this.#found, [id]: { presets, reference: view.taken } };
    this.requestUpdate();
  }

  /**
   * What the camera is to show. Of one with a head it is what it shows while the head stands as it stood then: the gateway
   * holds none where the head does not say where that is.
   * @param {import("../types.js").Camera} camera @param {string | null | undefined} reference @returns {[boolean | null, string]}
   */
  #reference({ head, state }, reference) {
    const mute = Boolean(head && state.head?.at && typeof state.head.pan !== "number");
    if (mute && !reference) return [null, "Reference view: none is held, as its head does not say where it stands"];
    if (reference === undefined) return [null, "Reference view: not known"];
    return [reference !== null, head ? "Reference view, where its head stood" : "Reference view"];
  }

  /** @param {string} id */
  #one(id) {
    const camera = cameraById(id);
    if (!camera) return nothing;
    const { presets = [], reference } = this.#found[id] ?? {};
    const held = presets.filter(({ confirmed }) => confirmed).length;
    const rows = /** @type {[boolean | null, string][]} */ ([
      [typeof camera.bearing_deg === "number", typeof camera.bearing_deg === "number" ? `Bearing, ${Math.round(camera.bearing_deg)}°` : "Bearing"],
      [typeof camera.hfov_deg === "number" || typeof camera.state.head?.hfov_deg === "number", "Lens angle"],
      ...(camera.head ? [
        [camera.bounds !== "unconfirmed", camera.bounds === "none" ? "Limits and no-look zones: it has none" : "Limits and no-look zones"],
        [presets.length === 0 ? null : held === presets.length, presets.length === 0 ? "Presets: it has none" : `Presets: ${held} of ${presets.length} stored here`],
      ] : []),
      this.#reference(camera, reference),
    ]);
    return html`<div class="dep-confirmed" data-camera=${camera.number}><h4><span class="number">${camera.number}</span> ${camera.name}</h4>
      <ul class="dep-ticks">${rows.map(([is, words]) => html`<li data-is=${String(is)}>${is === null ? "–" : is ? "✓" : "✕"} ${words}${is === false ? html` <b class="attention">not confirmed at this place</b>` : nothing}</li>`)}</ul></div>`;
  }

  /** @override */
  render() {
    return html`<section class="dep-part"><h3>Confirmed at this place</h3>${this.cameras.map((id) => this.#one(id))}</section>`;
  }
}

customElements.define("sl-confirmed-here", ConfirmedHere);
