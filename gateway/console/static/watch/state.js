/**
 * What this page knows beside who is here: what is shared, what was said, what is looked at.
 * @module
 */

import { SlElement } from "../app/element.js";
import { Observable } from "../app/observable.js";
import { store } from "../app/store.js";
import { running, stillSelected, viewsOf } from "./shares.js";

/** @typedef {{text: string, kind: "news" | "attention", at: number}} Said */
/**
 * @typedef {object} Watching
 * @property {import("./shares.js").Mine | null} mine null until it is known
 * @property {import("../app/types.js").Problem | null} barred why nothing is shown at all
 * @property {"up" | "down"} link
 * @property {Said[]} said what happened, the newest last
 * @property {Record<string, import("./shares.js").Note[]>} notes by share, oldest first
 * @property {number} unread notes from the room that came while they were out of sight
 * @property {string | null} selected camera
 * @property {boolean} filled whether the selected picture fills the page
 * @property {4 | 9} layout how many pictures at once otherwise
 * @property {boolean} open whether the panel beside the pictures is open
 * @property {Record<string, number>} askedAt by share: when one asked for a stick (server's time, ms)
 * @property {{room: string, at: number, result: "passed" | "failed"} | null} test the last test of the link
 */

const SAID_MAX = 6;

/** @returns {Watching} */
const initial = () => ({
  mine: null, barred: null, link: "down", said: [], notes: {}, unread: 0, selected: null, filled: false, layout: 9, open: false, askedAt: {}, test: null,
});

/** @type {Observable<Watching>} */
export const watching = new Observable(initial());

export const forget = () => watching.set(initial());

/** What the control room is called. */
export const room = () => watching.state.mine?.room ?? "the control room";

/** @returns {import("./shares.js").Share[]} */
export const shares = () => running(watching.state.mine, store.serverClock.now());

/** @returns {import("./shares.js").View[]} */
export const views = () => viewsOf(shares());

/** @returns {import("./shares.js").View | null} */
export const selectedView = () => views().find(({ camera }) => camera.id === watching.state.selected) ?? null;

/** @param {string} text @param {Said["kind"]} [kind] */
export function say(text, kind = "news") {
  const said = [...watching.state.said, { text, kind, at: store.serverClock.now() }].slice(-SAID_MAX);
  watching.set({ said });
}

/** @param {import("./shares.js").Mine} mine */
export function keep(mine) {
  const before = watching.state.mine;
  const found = viewsOf(running(mine, store.serverClock.now()));
  const selected = stillSelected(found, watching.state.selected, before);
  watching.set({ mine, barred: null, selected, filled: watching.state.filled && found.length > 1 });
}

/** A share is over: nothing of it is known any more. @param {string} id @returns {import("./shares.js").Share | null} */
export function drop(id) {
  const { mine } = watching.state;
  const share = mine?.shares.find((each) => each.id === id);
  if (!mine || !share) return null;
  keep({ ...mine, shares: mine.shares.filter((each) => each !== share) });
  return share;
}

export class WatchElement extends SlElement {
  /** @type {() => void} */
  #part = () => {};

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#part = watching.subscribe(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#part();
  }

  get watched() {
    return watching.state;
  }
}
