/**
 * What the unit brought from another place, confirmed for this one: its presets, and its limits and no-look zones.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../app/api.js";
import { fields } from "../app/element.js";
import { steering } from "../app/steering.js";
import { cameraById, tell } from "../app/store.js";
import { line } from "../app/words.js";
import { FieldElement } from "./state.js";
import { look } from "./work.js";

/** @typedef {import("../app/types.js").Bounds} Bounds */
/** @typedef {{token: string, name: string, confirmed: boolean}} Preset */

class FieldConfirm extends FieldElement {
  /** @override */
  static properties = { camera: { type: String }, deployment: { type: String }, drawing: { type: Boolean }, sector: { attribute: false }, draw: { attribute: false }, known: { attribute: false }, left: { attribute: false } };

  /** @type {Bounds | null} */
  #bounds = null;
  /** @type {Preset[]} */
  #presets = [];
  #of = "";
  #said = "";
  #removing = "";

  constructor() {
    super();
    this.camera = "";
    this.deployment = "";
    this.drawing = false;
    /** What a finger drew on the picture, as the head has it. @type {import("./look.js").Sector | null} */
    this.sector = null;
    /** @type {(on: boolean) => void} */
    this.draw = () => {};
    /** @type {(bounds: Bounds) => void} told what is kept, whenever that is read */
    this.known = () => {};
    /** Told how many presets of another place are left, whenever that is read. @type {(presets: number) => void} */
    this.left = () => {};
  }

  /** @override */
  willUpdate() {
    const known = cameraById(this.camera);
    const key = known?.head ? `${known.id} ${known.bounds ?? ""}` : "";
    if (key === this.#of) return;
    this.#of = key;
    if (known?.head) void this.#load();
  }

  async #load() {
    const id = this.camera;
    try {
      const [bounds, presets] = await Promise.all([get(`/cameras/${id}/bounds`), get(`/cameras/${id}/presets`)]);
      if (id !== this.camera) return;
      this.#bounds = bounds;
      this.known(bounds);
      this.#presets = presets;
      this.left(this.#elsewhere);
      this.#said = "";
    } catch (error) {
      this.#said = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** How many presets are of another place. */
  get #elsewhere() {
    return this.#presets.filter(({ confirmed }) => !confirmed).length;
  }

  /** @param {() => Promise<unknown>} act @param {string} done */
  async #do(act, done) {
    this.#removing = "";
    try {
      await act();
      tell(done);
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
    await Promise.all([this.#load(), look()]);
  }

  /** @param {Partial<Bounds>} patch @param {string} done */
  #put(patch, done) {
    const { limits = [], zones = [] } = { ...this.#bounds, ...patch };
    return this.#do(() => send("PUT", `/deployments/${this.deployment}/bounds`, { camera: this.camera, limits, zones }), done);
  }

  /** @param {Event} event */
  #keepZone(event) {
    const { name = "" } = fields(event);
    if (!this.sector) return;
    const zone = /** @type {import("../app/types.js").Zone} */ ({ name, binds: "everybody", ...this.sector });
    this.draw(false);
    void this.#put({ zones: [...(this.#bounds?.zones ?? []), zone] }, `No-look zone “${name}” is kept.`);
  }

  /** @param {string} key @param {() => void} act */
  #remove(key, act) {
    const sure = this.#removing === key;
    return html`<button class="remove ${sure ? "sure" : ""}" @click=${() => {
      if (sure) act();
      else this.#removing = key;
      this.requestUpdate();
    }}>${sure ? "Really?" : "Remove"}</button>`;
  }

  /** @param {Preset} preset */
  #preset(preset) {
    return html`<li data-preset=${preset.token} data-confirmed=${preset.confirmed}>
      <span><b>${preset.name || preset.token}</b>${preset.confirmed ? "" : " · of another place"}</span>
      <div class="row">${preset.confirmed
        ? html`<button @click=${() => steering().once({ t: "preset", token: preset.token })}>Show</button>`
        : html`<button @click=${() => void this.#do(() => send("POST", `/cameras/${this.camera}/presets`, { name: preset.name, token: preset.token }), `“${preset.name}” is what you see now.`)}>Is what I see now</button>`}
        ${this.#remove(preset.token, () => void this.#do(() => send("DELETE", `/cameras/${this.camera}/presets/${encodeURIComponent(preset.token)}`), `“${preset.name}” is removed.`))}</div></li>`;
  }

  /** @param {Bounds} bounds @param {boolean} due whether they are of another place */
  #zones(bounds, due) {
    const tells = typeof cameraById(this.camera)?.state.head?.hfov_deg === "number";
    return html`<h3>No-look zones and limits</h3>
      ${bounds.zones.length ? html`<ul class="kept">${bounds.zones.map((zone) => html`<li data-zone=${zone.name}><span><b>${zone.name}</b>${due ? " · of another place" : ""}</span>
        ${this.#remove(zone.id ?? zone.name, () => void this.#put({ zones: bounds.zones.filter((each) => each !== zone) }, `“${zone.name}” is removed.`))}</li>`)}</ul>`
        : html`<p class="quiet">None${bounds.limits.length ? `; ${bounds.limits.length} limits` : ""}.</p>`}
      ${this.sector ? html`<form class="typed" @submit=${(/** @type {Event} */ event) => this.#keepZone(event)}><label for="zone-name">What is in the rectangle?</label>
        <div class="row"><input id="zone-name" name="name" required maxlength="120" autocomplete="off" placeholder="Windows of number 12"></div>
        <button class="primary">Do not look there</button>
        <div class="row"><button type="button" @click=${() => this.draw(true)}>Draw again</button><button type="button" @click=${() => this.draw(false)}>Cancel</button></div></form>`
        : !tells ? html`<p class="hint">This head does not tell how wide it looks, so nothing can be drawn: zones are made in the control room.</p>`
          : html`<button id="draw-zone" aria-pressed=${this.drawing} @click=${() => this.draw(!this.drawing)}>${this.drawing ? "Stop drawing" : "Draw a no-look zone"}</button>`}
      ${due ? html`<p class="said attention">They are of another place. Until you confirm them, or change them, partners may not steer it.</p>
        <button id="confirm-bounds" class="primary" @click=${() => void this.#put({}, "Zones and limits hold for this place.")}>These hold here</button>` : nothing}`;
  }

  /** @override */
  render() {
    const known = cameraById(this.camera);
    if (!known?.head) return nothing;
    const steers = Boolean(known.may?.includes("steer"));
    return html`
      ${this.#said ? html`<p class="said attention" role="status">${this.#said}</p>` : nothing}
      ${this.#bounds ? this.#zones(this.#bounds, known.bounds === "unconfirmed") : nothing}
      ${this.#presets.length ? html`<h3>Presets</h3>
        ${this.#elsewhere ? html`<p class="said attention">${this.#elsewhere} of another place. Turn the picture and say which is what you see now; remove the others.</p>` : nothing}<ul class="kept">${this.#presets.map((preset) => this.#preset(preset))}</ul>` : nothing}
      ${steers && known.head.presets_max !== 0 ? html`<form class="typed" @submit=${(/** @type {Event} */ event) => {
          const { name = "" } = fields(event);
          void this.#do(() => send("POST", `/cameras/${this.camera}/presets`, { name }), `“${name}” is kept.`);
        }}><label for="preset-name">Keep what I see as a preset</label>
        <div class="row"><input id="preset-name" name="name" required maxlength="64" autocomplete="off"><button>Keep</button></div></form>` : nothing}`;
  }
}

customElements.define("field-confirm", FieldConfirm);
