/**
 * The STUN and TURN servers that this browser may use. Most sites name none, and then nothing is asked; where there are
 * some they must be known before a connection is made, and the credentials of TURN hold for a while only.
 * @module
 */

/** Tiles that open together ask once; a credential lives a minute at least. */
const KEEP_MS = 30_000;

let named = false;
let askedAt = -Infinity;
/** @type {Promise<RTCIceServer[]> | null} */
let asked = null;

/** What the session says: whether there are servers to ask for. Forgets what was told to somebody else. @param {boolean} are */
export function serversNamed(are) {
  named = are;
  asked = null;
}

/**
 * The servers to connect with, asked at a WHEP address. Never fails: without an answer the connection is tried directly,
 * and the offer that follows says what is wrong.
 * @param {string} url @returns {Promise<RTCIceServer[]>}
 */
export function iceServers(url) {
  if (!named) return Promise.resolve([]);
  const now = performance.now();
  if (asked === null || now - askedAt > KEEP_MS) {
    askedAt = now;
    const mine = ask(url).catch(() => {
      if (asked === mine) asked = null;
      return [];
    });
    asked = mine;
  }
  return asked;
}

/** @param {string} url */
async function ask(url) {
  const response = await fetch(url, { method: "OPTIONS", credentials: "same-origin", cache: "no-store" });
  if (!response.ok) throw new Error(`OPTIONS was answered ${response.status}`);
  return serversOf(response.headers.get("Link") ?? "");
}

/**
 * ICE servers out of a Link header (WHEP, section 4.6).
 * @param {string} header @returns {RTCIceServer[]}
 */
export function serversOf(header) {
  const links = header.matchAll(/<(?<url>[^>]+)>(?<rest>(?:[^,"]|"(?:[^"\\]|\\.)*")*)/g);
  const servers = [];
  for (const { groups } of links) {
    const rest = groups?.rest ?? "";
    const value = (/** @type {string} */ name) => unquoted(rest.match(new RegExp(`;\\s*${name}=("(?:[^"\\\\]|\\\\.)*"|[^";,\\s]*)`))?.[1]);
    if (value("rel") !== "ice-server") continue;
    const [username, credential] = [value("username"), value("credential")];
    servers.push({ urls: groups?.url ?? "", ...(username ? { username } : {}), ...(credential ? { credential } : {}) });
  }
  return servers;
}

/** @param {string | undefined} text @returns {string} */
const unquoted = (text = "") => (text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text);
