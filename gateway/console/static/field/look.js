/**
 * What the unit sees, and what of it holds here: the live picture with its stick, and on it a finger's no-look zone; below it
 * zones, limits and presets.
 * @module
 */

import { html, nothing } from "lit";
import { get } from "../app/api.js";
import { cameraById, keepCameras, store, tell } from "../app/store.js";
import { sectorOf, stood } from "./aim.js";
import "./confirm.js";
import "./picture.js";
import { FieldElement } from "./state.js";

/** @typedef {import("./picture.js").Box} Box */
/** @typedef {ReturnType<typeof sectorOf>} Sector */

/** A finger is thick, and a head comes back to a place only nearly. */
const MARGIN_DEG = 2;
/** Where the head looks is asked while somebody waits with a finger in the air. */
const ANSWER_MS = 10_000;

/** @typedef {import("../app/types.js").HeadState | null} Head */

class FieldLook extends FieldElement {
  /** @override */
  static properties = { camera: { type: String }, deployment: { type: String }, live: { attribute: false }, left: { attribute: false } };

  #drawing = false;
  /** @type {Box | null} */
  #box = null;
  /** Where the head looked when it was drawn decides what it hides. @type {Sector | null} */
  #sector = null;
  /** Where the head looked as the finger came down. @type {Promise<Head>} */
  #before = Promise.resolve(null);
  /** Which rectangle it is. */
  #turn = 0;
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
    this.#turn += 1;
    this.#box = this.#sector = null;
  }

  /** @param {boolean} drawing */
  #begin(drawing) {
    this.#drawing = drawing;
    this.#turn += 1;
    this.#box = this.#sector = null;
    this.requestUpdate();
    if (drawing) this.querySelector(".field-view")?.scrollIntoView({ block: "center" });
  }

  /** @param {import("../app/types.js").Bounds} bounds */
  #known = ({ zones }) => {
    this.#zones = zones;
    this.requestUpdate();
  };

  /** Asked now: others turn it too, and who may not steer hears of it only now and then. @returns {Promise<Head>} */
  async #head() {
    const known = await get(`/cameras/${this.camera}`, AbortSignal.timeout(ANSWER_MS)).catch(() => null);
    if (known) keepCameras([...store.state.cameras.filter(({ id }) => id !== known.id), known]);
    return known?.state.head ?? null;
  }

  #pressed = () => {
    this.#before = this.#head();
  };

  /** @param {Box} box @param {number} aspect of the picture that it was drawn on */
  #drawn = async (box, aspect) => {
    const turn = (this.#turn += 1);
    this.#box = box;
    this.requestUpdate();
    const head = stood(await this.#before, await this.#head());
    if (turn !== this.#turn) return;
    if (head) {
      this.#sector = sectorOf(head, box, MARGIN_DEG, aspect);
      this.#drawing = false;
    } else {
      this.#box = null;
      tell("The head turned while you drew, or does not tell where it looks. Wait until the picture stands, and draw again.", "attention");
    }
    this.requestUpdate();
  };

  /** @override */
  render() {
    if (!cameraById(this.camera)) return html`<p class="said attention">The unit's camera is not among those that you may see.</p>`;
    return html`<field-picture .camera=${this.camera} .live=${this.live} .box=${this.#box} .zones=${this.#zones} .pressed=${this.#pressed} .drawn=${this.#drawing ? this.#drawn : null}></field-picture>
      ${this.#drawing ? html`<p class="said" role="status">Draw a rectangle on the picture with a finger, around what is not to be looked into.</p>` : nothing}
      <field-confirm .camera=${this.camera} .deployment=${this.deployment} .drawing=${this.#drawing} .sector=${this.#sector} .known=${this.#known} .left=${this.left}
        .draw=${(/** @type {boolean} */ on) => this.#begin(on)}></field-confirm>`;
  }
}

customElements.define("field-look", FieldLook);
