/**
 * What somebody outside can do, whichever button or key asks for it.
 * @module
 */

import { problemOf, request, saveBlob, send } from "../app/api.js";
import { shut } from "../app/session.js";
import { steering } from "../app/steering.js";
import { store } from "../app/store.js";
import { clock, day, fileTime } from "../app/time.js";
import { line } from "../app/words.js";
import { ownLoan } from "./shares.js";
import { markLines, paintMark } from "./mark.js";
import { say, selectedView, views, watching } from "./state.js";

/** @param {() => Promise<unknown>} work @returns {Promise<boolean>} whether it was done; what was wrong is said */
async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    say(line(problemOf(error)), "attention");
    return false;
  }
}

// --- looking

/** @param {string} camera */
export function select(camera) {
  if (watching.state.selected !== camera) watching.set({ selected: camera });
}

/** The digit of a picture: choose it; once more, and it fills the page or goes back into its row. @param {number} digit */
export function selectDigit(digit) {
  const view = views()[digit - 1];
  if (!view) return;
  if (watching.state.selected === view.camera.id) fill(!watching.state.filled);
  else select(view.camera.id);
}

/** @param {boolean} filled */
export function fill(filled) {
  watching.set({ filled: filled && views().length > 1 });
}

/** @param {1 | 4 | 9} most pictures at once */
export function show(most) {
  if (most === 1) fill(true);
  else watching.set({ filled: false, layout: most });
}

/** Go to the page of pictures after, or before; round at the ends. @param {1 | -1} direction */
export function turn(direction) {
  const all = views();
  const { filled, layout, selected } = watching.state;
  const most = filled ? 1 : layout;
  const pages = Math.ceil(all.length / most);
  const at = Math.max(0, all.findIndex(({ camera }) => camera.id === selected));
  const next = all[((Math.floor(at / most) + direction + pages) % pages) * most];
  if (next) select(next.camera.id);
}

export async function fullScreen() {
  const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen({ navigationUI: "hide" });
  await done.catch(() => say("This browser does not let the page fill the screen.", "attention"));
}

/** A screen that nobody sits at: it shows, and does nothing else. */
export const wallboard = () => attempt(() => shut("wall"));

/** @param {boolean} open */
export function openPanel(open) {
  watching.set({ open, unread: open ? 0 : watching.state.unread });
}

// --- the stick

/** @param {string} share @param {string} camera @param {string} note */
export const ask = (share, camera, note) =>
  attempt(async () => {
    const { at } = await send("POST", `/shares/${share}/stick-request`, { camera, note });
    watching.set({ askedAt: { ...watching.state.askedAt, [share]: Date.parse(at) } });
  });

/** Take one's request back, or give back what one was lent. @param {string} share */
export function giveBack(share) {
  steering().letGo();
  return attempt(() => send("DELETE", `/shares/${share}/stick`));
}

/** The hand is on the selected camera for as long as its stick is lent to us, and the console is open. */
export function follow() {
  const view = selectedView();
  const { lock, user } = store.state;
  const loan = view && lock === "open" ? ownLoan(view, user?.id) : null;
  steering().aim(loan && view ? view.camera.id : null);
}

// --- notes, stills

/** @param {string} share @param {string} text */
export const write = (share, text) =>
  attempt(async () => {
    const note = await send("POST", `/shares/${share}/notes`, { text });
    const known = watching.state.notes[share] ?? [];
    if (!known.some(({ id }) => id === note.id)) watching.set({ notes: { ...watching.state.notes, [share]: [...known, note] } });
  });

/** Save a picture that the camera makes now, with name, force, time and share drawn into it. */
export async function still() {
  const view = selectedView();
  const share = view?.shares.find(({ stills }) => stills);
  if (!view || store.state.lock !== "open") return;
  if (!share) {
    say(`Stills of camera ${view.camera.number} are not allowed. Ask the control room for footage.`, "attention");
    return;
  }
  const { camera } = view;
  const done = await attempt(async () => {
    const response = await request(`/api/v1/cameras/${camera.id}/snapshot`);
    const now = store.serverClock.now();
    const picture = await createImageBitmap(await response.blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser cannot draw the still.");
    context.drawImage(picture, 0, 0);
    paintMark(context, [...markLines(share, now), `Camera ${camera.number} ${camera.name} · ${day(now)} ${clock(now)}`]);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
    saveBlob(blob, stillName(camera, share, store.state.user?.username ?? "", now));
  });
  if (done) say(`A still of camera ${camera.number} is saved. It carries your name.`);
}

/**
 * @param {{number: number, name: string}} camera @param {{title: string, reference: string}} share
 * @param {string} username @param {number} now @returns {string}
 */
export function stillName(camera, share, username, now) {
  const plain = [`camera ${camera.number} ${camera.name}`, fileTime(now), share.reference || share.title, username]
    .map((part) => part.replaceAll(/[^\p{L}\p{N}. -]+/gu, "-").trim())
    .filter(Boolean);
  return `${plain.join("_").replaceAll(" ", "-").slice(0, 180)}.jpg`;
}
