/**
 * Who is here: first run, signing in and out, locking and unlocking, proving again who one is. The same for every page;
 * what each does about it is its own face.
 * @module
 */

import { ApiError, IN_NAME_OF, get, hooks, once, problemOf, send } from "./api.js";
import { confirmThere } from "./confirm-there.js";
import { serversNamed } from "./ice.js";
import { owe, owed, settle } from "./leaving.js";
import { usable, use } from "./passkeys.js";
import { store, tell } from "./store.js";
import { UNREACHABLE, line } from "./words.js";

/** @typedef {import("./types.js").SessionFacts} SessionFacts */
/** @typedef {import("./types.js").SecondDue} SecondDue */

/**
 * What a page does about who is here.
 * @typedef {object} Face
 * @property {(user: import("./types.js").User) => boolean} astray takes somebody where they belong, if that is not here
 * @property {() => Promise<void>} came somebody is in
 * @property {() => void} leaving they sign out: what is open may still be closed in their name
 * @property {() => void} gone they are out, whoever ended it
 * @property {() => void} shut pictures only, from now on
 * @property {() => Promise<void>} opened all of it again
 */

/** @type {Face} */
let face = { astray: () => false, came: async () => {}, leaving: () => {}, gone: () => {}, shut: () => {}, opened: async () => {} };

/** @param {Face} own */
export function wear(own) {
  face = own;
}

/** @type {Promise<void> | null} somebody else is in by now: who, is being asked */
let anew = null;

const AGAIN_MS = 2000;
/** Nobody who signs out waits longer than this for a gateway that does not answer. */
const LEAVE_MS = 5000;
let again = 0;
/** Of finding out where we stand: what an earlier one finds, or one of before somebody signed out, counts for nothing. */
let turn = 0;

/** Find out where we stand: first run, signed out, signed in. Whoever signed out before is out first. */
export async function begin() {
  const mine = anewTurn();
  hooks.signedOut = () => signedOut("You were signed out. Sign in again.");
  hooks.locked = () => void look();
  hooks.another = () => void (anew ??= begin().finally(() => (anew = null)));
  hooks.confirm = confirmed;
  let leaving = true;
  try {
    const there = await left();
    leaving = false;
    if (there) return location.assign(there);
    const session = await get("/session");
    if (mine === turn) await enter(session);
  } catch (error) {
    if (mine !== turn) return;
    if (!(error instanceof ApiError) || error.status === 0 || error.status >= 500) return unreachable(leaving);
    // Their session ended while this page was closed: what it kept of them is shown no more.
    if (error.status === 401) face.gone();
    // Somebody who is known, and may not come in from there.
    if (error.status === 403) tell(line(error.problem), "attention");
    const { needed } = await get("/setup").catch(() => ({ needed: false }));
    if (needed || !(await enterByCode())) store.set({ session: needed ? "setup" : "signed-out" });
  }
}

function anewTurn() {
  clearTimeout(again);
  turn += 1;
  return turn;
}

/** @param {boolean} leaving somebody signed out, and the gateway does not know yet */
function unreachable(leaving) {
  store.set({ session: "unreachable", leaving });
  again = setTimeout(() => void begin(), AGAIN_MS);
}

/**
 * End the session of who signed out of this browser, where the gateway does not know it yet.
 * @returns {Promise<string | null>} where the browser is to sign out too, if anywhere
 * @throws {ApiError} of status 0: it does not know it still, and nobody may come in
 */
async function left() {
  const user = await owed();
  if (user === undefined) return null;
  let there = null;
  try {
    const headers = /** @type {HeadersInit} */ (user ? { [IN_NAME_OF]: user } : {});
    const answer = await once("/api/v1/session", { method: "DELETE", headers, signal: AbortSignal.timeout(LEAVE_MS) });
    if (answer.status !== 204) there = (await answer.json()).continue_at ?? null;
  } catch (error) {
    const told = error instanceof ApiError && error.status >= 400 && error.status < 500 && ![408, 425, 429].includes(error.status);
    if (!told) throw new ApiError(UNREACHABLE, 0);
    // It was over already; or somebody else has signed in since, and the cookie is theirs.
  }
  await settle();
  store.set({ leaving: false });
  return there;
}

/** A one-time code may come in the address; it is used once and taken out of it. */
export const codeInAddress = () => {
  const given = new URLSearchParams(location.hash.slice(1));
  return given.get("setup") ?? given.get("code") ?? "";
};

/** @returns {Promise<boolean>} whether a code in the address opened the room, or the way to the second factor */
async function enterByCode() {
  const code = codeInAddress();
  if (code === "") return false;
  history.replaceState(null, "", location.pathname);
  try {
    await further(await send("POST", "/session", { code }));
    return true;
  } catch (error) {
    tell(line(problemOf(error)), "attention");
    return false;
  }
}

/** @param {SessionFacts} session */
async function enter(session) {
  serversNamed(session.ice_servers ?? false);
  if (session.server_time) store.serverClock.heard(Date.parse(session.server_time), Date.now());
  const { user, enrol_due: due = false, state: lock = "open", lock_after_s: lockAfterS = 0, reference = "" } = session;
  if (store.state.user && store.state.user.id !== user.id) {
    // They signed in beside this page. What it shows is somebody else's.
    face.gone();
    store.reset("starting");
  }
  if (face.astray(user)) return;
  if (due) {
    store.set({ session: "enrol", user, second: null });
    return;
  }
  store.set({ session: "signed-in", user, lock, lockAfterS, reference, second: null, list: "loading", listProblem: null });
  await face.came();
}

/** Go in, or on to the second factor. @param {SessionFacts | SecondDue} answer */
export async function further(answer) {
  if ("ticket" in answer) store.set({ session: "second", second: answer });
  else await enter(answer);
}

/** @param {string} username @param {string} password */
export async function signIn(username, password) {
  await left();
  await further(await send("POST", "/session", { username, password }));
}

/** Complete a sign-in. @param {object} proof */
export async function second(proof) {
  await enter(await send("POST", "/session/second", { ticket: store.state.second?.ticket, ...proof }));
}

export function startOver() {
  store.set({ session: "signed-out", second: null, notice: null });
}

export async function signInByPasskey() {
  await left();
  const { ticket, options } = await send("POST", "/session/passkey");
  await enter(await send("POST", "/session", { ticket, passkey: await use(options) }));
}

/** @param {string} code @param {string} username @param {string} password */
export async function setUp(code, username, password) {
  const session = await send("POST", "/setup", { code, username, password });
  history.replaceState(null, "", location.pathname);
  await enter(session);
}

/** They are out once this page says so, and the gateway once it can be reached: that is kept until it knows. */
export async function signOut() {
  anewTurn();
  const user = store.state.user?.id ?? hooks.shown() ?? "";
  face.leaving();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await owe(user);
  const there = await left().catch(() => undefined);
  signedOut("");
  if (there === undefined) unreachable(true);
  // Whoever came in with a provider's account is signed out there too.
  else if (there) location.assign(there);
}

/** @param {string} why */
function signedOut(why) {
  if (store.state.session === "signed-out") return;
  face.gone();
  store.state.confirming?.settle(false);
  store.reset("signed-out");
  if (why) tell(why, "attention");
}

// --- locking

/** Lock this console, or make it a wallboard. @param {"locked" | "wall"} state */
export async function shut(state) {
  await send("PUT", "/session/state", { state });
  await look();
}

/** See what this session is now: somebody may have locked it, or opened it again. */
export async function look() {
  const session = /** @type {SessionFacts | null} */ (await get("/session").catch(() => null));
  if (!session || store.state.session !== "signed-in") return;
  const { user, state: lock = "open" } = session;
  if (user.id !== store.state.user?.id) {
    await enter(session);
    return;
  }
  const before = store.state.lock;
  store.set({ user, lock });
  if (lock !== "open") {
    store.state.confirming?.settle(false);
    face.shut();
  } else if (before !== "open") {
    await face.opened();
  }
}

// --- proving again who one is

/** The ways that one has, and that work here. @param {string[]} methods */
export const ways = (methods) => methods.filter((method) => method !== "passkey" || usable());

/** @returns {Promise<{ticket: string, options: object}>} */
export const confirmChallenge = () => send("POST", "/session/confirm/passkey");

/**
 * @param {object} proof as the API takes it, or a provider's identifier and the window that was opened for it
 * @param {() => boolean} wanted whether anybody still waits for it
 */
export async function confirm(proof, wanted) {
  if ("provider" in proof) {
    const { provider, page } = /** @type {{provider: string, page: Window | null}} */ (proof);
    await confirmThere(provider, page, wanted);
  } else await send("POST", "/session/confirm", proof);
}

/** @type {Promise<boolean> | null} */
let asking = null;

/** Ask for a proof; what needs one at the same time waits for the same. @param {string[]} methods @returns {Promise<boolean>} */
function confirmed(methods) {
  asking ??= new Promise((resolve) => {
    const settle = (/** @type {boolean} */ ok) => {
      asking = null;
      store.set({ confirming: null });
      resolve(ok);
    };
    store.set({ confirming: { methods, settle } });
  });
  return asking;
}
