/**
 * Holds: footage that is kept beyond its time, with a reason, by whose word, and when somebody looks again.
 * @module
 */

import { get, send } from "./api.js";
import { news } from "./events.js";
import { may, selectedCamera, store, tell } from "./store.js";
import { toIso } from "./time.js";

/** @typedef {import("./types.js").Hold} Hold */

export const DAY_MS = 86_400_000;
const DUE_EVERY_MS = 600_000;
/** A stretch that nobody chose: what was just seen. */
const USUAL_MS = 10 * 60_000;

/** Where the timeline looks; it says so itself. @type {() => {start: number, end: number} | null} */
let shown = () => null;

/** @param {() => {start: number, end: number} | null} look */
export const showsStretch = (look) => { shown = look; };

/** The stretch that is shown, as far as it is past. @returns {{start: number, end: number}} */
export function stretch() {
  const now = store.serverClock.now();
  const view = shown() ?? { start: now - USUAL_MS, end: now };
  const end = Math.min(view.end, now);
  return { start: Math.floor(Math.min(view.start, end - 1000) / 1000) * 1000, end: Math.ceil(end / 1000) * 1000 };
}

/** H: hold what the timeline shows of the selected camera, or give that up. */
export function armHold() {
  if (!selectedCamera()) return;
  if (!may("hold")) {
    tell("You may not hold footage.", "attention");
    return;
  }
  if (store.state.holding) {
    store.set({ holding: null });
    return;
  }
  store.set({ holding: stretch(), panel: "holds", panelOpen: true });
  requestAnimationFrame(() => requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector("#hold-reason"))?.focus()));
}

/**
 * @param {string} cameraId @param {{start: number, end: number}} span
 * @param {{reason: string, authority: string, reference: string, review: number}} terms
 */
export async function place(cameraId, span, terms) {
  const { review, ...words } = terms;
  await send("POST", `/cameras/${cameraId}/holds`, { ...words, start: toIso(span.start), end: toIso(span.end), review: toIso(review) });
  turned();
}

/** @param {Hold} hold */
export async function release(hold) {
  await send("DELETE", `/cameras/${hold.camera}/holds/${hold.id}`);
  turned();
}

/** Say that it is still needed. @param {Hold} hold @param {number} review ms since 1970 */
export async function keep(hold, review) {
  await send("PATCH", `/cameras/${hold.camera}/holds/${hold.id}`, { review: toIso(review) });
  turned();
}

function turned() {
  store.set({ holdsTurn: store.state.holdsTurn + 1 });
  void learnDue();
}

/** See how many are to be looked at again. */
export async function learnDue() {
  if (!may("hold") || !may("view_recorded") || store.state.lock !== "open") return;
  const said = await get("/holds?due=true").catch(() => null);
  if (said) store.set({ holdsDue: said.holds.length });
}

/** Listen for as long as the page lives. */
export function watchHolds() {
  news.addEventListener("open", () => void learnDue());
  setInterval(() => void learnDue(), DUE_EVERY_MS);
}
