/**
 * Asks for the hosts every two seconds, and for the viewers of the one that is opened, while somebody looks. A question
 * begins when the one before it is answered, so a slow gateway is asked less often. What was seen is kept while the
 * page lives, so that trends are there when the panel is opened again.
 * @module
 */

import { get, problemOf } from "./api.js";
import { HostHistory } from "./hosts.js";

/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").HostViewer} HostViewer */
/** @typedef {import("./types.js").Problem} Problem */

export const ASK_MS = 2000;

/** @type {Map<string, HostHistory>} */
const histories = new Map();

/** @param {Host} host @returns {HostHistory} */
export function historyOf(host) {
  const known = histories.get(host.name) ?? new HostHistory();
  histories.set(host.name, known);
  return known;
}

/** Forget what somebody saw. */
export const forgetHosts = () => histories.clear();

export class HostWatch {
  /** @type {Host[] | null} */
  hosts = null;
  /** Why they could not be asked for; what was heard before is kept beside it. @type {Problem | null} */
  problem = null;
  /** When they were last heard of, on the page's own clock. */
  heardAt = 0;
  /** Index of the host whose viewers are shown. @type {number | null} */
  opened = null;
  /** @type {HostViewer[] | null} */
  viewers = null;
  /** @type {Problem | null} */
  viewersProblem = null;
  #changed;
  #stop = new AbortController();
  #timer = 0;
  #asking = false;

  /** @param {() => void} changed called when there is something new to draw */
  constructor(changed) {
    this.#changed = changed;
    document.addEventListener("visibilitychange", this.#seen);
    void this.ask();
  }

  end() {
    this.#stop.abort();
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#seen);
  }

  /** Show the viewers of a host, or of none. @param {number | null} index */
  open(index) {
    this.opened = index;
    this.viewers = null;
    this.viewersProblem = null;
    this.#changed();
    void this.ask();
  }

  /** Ask now, and from now on every two seconds. */
  async ask() {
    if (this.#asking) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    const opened = this.opened;
    await Promise.all([this.#askHosts(), this.#askViewers(opened)]);
    this.#asking = false;
    if (this.#stop.signal.aborted) return;
    this.#changed();
    // A refusal is not asked for again and again: each is written to the audit record.
    if (document.visibilityState !== "visible" || this.problem?.status === 403) return;
    this.#timer = setTimeout(() => void this.ask(), opened === this.opened ? ASK_MS : 0);
  }

  #seen = () => {
    if (document.visibilityState === "visible") void this.ask();
  };

  async #askHosts() {
    try {
      const hosts = /** @type {Host[]} */ (await get("/hosts", this.#stop.signal));
      this.heardAt = performance.now();
      for (const host of hosts) historyOf(host).note(host, this.heardAt);
      this.hosts = hosts;
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** @param {number | null} index */
  async #askViewers(index) {
    if (index === null) return;
    try {
      const viewers = /** @type {HostViewer[]} */ (await get(`/hosts/${index}/viewers`, this.#stop.signal));
      if (index === this.opened) [this.viewers, this.viewersProblem] = [viewers, null];
    } catch (error) {
      if (index === this.opened) [this.viewers, this.viewersProblem] = [null, problemOf(error)];
    }
  }
}
