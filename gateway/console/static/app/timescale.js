/**
 * The timeline's arithmetic: time to pixels and back, zoom about a point, marks a person would choose.
 * @module
 */

export const SHORTEST_MS = 10_000;
export const LONGEST_MS = 31 * 86_400_000;

/** @typedef {{start: number, end: number}} View  Milliseconds since 1970; start < end. */

/** @param {View} view @param {number} ms @returns {number} share of the width, may lie outside 0..1 */
export const toShare = (view, ms) => (ms - view.start) / (view.end - view.start);

/** @param {View} view @param {number} share @returns {number} */
export const toTime = (view, share) => view.start + share * (view.end - view.start);

/**
 * Zoom so that the time under the pointer stays under it.
 * @param {View} view @param {number} share @param {number} factor more than 1 shows more time @returns {View}
 */
export function zoom(view, share, factor) {
  const width = view.end - view.start;
  const wanted = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, width * factor));
  const at = toTime(view, share);
  return { start: at - share * wanted, end: at + (1 - share) * wanted };
}

/** @param {View} view @param {number} ms @returns {View} the same width, moved */
export const shift = (view, ms) => ({ start: view.start + ms, end: view.end + ms });

/** @param {View} view @param {number} at @param {number} [share] @returns {View} with `at` at this share */
export function around(view, at, share = 0.5) {
  const width = view.end - view.start;
  return { start: at - share * width, end: at + (1 - share) * width };
}

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
].map((seconds) => seconds * 1000);

/**
 * Where marks stand: at round local times, at most about `count` of them.
 * @param {View} view
 * @param {number} count
 * @param {number} [offsetMs] local time minus UTC
 * @returns {{step: number, at: number[]}}
 */
export function marks(view, count, offsetMs = -new Date(view.start).getTimezoneOffset() * 60_000) {
  const width = view.end - view.start;
  const step = STEPS.find((candidate) => width / candidate <= count) ?? /** @type {number} */ (STEPS.at(-1));
  const at = [];
  const first = Math.ceil((view.start + offsetMs) / step) * step - offsetMs;
  for (let mark = first; mark <= view.end; mark += step) at.push(mark);
  return { step, at };
}

/**
 * The part of a span that is in view, as shares; null where none is.
 * @param {View} view @param {{start: number, end: number}} span @returns {{left: number, width: number} | null}
 */
export function clip(view, span) {
  const left = Math.max(0, toShare(view, span.start));
  const right = Math.min(1, toShare(view, span.end));
  return right > left ? { left, width: right - left } : null;
}

/**
 * The nearest instant that was recorded: the time itself, else the start of the next span, else the last end.
 * @param {import("./types.js").Span[]} spans ascending @param {number} ms @returns {number | null}
 */
export function nearestRecorded(spans, ms) {
  const next = spans.find((span) => span.end > ms);
  if (next) return Math.max(ms, next.start);
  const last = spans.at(-1);
  return last ? Math.max(last.start, last.end - 1000) : null;
}
