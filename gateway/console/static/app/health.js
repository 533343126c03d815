/**
 * What of cameras and units needs a person, without markup: asked for while the page lives, counted, gathered, put off.
 * @module
 */

import { get, problemOf, send } from "./api.js";
import { news } from "./events.js";
import { may, store } from "./store.js";
import { clockShort, dayAndTime, duration, toIso } from "./time.js";

/** @typedef {import("./health-types.js").Need} Need */
/** @typedef {import("./health-types.js").CameraMonth} CameraMonth */
/** @typedef {import("./health-types.js").CameraDay} CameraDay */

/** As often as the gateway itself looks. */
const ASK_MS = 30_000;
/** So soon after a deployment's step it has been judged. */
const SETTLE_MS = 1500;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** From so many on, what needs the same is one line: a camera host that is down is one trouble, not two hundred. */
const SAME = 4;

/** Those that somebody has to see to today and nobody has put off. @param {readonly Need[]} needs */
export const due = (needs) => needs.filter(({ urgency, put_off: putOff }) => urgency !== "soon" && putOff === null);

/**
 * Needs by when they are due, what was put off last; each a list of those that are the same.
 * @param {readonly Need[]} needs the most urgent first
 * @returns {{name: "now" | "today" | "soon" | "put-off", label: string, cards: Need[][]}[]}
 */
export function gathered(needs) {
  const sections = /** @type {const} */ ([["now", "Now"], ["today", "Today"], ["soon", "Soon"], ["put-off", "Put off"]]);
  return sections
    .map(([name, label]) => ({ name, label, cards: alike(needs.filter((need) => (need.put_off ? "put-off" : need.urgency) === name)) }))
    .filter(({ cards }) => cards.length > 0);
}

/** @param {Need[]} needs @returns {Need[][]} */
function alike(needs) {
  /** @type {Map<string, Need[]>} */
  const found = new Map();
  for (const need of needs) {
    const key = JSON.stringify([need.deployment?.id, need.kind, need.cause, need.cure, need.put_off?.reason, need.put_off?.until]);
    found.set(key, [...(found.get(key) ?? []), need]);
  }
  return [...found.values()].flatMap((same) => (same.length >= SAME ? [same] : same.map((each) => [each])));
}

/** For how long something may wait, in words, and until when. @param {number} now ms @returns {[key: string, label: string, until: number | null][]} */
export function waits(now) {
  const morning = new Date(now);
  morning.setHours(8, 0, 0, 0);
  if (morning.getTime() <= now) morning.setDate(morning.getDate() + 1);
  return [
    ["hours", `4 hours, until ${clockShort(now + 4 * HOUR_MS)}`, now + 4 * HOUR_MS],
    ["morning", `Until ${dayAndTime(morning.getTime())}`, morning.getTime()],
    ["week", `A week, until ${dayAndTime(now + 7 * DAY_MS)}`, now + 7 * DAY_MS],
    ["over", "As long as it lasts", null],
  ];
}

/** Since when, and for how long. @param {string} since @param {number} now */
export function sinceWords(since, now) {
  const at = Date.parse(since);
  return `since ${now - at < DAY_MS ? clockShort(at) : dayAndTime(at)}, ${duration(Math.max(0, now - at))}`;
}

/** Where a need is put off: a unit's is its own, whatever it carries. @param {Need} need */
const putOffPath = ({ camera, unit, kind }) => `/${unit ? `units/${encodeURIComponent(unit)}` : `cameras/${camera}`}/needs/${kind}/put-off`;

/** @param {readonly Need[]} needs @param {number | null} until @param {string} reason @throws {ApiError} */
export async function putOff(needs, until, reason) {
  try {
    for (const need of needs) {
      await send("PUT", putOffPath(need), { until: until === null ? null : toIso(until), reason });
    }
  } finally {
    await learnHealth();
  }
}

/** @param {readonly Need[]} needs @throws {ApiError} */
export async function takeUp(needs) {
  try {
    for (const need of needs) await send("DELETE", putOffPath(need));
  } finally {
    await learnHealth();
  }
}

/** Ask what needs somebody. */
export async function learnHealth() {
  const { session, lock, health } = store.state;
  if (session !== "signed-in" || lock !== "open" || !may("view_live")) return;
  try {
    const said = await get("/health");
    store.set({ health: { looked: said.looked, needs: said.needs, problem: null } });
  } catch (error) {
    const problem = problemOf(error);
    store.set({ health: { looked: health?.looked ?? null, needs: health?.needs ?? [], problem } });
  }
}

/** Ask again and again for as long as the page lives. */
export function watchHealth() {
  news.addEventListener("open", () => void learnHealth());
  // The gateway looks at once when a unit raises an alarm or somebody takes a step.
  for (const told of ["unit-alarm", "unit-lapsed", "deployment"]) news.addEventListener(told, () => setTimeout(() => void learnHealth(), SETTLE_MS));
  // A refusal is not asked for again and again: each is written to the audit record.
  setInterval(() => {
    if (document.visibilityState === "visible" && store.state.health?.problem?.status !== 403) void learnHealth();
  }, ASK_MS);
}

/** The months that can be asked for, this one first: "2026-05". @param {number} now ms @param {number} [count] @returns {string[]} */
export function months(now, count = 13) {
  const at = new Date(now);
  return Array.from({ length: count }, (_, back) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - back, 1)).toISOString().slice(0, 7));
}

const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });

/** May 2026. @param {string} month */
export const monthWords = (month) => MONTH.format(Date.parse(`${month}-01T00:00:00Z`));

/** The worst first; those of which nothing is known last. @param {readonly CameraMonth[]} cameras */
export const worstFirst = (cameras) => [...cameras].sort((one, other) => (one.availability ?? 2) - (other.availability ?? 2) || one.number - other.number);

/** What of all their time that should have been recorded was; null where there was none. @param {readonly CameraMonth[]} cameras */
export function together(cameras) {
  const recorded = cameras.reduce((sum, one) => sum + one.recorded_s, 0);
  const lost = cameras.reduce((sum, one) => sum + lostS(one), 0);
  return recorded + lost > 0 ? recorded / (recorded + lost) : null;
}

/** How much of all their time anything is known of, 0 to 1; null where there was none. @param {readonly CameraMonth[]} cameras */
export function known(cameras) {
  const told = cameras.reduce((sum, one) => sum + one.recorded_s + lostS(one) + one.withheld_s + one.off_s, 0);
  const all = told + cameras.reduce((sum, one) => sum + one.unknown_s, 0);
  return all > 0 ? told / all : null;
}

/** A value of each day at its noon; days of which it is not known are left out. @param {readonly CameraDay[]} days @param {(one: CameraDay) => number | null} of */
export const dayPoints = (days, of) =>
  days.flatMap((one) => {
    const value = of(one);
    return value === null ? [] : [{ at: Date.parse(`${one.day}T12:00:00Z`), value }];
  });

/**
 * How far a camera's clock is off, which its pictures show, and how far the times that we keep may be.
 * @param {Pick<import("./health-types.js").CheckUp, "clock_offset_s" | "clock_off_s">} found
 */
export function clockCheck({ clock_offset_s: ahead, clock_off_s: left }) {
  if (ahead === null || left === null) return "not measured yet";
  if (Math.max(Math.abs(ahead), left) < 0.5) return "right to half a second";
  const kept = `the times that we keep ${left < 0.5 ? "are right to half a second" : `may be off by ${left.toFixed(1)} s`}`;
  const size = Math.abs(ahead);
  return size < 0.5 ? kept : `${size < 10 ? `${size.toFixed(1)} s` : duration(size * 1000)} ${ahead > 0 ? "ahead" : "behind"}; ${kept}`;
}

/** @param {Pick<CameraMonth, "lost_s">} camera @returns {number} seconds */
export const lostS = (camera) => Object.values(camera.lost_s).reduce((sum, each) => sum + each, 0);

/** What counts neither way of a month or a day, each in a sentence. @param {Pick<CameraMonth | CameraDay, "withheld_s" | "off_s">} one */
export const asideWords = ({ withheld_s: withheld, off_s: off }) => [
  withheld ? `Not recorded for privacy: ${duration(withheld * 1000)}.` : "",
  off ? `Recording was off: ${duration(off * 1000)}.` : "",
].filter(Boolean);

/** 99.97 %: never rounded up to a whole that it is not. @param {number | null} share */
export const shareWords = (share) => (share === null ? "—" : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`);
