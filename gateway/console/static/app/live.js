/**
 * A live picture of one camera in one tile: keeps trying, moves between main and sub without a dark moment, and says
 * how old the picture is.
 *
 * Two videos lie in the tile while it changes over; the new one is shown when it has decoded its first frame.
 * @module
 */

import { ApiError } from "./api.js";
import { Backoff } from "./backoff.js";
import { Freshness, fingerprint, known as knownOf } from "./freshness.js";
import { store } from "./store.js";
import { WhepSession } from "./whep.js";

const LOOK_MS = 250;
const NO_PICTURE_MS = 5000;
/** H.265 that comes whole and is not decoded by then is not offered again. */
const H265_PROOF_MS = 3000;
const NO_FRAMES_MS = 6000;
const STANDING_MS = 1000;
/** The server reports at least every 1.5 s, whatever the camera does: after more than that without a word the way is gone. */
const UNHEARD_MS = 1600;
/** A picture without a new frame for this long is looked after more closely. */
const SUSPECT_MS = 700;
const PRINT_WIDTH = 160;
const PRINT_HEIGHT = 90;

/**
 * @typedef {object} LiveReport
 * @property {"connecting" | "playing" | "waiting" | "failed" | "forbidden"} state
 * @property {import("./types.js").Problem | null} problem
 * @property {import("./types.js").StreamName} stream what is shown, which may not be what was asked for
 * @property {import("./types.js").StreamName} asked
 * @property {string | null} convertedFrom the camera's coding, where the server converts the picture for this browser
 * @property {import("./freshness.js").Verdict} verdict
 */

const NO_CODEC = {
  type: "live.codec",
  title: "This browser cannot show the camera's main stream.",
  cure: "Its sub stream is shown.",
};

const SILENT = { type: "live.silent", title: "No new frames come.", cure: "The picture is asked for again." };

/**
 * What is known: nothing got through. Whether a network between or the server's own settings are to blame is not.
 * @param {number | null} refused what a relay answered @param {string[]} ways that were tried
 */
const unreached = (refused, ways) => ({
  type: "live.unreached",
  title: "No picture gets through between this device and the server.",
  detail: ways.join(", "),
  cure:
    refused === null
      ? `Tried: ${ways.join(", ")}. The server's public address or media port may be set wrongly, or a network between blocks it. It is tried again.`
      : `The relay refused this viewer (${refused}): its secret or its clock is not the server's. It is tried again.`,
});

/**
 * Whether this browser is believed when it claims H.265. What it says it decodes is no proof: drivers lie, and hardware
 * has room for so many pictures at once. One that was sent H.265 and decoded nothing is not believed again in this tab.
 */
export const h265 = {
  key: "sightline.h265-fails",
  get believed() {
    try {
      return sessionStorage.getItem(this.key) === null;
    } catch {
      return true;
    }
  },
  doubt() {
    try {
      sessionStorage.setItem(this.key, "1");
    } catch {
      // Without storage each picture finds it out by itself.
    }
  },
};

/**
 * What frames say of an attempt. "undecoded": packets come and no picture is made of them; sooner where H.265 has come
 * whole, since then it is not the network.
 * @param {{decoded: number, received: number, packets: number, codec: string, forMs: number, sinceProgressMs: number}} seen
 * @returns {"well" | "undecoded" | "silent"}
 */
export function judged({ decoded, received, packets, codec, forMs, sinceProgressMs }) {
  if (decoded === 0) {
    if (codec === "H265" && received > 3 && forMs > H265_PROOF_MS) return "undecoded";
    if (packets > 60 && forMs > NO_PICTURE_MS) return "undecoded";
  }
  return sinceProgressMs > NO_FRAMES_MS ? "silent" : "well";
}

class Attempt {
  freshness = new Freshness();
  /** @type {number | null} */
  firstFrameAt = null;
  startedAt = performance.now();
  ended = false;
  lastDecoded = 0;
  lastProgressAt = performance.now();
  lastShownAt = performance.now();

  /**
   * @param {string} cameraId @param {import("./types.js").StreamName} stream @param {boolean} believed offer H.265
   * @param {(attempt: Attempt) => void} onFrame
   */
  constructor(cameraId, stream, believed, onFrame) {
    this.stream = stream;
    this.video = document.createElement("video");
    Object.assign(this.video, { muted: true, playsInline: true, autoplay: true, disablePictureInPicture: true, disableRemotePlayback: true });
    this.video.tabIndex = -1;
    this.session = new WhepSession(`/whep/${cameraId}/${stream}`, () => this.onLost(), { h265: believed });
    this.video.srcObject = this.session.stream;
    const look = (/** @type {number} */ now, /** @type {any} */ meta) => {
      if (this.ended) return;
      this.#shown(now, meta);
      onFrame(this);
      this.video.requestVideoFrameCallback(look);
    };
    this.video.requestVideoFrameCallback(look);
  }

  /** Set by its owner. */
  onLost() {}

  /** @param {number} now @param {{captureTime?: number, receiveTime?: number, presentationTime: number}} meta */
  #shown(now, meta) {
    this.firstFrameAt ??= now;
    this.lastShownAt = now;
    const said = this.session.captured();
    const captured = said === null ? (meta.captureTime ?? null) : said - store.serverClock.offset - performance.timeOrigin;
    this.freshness.frame(now, meta.receiveTime ?? null, captured);
  }

  end() {
    this.ended = true;
    this.session.close();
    this.video.srcObject = null;
    this.video.remove();
  }
}

export class LivePicture {
  /** @type {Attempt | null} */
  #shown = null;
  /** @type {Attempt | null} */
  #next = null;
  #wanted;
  #backoff = new Backoff();
  #retry = 0;
  #timer = 0;
  #ended = false;
  #canvas = new OffscreenCanvas(PRINT_WIDTH, PRINT_HEIGHT);
  #tick = 0;
  /** @type {LiveReport["state"]} */
  #state = "connecting";
  /** @type {import("./types.js").Problem | null} */
  #problem = null;
  #mainCannot = false;
  /** Whether the server knows when pictures of each stream were taken. @type {import("./types.js").Timed | undefined} */
  timed = undefined;
  /** Where the tab's storage keeps nothing, and for this picture. */
  #h265 = true;

  /**
   * @param {HTMLElement} host where the video goes @param {string} cameraId
   * @param {import("./types.js").StreamName} stream @param {boolean} hasSub @param {(report: LiveReport) => void} report
   */
  constructor(host, cameraId, stream, hasSub, report) {
    this.host = host;
    this.cameraId = cameraId;
    this.hasSub = hasSub;
    this.report = report;
    this.#wanted = stream;
    this.#connect();
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    document.addEventListener("visibilitychange", this.#seen);
  }

  get video() {
    return this.#shown?.video ?? null;
  }

  /** How many pictures of the present view were decoded. */
  get decoded() {
    return this.#shown?.lastDecoded ?? 0;
  }

  /** @param {import("./types.js").StreamName} stream */
  want(stream) {
    if (stream === this.#wanted) return;
    this.#wanted = stream;
    const showing = this.#shown?.stream;
    if (showing === this.#effective()) this.#drop();
    else this.#connect();
  }

  /**
   * Try at once: the camera is said to be back. Where it was away with its host the view went with it, and a picture
   * that stands is not given the time that a stall is given.
   * @param {boolean} [hostWasAway]
   */
  hurry(hostWasAway = false) {
    const ageMs = this.#shown?.freshness.verdict(performance.now()).ageMs ?? 0;
    if (this.#retry !== 0 || (hostWasAway && ageMs > STANDING_MS)) this.#connect();
  }

  end() {
    this.#ended = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    document.removeEventListener("visibilitychange", this.#seen);
    this.#next?.end();
    this.#shown?.end();
  }

  #effective() {
    return this.#mainCannot && this.hasSub ? "sub" : this.#wanted;
  }

  #seen = () => {
    if (document.visibilityState !== "visible") return;
    const now = performance.now();
    this.#shown?.freshness.resume(now);
    for (const each of [this.#shown, this.#next]) if (each) each.lastProgressAt = now;
  };

  #drop() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    this.#next?.end();
    this.#next = null;
  }

  #connect() {
    if (this.#ended) return;
    this.#drop();
    const attempt = new Attempt(this.cameraId, this.#effective(), this.#h265 && h265.believed, (each) => this.#frame(each));
    attempt.onLost = () => this.#fail(attempt, new ApiError({ type: "live.lost", title: "The picture was lost." }, 0));
    this.#next = attempt;
    attempt.video.classList.add("coming");
    this.host.append(attempt.video);
    if (!this.#shown) this.#say("connecting", this.#problem);
    attempt.session.open().catch((error) => this.#fail(attempt, error));
  }

  /** @param {Attempt} attempt */
  #frame(attempt) {
    if (attempt !== this.#next) return;
    this.#next = null;
    this.#shown?.end();
    this.#shown = attempt;
    attempt.video.classList.remove("coming");
    this.#backoff.healthy(performance.now());
    this.#say("playing", this.#mainCannot && this.#wanted === "main" ? NO_CODEC : null);
  }

  /** @param {Attempt} attempt @param {unknown} error */
  #fail(attempt, error) {
    if (this.#ended || attempt.ended) return;
    const known = error instanceof ApiError ? error : null;
    attempt.end();
    if (attempt === this.#next) this.#next = null;
    if (attempt === this.#shown) this.#shown = null;
    const problem = known?.problem ?? { type: "live.browser", title: "The browser could not start the picture.", cure: String(error) };
    if (problem.type.includes("codec") && attempt.stream === "main" && this.hasSub && !this.#mainCannot) {
      this.#mainCannot = true;
      this.#connect();
      return;
    }
    const wait = Math.max((known?.retryAfterS ?? 0) * 1000, this.#backoff.failed(performance.now()));
    this.#say(known?.status === 403 ? "forbidden" : known?.status === 409 || known?.status === 0 ? "waiting" : "failed", problem);
    if (known?.status === 401) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), known?.status === 403 ? 30_000 : wait);
  }

  async #look() {
    if (this.#ended) return;
    const now = performance.now();
    this.#tick += 1;
    const visible = document.visibilityState === "visible";
    if (visible && this.#shown && this.#tick % 2 === 0) this.#print(this.#shown, now);
    for (const each of [this.#shown, this.#next]) {
      const suspect = each !== null && each.firstFrameAt !== null && now - each.lastShownAt > SUSPECT_MS;
      if (each !== null && (suspect || this.#tick % 4 === 0)) await this.#judge(each, now);
    }
    this.#say(this.#state, this.#problem);
  }

  /** @param {Attempt} attempt @param {number} now */
  #print(attempt, now) {
    if (attempt.video.readyState < 2) return;
    const context = this.#canvas.getContext("2d", { willReadFrequently: true });
    if (!context) return;
    context.imageSmoothingQuality = "medium";
    context.drawImage(attempt.video, 0, 0, PRINT_WIDTH, PRINT_HEIGHT);
    attempt.freshness.pixels(fingerprint(context.getImageData(0, 0, PRINT_WIDTH, PRINT_HEIGHT).data), now);
  }

  /** Frames decoded, or not. @param {Attempt} attempt @param {number} now */
  async #judge(attempt, now) {
    const { decoded, received, packets, reached, unheardMs } = await attempt.session.progress();
    if (attempt.ended) return;
    if (unheardMs !== null && unheardMs > UNHEARD_MS) void attempt.session.recover();
    if (decoded > attempt.lastDecoded) {
      attempt.lastDecoded = decoded;
      attempt.lastProgressAt = now;
    }
    if (document.visibilityState !== "visible") return;
    const { codec } = attempt.session.shown;
    const verdict = judged({ decoded, received, packets, codec, forMs: now - attempt.startedAt, sinceProgressMs: now - attempt.lastProgressAt });
    if (verdict === "undecoded" && codec === "H265" && attempt.session.h265) {
      h265.doubt();
      this.#h265 = false;
      attempt.end();
      if (attempt === this.#shown) this.#shown = null;
      // At once: the server shows this browser something else.
      this.#connect();
    } else if (verdict === "undecoded") {
      const problem = { type: "live.codec", title: "This browser cannot decode the picture.", cure: "Use a current Chromium, or ask for H.264 on the camera." };
      this.#fail(attempt, new ApiError(problem, 0));
    } else if (verdict === "silent") {
      this.#fail(attempt, new ApiError(reached ? SILENT : unreached(attempt.session.relayRefused, attempt.session.ways()), 0));
    }
  }

  /** @param {LiveReport["state"]} state @param {import("./types.js").Problem | null} problem */
  #say(state, problem) {
    if (this.#ended) return;
    this.#state = state;
    this.#problem = problem;
    const seen = this.#shown?.freshness.verdict(performance.now()) ?? { state: /** @type {const} */ ("none"), ageMs: null, basis: null };
    const asked = this.#shown?.stream ?? this.#effective();
    const { stream, convertedFrom } = this.#shown?.session.shown ?? { stream: null, convertedFrom: null };
    const verdict = knownOf(seen, this.timed?.[stream ?? asked]);
    this.report({ state, problem, stream: stream ?? asked, asked, convertedFrom, verdict });
  }
}
