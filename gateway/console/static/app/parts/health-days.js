/**
 * A camera's last ninety days, drawn: how much of each was recorded, what was lost, how far its clock was off. As a table too.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf } from "../api.js";
import { SlElement } from "../element.js";
import { asideWords, dayPoints, lostS, shareWords } from "../health.js";
import { store } from "../store.js";
import { day, duration } from "../time.js";
import { gapCause, line } from "../words.js";
import "./trend.js";

/** @typedef {import("../health-types.js").CameraDay} CameraDay */
/** @typedef {import("../trend-scale.js").TrendPoint} TrendPoint */

const DAY_MS = 86_400_000;
const DAYS = 90;
/** Between a day and the one after the next nothing is drawn. */
const GAP_MS = 1.5 * DAY_MS;
/** @type {import("./trend.js").TrendLimit[]} */
const NO_LIMITS = [];
/** So far off is what a camera writes into its pictures; the times that we keep are put right. @type {import("./trend.js").TrendLimit[]} */
const CLOCK_LIMITS = [{ value: 1, text: "one second ahead" }, { value: -1, text: "one second behind" }];

/** @type {{name: string, heading: string, unit: string, digits: number, least: number | null, most: number | null, limits: import("./trend.js").TrendLimit[], of: (one: CameraDay) => number | null}[]} */
const PLOTS = [
  { name: "availability", heading: "Recorded", unit: "%", digits: 2, least: null, most: 100, limits: NO_LIMITS, of: ({ availability }) => (availability === null ? null : availability * 100) },
  { name: "loss", heading: "Lost", unit: "min", digits: 1, least: 0, most: null, limits: NO_LIMITS, of: (one) => (one.lost_s === null ? null : lostS({ lost_s: one.lost_s }) / 60) },
  { name: "clock", heading: "Clock, furthest off", unit: "s", digits: 2, least: -1, most: 1, limits: CLOCK_LIMITS, of: ({ clock_offset_s: offset }) => offset },
];

class CameraDays extends SlElement {
  /** @override */
  static properties = { camera: { attribute: false } };

  /** @type {CameraDay[] | null} */
  #days = null;
  /** By the plot's name; the same arrays until they are asked for again. @type {Record<string, TrendPoint[]>} */
  #points = {};
  #problem = "";
  #of = "";
  #until = 0;

  constructor() {
    super();
    /** Its identifier. @type {string} */
    this.camera = "";
  }

  /** @override */
  willUpdate() {
    if (this.camera === this.#of) return;
    [this.#of, this.#days, this.#points, this.#problem] = [this.camera, null, {}, ""];
    this.#until = Math.ceil(store.serverClock.now() / DAY_MS) * DAY_MS;
    if (this.camera) void this.#load(this.camera);
  }

  /** @param {string} id */
  async #load(id) {
    try {
      const days = /** @type {CameraDay[]} */ (await get(`/cameras/${id}/health/days?count=${DAYS}`));
      if (id !== this.#of) return;
      [this.#days, this.#problem] = [days, ""];
      this.#points = Object.fromEntries(PLOTS.map(({ name, of }) => [name, dayPoints(days, of)]));
    } catch (error) {
      if (id === this.#of) this.#problem = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** @param {CameraDay} one */
  #row(one) {
    const lost = one.lost_s === null ? "—" : lostS({ lost_s: one.lost_s }) === 0 ? "nothing"
      : Object.entries(one.lost_s).map(([cause, seconds]) => `${duration(seconds * 1000)}, ${gapCause(cause)}`).join("; ");
    return html`<tr><th scope="row">${day(Date.parse(`${one.day}T12:00:00Z`))}</th><td>${shareWords(one.availability)}${asideWords(one).map((words) => html`<small>${words}</small>`)}</td><td>${lost}</td>
      <td>${one.clock_offset_s === null ? "—" : `${one.clock_offset_s.toFixed(2).replace("-", "−")} s`}</td></tr>`;
  }

  /** @override */
  render() {
    if (!this.camera) return nothing;
    const days = this.#days;
    return html`<section class="camera-days" aria-labelledby="camera-days-title">
      <h3 id="camera-days-title">The last ${DAYS} days</h3>
      ${this.#problem ? html`<p class="said attention" role="alert">${this.#problem}</p>` : nothing}
      ${!this.#problem && days?.length === 0 ? html`<p class="hint" role="status">No day of this camera is over yet. Each is told of from ten minutes after midnight (UTC).</p>` : nothing}
      ${this.#problem || days?.length === 0 ? nothing : PLOTS.map(({ name, heading, unit, digits, least, most, limits }) => html`<sl-trend data-plot=${name} heading=${heading} unit=${unit} digits=${digits}
        .points=${this.#points[name] ?? null} .from=${this.#until - (DAYS + 1) * DAY_MS} .until=${this.#until} .least=${least} .most=${most} .limits=${limits} .gapMs=${GAP_MS}></sl-trend>`)}
      ${days?.length ? html`<details><summary>As a table</summary><table>
        <thead><tr><th scope="col">Day (UTC)</th><th scope="col">Recorded</th><th scope="col">Lost</th><th scope="col">Clock</th></tr></thead>
        <tbody>${[...days].reverse().map((one) => this.#row(one))}</tbody></table></details>` : nothing}
    </section>`;
  }
}

customElements.define("sl-camera-days", CameraDays);
