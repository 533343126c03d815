/**
 * Acts that take two people. Who asks is asked for a reason, waits without being kept from anything, and the act is then
 * done by itself; who may approve sees what waits.
 * @module
 */

import { called } from "./acts.js";
import { ApiError, get, hooks, once, send } from "./api.js";
import { news } from "./events.js";
import { may, store, tell } from "./store.js";

/** @typedef {import("./types.js").Asking} Asking */
/** @typedef {import("./types.js").Problem} Problem */

/** The event socket tells at once; this is for when it is away. */
const LOOK_MS = 15_000;
const APPROVAL = "Sightline-Approval";
const REASON = "Sightline-Reason";

let keys = 0;

/** @param {Partial<Asking>} change @param {number} key */
function turn(key, change) {
  store.set({ askings: store.state.askings.map((each) => (each.key === key ? { ...each, ...change } : each)) });
}

/** @param {number} key */
export function dismiss(key) {
  store.set({ askings: store.state.askings.filter((each) => each.key !== key) });
}

/** @param {string} title @param {string} cure @returns {ApiError} */
const over = (title, cure) => new ApiError({ type: "access.second-person", title, cure }, 403);

/** @param {RequestInit} init @param {string} name @param {string} value @returns {RequestInit} */
function withHeader(init, name, value) {
  const headers = new Headers(init.headers);
  headers.delete(REASON);
  headers.set(name, value);
  return { ...init, headers };
}

/** Ask for the reason, once. @param {Problem} problem @param {RequestInit} init @returns {Promise<RequestInit>} */
function reasoned(problem, init) {
  keys += 1;
  const key = keys;
  return new Promise((resolve, reject) => {
    /** @type {Asking} */
    const asking = {
      key,
      act: problem.act ?? "",
      facts: problem.facts ?? [],
      approvers: problem.approvers ?? [],
      stage: "reason",
      until: 0,
      approval: "",
      said: "",
      ask: (reason) => {
        dismiss(key);
        resolve(withHeader(init, REASON, encodeURIComponent(reason)));
      },
      leave: () => {
        dismiss(key);
        reject(over("Nothing was changed.", ""));
      },
    };
    store.set({ askings: [...store.state.askings, asking] });
  });
}

/** Wait for the second person. @param {Problem} problem @param {RequestInit} init @returns {Promise<RequestInit>} */
function agreed(problem, init) {
  keys += 1;
  const key = keys;
  const approval = problem.approval ?? "";
  const until = Date.parse(problem.until ?? "");
  return new Promise((resolve, reject) => {
    const end = () => {
      clearInterval(timer);
      news.removeEventListener("approval", heard);
      stop();
    };
    /** @param {string} standing @param {string} by @param {string} answer */
    const settle = (standing, by, answer) => {
      if (standing === "waiting") return;
      // A locked console does nothing; it goes on once it is open again.
      if (standing === "allowed" && store.state.lock !== "open") return;
      end();
      if (standing === "allowed") {
        dismiss(key);
        tell(`${by} agreed: ${called(problem.act ?? "")}.`);
        resolve(withHeader(init, APPROVAL, approval));
        return;
      }
      if (standing === "withdrawn") {
        dismiss(key);
        reject(over("You withdrew your request.", "Nothing was done."));
        return;
      }
      const said = standing === "refused" ? `${by} refused: ${answer}` : "Nobody agreed in time.";
      turn(key, { stage: "over", said });
      reject(over(said, standing === "refused" ? "Nothing was done." : "Nothing was done. Ask again when somebody is there."));
    };
    const look = async () => {
      try {
        const said = await (await once(`/api/v1/approvals/${approval}`)).json();
        settle(said.standing, said.by, said.answer);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) settle("forgotten", "", "");
      }
    };
    const heard = (/** @type {Event} */ event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      if (detail.id === approval) settle(detail.standing, detail.by, detail.answer);
    };
    const timer = setInterval(() => void look(), LOOK_MS);
    let lock = store.state.lock;
    const stop = store.subscribe(() => {
      if (store.state.session !== "signed-in") {
        end();
        reject(over("You were signed out.", "Ask again."));
      } else if (lock !== store.state.lock) {
        lock = store.state.lock;
        if (lock === "open") void look();
      }
    });
    news.addEventListener("approval", heard);
    const leave = () => {
      void send("DELETE", `/approvals/${approval}`).catch(() => {});
      settle("withdrawn", "", "");
    };
    const { act = "", facts = [], approvers = [] } = problem;
    const asking = { key, act, facts, approvers, stage: /** @type {const} */ ("waiting"), until, approval, said: "", ask: () => {}, leave };
    store.set({ askings: [...store.state.askings, asking] });
    if (problem.standing === "allowed") void look();
  });
}

/** @param {ApiError} error @param {RequestInit} init @returns {Promise<RequestInit>} the request with what is due now */
function agree(error, init) {
  const headers = new Headers(init.headers);
  if (headers.has(APPROVAL)) return Promise.reject(error);
  return error.problem.approval ? agreed(error.problem, init) : reasoned(error.problem, init);
}

/**
 * What a download adds to its address where exporting takes two people; it has no headers of its own.
 * @param {string} path @returns {Promise<string>}
 */
export async function agreedDownload(path) {
  const acts = /** @type {string[]} */ (await get("/approvals/acts"));
  if (!acts.includes("export.clip")) return "";
  /** @type {RequestInit} */
  let init = {};
  for (;;) {
    const number = new Headers(init.headers).get(APPROVAL);
    if (number) return `&approval=${number}`;
    const gone = new AbortController();
    try {
      await once(path, { ...init, signal: gone.signal });
      // It takes one person by now: the download itself is to follow.
      gone.abort();
      return "";
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem.type !== "access.second-person") throw error;
      init = await agree(error, init);
    }
  }
}

// --- for who may approve

/** See what waits. */
export async function learnWaiting() {
  if (!may("approve") || store.state.lock !== "open") return;
  const before = new Set(store.state.waiting.map((each) => each.id));
  const waiting = /** @type {import("./types.js").WaitingAct[]} */ (await get("/approvals").catch(() => store.state.waiting));
  store.set({ waiting });
  const fresh = waiting.find((each) => !each.mine && !before.has(each.id));
  if (fresh) tell(`${fresh.asked_by} asks for a second person: ${called(fresh.act)}.`, "attention");
}

/** Listen for as long as the page lives. */
export function watchSecondPerson() {
  hooks.agree = agree;
  news.addEventListener("open", () => void learnWaiting());
  news.addEventListener("approvals", () => void learnWaiting());
  news.addEventListener("unlocked", () => void learnWaiting());
  // Who may see no camera hears no events.
  setInterval(() => store.state.session === "signed-in" && store.state.link !== "up" && void learnWaiting(), LOOK_MS);
}
