/**
 * Keeps the screen lit while pictures are looked at: a wall, or a phone on a dashboard, has no hands on it.
 * @module
 */

import { views, watching } from "./state.js";

/** @type {WakeLockSentinel | null} */
let held = null;
let asking = false;

async function see() {
  const wanted = document.visibilityState === "visible" && views().length > 0;
  if (!wanted) {
    await held?.release().catch(() => {});
    held = null;
  } else if ((held === null || held.released) && !asking) {
    asking = true;
    // Refused where the battery is low, or over plain HTTP: the screen then goes dark as it would.
    held = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    asking = false;
  }
}

export function stayAwake() {
  document.addEventListener("visibilitychange", () => void see());
  watching.subscribe(() => void see());
}
