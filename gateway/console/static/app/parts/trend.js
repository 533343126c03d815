/**
 * How a value went over time, as a line with its axes. Every value can be read: under the pointer, and by the arrow keys.
 *
 * ```js
 * html`<sl-trend heading="Battery" unit="%" .points=${points} .from=${from} .until=${until} .least=${0} .most=${100}></sl-trend>`
 * ```
 * It is as wide as there is room, and asks nobody for anything: whoever uses it brings the points.
 * @module
 */

import { LitElement, html, nothing, svg } from "lit";
import { clockShort, dayAndTime, dayInYear } from "../time.js";
import { marks } from "../timescale.js";
import { extremes, nearest, runs, thinned, valueMarks } from "../trend-scale.js";

/** @typedef {import("../trend-scale.js").TrendPoint} TrendPoint */
/** A line across at a value that means something, with what it means in a word or two. @typedef {{value: number, text: string}} TrendLimit */

const [WIDTH, HEIGHT] = [400, 128];
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 8, 10, 20];
const [INNER_W, INNER_H] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
const DAY_MS = 86_400_000;
/** What is drawn over more has a value a day. */
const MONTH_MS = 31 * DAY_MS;
/** A line is broken where nothing was heard for so long, and for a sixtieth of what is drawn, whichever is longer. */
const GAP_MS = 15 * 60_000;

/** Per page one name for each. */
let drawn = 0;

export class Trend extends LitElement {
  /** @override */
  static properties = {
    heading: {},
    unit: {},
    points: { attribute: false },
    from: { attribute: false },
    until: { attribute: false },
    least: { attribute: false },
    most: { attribute: false },
    digits: { type: Number },
    limits: { attribute: false },
    gapMs: { attribute: false },
    _read: { state: true },
  };

  constructor() {
    super();
    /** What is drawn: "Battery". @type {string} */
    this.heading = "";
    /** In which unit: "%", "dBm", "°C", "MB". @type {string} */
    this.unit = "";
    /** In order of time; `null` while they are asked for. @type {readonly TrendPoint[] | null} */
    this.points = null;
    /** Where the time axis begins, ms since 1970. @type {number} */
    this.from = 0;
    /** Where it ends. @type {number} */
    this.until = 0;
    /** The value axis reaches at least down to this; `null`: to the lowest point. @type {number | null} */
    this.least = null;
    /** And up to this; `null`: to the highest. @type {number | null} */
    this.most = null;
    /** Digits after the point of the values that are read. @type {number} */
    this.digits = 0;
    /** @type {readonly TrendLimit[]} */
    this.limits = [];
    /** How far apart two points may be and still have a line between them; 0: as the width asks for. @type {number} */
    this.gapMs = 0;
    /** The instant that is read, by pointer or key; null: the newest. @type {number | null} */
    this._read = null;
    drawn += 1;
    this.name = `trend-${drawn}`;
  }

  /** @override */
  createRenderRoot() {
    return this;
  }

  /** @returns {readonly TrendPoint[]} those within the axis */
  get #shown() {
    return (this.points ?? []).filter(({ at }) => at >= this.from && at <= this.until);
  }

  /** @param {number} value */
  #value(value) {
    return `${new Intl.NumberFormat("en-GB", { maximumFractionDigits: this.digits }).format(value).replace("-", "−")} ${this.unit}`;
  }

  /** @param {number} at */
  #when(at) {
    const span = this.until - this.from;
    return span > MONTH_MS ? dayInYear(at) : span > DAY_MS ? dayAndTime(at) : clockShort(at);
  }

  /** @param {number} at */
  #x(at) {
    return LEFT + (INNER_W * (at - this.from)) / (this.until - this.from);
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const across = (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / INNER_W;
    this._read = this.from + Math.min(1, Math.max(0, across)) * (this.until - this.from);
  }

  /** @param {KeyboardEvent} event @param {readonly TrendPoint[]} shown @param {number} at index of what is read */
  #key(event, shown, at) {
    // By an hour of a day, by six of a week: whoever steps by single minutes sees nothing change.
    const step = (this.until - this.from) / 24;
    const here = /** @type {TrendPoint} */ (shown[at]).at;
    const near = (/** @type {number} */ wanted, /** @type {number} */ by) => {
      const index = nearest(shown, wanted);
      return index === at ? Math.min(shown.length - 1, Math.max(0, at + by)) : index;
    };
    const next = { ArrowLeft: () => near(here - step, -1), ArrowRight: () => near(here + step, 1), Home: () => 0, End: () => shown.length - 1 }[event.key];
    if (!next) return;
    this._read = /** @type {TrendPoint} */ (shown[next()]).at;
    event.preventDefault();
  }

  /** @param {readonly TrendPoint[]} shown @param {number} at */
  #plot(shown, at) {
    const { least, most } = extremes(shown);
    const values = valueMarks(Math.min(least.value, this.least ?? Infinity), Math.max(most.value, this.most ?? -Infinity));
    const [floor, ceiling] = [/** @type {number} */ (values[0]), /** @type {number} */ (values.at(-1))];
    const y = (/** @type {number} */ value) => TOP + INNER_H * (1 - (value - floor) / (ceiling - floor));
    const span = this.until - this.from;
    const times = marks({ start: this.from, end: this.until }, span > MONTH_MS ? 7 : span > DAY_MS ? 8 : 5);
    const gap = this.gapMs || Math.max(GAP_MS, span / 60);
    const read = /** @type {TrendPoint} */ (shown[at]);
    const lines = runs(shown, gap).map((run) => thinned(run, span / INNER_W));
    const label = `${this.heading}: ${this.#value(/** @type {TrendPoint} */ (shown.at(-1)).value)} last, lowest ${this.#value(least.value)} at ${this.#when(least.at)}, highest ${this.#value(most.value)} at ${this.#when(most.at)}`;
    return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" tabindex="0" role="slider" data-own-arrows aria-label=${label}
        aria-valuemin="0" aria-valuemax=${shown.length - 1} aria-valuenow=${at} aria-valuetext="${this.#value(read.value)} at ${this.#when(read.at)}"
        @pointermove=${this.#point} @pointerdown=${this.#point} @pointerleave=${() => (this._read = null)}
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.#key(event, shown, at)} @blur=${() => (this._read = null)}>
      <g class="plot-grid">
        ${values.map((value) => svg`<line x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y(value)} y2=${y(value)}></line>
          <text class="plot-value" x=${LEFT - 6} y=${y(value) + 4}>${value.toLocaleString("en-GB").replace("-", "−")}</text>`)}
        ${times.at.map((mark) => svg`<line x1=${this.#x(mark)} x2=${this.#x(mark)} y1=${TOP} y2=${TOP + INNER_H + 4}></line>
          <text class="plot-time" x=${Math.min(WIDTH - 20, this.#x(mark))} y=${HEIGHT - 4}>${span > MONTH_MS ? dayInYear(mark).slice(4) : times.step >= DAY_MS ? dayInYear(mark).slice(0, 6).trim() : clockShort(mark)}</text>`)}
      </g>
      ${lines.map((run) => run.length > 1
        ? svg`<polyline points=${run.map((point) => `${this.#x(point.at).toFixed(1)},${y(point.value).toFixed(1)}`).join(" ")}></polyline>`
        : run.map((point) => svg`<circle class="plot-lone" cx=${this.#x(point.at)} cy=${y(point.value)} r="1.5"></circle>`))}
      ${this.limits.filter(({ value }) => value > floor && value < ceiling).map(({ value, text }) => svg`<g class="plot-limit">
        <line x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y(value)} y2=${y(value)}></line><text x=${LEFT + 4} y=${y(value) - 3}>${text}</text></g>`)}
      ${this._read === null ? nothing : svg`<line class="plot-read" x1=${this.#x(read.at)} x2=${this.#x(read.at)} y1=${TOP} y2=${TOP + INNER_H}></line>`}
      <circle cx=${this.#x(read.at)} cy=${y(read.value)} r="3"></circle>
    </svg>`;
  }

  /** @override */
  render() {
    const shown = this.#shown;
    const at = shown.length === 0 ? -1 : this._read === null ? shown.length - 1 : nearest(shown, this._read);
    const read = shown[at];
    return html`<figure class="plot" aria-labelledby=${this.name}>
      <figcaption><span id=${this.name}>${this.heading} <small>${this.unit}</small></span>
        ${read ? html`<output><b>${this.#value(read.value)}</b> <small>${this.#when(read.at)}</small></output>` : nothing}</figcaption>
      ${read
        ? this.#plot(shown, at)
        : html`<p class="plot-none" role="status">${this.points === null ? "Loading…" : "Nothing was told in this time."}</p>`}
    </figure>`;
  }
}

customElements.define("sl-trend", Trend);
