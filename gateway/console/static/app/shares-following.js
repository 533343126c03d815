/**
 * The share that follows: it shows outside what is selected at this console.
 * @module
 */

import { problemOf, send } from "./api.js";
import { selectedCamera, store, tell } from "./store.js";
import { line } from "./words.js";

/** @typedef {import("./shares-types.js").Share} Share */

/** This console goes on following after the page was loaded anew; another one of the same person does not begin to. */
const KEPT = "sightline.following";
const AGAIN_MS = 2_000;
let told = "";
let telling = false;
/** What could not be told, until it is tried again. */
let untold = "";
/** What it was last said of that it could not be told. */
let said = "";

/** @param {string} share */
const set = (share) => store.set({ sharing: { ...store.state.sharing, following: share } });

/** This console shows in a share what is selected here. @param {string} share */
export function follow(share) {
  sessionStorage.setItem(KEPT, share);
  told = "";
  set(share);
  showSelected();
}

/** Once more in sight of the shares: whatever ours showed before we lost it, it may show nothing by now. @param {Share[]} shares */
export function goOnFollowing(shares) {
  const kept = sessionStorage.getItem(KEPT);
  const own = shares.find((share) => share.id === kept && share.made_by_id === store.state.user?.id);
  if (own) set(own.id);
  if (!telling) told = "";
  showSelected();
}

/** Tell what is selected, one at a time: of what was passed over quickly nothing is shown. */
export function showSelected() {
  const { following } = store.state.sharing;
  if (following === null) {
    told = "";
    return;
  }
  const camera = selectedCamera();
  const allowed = camera && (camera.may?.includes("share") ?? true);
  const wanted = `${following} ${allowed ? camera.id : ""}`;
  if (telling || wanted === told || wanted === untold || store.state.lock !== "open") return;
  if (camera && !allowed) tell(`Camera ${camera.number} is not shown outside: you may not share it.`, "attention");
  telling = true;
  void send("PUT", `/shares/${following}/selected`, { camera: allowed ? camera.id : null })
    .then(() => {
      told = wanted;
      said = untold = "";
    })
    .catch((error) => {
      // Nothing is shown outside by now: what is selected is told again, until it is or something else is selected.
      told = "";
      if (said !== wanted) tell(line(problemOf(error)), "attention");
      said = wanted;
      untold = wanted;
      setTimeout(() => {
        untold = "";
        showSelected();
      }, AGAIN_MS);
    })
    .finally(() => {
      telling = false;
      showSelected();
    });
}
