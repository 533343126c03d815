/**
 * Keeps the screen lit while pictures are looked at: a wall, or a phone on a dashboard, has no hands on it.
 * @module
 */

import { views, watching } from "./state.js";

/** @type {WakeLockSentinel | null} */
let held = null;
let asking = false;
/** A screen that may not be kept lit now is asked about again after this. */
const AGAIN_MS = 30_000;
let askedAt = -Infinity;

async function see() {
  const wanted = document.visibilityState === "visible" && views().length > 0;
  if (!wanted) {
    await held?.release().catch(() => {});
    held = null;
  } else if ((held === null || held.released) && !asking && performance.now() - askedAt > AGAIN_MS) {
    asking = true;
    askedAt = performance.now();
    // Refused where the battery is low, or over plain HTTP: the screen then goes dark as it would.
    held = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    asking = false;
  }
}

export function stayAwake() {
  document.addEventListener("visibilitychange", () => {
    askedAt = -Infinity;
    void see();
  });
  watching.subscribe(() => void see());
}
