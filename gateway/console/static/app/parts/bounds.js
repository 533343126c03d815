/**
 * Where a head may look: its limits and no-look zones, made from what it looks at now.
 *
 * Angles are the head's own. What a zone hides is what the picture shows when it is made, with some margin.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { may, selectedCamera, tell } from "../store.js";
import { line } from "../words.js";

/** @typedef {import("../types.js").Bounds} Bounds */
/** @typedef {import("../types.js").Camera} Camera */
/** @typedef {import("../types.js").Limits} Limits */
/** @typedef {import("../types.js").Zone} Zone */

const HEIGHT_BY_WIDTH = 9 / 16;
const MARGIN_DEG = 2;
/** @type {[field: keyof Limits, label: string, from: "pan_deg" | "tilt_deg" | "hfov_deg"][]} */
const LIMITS = [
  ["left_deg", "Left", "pan_deg"],
  ["right_deg", "Right", "pan_deg"],
  ["lower_deg", "Lower", "tilt_deg"],
  ["upper_deg", "Upper", "tilt_deg"],
  ["narrowest_deg", "Zoom", "hfov_deg"],
];
const WHO = { everybody: "everybody", guests: "partners with the stick" };

/** @param {number} value */
const degrees = (value) => `${Number(value.toFixed(1))}°`;
/** @param {number} value */
const tenth = (value) => Math.round(value * 10) / 10;
/** A direction as the head counts it, -180 to 180. @param {number} value */
const turned = (value) => tenth(((((value + 180) % 360) + 360) % 360) - 180);

/**
 * What the picture shows now, and a margin around it.
 * @param {import("../types.js").HeadState} head @param {number} margin degrees
 */
export function shownSector(head, margin) {
  const pan = head.pan_deg ?? 0;
  const tilt = head.tilt_deg ?? 0;
  const half = Math.tan((((head.hfov_deg ?? 0) / 2) * Math.PI) / 180);
  const up = (Math.atan(half * HEIGHT_BY_WIDTH) * 180) / Math.PI + margin;
  // A steep picture shows more of the circle than its field of view.
  const level = Math.cos((tilt * Math.PI) / 180);
  const side = Math.min(179, (Math.atan2(half, Math.max(0.01, level)) * 180) / Math.PI + margin);
  return {
    pan_from_deg: turned(pan - side),
    pan_to_deg: turned(pan + side),
    tilt_from_deg: tenth(Math.max(-90, tilt - up)),
    tilt_to_deg: tenth(Math.min(90, tilt + up)),
  };
}

class BoundsOfAHead extends SlElement {
  /** @type {Bounds | null} */
  #bounds = null;
  #of = "";
  #said = "";
  #open = false;
  #adding = false;
  #removing = "";
  /** @type {"everybody" | "guests"} */
  #who = "everybody";

  /** @override */
  willUpdate() {
    const camera = selectedCamera();
    // Loaded again when the camera's place makes them unconfirmed.
    const key = camera?.head ? `${camera.id} ${camera.bounds ?? ""}` : "";
    if (key === this.#of) return;
    if (camera?.id !== this.#of.split(" ")[0]) {
      this.#bounds = null;
      this.#adding = false;
      this.#removing = "";
    }
    this.#of = key;
    if (camera?.head) void this.#load(camera.id);
  }

  /** @param {string} id */
  async #load(id) {
    try {
      const bounds = await get(`/cameras/${id}/bounds`);
      if (selectedCamera()?.id !== id) return;
      this.#bounds = bounds;
      this.#said = "";
    } catch (error) {
      this.#said = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** @param {Partial<Bounds>} patch @param {string} done */
  async #put(patch, done) {
    const id = selectedCamera()?.id;
    if (!id || !this.#bounds) return;
    const { limits, zones } = { ...this.#bounds, ...patch };
    try {
      const bounds = await send("PUT", `/cameras/${id}/bounds`, { limits, zones });
      tell(done);
      this.#adding = false;
      if (selectedCamera()?.id === id) this.#bounds = bounds;
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
    this.#removing = "";
    this.requestUpdate();
  }

  /** @param {keyof Limits} field @param {number} value @param {string} label */
  #limit(field, value, label) {
    const limits = this.#bounds?.limits ?? [];
    const mine = limits.find((one) => one.binds === this.#who) ?? { binds: this.#who };
    const others = limits.filter((one) => one.binds !== this.#who);
    void this.#put({ limits: [...others, { ...mine, [field]: tenth(value) }] }, `${label} limit at ${degrees(value)} for ${WHO[this.#who]}.`);
  }

  /** @param {Event} event */
  #zone(event) {
    const { name = "", binds = "everybody", margin = "0", narrower = "" } = fields(event);
    const head = selectedCamera()?.state.head;
    if (!head) return;
    const zone = /** @type {Zone} */ ({
      name, binds, ...shownSector(head, Number(margin)), ...(narrower ? { narrower_than_deg: Number(narrower) } : {}),
    });
    void this.#put({ zones: [...(this.#bounds?.zones ?? []), zone] }, `No-look zone “${name}” is kept.`);
  }

  /** @param {string} key @param {Partial<Bounds>} patch @param {string} done */
  #remove(key, patch, done) {
    if (this.#removing === key) void this.#put(patch, done);
    else this.#removing = key;
    this.requestUpdate();
  }

  /** @param {string} key @param {string} name @param {unknown} words @param {Partial<Bounds>} patch */
  #row(key, name, words, patch) {
    const sure = this.#removing === key;
    return html`<li data-bound=${key}><div class="bound"><strong>${name}</strong><span>${words}</span></div>
      ${may("enrol") ? html`<button class="plain remove ${sure ? "sure" : ""}" aria-label="Remove ${name}"
        @blur=${() => { this.#removing = ""; this.requestUpdate(); }}
        @click=${() => this.#remove(key, patch, `${name} is removed.`)}>${sure ? "Really?" : "Remove"}</button>` : nothing}</li>`;
  }

  /** @param {Bounds} bounds */
  #count({ limits, zones }) {
    return zones.length + limits.reduce((sum, one) => sum + LIMITS.filter(([field]) => typeof one[field] === "number").length, 0);
  }

  /** @param {Bounds} bounds */
  #list({ limits, zones }) {
    const rows = [
      ...limits.flatMap((one) => LIMITS.flatMap(([field, label]) => {
        const value = one[field];
        if (typeof value !== "number") return [];
        const rest = limits.map((each) => (each === one ? { ...each, [field]: null } : each))
          .filter((each) => LIMITS.some(([each_field]) => typeof each[each_field] === "number"));
        return [this.#row(`${one.binds}-${field}`, `${label} limit`, `${degrees(value)}, for ${WHO[one.binds]}`, { limits: rest })];
      })),
      ...zones.map((zone) => this.#row(zone.id ?? zone.name, zone.name,
        `${degrees(zone.pan_from_deg)} to ${degrees(zone.pan_to_deg)}, ${degrees(zone.tilt_from_deg)} to ${degrees(zone.tilt_to_deg)}, for ${WHO[zone.binds]}${
          typeof zone.narrower_than_deg === "number" ? `, when narrower than ${degrees(zone.narrower_than_deg)}` : ""}`,
        { zones: zones.filter((each) => each !== zone) })),
    ];
    return rows.length ? html`<ol>${rows}</ol>` : html`<p class="hint">This head may look wherever it turns.</p>`;
  }

  /** @param {Camera} camera */
  #forms(camera) {
    const head = camera.state.head;
    if (typeof head?.pan_deg !== "number" || typeof head.tilt_deg !== "number") {
      return html`<p class="hint">This camera does not tell where it looks. Whoever is bound here may recall its presets, not steer it.</p>`;
    }
    const lens = typeof head.hfov_deg === "number";
    const who = (/** @type {string} */ id) => html`<label for=${id}>For</label><select id=${id} name="binds"
      @change=${(/** @type {Event} */ event) => { this.#who = /** @type {"everybody" | "guests"} */ (/** @type {HTMLSelectElement} */ (event.target).value); }}>
      ${Object.entries(WHO).map(([value, words]) => html`<option value=${value} ?selected=${value === this.#who}>${words}</option>`)}</select>`;
    if (this.#adding) {
      return html`<form class="bound-form" @submit=${(/** @type {Event} */ event) => this.#zone(event)}>
        <label for="zone-name">Name</label><input id="zone-name" name="name" required maxlength="120" placeholder="Flats, east side" autocomplete="off">
        ${who("zone-who")}
        <label for="zone-margin">Margin, degrees</label><input id="zone-margin" name="margin" type="number" min="0" max="45" step="0.5" value=${MARGIN_DEG}>
        ${lens ? html`<label for="zone-narrower">Only when narrower than, degrees (empty: always)</label>
          <input id="zone-narrower" name="narrower" type="number" min="0.5" max="170" step="0.5">` : nothing}
        <div class="bound-row"><button class="primary">Keep this zone</button>
          <button type="button" class="plain" @click=${() => { this.#adding = false; this.requestUpdate(); }}>Cancel</button></div></form>`;
    }
    return html`
      <button id="add-zone" @click=${async () => { this.#adding = true; this.requestUpdate(); await this.updateComplete;
        /** @type {HTMLElement | null} */ (this.querySelector("#zone-name"))?.focus(); }}>Make what is seen now a no-look zone</button>
      <div class="bound-row" role="group" aria-label="Set a limit where the camera looks now"><span>Limit here:</span>
        ${LIMITS.filter(([, , from]) => typeof head[from] === "number").map(([field, label, from]) => html`<button
          aria-label="Set as ${label.toLowerCase()} limit" @click=${() => this.#limit(field, /** @type {number} */ (head[from]), label)}>${label}</button>`)}
        ${who("limit-who")}</div>
    `;
  }

  /** @override */
  render() {
    const camera = selectedCamera();
    const bounds = this.#bounds;
    if (!camera?.head || (!bounds && !this.#said)) return html``;
    if (!bounds) return html`<p class="hint" role="status">${this.#said}</p>`;
    return html`<details class="presets bounds" id="bounds" ?open=${this.#open || !bounds.confirmed}
      @toggle=${(/** @type {Event} */ event) => { this.#open = /** @type {HTMLDetailsElement} */ (event.target).open; }}>
      <summary><h3>Limits and zones <span class="count">${this.#count(bounds) || ""}</span></h3></summary>
      ${bounds.confirmed ? nothing : html`<p class="said attention" role="status">The camera stands at another place now. Nothing is kept, and partners may not steer it.</p>
        ${may("enrol") ? html`<button id="confirm-bounds" class="primary" @click=${() => void this.#put({}, "Limits and zones hold for this place.")}>They hold here too</button>` : nothing}`}
      ${this.#list(bounds)} ${may("enrol") ? this.#forms(camera) : nothing}
      ${this.#said ? html`<p class="hint" role="status">${this.#said}</p>` : nothing}
    </details>`;
  }
}

customElements.define("sl-bounds", BoundsOfAHead);
