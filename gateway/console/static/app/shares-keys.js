/**
 * Keys while the share bar is open: it takes those that it shows, and leaves the rest to the room.
 * @module
 */

import { DIGITS, partners, sharesOf } from "./shares-model.js";
import { chooseOrganisation, endShown, extend, shareFromBar, stepMinutes, takeOut, turnFollow, turnStick } from "./shares.js";
import { store, tell } from "./store.js";

/** @param {string} key @returns {boolean} whether the bar took it */
function making(key) {
  if (/^[1-9]$/.test(key)) {
    const one = partners(store.state.sharing).slice(0, DIGITS)[Number(key) - 1];
    if (one) chooseOrganisation(one.id);
  } else if (key === "ArrowRight" || key === "ArrowUp") stepMinutes(1);
  else if (key === "ArrowLeft" || key === "ArrowDown") stepMinutes(-1);
  else if (key === "f" || key === "F") turnFollow();
  else if (key === "s" || key === "S") turnStick();
  else if (key === "Enter") void shareFromBar();
  else return false;
  return true;
}

/** @param {string} key @returns {boolean} */
function showing(key) {
  const { sharing } = store.state;
  const [share] = sharing.bar ? sharesOf(sharing, sharing.bar.camera) : [];
  if (!share || !sharing.bar) return false;
  if (key === "Delete") endShown();
  else if (key === "x" || key === "X") {
    if (share.kind === "standing") tell("A standing share runs until its review; it is not extended by minutes.", "attention");
    else void extend(share);
  } else if (key === "c" || key === "C") {
    if (share.follow) tell("This share shows whatever you select, so no camera is taken out of it. Del ends it.", "attention");
    else void takeOut(share, sharing.bar.camera);
  } else return false;
  return true;
}

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the bar took it
 */
export function barKey(event) {
  const { bar } = store.state.sharing;
  if (!bar || event.repeat) return false;
  // A button of the bar that has the focus is pressed by Enter. One elsewhere only kept the focus from before.
  if (event.key === "Enter" && event.target instanceof Element && event.target.closest(".share-bar :is(button, a, summary)")) return false;
  const took = bar.mode === "make" ? making(event.key) : showing(event.key);
  if (took) event.preventDefault();
  return took;
}
