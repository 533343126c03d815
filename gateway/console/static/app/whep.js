/**
 * One WHEP session (draft-ietf-wish-whep): offer, answer, trickled candidates, ICE restarts, leave. Whether there is a
 * picture is judged by decoded frames; an ICE state proves nothing.
 * @module
 */

import { ApiError, refusal } from "./api.js";
import { iceServers } from "./ice.js";
import { UNREACHABLE } from "./words.js";

const FRAGMENT = "application/trickle-ice-sdpfrag";
/** A restart is asked for over a network that has just changed: a connection of the old one may hang for ever. */
const RESTART_MS = 1500;
/** From a restart to the next: it needs a few round trips before it can be judged; less, where the server was not reached. */
const RESTART_PAUSE_MS = 2500;
const UNREACHED_PAUSE_MS = 500;

/**
 * What the answer says is shown: the stream, which may be the camera's other one; the coding that is sent, as SDP names
 * it; and the camera's own, where the server converts the picture for this browser.
 * @typedef {{stream: import("./types.js").StreamName | null, codec: string, convertedFrom: string | null}} Shown
 */

/**
 * @typedef {object} Progress
 * @property {number} decoded @property {number} received frames that came whole @property {number} packets @property {number} lost @property {string} codec
 * @property {boolean} reached whether the network let the server and us meet
 * @property {number | null} unheardMs how long nothing at all has come, reports neither; null before anything did
 */

export class WhepSession {
  /** Made when the ICE servers are known. @type {RTCPeerConnection | null} */
  #peer = null;
  /** @type {string | null} */
  #location = null;
  #etag = "";
  /** @type {RTCIceCandidate[]} */
  #candidates = [];
  #flushing = 0;
  #closed = false;
  /** As it was set, with the latest credentials. */
  #answer = "";
  #restartsFrom = -Infinity;
  #restarting = false;
  #failures = 0;
  stream = new MediaStream();
  /** What a TURN relay answered when it did not take us (RFC 8489 section 14.8); 401: our credential. @type {number | null} */
  relayRefused = null;
  /** @type {Shown} */
  shown = { stream: null, codec: "", convertedFrom: null };

  /**
   * @param {string} url @param {() => void} onLost the connection failed for good
   * @param {{h265?: boolean}} [options] whether to offer H.265, where the browser claims to decode it
   */
  constructor(url, onLost, { h265 = true } = {}) {
    this.url = url;
    this.onLost = onLost;
    this.h265 = h265;
  }

  /** Offer and take the answer. @throws {ApiError} with retryAfterS where the server said when */
  async open() {
    const servers = await iceServers(this.url);
    if (this.#closed) return;
    const peer = (this.#peer = this.#connection(servers));
    asap(peer.addTransceiver("video", { direction: "recvonly" }).receiver);
    peer.addTransceiver("audio", { direction: "recvonly" });
    const offer = await this.#offer(peer);
    const response = await this.#ask("POST", this.url, "application/sdp", offer);
    const answer = await response.text();
    this.#location = new URL(response.headers.get("Location") ?? "", response.url).href;
    this.#etag = response.headers.get("ETag") ?? "";
    this.shown = shownOf(response.headers, answer);
    if (this.#closed) {
      await this.#leave();
      return;
    }
    this.#answer = soundApart(answer);
    await peer.setRemoteDescription({ type: "answer", sdp: this.#answer });
    addEventListener("online", this.#networkChanged);
    this.#flush();
  }

  /** @param {RTCPeerConnection} peer @param {RTCOfferOptions} [options] @returns {Promise<string>} */
  async #offer(peer, options) {
    const made = await peer.createOffer(options);
    const claimed = this.h265 ? (made.sdp ?? "") : withoutH265(made.sdp ?? "");
    await peer.setLocalDescription({ type: "offer", sdp: withReferenceTimes(claimed) });
    return peer.localDescription?.sdp ?? "";
  }

  /**
   * Look for another way to the server, in the same session: the network changed, or nothing comes any more. Costs a
   * picture that still comes nothing. Where the server will not, the session is lost; where it cannot be reached, that is
   * for the next call.
   */
  async recover() {
    if (this.#restarting || this.#closed || this.#answer === "" || performance.now() < this.#restartsFrom) return;
    this.#restarting = true;
    let pauseMs = UNREACHED_PAUSE_MS;
    try {
      await this.#restart();
      pauseMs = RESTART_PAUSE_MS;
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof ApiError && (error.status === 0 || error.status === 429)) {
        await this.#peer?.setLocalDescription({ type: "rollback" }).catch(() => {});
      } else {
        this.onLost();
      }
    } finally {
      this.#restartsFrom = performance.now() + pauseMs;
      this.#restarting = false;
      this.#flush();
    }
  }

  #networkChanged = () => void this.recover();

  /** Section 4.4.3 of the draft. What is gathered meanwhile waits for the new ETag (section 4.4.2). */
  async #restart() {
    const peer = this.#peer;
    const location = this.#location;
    if (peer === null || location === null) return;
    // Known ones will do where the way to ask for new ones has just gone.
    const servers = await Promise.race([iceServers(this.url), after(RESTART_MS, /** @type {RTCIceServer[]} */ ([]))]);
    if (this.#closed) return;
    if (servers.length > 0) peer.setConfiguration({ ...peer.getConfiguration(), iceServers: servers });
    this.#candidates = [];
    const offer = await this.#offer(peer, { iceRestart: true });
    const batch = this.#candidates.splice(0);
    const response = await this.#ask("PATCH", location, FRAGMENT, fragmentOf(offer, batch, false), "*", RESTART_MS);
    const fragment = response.status === 200 ? await response.text() : "";
    if (this.#closed) return;
    this.#etag = response.headers.get("ETag") ?? this.#etag;
    this.#answer = restartedAnswer(this.#answer, fragment);
    await peer.setRemoteDescription({ type: "answer", sdp: this.#answer });
  }

  /** @param {RTCIceServer[]} servers */
  #connection(servers) {
    const peer = new RTCPeerConnection({ iceServers: servers });
    peer.ontrack = ({ track, receiver }) => {
      asap(receiver);
      this.stream.addTrack(track);
    };
    peer.onicecandidate = ({ candidate }) => {
      if (candidate && candidate.candidate !== "") this.#candidates.push(candidate);
      this.#flush();
    };
    peer.onicecandidateerror = ({ errorCode, url }) => {
      if (url.startsWith("turn") && errorCode < 700) this.relayRefused = errorCode;
    };
    peer.onconnectionstatechange = () => {
      if (this.#closed) return;
      if (peer.connectionState === "connected") this.#failures = 0;
      if (peer.connectionState === "disconnected") void this.recover();
      if (peer.connectionState === "failed" && this.#failures++ === 0 && this.#answer !== "") void this.recover();
      else if (peer.connectionState === "failed") this.onLost();
    };
    return peer;
  }

  /** @returns {Promise<Progress>} */
  async progress() {
    const found = { decoded: 0, received: 0, packets: 0, lost: 0, codec: "", unheardMs: /** @type {number | null} */ (null), reached: this.#peer?.connectionState === "connected" };
    if (this.#peer === null) return found;
    const report = await this.#peer.getStats();
    report.forEach((entry) => {
      if (entry.type === "candidate-pair" && entry.lastPacketReceivedTimestamp > 0) {
        const ms = entry.timestamp - entry.lastPacketReceivedTimestamp;
        found.unheardMs = Math.min(found.unheardMs ?? ms, ms);
      }
      if (entry.type !== "inbound-rtp" || entry.kind !== "video") return;
      found.decoded = entry.framesDecoded ?? 0;
      found.received = entry.framesReceived ?? 0;
      found.packets = entry.packetsReceived ?? 0;
      found.lost = entry.packetsLost ?? 0;
      found.codec = report.get(entry.codecId)?.mimeType ?? "";
    });
    return found;
  }

  /** The ways to the server that this browser was given to try, in words. @returns {string[]} */
  ways() {
    return waysOf(this.#answer, this.#peer?.getConfiguration().iceServers ?? []);
  }

  /** When the frame on the glass was captured, if the stream carries it: milliseconds since 1970, sender's clock. */
  captured() {
    for (const receiver of this.#peer?.getReceivers() ?? []) {
      if (receiver.track.kind !== "video") continue;
      const source = /** @type {any} */ (receiver.getSynchronizationSources()[0]);
      if (typeof source?.captureTimestamp === "number") return source.captureTimestamp - NTP_TO_UNIX_MS;
    }
    return null;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#flushing);
    removeEventListener("online", this.#networkChanged);
    // The server is told before the transport ends, or it would have forgotten the session already.
    void this.#leave().then(() => this.#peer?.close());
  }

  async #leave() {
    if (this.#location === null) return;
    const location = this.#location;
    this.#location = null;
    // keepalive: it is sent even when the page is being left. A server that is gone holds nobody here.
    const init = { method: "DELETE", headers: { "X-Sightline": "1" }, keepalive: true, signal: AbortSignal.timeout(1000) };
    await fetch(location, init).catch(() => {});
  }

  #flush() {
    clearTimeout(this.#flushing);
    if (this.#location === null || this.#candidates.length === 0 || this.#closed || this.#restarting) return;
    this.#flushing = setTimeout(() => void this.#trickle(), 20);
  }

  async #trickle() {
    const sdp = this.#peer?.localDescription?.sdp ?? "";
    const batch = this.#candidates.splice(0);
    if (this.#location === null || batch.length === 0 || this.#restarting) return;
    const ended = this.#peer?.iceGatheringState === "complete";
    // A refused candidate costs nothing: the server's own candidates are in the answer, ours are found by their checks.
    await this.#ask("PATCH", this.#location, FRAGMENT, fragmentOf(sdp, batch, ended), this.#etag).catch(() => {});
  }

  /**
   * @param {string} method @param {string} url @param {string} type @param {string} body @param {string} [etag]
   * @param {number} [withinMs]
   */
  async #ask(method, url, type, body, etag, withinMs) {
    const headers = new Headers({ "Content-Type": type, "X-Sightline": "1" });
    if (etag) headers.set("If-Match", etag);
    const signal = withinMs === undefined ? null : AbortSignal.timeout(withinMs);
    const response = await fetch(url, { method, headers, body, credentials: "same-origin", signal }).catch(() => {
      throw new ApiError(UNREACHABLE, 0);
    });
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/**
 * Ask for receiver reference times (RFC 3611): with a round-trip time the browser says when a frame was captured.
 * @param {string} sdp @returns {string}
 */
export const withReferenceTimes = (sdp) =>
  sdp.replace(/^(a=rtcp-fb:(\d+) nack pli\r\n)(?!a=rtcp-fb:\2 rrtr)/gm, "$1a=rtcp-fb:$2 rrtr\r\n");

/**
 * Put sound into a stream of its own. Browsers hold back video to keep it in step with the sound of its stream, some
 * hundred milliseconds after a few seconds; in a control room the picture is of now and the sound may trail it.
 * @param {string} sdp @returns {string}
 */
export const soundApart = (sdp) =>
  sdp
    .split(/^(?=m=)/m)
    .map((section) => (section.startsWith("m=audio") ? section.replace(/^(a=(?:ssrc:\d+ )?msid:)\S+/gm, "$1sound") : section))
    .join("");

/**
 * Leave H.265 out of an offer, with its retransmissions: for a browser that has been seen not to decode what it claims.
 * @param {string} sdp @returns {string}
 */
export const withoutH265 = (sdp) =>
  sdp
    .split(/^(?=m=)/m)
    .map((section) => {
      const own = [...section.matchAll(/^a=rtpmap:(\d+) H265\//gim)].map(([, type]) => type);
      const repairs = [...section.matchAll(/^a=fmtp:(\d+) apt=(\d+)\s*$/gm)].filter(([, , of]) => own.includes(of));
      const gone = new Set([...own, ...repairs.map(([, type]) => type)]);
      return section
        .replace(/^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) .*\r?\n/gm, (line, type) => (gone.has(type) ? "" : line))
        .replace(/^m=video .*/, (line) => line.split(" ").filter((word, place) => place < 3 || !gone.has(word.trim())).join(" "));
    })
    .join("");

/** @param {string} answer SDP with the server's candidates @param {RTCIceServer[]} servers @returns {string[]} */
export function waysOf(answer, servers) {
  const direct = ["UDP", "TCP"].filter((kind) => new RegExp(`^a=candidate:\\S+ \\d+ ${kind} `, "im").test(answer));
  const relayed = servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
  return [...direct, ...(relayed ? ["a relay"] : [])];
}

/** @param {Headers} headers @param {string} answer @returns {Shown} */
export function shownOf(headers, answer) {
  const stream = headers.get("Sightline-Stream");
  const video = answer.split(/^(?=m=)/m).find((section) => section.startsWith("m=video")) ?? "";
  return {
    stream: stream === "main" || stream === "sub" ? stream : null,
    codec: video.match(/^a=rtpmap:\d+ ([^/\s]+)/m)?.[1]?.toUpperCase() ?? "",
    convertedFrom: headers.get("Sightline-Converted-From"),
  };
}

const NTP_TO_UNIX_MS = 2_208_988_800_000;

/** @template T @param {number} ms @param {T} value @returns {Promise<T>} */
const after = (ms, value) => new Promise((resolve) => setTimeout(() => resolve(value), ms));

/** Show each frame as soon as it is decoded. @param {RTCRtpReceiver} receiver */
function asap(receiver) {
  const loose = /** @type {any} */ (receiver);
  if ("jitterBufferTarget" in loose) loose.jitterBufferTarget = 0;
  if ("playoutDelayHint" in loose) loose.playoutDelayHint = 0;
}

/**
 * The body of a PATCH (RFC 8840): credentials, then candidates under their media sections; without any, the section that
 * carries the bundle.
 * @param {string} sdp our description @param {{candidate: string, sdpMid: string | null}[]} candidates
 * @param {boolean} ended @returns {string}
 */
export function fragmentOf(sdp, candidates, ended) {
  const find = (/** @type {RegExp} */ pattern) => sdp.match(pattern)?.[0] ?? "";
  const lines = [find(/^a=ice-ufrag:.*$/m), find(/^a=ice-pwd:.*$/m)];
  const sections = sdp.split(/^(?=m=)/m).slice(1);
  for (const [place, section] of sections.entries()) {
    const mid = section.match(/^a=mid:(\S+)/m)?.[1] ?? "";
    const own = candidates.filter((candidate) => candidate.sdpMid === mid);
    if (own.length === 0 && (place > 0 || candidates.length > 0)) continue;
    lines.push(section.match(/^m=.*$/m)?.[0] ?? "", `a=mid:${mid}`);
    for (const { candidate } of own) lines.push(`a=${candidate}`);
    if (ended) lines.push("a=end-of-candidates");
  }
  return `${lines.map((each) => each.trim()).filter(Boolean).join("\r\n")}\r\n`;
}

/**
 * The answer with what a restart was answered with: everything that was agreed stays, credentials and candidates are new.
 * @param {string} answer @param {string} fragment @returns {string}
 * @throws {ApiError} the fragment is none
 */
export function restartedAnswer(answer, fragment) {
  const [name, password] = ["ice-ufrag", "ice-pwd"].map((each) => fragment.match(new RegExp(`^a=${each}:.*$`, "m"))?.[0]?.trim());
  if (!name || !password) throw new ApiError({ type: "live.restart", title: "The server did not restart the view." }, 422);
  const candidates = [...fragment.matchAll(/^a=candidate:.*$/gm)].map(([line]) => `${line.trim()}\r\n`).join("");
  let told = false;
  return answer
    .replace(/^a=ice-ufrag:.*\r\n/gm, `${name}\r\n`)
    .replace(/^a=ice-pwd:.*\r\n/gm, `${password}\r\n`)
    .replace(/^a=candidate:.*\r\n/gm, () => {
      const lines = told ? "" : candidates;
      told = true;
      return lines;
    });
}
