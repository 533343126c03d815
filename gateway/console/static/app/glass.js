/**
 * Breaking the glass: what one may and has broken oneself, and what supervisors are told of others: by whichever of them,
 * at whatever console, it is acknowledged, it is for all, and until then also whoever comes later is told.
 * @module
 */

import { get, send } from "./api.js";
import { news } from "./events.js";
import { handsOn } from "./later.js";
import { may, store, tell } from "./store.js";

/** @typedef {import("./types.js").BrokenGlass} BrokenGlass */

const GATHER_MS = 50;

/** Where others broke the glass, going on or over, and nobody has said that they know: the oldest first. @returns {BrokenGlass[]} */
export const unseen = () => store.state.unseenGlass.filter((one) => one.user !== store.state.user?.id);

/** Whether it is over. @param {BrokenGlass} one */
export const isOver = (one) => Date.parse(one.end) <= store.serverClock.now();

let asked = 0;
/** See where the glass is broken, and what of it nobody has acknowledged: as it was asked for last. */
async function learnGlass() {
  if (store.state.lock !== "open") return;
  const mine = (asked += 1);
  const [glass, broken, unseenGlass] = await Promise.all([
    may("break_glass") ? get("/glass/own").catch(() => store.state.glass) : null,
    may("supervise") ? get("/glass").catch(() => store.state.broken) : [],
    may("supervise") ? get("/glass/unacknowledged").catch(() => store.state.unseenGlass) : [],
  ]);
  if (mine !== asked) return;
  for (const gone of store.state.broken.filter((one) => !broken.some((/** @type {BrokenGlass} */ other) => other.id === one.id))) {
    if (gone.user !== store.state.user?.id) tell(`${gone.name}’s emergency access has ended.`);
  }
  store.set({ glass, broken, unseenGlass });
}

/** @param {string} reason @param {number} minutes */
export async function breakGlass(reason, minutes) {
  await send("POST", "/glass", { reason, minutes });
  await learnGlass();
}

/** @param {BrokenGlass} one */
export async function closeGlass(one) {
  await send("DELETE", `/glass/${one.id}`);
  await learnGlass();
}

/** Say that one has seen it, for all who supervise; that is on record. @param {BrokenGlass} one */
export async function acknowledge(one) {
  try {
    await send("POST", `/glass/${one.id}/acknowledgement`);
    store.set({ unseenGlass: store.state.unseenGlass.filter(({ id }) => id !== one.id) });
  } finally {
    await learnGlass();
  }
}

/** Go to where the glass is broken. */
export function toGlass() {
  store.set({ panel: "account", panelOpen: true });
  handsOn("#glass-reason");
}

let gathering = 0;
/** Several in a row, as who signs in is told them, are read once. */
function soon() {
  clearTimeout(gathering);
  gathering = setTimeout(() => void learnGlass(), GATHER_MS);
}

/** Listen for as long as the page lives. */
export function watchGlass() {
  news.addEventListener("open", () => void learnGlass());
  news.addEventListener("glass", soon);
  news.addEventListener("unlocked", () => void learnGlass());
}
