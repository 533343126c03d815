/**
 * The partner's face: what this page does when somebody comes in, goes, or is locked out.
 * @module
 */

import { steering } from "../app/steering.js";
import { store } from "../app/store.js";
import { Feed } from "./feed.js";
import { forget, watching } from "./state.js";

/** @type {Feed | null} */
let feed = null;

function over() {
  feed?.end();
  feed = null;
  steering().aim(null);
  forget();
}

/** @type {import("../app/session.js").Face} */
export const face = {
  astray(user) {
    if (user.role === "partner") return false;
    store.set({ session: "astray", user });
    return true;
  },

  async came() {
    feed?.end();
    feed = new Feed();
  },

  leaving: over,
  gone: over,

  shut() {
    steering().aim(null);
    watching.set({ open: false });
  },

  async opened() {},
};
