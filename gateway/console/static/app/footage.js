/**
 * What is recorded of a camera in a stretch of time, kept fresh while somebody looks at it.
 * @module
 */

import { get, problemOf } from "./api.js";
import { toIso } from "./time.js";

const REFRESH_MS = 4000;
const SETTLE_MS = 120;

/** @typedef {import("./types.js").Timeline} Timeline */
/** @typedef {import("./types.js").Problem} Problem */

export class Footage {
  /** @type {Timeline} */
  timeline = { spans: [], gaps: [], newest: null };
  /** @type {Problem | null} */
  problem = null;
  loaded = false;
  /** What is held beyond its time. @type {import("./types.js").Hold[]} */
  holds = [];
  #holdsOf = "";
  #asked = "";
  #timer = 0;
  /** @type {AbortController | null} */
  #flight = null;

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** Look at this stretch of this camera from now on. @param {string | null} cameraId @param {{start: number, end: number}} view */
  look(cameraId, view) {
    // A quarter of the width on either side, in quarters, so that small moves ask for nothing new.
    const step = (view.end - view.start) / 4;
    const start = Math.floor(view.start / step - 1) * step;
    const end = Math.ceil(view.end / step + 1) * step;
    const asked = `${cameraId} ${start} ${end}`;
    if (asked === this.#asked) return;
    const other = !this.#asked.startsWith(`${cameraId} `);
    this.#asked = asked;
    if (other) {
      this.timeline = { spans: [], gaps: [], newest: null };
      this.loaded = false;
      this.problem = null;
    }
    clearTimeout(this.#timer);
    this.#flight?.abort();
    if (cameraId) this.#timer = setTimeout(() => void this.#fetch(cameraId, start, end), other ? 0 : SETTLE_MS);
  }

  /** Know the holds of a camera, as of this turn of theirs. @param {string | null} cameraId @param {number} turn */
  lookAtHolds(cameraId, turn) {
    const of = `${cameraId} ${turn}`;
    if (of === this.#holdsOf) return;
    if (!this.#holdsOf.startsWith(`${cameraId} `)) this.holds = [];
    this.#holdsOf = of;
    if (!cameraId) return;
    void get(`/cameras/${cameraId}/holds`).catch(() => []).then((holds) => {
      if (this.#holdsOf !== of) return;
      this.holds = holds;
      this.changed();
    });
  }

  end() {
    clearTimeout(this.#timer);
    this.#flight?.abort();
  }

  /** @param {string} cameraId @param {number} start @param {number} end */
  async #fetch(cameraId, start, end) {
    const flight = new AbortController();
    this.#flight = flight;
    const asked = this.#asked;
    try {
      const query = new URLSearchParams({ stream: "main", start: toIso(start), end: toIso(end) });
      this.timeline = read(await get(`/cameras/${cameraId}/timeline?${query}`, flight.signal));
      this.problem = null;
    } catch (error) {
      if (flight.signal.aborted) return;
      this.problem = problemOf(error);
    }
    if (asked !== this.#asked) return;
    this.loaded = true;
    this.changed();
    this.#timer = setTimeout(() => void this.#fetch(cameraId, start, end), REFRESH_MS);
  }
}

/** Times from text to numbers. @param {any} said @returns {Timeline} */
export function read(said) {
  const range = (/** @type {any} */ each) => ({ ...each, start: Date.parse(each.start), end: Date.parse(each.end) });
  return {
    spans: said.spans.map(range),
    gaps: said.gaps.map(range),
    newest: said.newest ? Date.parse(said.newest) : null,
  };
}
