/**
 * The gateway's HTTP API. Every failure is thrown as an ApiError that carries the server's own words.
 * @module
 */

import { UNREACHABLE, forStatus, say } from "./words.js";

/** @typedef {import("./types.js").Problem} Problem */

/** Whose name a request is made in: with the session of somebody else the gateway refuses it. */
export const IN_NAME_OF = "Sightline-User";

export class ApiError extends Error {
  /** @param {Problem} problem @param {number} status 0: no answer @param {number | null} [retryAfterS] */
  constructor(problem, status, retryAfterS = null) {
    super(problem.title);
    this.problem = problem;
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** What is told of what failed: what it says itself, as the server's refusals do. @param {unknown} error @returns {Problem} */
export const problemOf = (error) =>
  error instanceof Error && "problem" in error ? /** @type {Problem} */ (error.problem) : { type: "page", ...say(error) };

/** @param {Response} response @returns {Promise<ApiError>} */
export async function refusal(response) {
  let problem = forStatus(response.status);
  if ((response.headers.get("Content-Type") ?? "").includes("json")) {
    const said = await response.json().catch(() => null);
    if (said && typeof said.title === "string") {
      problem = { ...said, cure: said.cure ?? said.detail ?? "", status: response.status };
    }
  }
  const retry = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  return new ApiError(problem, response.status, Number.isFinite(retry) ? retry : null);
}

/**
 * Told when the session is over, when it is locked, when somebody has to prove again who they are (the answer says
 * whether they did, and then the request is made again), and when a second person must agree (the answer is the request
 * as it is to be made again; what is refused or withdrawn is thrown). ``shown`` is the user in whose name a page asks that
 * may have slept while somebody else signed in beside it; ``another`` is called when that has happened.
 * @type {{signedOut: () => void, locked: () => void, shown: () => string | null, another: () => void, confirm: (methods: string[]) => Promise<boolean>,
 *   agree: (error: ApiError, init: RequestInit) => Promise<RequestInit>}}
 */
export const hooks = {
  signedOut: () => {},
  locked: () => {},
  shown: () => null,
  another: () => {},
  confirm: () => Promise.resolve(false),
  agree: (error) => Promise.reject(error),
};

/**
 * @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} a good answer, whatever that takes
 * @throws {ApiError}
 */
export async function request(path, init = {}) {
  try {
    return await once(path, init);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { problem, status } = error;
    if (problem.type === "access.confirm" && (await hooks.confirm(problem.methods ?? []))) return request(path, init);
    if (problem.type === "access.second-person" && problem.approvers) return request(path, await hooks.agree(error, init));
    if (problem.type === "access.locked") hooks.locked();
    if (problem.type === "api.another-user") hooks.another();
    if (status === 401 && problem.type !== "access.credentials" && path !== "/api/v1/session" && path !== "/api/v1/setup") hooks.signedOut();
    throw error;
  }
}

/**
 * Ask, and take what is answered.
 * @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} a good answer
 * @throws {ApiError}
 */
export async function once(path, init = {}) {
  const headers = new Headers(init.headers);
  headers.set("X-Sightline", "1");
  const shown = hooks.shown();
  // Who is here is asked, and signed in and out, whoever is shown.
  if (shown !== null && !headers.has(IN_NAME_OF) && !/^\/api\/v1\/(session|setup)\b/.test(path)) headers.set(IN_NAME_OF, shown);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, { ...init, headers, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    throw cut(error, init.signal);
  }
  if (response.ok) return response;
  throw await refusal(response);
}

/** What a network is that ends in the middle, or takes longer than it may. @param {unknown} error @param {AbortSignal | null} [signal] */
const cut = (error, signal) => (signal?.aborted && signal.reason?.name !== "TimeoutError" ? error : new ApiError(UNREACHABLE, 0));

/**
 * @param {Response} response @param {AbortSignal | null} [signal] @returns {Promise<any>} what it says
 * @throws {ApiError} the network broke within it, or somebody else answered: the sign-in page of a café's WiFi, say
 */
export async function saidBy(response, signal) {
  try {
    return await response.json();
  } catch (error) {
    throw cut(error, signal);
  }
}

/** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
export const get = async (path, signal) => saidBy(await request(`/api/v1${path}`, signal ? { signal } : {}), signal);

/** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} null for 204 */
export async function send(method, path, body) {
  const init = /** @type {RequestInit} */ ({ method });
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const response = await request(`/api/v1${path}`, init);
  return response.status === 204 || response.headers.get("Content-Length") === "0" ? null : saidBy(response);
}

/** Where a WebSocket of this server is. @param {string} path @returns {string} */
export const socketUrl = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1${path}`;

/** @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  saveUrl(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {string} url @param {string} name */
export function saveUrl(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
