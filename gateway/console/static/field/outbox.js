/**
 * Steps and photos on their way: kept first, sent in the order in which they were taken, each under its own key, so that
 * what is sent twice counts once. What the gateway refuses holds back what follows it in that deployment, and nothing else.
 * @module
 */

import { ApiError } from "../app/api.js";

/** @typedef {import("../app/types.js").Problem} Problem */
/**
 * @typedef {object} Waiting
 * @property {number} [n] its place in the order; given when it is kept
 * @property {string} key by which the gateway knows it when it comes again
 * @property {string} user whose it is: nobody else sends it
 * @property {string} name theirs, for whoever holds the phone then
 * @property {string} deployment
 * @property {string} step as the API's path calls it: ``photos``, ``installation``
 * @property {Record<string, unknown>} said
 * @property {{bytes: ArrayBuffer, type: string} | null} photo
 * @property {string} [unit] of a plan: the label of the unit that goes
 * @property {string} words for people
 * @property {number} at when it was taken, ms since 1970
 * @property {Problem | null} refused
 */
/**
 * @typedef {object} Shelves
 * @property {(shelf: "outbox") => Promise<Waiting[]>} all
 * @property {(shelf: "outbox", values: object[]) => Promise<IDBValidKey[]>} put
 * @property {(shelf: "outbox", keys: IDBValidKey[]) => Promise<void>} drop
 */

/** Said of the network, the server's health or the session; not of the step. @param {ApiError} error */
export function passes({ status, problem }) {
  return status === 0 || status === 401 || status === 408 || status === 425 || status === 429 || status >= 500 ||
    problem.type === "api.another-user" || problem.type === "access.locked" || problem.type === "access.confirm" || problem.type === "access.enrol";
}

/**
 * Steps of others, for whoever holds the phone now.
 * @param {Waiting[]} waiting @param {string | undefined} user who is in, if anybody
 * @returns {{name: string, count: number}[]} by whose they are
 */
export function ofOthers(waiting, user) {
  /** @type {Map<string, {name: string, count: number}>} */
  const others = new Map();
  for (const one of waiting.filter((each) => each.user !== user)) {
    const { count = 0 } = others.get(one.user) ?? {};
    others.set(one.user, { name: one.name, count: count + 1 });
  }
  return [...others.values()];
}

export class Outbox {
  /** @type {Waiting[]} */
  waiting = [];

  /**
   * @param {object} needs
   * @param {Shelves} needs.shelves @param {(one: Waiting) => Promise<any>} needs.post answers with the deployment after it
   * @param {(deployment: any) => Promise<void>} needs.heard @param {() => void} needs.changed
   * @param {(work: () => Promise<void>) => Promise<void>} needs.alone one page of this phone at a time
   */
  constructor({ shelves, post, heard, changed, alone }) {
    this.shelves = shelves;
    this.post = post;
    this.heard = heard;
    this.changed = changed;
    this.alone = alone;
  }

  async load() {
    this.waiting = await this.shelves.all("outbox");
    this.changed();
  }

  /** Keep what was done. It is on the disk when this returns. @param {Omit<Waiting, "n" | "refused">[]} taken */
  async put(taken) {
    await this.shelves.put("outbox", taken.map((one) => ({ ...one, refused: null })));
    await this.load();
  }

  /** @param {string} user @returns {Waiting[]} */
  of(user) {
    return this.waiting.filter((one) => one.user === user);
  }

  /**
   * Send what can be sent.
   * @param {string} user
   * @returns {Promise<{retryAfterS: number | null} | null>} null where nothing is left to try, else when to try again
   */
  async send(user) {
    /** @type {{retryAfterS: number | null} | null} */
    let again = null;
    await this.alone(async () => {
      again = await this.#round(user);
    });
    return again;
  }

  /** @param {string} user @returns {Promise<{retryAfterS: number | null} | null>} */
  async #round(user) {
    /** @type {Set<string>} */
    const held = new Set();
    for (;;) {
      // Read anew each time: another page may have sent it, and what was taken meanwhile goes too.
      await this.load();
      const next = this.of(user).find((one) => {
        if (one.refused) held.add(one.deployment);
        return !held.has(one.deployment);
      });
      if (!next) return null;
      try {
        const deployment = await this.post(next);
        try {
          // What it led to is known before it is forgotten: so it is never out of sight.
          await this.heard(deployment);
        } finally {
          // It was sent, whatever this phone makes of the answer.
          await this.shelves.drop("outbox", [/** @type {number} */ (next.n)]);
        }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (passes(error)) return { retryAfterS: error.retryAfterS };
        await this.shelves.put("outbox", [{ ...next, refused: error.problem }]);
      }
    }
  }

  /** Have it tried again. @param {Waiting} one */
  async retry(one) {
    await this.shelves.put("outbox", [{ ...one, refused: null }]);
    await this.load();
  }

  /** Leave it out: it was never taken. @param {Waiting} one */
  async leaveOut(one) {
    await this.shelves.drop("outbox", [/** @type {number} */ (one.n)]);
    await this.load();
  }
}

/** @returns {string} as the API takes keys */
export const newKey = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};
