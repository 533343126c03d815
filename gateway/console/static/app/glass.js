/**
 * Breaking the glass: what one may and has broken oneself, and what supervisors are told of others.
 * @module
 */

import { get, send } from "./api.js";
import { news } from "./events.js";
import { may, store, tell } from "./store.js";

/** @typedef {import("./types.js").BrokenGlass} BrokenGlass */

const KEPT = "sightline.glass-seen";

/** What one has acknowledged at this browser, so that loading the page anew does not ask again. @returns {string[]} */
function seenHere() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

/** @param {BrokenGlass} one @returns {string} */
const mark = (one) => `${store.state.user?.id} ${one.id}`;

/** Where the glass is broken by others and one has not said that one knows. @returns {BrokenGlass[]} */
export function unseen() {
  const seen = seenHere();
  return store.state.broken.filter((one) => one.user !== store.state.user?.id && !seen.includes(mark(one)));
}

/** See where the glass is broken. */
async function learnGlass() {
  if (store.state.lock !== "open") return;
  const [glass, broken] = await Promise.all([
    may("break_glass") ? get("/glass/own").catch(() => store.state.glass) : null,
    may("supervise") ? get("/glass").catch(() => store.state.broken) : [],
  ]);
  for (const gone of store.state.broken.filter((one) => !broken.some((/** @type {BrokenGlass} */ other) => other.id === one.id))) {
    if (gone.user !== store.state.user?.id) tell(`${gone.name}’s emergency access has ended.`);
  }
  store.set({ glass, broken });
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

/** Say that one has seen it; that is on record. @param {BrokenGlass} one */
export async function acknowledge(one) {
  await send("POST", `/glass/${one.id}/acknowledgement`);
  localStorage.setItem(KEPT, JSON.stringify([...seenHere(), mark(one)].slice(-50)));
  store.set({ broken: [...store.state.broken] });
}

/** Go to where the glass is broken. */
export function toGlass() {
  store.set({ panel: "account", panelOpen: true });
  requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector("#glass-reason")?.scrollIntoView({ block: "center" })));
  requestAnimationFrame(() => requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector("#glass-reason"))?.focus()));
}

/** Listen for as long as the page lives. */
export function watchGlass() {
  news.addEventListener("open", () => void learnGlass());
  news.addEventListener("glass", () => void learnGlass());
  news.addEventListener("unlocked", () => void learnGlass());
}
