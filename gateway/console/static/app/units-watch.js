/**
 * Asks for the units every few seconds while somebody looks, and for all of the one that is opened. A question begins when
 * the one before it is answered.
 * @module
 */

import { get, problemOf } from "./api.js";
import { may } from "./store.js";

/** @typedef {import("./units.js").Unit} Unit */
/** @typedef {import("./units.js").OneUnit} OneUnit */
/** @typedef {import("./units.js").Refused} Refused */
/** @typedef {import("./units.js").Deployed} Deployed */
/** @typedef {import("./types.js").Problem} Problem */

export const ASK_MS = 5000;
/** A refusal of these is not asked for again: it stays so, and each is written down. */
const FINAL = [403, 404];

export class UnitsWatch {
  /** @type {Unit[] | null} */
  units = null;
  /** Of units that are nobody's. @type {Refused[]} */
  strangers = [];
  /** @type {OneUnit | null} */
  one = null;
  /** Where each unit stands, by label. @type {Map<string, Deployed>} */
  deployed = new Map();
  /** @type {Problem | null} */
  problem = null;
  /** When they were last heard of, on the page's own clock. */
  heardAt = 0;
  /** Label of the one that is opened. */
  opened = "";
  #changed;
  #stop = new AbortController();
  #timer = 0;
  #asking = false;

  /** @param {() => void} changed called when there is something new to draw */
  constructor(changed) {
    this.#changed = changed;
    document.addEventListener("visibilitychange", this.#seen);
    void this.ask();
  }

  end() {
    this.#stop.abort();
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#seen);
  }

  /** Show all of one unit, or none. @param {string} label */
  open(label) {
    this.opened = label;
    this.one = null;
    this.problem = null;
    this.#changed();
    void this.ask();
  }

  /** Ask now, and from now on every few seconds. */
  async ask() {
    if (this.#asking) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    const opened = this.opened;
    try {
      if (opened) await this.#askOne(opened);
      else await this.#askAll();
      this.heardAt = performance.now();
      if (opened === this.opened) this.problem = null;
    } catch (error) {
      if (opened === this.opened) this.problem = problemOf(error);
    }
    this.#asking = false;
    if (this.#stop.signal.aborted) return;
    this.#changed();
    const over = opened === this.opened && FINAL.includes(this.problem?.status ?? 0);
    if (document.visibilityState === "visible" && !over) this.#timer = setTimeout(() => void this.ask(), opened === this.opened ? ASK_MS : 0);
  }

  #seen = () => {
    if (document.visibilityState === "visible") void this.ask();
  };

  async #askAll() {
    const [listed, deployments] = await Promise.all([get("/units", this.#stop.signal), may("deploy") ? get("/deployments", this.#stop.signal) : []]);
    this.units = listed.units;
    const known = new Set(listed.units.map((/** @type {Unit} */ unit) => unit.label));
    this.strangers = listed.refusals.filter((/** @type {Refused} */ one) => !known.has(one.label));
    this.deployed = new Map(deployments.filter((/** @type {Deployed} */ one) => one.unit && ["planned", "deployed"].includes(one.stage)).map((/** @type {Deployed} */ one) => [one.unit, one]));
  }

  /** @param {string} label */
  async #askOne(label) {
    const one = await get(`/units/${encodeURIComponent(label)}`, this.#stop.signal);
    if (label === this.opened) this.one = one;
  }
}
