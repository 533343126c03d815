/**
 * Recorded footage in a tile: HLS from the catalogue, with the time each picture was taken.
 *
 * A window of some minutes is loaded at a time; when it has played, the next one begins where it ended, so that
 * playback goes on across files and gaps until it has caught up with now.
 * @module
 */

import Hls from "hls.js";
import { placeIn } from "./placing.js";
import { toIso } from "./time.js";

const BEFORE_MS = 6_000;
const WINDOW_MS = 10 * 60_000;

/** @typedef {{state: "loading" | "playing" | "paused" | "failed" | "caught-up", at: number | null, blank?: boolean, problem: import("./types.js").Problem | null}} ReplayReport */

export class Playback {
  #hls = /** @type {Hls | null} */ (null);
  #timer = 0;
  #target;
  #windowEnd = 0;
  #ended = false;
  #paused = false;
  #sought = false;
  #stepping = false;
  /** Where the shown frame begins on the player's time line, seconds. */
  #frameAt = /** @type {number | null} */ (null);

  /**
   * @param {HTMLElement} host @param {string} cameraId @param {number} at ms since 1970
   * @param {() => number} now server time @param {(report: ReplayReport) => void} report
   */
  constructor(host, cameraId, at, now, report) {
    this.cameraId = cameraId;
    this.now = now;
    this.report = report;
    this.#target = at;
    this.video = document.createElement("video");
    Object.assign(this.video, { muted: true, playsInline: true, disablePictureInPicture: true });
    this.video.tabIndex = -1;
    this.video.dataset.replay = "true";
    this.video.addEventListener("ended", () => this.#load(this.#windowEnd));
    host.append(this.video);
    const look = (/** @type {number} */ _, /** @type {{mediaTime: number}} */ frame) => {
      this.#frameAt = frame.mediaTime;
      if (!this.#ended) this.video.requestVideoFrameCallback(look);
    };
    this.video.requestVideoFrameCallback(look);
    this.#timer = setInterval(() => this.#tell(), 100);
    this.#load(at);
  }

  /** The time of the picture shown. @returns {number | null} */
  at() {
    return this.#hls?.playingDate?.getTime() ?? null;
  }

  get paused() {
    return this.#paused;
  }

  /** @param {number} at */
  seek(at) {
    this.#target = at;
    const place = this.#placeOf(at);
    if (place === null) this.#load(at);
    else {
      this.video.currentTime = place;
      this.#tell();
    }
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.#paused = paused;
    if (paused) this.video.pause();
    else void this.video.play().catch(() => {});
    this.#tell();
  }

  /**
   * One frame on or back. A seek goes into the middle of a frame, because an edge may land on either side of it; where
   * frames are missing it goes on until another one is shown.
   * @param {1 | -1} direction @param {number} frameRate
   */
  async step(direction, frameRate) {
    this.pause(true);
    if (this.#stepping) return;
    this.#stepping = true;
    const from = this.#frameAt ?? this.video.currentTime;
    for (let tries = 0; tries < 2 * frameRate && !this.#ended; tries += 1) {
      const wanted = from + (direction > 0 ? 1.5 + tries : -0.5 - tries) / frameRate;
      if (wanted < 0 || wanted > this.video.duration) break;
      this.video.currentTime = wanted;
      await new Promise((resolve) => this.video.addEventListener("seeked", resolve, { once: true }));
      await new Promise((resolve) => setTimeout(resolve, 40));
      if (Math.abs((this.#frameAt ?? from) - from) > 0.001) break;
    }
    this.#stepping = false;
    this.#tell();
  }

  end() {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#hls?.destroy();
    this.video.remove();
  }

  /** @param {number} at */
  #load(at) {
    if (this.#ended) return;
    const now = this.now();
    if (at > now - 2000) {
      this.report({ state: "caught-up", at: null, problem: null });
      return;
    }
    this.#target = at;
    this.#sought = false;
    this.#windowEnd = Math.min(now, at + WINDOW_MS);
    this.#hls?.destroy();
    const hls = new Hls({ enableWorker: false, maxBufferLength: 20, backBufferLength: 60, maxMaxBufferLength: 60, autoStartLoad: false });
    this.#hls = hls;
    hls.on(Hls.Events.LEVEL_LOADED, (_, data) => this.#arrive(data.details.fragments));
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && this.#failed(data));
    const range = new URLSearchParams({ start: toIso(at - BEFORE_MS), end: toIso(this.#windowEnd) });
    hls.loadSource(`/api/v1/cameras/${this.cameraId}/hls/main/index.m3u8?${range}`);
    hls.attachMedia(this.video);
    this.report({ state: "loading", at: null, blank: true, problem: null });
  }

  /** @param {{start: number, duration: number, programDateTime: number | null}[]} fragments */
  #arrive(fragments) {
    if (this.#sought || !this.#hls) return;
    this.#sought = true;
    const last = fragments.at(-1);
    if (last?.programDateTime) this.#windowEnd = Math.max(this.#windowEnd, last.programDateTime + last.duration * 1000);
    const place = placeIn(fragments, this.#target);
    if (place === null) {
      this.#load(this.#windowEnd);
      return;
    }
    this.#hls.startLoad(place);
    const hls = this.#hls;
    const begin = () => {
      if (hls !== this.#hls) return;
      this.video.currentTime = place;
      if (!this.#paused) void this.video.play().catch(() => {});
    };
    if (this.video.readyState >= 1) begin();
    else this.video.addEventListener("loadedmetadata", begin, { once: true });
  }

  /** @param {number} at */
  #placeOf(at) {
    const details = this.#hls?.levels[0]?.details;
    return details ? placeIn(details.fragments, at, false) : null;
  }

  /** @param {{details: string, response?: {code?: number | undefined} | undefined}} data */
  #failed(data) {
    const none = data.response?.code === 404;
    this.report({
      state: "failed",
      at: null,
      problem: {
        type: `playback.${data.details}`,
        title: none ? "Nothing is recorded then." : "This footage cannot be played.",
        cure: none ? "Choose a time that is marked as recorded, or press L for live." : "Choose another time, or press L for live.",
      },
    });
  }

  #tell() {
    if (this.#ended || !this.#sought) return;
    this.report({ state: this.#paused ? "paused" : this.video.readyState < 3 ? "loading" : "playing", at: this.at(), blank: this.video.readyState < 2, problem: null });
  }
}
