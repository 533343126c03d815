/**
 * Notes of shares: what people outside wrote stands until somebody has answered, or has said that they have seen it.
 * @module
 */

import { get, send } from "./api.js";
import { dropUnread, keepNote, keepNotes } from "./shares-model.js";
import { attempt, turn } from "./shares.js";
import { store } from "./store.js";

/** What one has seen at this browser: the gateway keeps notes, not who has read them. */
const KEPT = "sightline.notes-seen";
const KEPT_MOST = 200;

/** @returns {string[]} */
function seenHere() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

/** @param {string} note @returns {string} */
const mark = (note) => `${store.state.user?.id} ${note}`;

/** @param {string} share */
export async function loadNotes(share) {
  const notes = /** @type {import("./shares-types.js").Note[]} */ (await get(`/shares/${share}/notes`));
  const seen = new Set(seenHere());
  turn((was) => keepNotes(was, share, notes, (note) => seen.has(mark(note.id))));
}

/** What was written while this page was not there, or not connected. One share that cannot be asked keeps none from the others. */
export async function learnNotes() {
  const { shares } = store.state.sharing;
  await Promise.allSettled(shares.filter((share) => share.running && share.kind !== "test").map((share) => loadNotes(share.id)));
}

/** @param {string} share @param {string} text */
export const writeNote = (share, text) =>
  attempt(async () => {
    const note = await send("POST", `/shares/${share}/notes`, { text });
    turn((was) => keepNote(was, note));
  });

/** What was written from outside in a share has been seen. @param {string} share */
export function readNotes(share) {
  const read = store.state.sharing.unread.filter((note) => note.share === share);
  if (read.length === 0) return;
  localStorage.setItem(KEPT, JSON.stringify([...seenHere(), ...read.map((note) => mark(note.id))].slice(-KEPT_MOST)));
  turn((was) => dropUnread(was, share));
}

/** Go to where a share is answered. What was written stays unread until the answer is sent. @param {string} share */
export function answer(share) {
  const shown = store.state.sharing.shares.some((one) => one.id === share && one.running && one.kind !== "test");
  turn((was) => ({ ...was, answering: shown ? share : null }));
  store.set({ panel: "sharing", panelOpen: true });
}

/** The field has the focus. */
export const answered = () => turn((was) => ({ ...was, answering: null }));
