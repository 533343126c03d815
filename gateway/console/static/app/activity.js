/**
 * Hands at this console: told to the gateway now and then, so that it locks when there are none.
 * @module
 */

import { send } from "./api.js";
import { store } from "./store.js";

const TELL_MS = 30_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

let toldAt = 0;

/** A hand moved: a key, the mouse, a finger, the joystick. */
export function handMoved() {
  const { session, lock, lockAfterS } = store.state;
  const now = performance.now();
  if (session !== "signed-in" || lock !== "open" || !lockAfterS) return;
  if (toldAt && now - toldAt < Math.min(TELL_MS, lockAfterS * 250)) return;
  toldAt = now;
  void send("POST", "/session/active").catch(() => {});
}

/** Listen for as long as the page lives. */
export function watchHands() {
  for (const sign of SIGNS) addEventListener(sign, handMoved, { capture: true, passive: true });
}
