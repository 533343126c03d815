/**
 * Times as people read them. Inside the page a time is milliseconds since 1970 UTC; local time is for the screen.
 * @module
 */

/** @param {string} iso @returns {number} */
export const fromIso = (iso) => Date.parse(iso);

/** @param {number} ms @returns {string} */
export const toIso = (ms) => new Date(Math.round(ms)).toISOString();

/** @param {number} value @param {number} [width] */
const pad = (value, width = 2) => String(value).padStart(width, "0");

/** Time of day, 14:03:27. @param {number} ms @returns {string} */
export function clock(ms) {
  const at = new Date(ms);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** Time of day to the tenth, for stepping through frames. @param {number} ms @returns {string} */
export const clockFine = (ms) => `${clock(ms)}.${Math.floor((((ms % 1000) + 1000) % 1000) / 100)}`;

/** Hours and minutes. @param {number} ms @returns {string} */
export const clockShort = (ms) => clock(ms).slice(0, 5);

const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** Tue 24 Nov, for a scale whose year is told elsewhere. @param {number} ms @returns {string} */
export const dayInYear = (ms) => DAY.format(ms).replace(",", "");

/** Tue 24 Nov, with the year where it is another: what is kept for years is read years after. @param {number} ms @returns {string} */
export function day(ms) {
  const year = new Date(ms).getFullYear();
  return `${dayInYear(ms)}${year === new Date().getFullYear() ? "" : ` ${year}`}`;
}

/** Tue 24 Nov 14:03, with the year where it is another. @param {number} ms @returns {string} */
export const dayAndTime = (ms) => `${day(ms)} ${clockShort(ms)}`;

/** What a field for a local time takes: 2026-11-24T14:03. @param {number} ms @returns {string} */
export function localField(ms) {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const DAY_MS = 86_400_000;

/** Local time minus UTC. @param {number} ms @returns {number} */
const ahead = (ms) => -new Date(ms).getTimezoneOffset() * 60_000;

/**
 * The instants that a field's local time means: one; two where clocks go back over it, the earlier first; none where they
 * go forward over it, or it is no time.
 * @param {string} local 2026-11-24T14:03, with or without seconds @returns {number[]}
 */
export function instants(local) {
  const wall = Date.parse(`${local}Z`);
  if (Number.isNaN(wall)) return [];
  const offsets = new Set([ahead(wall - DAY_MS), ahead(wall + DAY_MS)]);
  return [...offsets].map((offset) => wall - offset).filter((at) => at + ahead(at) === wall).sort((one, other) => one - other);
}

const ZONE = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

/** By which clock a local time is: BST, GMT. @param {number} ms @returns {string} */
export const zone = (ms) => ZONE.formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value ?? "";

/** Time of day, with its clock where it comes twice that day: 01:30:00 BST. @param {number} ms @returns {string} */
export const clockSure = (ms) => (instants(`${localField(ms).slice(0, 10)}T${clock(ms)}`).length > 1 ? `${clock(ms)} ${zone(ms)}` : clock(ms));

/** For file names: 2026-11-24T14-03-27Z. @param {number} ms @returns {string} */
export const fileTime = (ms) => `${new Date(Math.round(ms)).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;

/**
 * How old a picture is: < 50 ms, 90 ms, 1.4 s, 12 s, 3 min. The clocks are known no better than the first.
 * @param {number} ms @returns {string}
 */
export function age(ms) {
  if (ms < 45) return "< 50 ms";
  if (ms < 995) return `${Math.max(0, Math.round(ms / 10) * 10)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  return duration(ms);
}

/** A length of time in its two largest units: 52 s, 3 min 20 s, 2 h 5 min. @param {number} ms @returns {string} */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/**
 * What the server's clock says, from messages that carry its time. A message is late by its way here, never early:
 * the largest offset seen lately is the truest.
 */
export class ServerClock {
  /** @type {number[]} */
  #offsets = [];

  /** @param {number} serverMs @param {number} localMs */
  heard(serverMs, localMs) {
    this.#offsets.push(serverMs - localMs);
    if (this.#offsets.length > 30) this.#offsets.shift();
  }

  /** Server time minus ours, milliseconds. */
  get offset() {
    return this.#offsets.length === 0 ? 0 : Math.max(...this.#offsets);
  }

  /** @param {number} [localMs] @returns {number} */
  now(localMs = Date.now()) {
    return localMs + this.offset;
  }
}
