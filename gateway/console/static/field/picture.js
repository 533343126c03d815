/**
 * The unit's live picture on the phone, with its stick; a finger may draw a rectangle on it.
 * @module
 */

import { html, nothing } from "lit";
import { liveTitle, liveWords } from "../app/freshness.js";
import { LivePicture } from "../app/live.js";
import { pad } from "../app/parts/pad.js";
import { steering } from "../app/steering.js";
import { cameraById } from "../app/store.js";
import { line } from "../app/words.js";
import { FieldElement } from "./state.js";
import { zonesOn } from "./zones.js";

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box parts of the picture, 0 to 1 */

/** Smaller is a tap, not a rectangle. */
const SMALLEST = 0.03;

class FieldPicture extends FieldElement {
  /** @override */
  static properties = { camera: { type: String }, cross: { type: Boolean }, live: { attribute: false }, pressed: { attribute: false }, drawn: { attribute: false }, box: { attribute: false }, zones: { attribute: false } };

  /** @type {LivePicture | null} */
  #picture = null;
  #showing = "";
  /** @type {import("../app/live.js").LiveReport | null} */
  #report = null;
  /** @type {{x: number, y: number} | null} */
  #from = null;

  constructor() {
    super();
    this.camera = "";
    this.cross = false;
    /** @type {(() => void) | null} told once the picture is live */
    this.live = null;
    /** Told as a finger comes down to draw. @type {() => void} */
    this.pressed = () => {};
    /** @type {((box: Box, aspect: number) => void) | null} told what was drawn, on a picture of which form; without it nothing can be */
    this.drawn = null;
    /** What was drawn, shown until it is kept or dropped. @type {Box | null} */
    this.box = null;
    /** What is kept already, drawn on the picture while it stands. @type {readonly import("../app/types.js").Zone[]} */
    this.zones = [];
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#clear();
  }

  #clear() {
    this.#picture?.end();
    this.#picture = this.#report = null;
    this.#showing = "";
    steering().aim(null);
  }

  get #steerable() {
    const camera = cameraById(this.camera);
    return Boolean(camera?.head && camera.may?.includes("steer"));
  }

  /** @override */
  updated() {
    const host = /** @type {HTMLElement | null} */ (this.querySelector(".picture"));
    const known = cameraById(this.camera);
    if (!host || !known) return;
    if (this.#showing !== this.camera) {
      this.#clear();
      this.#showing = this.camera;
      // The small stream: a phone in a street, and the unit's own SIM, pay for every picture.
      this.#picture = new LivePicture(host, this.camera, known.streams.sub ? "sub" : "main", Boolean(known.streams.sub), (report) => {
        const before = this.#isLive;
        this.#report = report;
        if (!before && this.#isLive) this.live?.();
        this.requestUpdate();
      });
      if (this.#steerable) steering().aim(this.camera);
    }
    if (this.#picture) this.#picture.timed = known.state.timed;
    if (!this.#from) this.#outline(this.box);
  }

  get #isLive() {
    return this.#report?.state === "playing" && this.#report.verdict.state === "live";
  }

  /** In a word, as style sheets know it. */
  get #word() {
    const { state = "connecting", verdict } = this.#report ?? {};
    return state === "playing" && verdict && verdict.state !== "none" ? verdict.state : state;
  }

  // --- a finger's rectangle

  /** Width by height of what is shown. */
  get #aspect() {
    const video = this.#picture?.video;
    return video?.videoWidth ? video.videoWidth / video.videoHeight : 16 / 9;
  }

  /** Where the video lies in its room: bars may be beside or above it. */
  #frame() {
    const room = /** @type {HTMLElement} */ (this.querySelector(".picture")).getBoundingClientRect();
    const aspect = this.#aspect;
    const [width, height] = room.width / room.height > aspect ? [room.height * aspect, room.height] : [room.width, room.width / aspect];
    return { room, width, height, left: (room.width - width) / 2, top: (room.height - height) / 2 };
  }

  /** Where in the picture a finger is. @param {PointerEvent} event */
  #at(event) {
    const { room, width, height, left, top } = this.#frame();
    const part = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    return { x: part((event.clientX - room.left - left) / width), y: part((event.clientY - room.top - top) / height) };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (!this.drawn || !event.isPrimary) return;
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    this.#from = this.#at(event);
    this.pressed();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (this.#from) this.#outline(boxOf(this.#from, this.#at(event)));
  }

  /** @param {Box | null} box */
  #outline(box) {
    const rubber = /** @type {HTMLElement | null} */ (this.querySelector(".zone-rubber"));
    if (!rubber) return;
    rubber.hidden = box === null;
    if (!box) return;
    const frame = this.#frame();
    const { left, top, right, bottom } = box;
    Object.assign(rubber.style, {
      left: `${frame.left + left * frame.width}px`, top: `${frame.top + top * frame.height}px`,
      width: `${(right - left) * frame.width}px`, height: `${(bottom - top) * frame.height}px`,
    });
  }

  /** @param {PointerEvent} event @param {boolean} whole */
  #lift(event, whole) {
    const from = this.#from;
    this.#from = null;
    this.#outline(this.box);
    if (!from || !whole) return;
    const box = boxOf(from, this.#at(event));
    if (box.right - box.left >= SMALLEST && box.bottom - box.top >= SMALLEST) this.drawn?.(box, this.#aspect);
  }

  #standing() {
    const report = this.#report;
    const problem = report?.problem;
    if (this.#isLive && report) return html`<p class="live-line" title=${liveTitle(report.verdict, report.verdict.ageMs ?? 0)}>live${report.verdict.ageMs === null ? "" : ` · ${liveWords(report.verdict, report.verdict.ageMs)}`}</p>`;
    return html`<p class="live-line attention" role="status">${problem ? line(problem) : report?.state === "playing" ? "The picture does not move." : "The picture is being asked for…"}</p>`;
  }

  /** @override */
  render() {
    const camera = cameraById(this.camera);
    if (!camera) return html`<p class="said attention">The unit's camera is not among those that you may see.</p>`;
    return html`
      <div class="picture field-view" data-state=${this.#word} data-drawing=${this.drawn !== null}
        @pointerdown=${this.#press} @pointermove=${this.#drag} @pointerup=${(/** @type {PointerEvent} */ event) => this.#lift(event, true)}
        @pointercancel=${(/** @type {PointerEvent} */ event) => this.#lift(event, false)}>
        ${this.#isLive ? zonesOn(this.zones, camera.state.head, this.#aspect) : nothing}<div class="zone-rubber" hidden></div>
        ${this.cross ? html`<div class="cross" aria-hidden="true"></div>` : nothing}
      </div>
      ${this.#standing()}
      ${this.#steerable && !camera.head?.presets_only && !this.drawn && !this.box ? pad() : nothing}`;
  }
}

/** @param {{x: number, y: number}} one @param {{x: number, y: number}} other @returns {Box} */
const boxOf = (one, other) => ({ left: Math.min(one.x, other.x), right: Math.max(one.x, other.x), top: Math.min(one.y, other.y), bottom: Math.max(one.y, other.y) });

customElements.define("field-picture", FieldPicture);
