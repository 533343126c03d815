/**
 * What is shared with somebody, without markup: shapes, what is to be seen now, what changed, how long it lasts.
 * @module
 */

import { clockShort, day, duration } from "../app/time.js";

/** @typedef {{share: string, camera: string, user_id: string, name: string, by: string, since: string, until: string}} Loan */
/**
 * @typedef {object} SharedCamera
 * @property {string} id @property {number} number @property {string} name @property {string} street
 * @property {boolean} live @property {import("../app/types.js").Timed} timed @property {boolean} sub whether it has a sub stream
 * @property {boolean} steerable @property {Loan | null} lent
 */
/**
 * @typedef {object} Share
 * @property {string} id @property {"incident" | "standing" | "test"} kind @property {string} title
 * @property {string} made_by who of the control room @property {string} reference @property {string} reason
 * @property {"main" | "sub" | "line"} stream @property {boolean} may_ask_for_stick @property {boolean} stills
 * @property {string} start @property {string} end @property {SharedCamera[]} cameras
 * @property {string | null} asked the camera whose stick one has asked for
 */
/** @typedef {{name: string, organisation: string, room: string, terms_due: boolean, shares: Share[]}} Mine */
/** @typedef {{id: string, share: string, at: string, name: string, outside: boolean, text: string}} Note */
/** A camera and every share that gives it now. @typedef {{camera: SharedCamera, shares: Share[]}} View */

/** From here on a countdown wants attention. */
export const SOON_MS = 300_000;

/** @param {Mine | null} mine @param {number} now server's time, ms @returns {Share[]} what is not over by the clock */
export const running = (mine, now) =>
  !mine || mine.terms_due ? [] : mine.shares.filter((share) => Date.parse(share.end) > now);

/** Each camera once, however many shares give it. @param {Share[]} shares @returns {View[]} */
export function viewsOf(shares) {
  /** @type {Map<string, View>} */
  const found = new Map();
  for (const share of shares) {
    for (const camera of share.cameras) {
      const known = found.get(camera.id);
      if (known) known.shares.push(share);
      else found.set(camera.id, { camera, shares: [share] });
    }
  }
  return [...found.values()];
}

/**
 * Which stream to ask for. Where the line decides, one large picture is the main stream and small ones are the sub.
 * @param {View} view @param {boolean} large @returns {{stream: "main" | "sub", hasSub: boolean}}
 */
export function streamOf({ camera, shares }, large) {
  const given = new Set(shares.flatMap(({ stream }) => (stream === "line" ? ["main", "sub"] : [stream])));
  const sub = given.has("sub") && camera.sub;
  if (!given.has("main")) return { stream: "sub", hasSub: false };
  return { stream: sub && !large ? "sub" : "main", hasSub: sub };
}

/** @param {View} view @param {string | undefined} userId @returns {Loan | null} the stick, if it is lent to this person */
export const ownLoan = ({ camera }, userId) => (camera.lent && camera.lent.user_id === userId ? camera.lent : null);

/**
 * What went away between two answers, in words, where nothing else said so.
 * @param {Mine | null} before @param {Mine} after @returns {string[]}
 */
export function lost(before, after) {
  if (!before || after.terms_due) return [];
  const said = [];
  for (const share of before.shares) {
    const still = after.shares.find(({ id }) => id === share.id);
    if (!still) {
      said.push(`“${share.title}” is not shared with you any more.`);
      continue;
    }
    const gone = share.cameras.filter(({ id }) => !still.cameras.some((each) => each.id === id));
    const come = still.cameras.filter(({ id }) => !share.cameras.some((each) => each.id === id));
    // A share that follows the room's selection shows another camera by itself: that is what it is for.
    if (come.length > 0) continue;
    for (const { number, name } of gone) said.push(`Camera ${number}, ${name}, is not shared with you any more.`);
  }
  return said;
}

/**
 * Which camera is selected now: the one that was, else what took its place in its share, else the first.
 * @param {View[]} views @param {string | null} selected @param {Mine | null} before
 */
export function stillSelected(views, selected, before) {
  if (views.some(({ camera }) => camera.id === selected)) return selected;
  const from = before?.shares.filter(({ cameras }) => cameras.some(({ id }) => id === selected)).map(({ id }) => id) ?? [];
  const heir = views.find(({ shares }) => shares.some(({ id }) => from.includes(id)));
  return (heir ?? views[0])?.camera.id ?? null;
}

/**
 * The pictures that are seen at once: the page of them that the selected one is on.
 * @param {number} count of all @param {number} at the selected one @param {number} most @returns {number[]}
 */
export function pageOf(count, at, most) {
  const first = Math.floor(at / most) * most;
  return Array.from({ length: Math.min(most, count - first) }, (_, index) => first + index);
}

/** Time left as it counts down: 4:12, 1:04:12; days where there are some. @param {number} ms @returns {string} */
export function left(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds >= 86_400) return duration(seconds * 1000);
  const pad = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** Until when, with the day where it is another. @param {string} end @param {number} now @returns {string} */
export function untilWords(end, now) {
  const at = Date.parse(end);
  return day(at) === day(now) ? clockShort(at) : `${day(at)} ${clockShort(at)}`;
}

/** Somebody of the control room, where it matters who. @param {string} room its name @param {string} person @returns {string} */
export const ofRoom = (room, person) => `${room} (${person})`;

/** As a sentence or a line begins. @param {string} text @returns {string} */
export const begun = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {{title: string}} share @param {string} room @param {string | null} by @param {number} at @returns {string} */
export function endedWords({ title }, room, by, at) {
  return by === null ? `“${title}” has ended: its time was up at ${clockShort(at)}.` : `${begun(ofRoom(room, by))} ended “${title}” at ${clockShort(at)}.`;
}

/**
 * The notes of a share as they were found, with what was heard while they were asked for.
 * @param {Note[]} known @param {Note[]} found @returns {{notes: Note[], missed: Note[]}} missed: what nobody here had heard of
 */
export function merged(known, found) {
  const missed = found.filter(({ id }) => !known.some((each) => each.id === id));
  const newer = known.filter(({ id }) => !found.some((each) => each.id === id));
  return { notes: [...found, ...newer], missed };
}
