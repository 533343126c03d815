/**
 * The keyboard of this page: 1–9 choose a picture, Enter lets it fill the page, [ and ] go through them, F is the whole screen, S a still, N notes,
 * T the stick; arrows, + and − steer while it is lent, Esc stops.
 * @module
 */

import { isSteeringKey } from "../app/steer-inputs.js";
import { steering } from "../app/steering.js";
import { store } from "../app/store.js";
import { fill, fullScreen, openPanel, selectDigit, still, turn } from "./acts.js";
import { ownLoan } from "./shares.js";
import { selectedView, watching } from "./state.js";

const typing = (/** @type {EventTarget | null} */ target) => target instanceof HTMLElement && target.matches("input, textarea, select");

/** What a key does where the focus is, it does there. */
const pressable = (/** @type {EventTarget | null} */ target) =>
  target instanceof Element && target.closest("button, a, input, textarea, select, summary, dialog, [role=button], [role=dialog]") !== null;

const lent = () => {
  const view = selectedView();
  return view !== null && store.state.lock === "open" && ownLoan(view, store.state.user?.id) !== null;
};

/** @type {Record<string, () => void>} */
const ACTS = {
  f: () => void fullScreen(),
  s: () => void still(),
  "[": () => turn(-1),
  "]": () => turn(1),
  n: () => openPanel(!watching.state.open),
  t: () => /** @type {HTMLElement | null} */ (document.querySelector("#ask, #ask-stick"))?.click(),
};

/** @param {KeyboardEvent} event */
function down(event) {
  if (store.state.session !== "signed-in" || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") {
    steering().stop();
    if (typing(event.target)) /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  if (typing(event.target)) return;
  if (event.key === "Shift") steering().shift(true);
  if (isSteeringKey(event.key)) {
    if (!lent()) return;
    event.preventDefault();
    steering().keyDown(event.key, event.shiftKey);
  } else if (/^[1-9]$/.test(event.key) && !event.repeat) selectDigit(Number(event.key));
  else if (event.key === "Enter") {
    if (!event.repeat && !pressable(event.target)) fill(!watching.state.filled);
  } else if (!event.repeat) ACTS[event.key.toLowerCase()]?.();
}

/** @param {KeyboardEvent} event */
function up(event) {
  if (event.key === "Shift") steering().shift(false);
  if (isSteeringKey(event.key)) steering().keyUp(event.key, event.shiftKey);
}

export function listen() {
  addEventListener("keydown", down);
  addEventListener("keyup", up);
}
