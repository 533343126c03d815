/**
 * The control room's face: what this page does when somebody comes in, goes, or is locked out.
 * @module
 */

import { follow, goLiveEverywhere, loadCameras, restoreWall } from "./actions.js";
import { deployments } from "./deployments.js";
import { Events, news } from "./events.js";
import { forgetHosts } from "./host-watch.js";
import { look } from "./session.js";
import { learnNotes } from "./shares-notes.js";
import { loadShares } from "./shares.js";
import { steering } from "./steering.js";
import { store } from "./store.js";
import { isTying } from "./tying.js";

/** @type {Events | null} */
let events = null;

/** @type {import("./session.js").Face} */
export const room = {
  astray(user) {
    if (user.role !== "partner") return false;
    // What is shared with them has a page of its own; nothing here is for them.
    location.replace("/watch");
    return true;
  },

  async came() {
    restoreWall();
    const reload = async () => {
      await Promise.all([loadCameras(), loadShares()]);
      void learnNotes();
    };
    await reload();
    events?.end();
    events = new Events(reload, look);
    if (isTying()) store.set({ panel: "account", panelOpen: true });
  },

  leaving() {
    steering().aim(null);
    // Views are closed while one may still close them.
    store.set({ list: "loading" });
  },

  gone() {
    events?.end();
    events = null;
    steering().aim(null);
    forgetHosts();
    deployments.forget();
  },

  shut() {
    // What only an open console may: the stick, recordings, exports, panels.
    steering().aim(null);
    goLiveEverywhere();
    store.set({ exporting: null, holding: null, typed: "", presetArmed: false, panel: "steer", panelOpen: false, sharing: { ...store.state.sharing, bar: null } });
  },

  async opened() {
    await loadCameras();
    follow();
    news.dispatchEvent(new Event("unlocked"));
  },
};
