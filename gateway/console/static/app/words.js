/**
 * What the page says when something is not as it should be: plain sentences, each with what to do about it.
 * @module
 */

import { hostAway } from "./hosts.js";

/** @typedef {import("./types.js").Problem} Problem */

/** What the server says of a host is for those who look after it: it names sockets. @type {Record<string, {title: string, cure: string}>} */
const OF_HOSTS = {
  "host.unreachable": { title: "The camera host does not answer.", cure: "It is restarted by itself. Try again in a moment." },
  "host.silent": { title: "The camera host does not answer.", cure: "Try again in a moment; tell whoever looks after the system if it lasts." },
};

/** @param {unknown} problem @returns {{title: string, cure: string}} */
export function say(problem) {
  if (typeof problem === "object" && problem !== null && "title" in problem) {
    const said = /** @type {Problem} */ (problem);
    const plain = OF_HOSTS[said.type];
    if (plain) return plain;
    return { title: String(said.title), cure: String(said.cure ?? said.detail ?? "") };
  }
  return { title: "Something went wrong in this page.", cure: problem instanceof Error ? problem.message : "" };
}

/** @param {unknown} problem @returns {string} one line */
export function line(problem) {
  const { title, cure } = say(problem);
  return `${title} ${cure}`.trim();
}

/** Used where the server said nothing we can show. @param {number} status @returns {Problem} */
export function forStatus(status) {
  const known = /** @type {Record<number, [string, string]>} */ ({
    401: ["You are signed out.", "Sign in again."],
    403: ["You may not do this.", "Ask an administrator for the permission."],
    404: ["There is no such thing here.", "It may have been removed. Load the page again."],
    409: ["The camera is not live now.", "It is tried again by itself."],
    413: ["That is too large.", "Ask for less at once."],
    429: ["Too many attempts.", "Wait a minute and try again."],
    503: ["The server is full.", "Close a picture elsewhere, or try again in a minute."],
  });
  const [title, cure] = known[status] ?? [`The server answered with an error (${status}).`, "Try again in a moment."];
  return { type: `http.${status}`, title, cure, status };
}

/** @type {Problem} */
export const UNREACHABLE = {
  type: "network.unreachable",
  title: "The gateway does not answer.",
  cure: "This page tries again by itself. Check the network if it lasts.",
};

/** Why a stretch was not recorded. @param {string} cause @returns {string} */
export function gapCause(cause) {
  const known = /** @type {Record<string, string>} */ ({
    camera: "the camera sent nothing",
    network: "the network lost it",
    host: "the camera host was down",
    storage: "the disk could not take it",
    retention: "past its keeping time",
    privacy: "not recorded for privacy",
    off: "off on purpose",
    overflow: "the disk was too slow",
  });
  return known[cause] ?? cause;
}

/** What holds a head back. @param {import("./types.js").Bar} bar @returns {string} */
export function barred({ kind, name, does }) {
  const axis = /** @type {Record<string, string>} */ ({ pan: "turning", tilt: "tilting", zoom: "zooming" })[name] ?? name;
  const what = kind === "zone" ? `No-look zone: ${name}` : `At the limit of ${axis}`;
  return does === "returned" ? `${what}. The camera goes back.` : `${what}.`;
}

/** How a camera stands, in a word or two. @param {{live: string, problem?: {type: string} | null}} state @returns {string} */
export const standing = (state) => (hostAway(state) ? "host down" : linkState(state.live));

/** @param {string} live @returns {string} */
export function linkState(live) {
  const known = /** @type {Record<string, string>} */ ({
    live: "live",
    connecting: "connecting",
    retrying: "no connection",
    parked: "needs attention",
    off: "switched off",
  });
  return known[live] ?? live;
}

/**
 * What a tile says where the picture is not what the camera sends, or not the stream that was asked for.
 * Small tiles have room for ``word`` alone.
 * @param {{asked: string, stream: string, convertedFrom: string | null}} report
 * @returns {{word: string, from: string, why: string} | null}
 */
export function shownInstead({ asked, stream, convertedFrom }) {
  const other = asked === stream ? "" : ` This is its ${stream} stream.`;
  if (convertedFrom) {
    const coding = convertedFrom.toUpperCase().replace(/^H(\d)/, "H.$1");
    const why = `The camera sends ${coding}, which this browser does not show. The server converts it, less sharp.${other}`;
    return { word: "converted", from: ` from ${coding}`, why };
  }
  if (other === "") return null;
  return { word: `${stream} stream`, from: "", why: `This browser does not show the camera’s ${asked} stream.${other}` };
}
