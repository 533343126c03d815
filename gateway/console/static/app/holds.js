/**
 * Holds: footage that is kept beyond its time, with a reason, by whose word, and when somebody looks again.
 * @module
 */

import { get, send } from "./api.js";
import { news } from "./events.js";
import { handsOn } from "./later.js";
import { closeBar } from "./shares.js";
import { cameraById, may, selectedCamera, store, tell } from "./store.js";
import { localField, toIso } from "./time.js";

/** @typedef {import("./types.js").Hold} Hold */

export const DAY_MS = 86_400_000;
/** When somebody looks again, where nobody says. */
export const REVIEW_DAYS = 31;
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

/** Whether the form has words that somebody would have to type again. */
function typed() {
  const words = store.state.holding?.words;
  return Boolean(words && (words.reason || words.authority || words.reference));
}

/** Close the form where nothing is lost by it; with words in it, it stays. */
export function closeEmptyHold() {
  if (store.state.holding && !typed()) store.set({ holding: null });
}

/** H: hold what the timeline shows of the selected camera, or give that up while nothing was typed. */
export function armHold() {
  const camera = selectedCamera();
  if (!camera) return;
  if (!may("hold")) {
    tell("You may not hold footage.", "attention");
    return;
  }
  closeBar();
  const was = store.state.holding;
  if (was && !typed() && was.camera === camera.id) {
    store.set({ holding: null });
    return;
  }
  if (was && typed()) {
    if (was.camera !== camera.id) tell(`The hold of camera ${cameraById(was.camera)?.number ?? ""} is not placed yet. Hold it or leave it first.`, "attention");
    store.set({ panel: "holds", panelOpen: true });
  } else {
    const review = dateField(store.serverClock.now() + REVIEW_DAYS * DAY_MS);
    const words = { reason: "", authority: "", reference: "", review };
    store.set({ holding: { camera: camera.id, ...stretch(), words }, panel: "holds", panelOpen: true });
  }
  handsOn("#hold-reason");
}

/** What a date field shows. @param {number} ms @returns {string} */
export const dateField = (ms) => localField(ms).slice(0, 10);

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
async function learnDue() {
  if (!may("hold") || !may("view_recorded") || store.state.lock !== "open") return;
  const said = await get("/holds?due=true").catch(() => null);
  if (said) store.set({ holdsDue: said.holds.length });
}

/** Listen for as long as the page lives. */
export function watchHolds() {
  news.addEventListener("open", () => void learnDue());
  setInterval(() => void learnDue(), DUE_EVERY_MS);
}
