/**
 * How the room speaks of shares, of who watches from outside, and of sticks that are lent.
 * @module
 */

import { clock, clockShort, day, duration } from "./time.js";

/** @typedef {import("./shares-types.js").Share} Share */
/** @typedef {import("./shares-types.js").Watcher} Watcher */
/** @typedef {import("./shares-types.js").RoomTest} RoomTest */

/** What is left of a time: 4:12; 1 h 5 min; 3 d. @param {number} ms @returns {string} */
export function left(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds >= 3600) return duration(Math.floor(seconds / 60) * 60_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long somebody has watched, to the minute from the first on. @param {number} seconds @returns {string} */
export const since = (seconds) => duration((seconds < 60 ? seconds : Math.floor(seconds / 60) * 60) * 1000);

/** How well somebody sees. @param {Watcher} one @returns {string} */
export function howWell({ connected, loss_percent: loss, rtt_ms: rtt, kind }) {
  if (!connected) return "no picture yet";
  const lost = `${loss} % lost`;
  return [kind?.toUpperCase(), lost, rtt === null ? "" : `${Math.round(rtt)} ms`].filter(Boolean).join(" · ");
}

/** Whether somebody's picture suffers. @param {Watcher} one */
export const suffers = ({ connected, loss_percent: loss, rtt_ms: rtt }) => !connected || loss >= 5 || (rtt ?? 0) >= 800;

/** @param {Watcher} one @returns {string} who, since when, how well */
export const watcherLine = (one) => `${one.name}, ${one.organisation} · ${since(one.seconds)} · ${howWell(one)}`;

/** Until when. @param {string} iso @param {number} now @returns {string} */
export function until(iso, now) {
  const at = Date.parse(iso);
  return day(at) === day(now) ? clockShort(at) : `${day(at)} ${clockShort(at)}`;
}

/** Said when one was made here. @param {Share} share @param {number} now server's time, ms @returns {string} */
export const madeWords = (share, now) =>
  `${share.follow ? "What you select" : `“${share.title}”`} is shared with ${share.organisation_name} for ${left(Date.parse(share.end) - now)}.`;

/** Said of one that ended by itself or by somebody else. @param {Share} share @returns {string} */
export function overWords(share) {
  const timeUp = Date.parse(share.ended ?? "") >= Date.parse(share.end);
  return `“${share.title}” is no longer shared with ${share.organisation_name}${timeUp ? ": its time was up" : ""}.`;
}

/** What a share is about, in one line. @param {Share} share @returns {string} */
export function about(share) {
  const kind = share.kind === "standing" ? `standing, agreement ${share.reference}` : share.reference;
  const stream = { main: "main stream only", sub: "small stream only", line: "" }[share.stream];
  return [kind, share.reason, stream, share.stills ? "stills allowed" : "", share.may_ask_for_stick ? "may ask for the stick" : "no stick"]
    .filter(Boolean)
    .join(" · ");
}

/** @param {RoomTest} test @returns {string} */
export function testLine(test) {
  const at = clock(Date.parse(test.at));
  if (test.result === "running") return `Running since ${at}: their page has to report the picture.`;
  if (test.result === "passed") {
    return `Passed at ${clock(Date.parse(test.ended ?? test.at))}: seen by ${test.seen_by}, ${test.frames} pictures of ${test.width} × ${test.height}.`;
  }
  return `Failed at ${clock(Date.parse(test.ended ?? test.at))}: nobody there saw the picture.`;
}

/** Somebody of a partner, with their organisation where it is known. @param {string} name @param {string} organisation */
export const named = (name, organisation) => (organisation ? `${name} (${organisation})` : name);

/** @param {number} count @param {string} one @param {string} many */
export const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;
