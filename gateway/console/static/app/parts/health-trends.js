/**
 * What a unit told of its battery, signal, temperature and data in the last day or week, drawn.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf } from "../api.js";
import { SlElement } from "../element.js";
import { store } from "../store.js";
import { fromIso, toIso } from "../time.js";
import { sentMeanwhile } from "../units.js";
import { line } from "../words.js";
import "./trend.js";

/** @typedef {import("../trend-scale.js").TrendPoint} TrendPoint */
/** @typedef {import("../units.js").Told} Told */

const DAY_MS = 86_400_000;
/** @type {[label: string, ms: number][]} */
const SPANS = [["24 hours", DAY_MS], ["7 days", 7 * DAY_MS]];
const FRESH_MS = 60_000;
/** One and the same, so that nothing is drawn anew for it. @type {import("./trend.js").TrendLimit[]} */
const NO_LIMITS = [];
/** @type {TrendPoint[]} */
const NO_POINTS = [];

/**
 * @type {{kind: string, value: string, heading: string, unit: string, per?: number, digits?: number, least?: number, most?: number,
 *   limits?: import("./trend.js").TrendLimit[], of?: (told: Told[]) => Told[]}[]}
 */
const PLOTS = [
  { kind: "battery", value: "percent", heading: "Battery", unit: "%", least: 0, most: 100 },
  // Below this a 4G modem falls back to slower ways and loses its link.
  { kind: "signal", value: "rsrp_dbm", heading: "Signal (RSRP)", unit: "dBm", least: -120, most: -80, limits: [{ value: -110, text: "poor below" }] },
  { kind: "temperature", value: "celsius", heading: "Temperature", unit: "°C", digits: 1 },
  // Not the counter, which its modem may have begun months ago.
  { kind: "data", value: "sent_bytes", heading: "Data sent in that time", unit: "MB", per: 1e6, least: 0, of: sentMeanwhile },
];

class UnitTrends extends SlElement {
  /** @override */
  static properties = { label: { attribute: false } };

  /** @type {Record<string, TrendPoint[]>} by kind */
  #points = {};
  #problem = "";
  #span = DAY_MS;
  #until = 0;
  #of = "";
  #timer = 0;

  constructor() {
    super();
    /** The unit's. @type {string} */
    this.label = "";
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => document.visibilityState === "visible" && void this.#load(), FRESH_MS);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  /** @override */
  willUpdate() {
    const of = `${this.label} ${this.#span}`;
    if (of === this.#of) return;
    [this.#of, this.#points, this.#until] = [of, {}, store.serverClock.now()];
    void this.#load();
  }

  async #load() {
    const [of, until] = [this.#of, store.serverClock.now()];
    const query = new URLSearchParams({ start: toIso(until - this.#span), end: toIso(until) });
    try {
      const told = await Promise.all(PLOTS.map(({ kind }) => get(`/units/${encodeURIComponent(this.label)}/trend?kind=${kind}&${query}`)));
      if (of !== this.#of) return;
      this.#points = Object.fromEntries(PLOTS.map(({ kind, value, per = 1, of: drawn = (/** @type {Told[]} */ as) => as }, index) => [kind, drawn(/** @type {Told[]} */ (told[index]))
        .filter(({ values }) => typeof values[value] === "number")
        .map(({ time, values }) => ({ at: fromIso(time), value: Number(values[value]) / per }))]));
      this.#until = until;
      this.#problem = "";
    } catch (error) {
      if (of === this.#of) this.#problem = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** @override */
  render() {
    return html`<section class="unit-trends" aria-label="What unit ${this.label} told">
      <header><h3>Unit ${this.label}</h3><div class="segments" role="group" aria-label="How far back">${SPANS.map(([words, ms]) => html`<button
        aria-pressed=${this.#span === ms} @click=${() => { this.#span = ms; this.requestUpdate(); }}>${words}</button>`)}</div></header>
      ${this.#problem ? html`<p class="said attention" role="alert">${this.#problem}</p>` : nothing}
      ${PLOTS.map(({ kind, heading, unit, digits = 0, least = null, most = null, limits = NO_LIMITS }) => html`<sl-trend heading=${heading} unit=${unit} digits=${digits}
        .points=${this.#points[kind] ?? (this.#problem ? NO_POINTS : null)} .from=${this.#until - this.#span} .until=${this.#until} .least=${least} .most=${most} .limits=${limits}></sl-trend>`)}
    </section>`;
  }
}

customElements.define("sl-unit-trends", UnitTrends);
