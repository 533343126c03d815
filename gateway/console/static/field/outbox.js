/**
 * Steps and photos on their way: kept first, sent in the order in which they were taken, each under its own key, so that
 * what is sent twice counts once. What the gateway refuses holds back what follows it in that deployment, and nothing else;
 * what it lacked goes ahead of it.
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
 * @property {string} [where] the place, as people say it
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

/** The order of the work at a place. What is taken after a refusal is what the refused step lacked, if it comes before it. */
const ORDER = ["plan", "photos sign-up", "signs-up", "installation", "notes", "photos unit", "sign-off", "reviews", "removal", "photos sign-down", "signs-down"];

/** What a step is, whenever it was taken. @param {Pick<Waiting, "step" | "said">} one */
const what = ({ step, said }) => (step === "photos" ? `photos ${said.kind}` : step);

/** @param {Pick<Waiting, "step" | "said">} one */
const rank = (one) => ORDER.indexOf(what(one));

/**
 * Where steps belong that are taken while one of their deployment is refused: in the place of what they say anew, else
 * ahead of the refused step that comes after them in the work; else, as ever, at the end.
 * @param {readonly Waiting[]} waiting in their order @param {readonly Omit<Waiting, "n" | "refused">[]} taken at one place, at once
 * @returns {{replaced: Waiting[], before: Waiting | undefined}} before: what they go ahead of; undefined: nothing
 */
export function placed(waiting, taken) {
  const [first] = taken;
  const there = waiting.filter(({ user, deployment }) => user === first?.user && deployment === first.deployment);
  const refused = there.findIndex((one) => one.refused);
  if (!first || refused < 0) return { replaced: [], before: undefined };
  const held = there.slice(refused);
  const anew = held.find((one) => one.refused && taken.some((other) => what(other) === what(one)));
  // What was taken with it at once goes with it: a photo and what it shows.
  const replaced = anew ? held.filter(({ at }) => at === anew.at) : [];
  const left = held.filter((one) => !replaced.includes(one));
  const before = anew ? left.find(({ n = 0 }) => n > (anew.n ?? 0)) : left.find((one) => one.refused && rank(one) > rank(first));
  return { replaced, before };
}

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

  /** Keep what was done, at one place. It is on the disk when this returns. @param {Omit<Waiting, "n" | "refused">[]} taken */
  async put(taken) {
    await this.load();
    const { replaced, before } = placed(this.waiting, taken);
    const next = before?.n ?? 0;
    // Numbers need not be whole: there is always room between two.
    const last = Math.max(next - 1, ...this.waiting.map(({ n = 0 }) => n).filter((n) => n < next));
    const room = (next - last) / (taken.length + 1);
    const steps = taken.map((one, index) => ({ ...one, refused: null, ...(before && { n: last + room * (index + 1) }) }));
    // What it lacked is there now: it is tried again, after it.
    await this.shelves.put("outbox", before?.refused ? [...steps, { ...before, refused: null }] : steps);
    // What they say anew; gone only once they are kept.
    if (replaced.length) await this.shelves.drop("outbox", replaced.map(({ n }) => /** @type {number} */ (n)));
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
