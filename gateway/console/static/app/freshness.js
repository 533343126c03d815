/**
 * How old the picture on the glass is, and whether it may be called live.
 *
 * Three clocks can betray a picture: no new frame comes; frames come but were captured long ago; frames come on time
 * and show the same pixels for ever. Each is said in words, and none of them is called live.
 * @module
 */

import { age } from "./time.js";

/** A picture without a new frame for this long stands still. People are told within 3 s; this leaves time to say it. */
export const STILL_AFTER_MS = 2300;
/** A picture whose frames were captured longer ago than this is late, however smoothly they come. */
export const LATE_AFTER_MS = 3000;
/** Identical pixels for this long are a frozen picture: sensors have noise, and an encoder refreshes. */
export const FROZEN_AFTER_MS = 2500;
/** Nothing is captured after it arrives: where a clock says so by more than this, it is wrong, and says nothing of age. */
export const CLOCKS_APART_MS = 150;

/** @typedef {"none" | "live" | "still" | "late" | "frozen"} FreshnessState */
/**
 * @typedef {object} Verdict
 * @property {FreshnessState} state
 * @property {number | null} ageMs how long ago the picture was captured, or reached us where that is all we know
 * @property {"capture" | "arrival" | null} basis
 */

/**
 * A verdict where the server does not know either when the picture was taken: what it told then is when it arrived there.
 * @param {Verdict} verdict @param {boolean | null | undefined} timed @returns {Verdict}
 */
export const known = (verdict, timed) => (timed === false && verdict.basis === "capture" ? { ...verdict, basis: "arrival" } : verdict);

/** What stands beside "live". Since when it is here is not how old it is. @param {Verdict} verdict @param {number} ms @returns {string} */
export const liveWords = ({ basis }, ms) => (basis === "capture" ? age(ms) : "age unknown");

/** The same, at more length. @param {Verdict} verdict @param {number} ms @returns {string} */
export const liveTitle = ({ basis }, ms) =>
  basis === "capture" ? "age of the picture since it was captured" : `nobody knows when this picture was captured; it arrived ${age(ms)} ago`;

/** How old a picture is that is not live. @param {Verdict} verdict @returns {string} */
export const oldWords = ({ basis, ageMs }) => `${basis === "capture" ? "" : "at least "}${age(ageMs ?? 0)}`;

export class Freshness {
  #shownAt = /** @type {number | null} */ (null);
  #capturedAt = /** @type {number | null} */ (null);
  #arrivedAt = /** @type {number | null} */ (null);
  #changedAt = /** @type {number | null} */ (null);
  #print = /** @type {number | null} */ (null);

  /**
   * A new frame is on the glass. All times on one clock, milliseconds.
   * @param {number} shownAt @param {number | null} arrivedAt @param {number | null} capturedAt
   */
  frame(shownAt, arrivedAt, capturedAt) {
    this.#shownAt = shownAt;
    this.#arrivedAt = arrivedAt ?? shownAt;
    this.#capturedAt = capturedAt !== null && capturedAt > this.#arrivedAt + CLOCKS_APART_MS ? null : capturedAt;
    this.#changedAt ??= shownAt;
  }

  /** The picture's pixels, as a number that differs when they do. @param {number} print @param {number} at */
  pixels(print, at) {
    if (print !== this.#print) this.#changedAt = at;
    this.#print = print;
  }

  /** Looking away (a hidden page is shown no frames) is not a picture standing still. @param {number} at */
  resume(at) {
    if (this.#shownAt !== null) this.#shownAt = at;
    if (this.#changedAt !== null) this.#changedAt = at;
  }

  /** @param {number} now @returns {Verdict} */
  verdict(now) {
    if (this.#shownAt === null || this.#arrivedAt === null) return { state: "none", ageMs: null, basis: null };
    const basis = this.#capturedAt === null ? "arrival" : "capture";
    const ageMs = Math.max(0, now - (this.#capturedAt ?? this.#arrivedAt));
    if (now - this.#shownAt > STILL_AFTER_MS) return { state: "still", ageMs, basis };
    if (ageMs > LATE_AFTER_MS) return { state: "late", ageMs, basis };
    if (now - (this.#changedAt ?? now) > FROZEN_AFTER_MS) {
      return { state: "frozen", ageMs: now - (this.#changedAt ?? now), basis };
    }
    return { state: "live", ageMs, basis };
  }
}

/** A number for some pixels (FNV-1a over 32-bit words). @param {Uint8ClampedArray} rgba @returns {number} */
export function fingerprint(rgba) {
  const words = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.byteLength >> 2);
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}
