/**
 * What the unit sees, and what of it holds here: the live picture with its stick, and on it a finger's no-look zone; below it
 * zones, limits and presets.
 * @module
 */

import { html, nothing } from "lit";
import { cameraById, tell } from "../app/store.js";
import { sectorOf } from "./aim.js";
import "./confirm.js";
import "./picture.js";
import { FieldElement } from "./state.js";

/** @typedef {import("./picture.js").Box} Box */
/** @typedef {ReturnType<typeof sectorOf>} Sector */

/** A finger is thick, and a head comes back to a place only nearly. */
const MARGIN_DEG = 2;

class FieldLook extends FieldElement {
  /** @override */
  static properties = { camera: { type: String }, deployment: { type: String }, live: { attribute: false }, left: { attribute: false } };

  #drawing = false;
  /** @type {Box | null} */
  #box = null;
  /** Where the head looked when it was drawn decides what it hides. @type {Sector | null} */
  #sector = null;
  /** What is kept already. @type {readonly import("../app/types.js").Zone[]} */
  #zones = [];

  constructor() {
    super();
    this.camera = "";
    this.deployment = "";
    /** @type {(() => void) | null} */
    this.live = null;
    /** Told how many presets of another place are left, whenever that is read. @type {(presets: number) => void} */
    this.left = () => {};
  }

  /** What was drawn belongs to one head. @override @param {import("lit").PropertyValues} changed */
  willUpdate(changed) {
    if (!changed.has("camera")) return;
    this.#zones = [];
    this.#box = this.#sector = null;
  }

  /** @param {boolean} drawing */
  #begin(drawing) {
    this.#drawing = drawing;
    this.#box = this.#sector = null;
    this.requestUpdate();
    if (drawing) this.querySelector(".field-view")?.scrollIntoView({ block: "center" });
  }

  /** @param {import("../app/types.js").Bounds} bounds */
  #known = ({ zones }) => {
    this.#zones = zones;
    this.requestUpdate();
  };

  /** @param {Box} box */
  #drawn = (box) => {
    const head = cameraById(this.camera)?.state.head;
    if (typeof head?.pan_deg !== "number" || typeof head.tilt_deg !== "number" || typeof head.hfov_deg !== "number" || head.moving) {
      tell("The head is still turning, or does not tell where it looks. Wait until the picture stands, and draw again.", "attention");
      return;
    }
    this.#box = box;
    this.#sector = sectorOf({ pan_deg: head.pan_deg, tilt_deg: head.tilt_deg, hfov_deg: head.hfov_deg }, box, MARGIN_DEG);
    this.#drawing = false;
    this.requestUpdate();
  };

  /** @override */
  render() {
    if (!cameraById(this.camera)) return html`<p class="said attention">The unit's camera is not among those that you may see.</p>`;
    return html`<field-picture .camera=${this.camera} .live=${this.live} .box=${this.#box} .zones=${this.#zones} .drawn=${this.#drawing ? this.#drawn : null}></field-picture>
      ${this.#drawing ? html`<p class="said" role="status">Draw a rectangle on the picture with a finger, around what is not to be looked into.</p>` : nothing}
      <field-confirm .camera=${this.camera} .deployment=${this.deployment} .drawing=${this.#drawing} .sector=${this.#sector} .known=${this.#known} .left=${this.left}
        .draw=${(/** @type {boolean} */ on) => this.#begin(on)}></field-confirm>`;
  }
}

customElements.define("field-look", FieldLook);
