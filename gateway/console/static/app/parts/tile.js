/**
 * One tile: a camera's picture, live or recorded, and the facts that belong to it. The facts stand above and the hands
 * work on the picture; nothing covers it but what is wrong with it.
 * @module
 */

import { html, nothing } from "lit";
import "./share-strip.js";
import { select } from "../actions.js";
import { SlElement } from "../element.js";
import { toGlass } from "../glass.js";
import { LivePicture } from "../live.js";
import { awayWords, hostAway, recordingKnown } from "../hosts.js";
import { Playback } from "../playback.js";
import { wishes } from "../keys.js";
import { cameraById, may, store } from "../store.js";
import { age, clockFine, day } from "../time.js";
import { liveTitle, liveWords, oldWords } from "../freshness.js";
import { say, shownInstead, standing } from "../words.js";
import { Hands } from "../hands.js";

/** @typedef {import("../live.js").LiveReport} LiveReport */
/** @typedef {import("../playback.js").ReplayReport} ReplayReport */
/** @typedef {import("../types.js").Camera} Camera */

/**
 * How a tile stands, for eyes and for tests.
 * @typedef {"empty" | "live" | "connecting" | "still" | "late" | "frozen" | "offline" | "failed" | "forbidden" | "replay"} TileState
 */

/** A picture of a camera whose host is away is called live for no longer than this. */
const CUT_OFF_MS = 1000;

class Tile extends SlElement {
  /** @override */
  static properties = { index: { type: Number }, content: { attribute: false } };

  /** @type {LivePicture | null} */
  #live = null;
  /** @type {Playback | null} */
  #playback = null;
  /** @type {Hands | null} */
  #hands = null;
  /** @type {LiveReport | null} */
  #report = null;
  /** @type {ReplayReport | null} */
  #replay = null;
  #showing = "";
  #replayAt = /** @type {number | null} */ (null);
  #wasLive = "";
  /** Since the camera was last live. */
  #hostWasAway = false;
  /** The age as it is shown: a number that changes four times a second cannot be read. @type {{at: number, ms: number}} */
  #shownAge = { at: 0, ms: 0 };

  constructor() {
    super();
    this.index = 0;
    this.content = /** @type {import("../types.js").Slot} */ ({ cameraId: null, replayAt: null });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    wishes.addEventListener("pause", this.#onPause);
    wishes.addEventListener("step", this.#onStep);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    wishes.removeEventListener("pause", this.#onPause);
    wishes.removeEventListener("step", this.#onStep);
    this.#clear();
    this.#showing = "";
  }

  get #selected() {
    return this.state.selected === this.index;
  }

  get #camera() {
    return cameraById(this.content.cameraId);
  }

  #onPause = () => {
    if (!this.#selected || !this.#playback) return;
    this.#playback.pause(!this.#playback.paused);
    store.set({ paused: this.#playback.paused });
  };

  /** @param {Event} event */
  #onStep = (event) => {
    if (!this.#selected || !this.#playback) return;
    const direction = /** @type {CustomEvent<1 | -1>} */ (event).detail;
    void this.#playback.step(direction, this.#camera?.streams.main.frame_rate || 25);
    store.set({ paused: true });
  };

  #clear() {
    this.#live?.end();
    this.#playback?.end();
    this.#hands?.end();
    this.#live = this.#playback = this.#hands = this.#report = this.#replay = null;
  }

  /** @override */
  updated() {
    const camera = this.#camera;
    const host = /** @type {HTMLElement | null} */ (this.querySelector(".picture"));
    if (!camera || !host) {
      if (this.#showing !== "") this.#clear();
      this.#showing = "";
      return;
    }
    const replaying = this.content.replayAt !== null;
    const wanted = `${camera.id} ${replaying ? "replay" : "live"}`;
    if (wanted !== this.#showing) {
      this.#clear();
      this.#showing = wanted;
      this.#replayAt = this.content.replayAt;
      if (replaying) this.#startReplay(host, camera);
      else this.#startLive(host, camera);
      this.#hands = new Hands(host, () => this.#aspect());
    } else if (replaying && this.content.replayAt !== this.#replayAt) {
      this.#replayAt = this.content.replayAt;
      this.#playback?.seek(/** @type {number} */ (this.#replayAt));
      this.#playback?.pause(false);
    }
    this.#live?.want(this.#stream(camera));
    if (this.#live) this.#live.timed = camera.state.timed;
    const video = this.#live?.video;
    if (video) video.muted = !(this.state.sound && this.#selected);
    this.#hands?.allow(this.#selected && !replaying && Boolean(camera.head) && !camera.head?.presets_only);
    if (hostAway(camera.state)) this.#hostWasAway = true;
    if (camera.state.live === "live") {
      if (this.#wasLive !== "live") this.#live?.hurry(this.#hostWasAway);
      this.#hostWasAway = false;
    }
    this.#wasLive = camera.state.live;
  }

  /** The selected picture is the main stream; small ones are the sub stream, where there is one. @param {Camera} camera */
  #stream(camera) {
    return camera.streams.sub && !this.#selected ? "sub" : "main";
  }

  #aspect() {
    const video = this.#live?.video;
    return video?.videoWidth ? video.videoWidth / video.videoHeight : 16 / 9;
  }

  /** @param {HTMLElement} host @param {Camera} camera */
  #startLive(host, camera) {
    this.#live = new LivePicture(host, camera.id, this.#stream(camera), Boolean(camera.streams.sub), (report) => {
      this.#report = report;
      if (this.#selected) {
        // Read by the keys (a still is of what was on the glass); nobody is redrawn for it.
        store.state.freshness[camera.id] = report.verdict;
      }
      this.requestUpdate();
    });
  }

  /** @param {HTMLElement} host @param {Camera} camera */
  #startReplay(host, camera) {
    const at = /** @type {number} */ (this.content.replayAt);
    this.#playback = new Playback(host, camera.id, at, () => store.serverClock.now(), (report) => {
      if (report.state === "caught-up") {
        queueMicrotask(() => this.#caughtUp());
        return;
      }
      this.#replay = report.at === null && this.#replay?.at ? { ...report, at: this.#replay.at } : report;
      if (report.at !== null) store.state.replayClock[camera.id] = report.at;
      this.requestUpdate();
    });
  }

  #caughtUp() {
    const slots = [...this.state.slots];
    slots[this.index] = { ...this.content, replayAt: null };
    store.set({ slots });
  }

  /** @param {Camera} camera @returns {TileState} */
  #stateOf(camera) {
    if (this.content.replayAt !== null) return this.#replay?.state === "failed" ? "failed" : "replay";
    const report = this.#report;
    const down = camera.state.live !== "live" && camera.state.live !== "connecting";
    if (!report || report.verdict.state === "none") {
      if (report?.state === "forbidden") return "forbidden";
      if (down) return "offline";
      return report?.state === "failed" ? "failed" : "connecting";
    }
    // Known to be cut off: what is on the glass is the last that came, and is not live for as long as an unknown stall is.
    if (hostAway(camera.state) && (report.verdict.ageMs ?? 0) > CUT_OFF_MS) return "offline";
    if (report.verdict.state !== "live") return report.verdict.state === "still" && down ? "offline" : report.verdict.state;
    return "live";
  }

  /** What is wrong, over the picture; nothing while it is right. @param {Camera} camera @param {TileState} state */
  #veil(camera, state) {
    if (state === "live") return nothing;
    if (state === "replay") {
      return !this.#replay || this.#replay.blank ? this.#card("Finding the footage…", "", "quiet") : nothing;
    }
    const { problem } = camera.state;
    const ageMs = this.#report?.verdict.ageMs ?? 0;
    const old = this.#report ? oldWords(this.#report.verdict) : "";
    switch (state) {
      case "connecting":
        if (this.#report?.problem && this.#report.state === "waiting") {
          const said = say(this.#report.problem);
          return this.#card(said.title, said.cure, "quiet");
        }
        return this.#card("Connecting…", "", "quiet");
      case "still":
        return this.#flag("Still picture", `, ${old} old`, "No new frame has come.");
      case "late":
        return this.#flag("Late picture", `, ${old} old`, "It comes, but not in time.");
      case "frozen":
        return this.#flag("Frozen", ` for ${age(ageMs)}`, "Frames come, but show the same picture.");
      case "forbidden":
        return html`<div class="veil attention" role="status"><strong>You may not see this camera.</strong><span>Ask an administrator for the permission.</span>
          ${may("break_glass") ? html`<button @click=${toGlass}>Break the glass…</button>` : nothing}</div>`;
      case "offline": {
        if (hostAway(camera.state)) {
          const said = awayWords(problem, performance.now() - (this.state.away[camera.id] ?? performance.now()));
          return this.#card(said.title, said.cure, "attention");
        }
        const said = problem ? say(problem) : { title: "The camera sends nothing.", cure: "It is tried again by itself." };
        const heading = camera.state.live === "off" ? "Switched off." : said.title;
        return this.#card(heading, said.cure, "attention");
      }
      default: {
        const said = say(this.#replay?.problem ?? this.#report?.problem);
        return this.#card(said.title, said.cure, "attention");
      }
    }
  }

  /** A camera that is not among those that one may see. @param {() => void} choose */
  #refused(choose) {
    return html`<article class="tile empty refused" data-state="forbidden" data-selected=${this.#selected} aria-label="A camera that you may not see"
      @pointerdown=${choose} @focusin=${choose} tabindex="0">
      <p><strong>You may not see this camera.</strong> <span>Or it is not there any more.</span></p>
      ${may("break_glass") ? html`<button @click=${toGlass}>Break the glass…</button>` : nothing}</article>`;
  }

  /** @param {string} title @param {string} cure @param {string} kind */
  #card(title, cure, kind) {
    return html`<div class="veil ${kind}" role="status"><strong>${title}</strong>${cure ? html`<span>${cure}</span>` : nothing}</div>`;
  }

  /** @param {string} title @param {string} since runs on, and is not read out as it does @param {string} detail */
  #flag(title, since, detail) {
    return html`<div class="flag" role="status"><strong>${title}<span role="timer" aria-live="off">${since}</span>.</strong> <span>${detail}</span></div>`;
  }

  /** @param {Camera} camera @param {TileState} state */
  #standing(camera, state) {
    const { verdict, stream } = this.#report ?? {};
    if (state === "replay") {
      const at = this.#replay?.at ?? this.content.replayAt ?? 0;
      return html`<span class="standing replay">${this.#replay?.state === "paused" ? "paused" : "recorded"}
        <time datetime=${new Date(at).toISOString()}><span class="standing-day">${day(at)} </span>${clockFine(at)}</time></span>`;
    }
    if (state === "live" && verdict?.ageMs !== null && verdict?.ageMs !== undefined) {
      const now = performance.now();
      if (now - this.#shownAge.at > 1000) this.#shownAge = { at: now, ms: verdict.ageMs };
      return html`<span class="standing" title="${stream} stream; ${liveTitle(verdict, this.#shownAge.ms)}">live <b>${liveWords(verdict, this.#shownAge.ms)}</b></span>`;
    }
    const word = { still: "still", late: "late", frozen: "frozen", failed: "no picture", forbidden: "not allowed", connecting: "connecting" };
    return html`<span class="standing attention">${word[/** @type {keyof typeof word} */ (state)] ?? standing(camera.state)}</span>`;
  }

  /** What is shown in place of what was asked for. @param {TileState} state */
  #shownInstead(state) {
    if (state === "replay" || !this.#report) return nothing;
    const instead = shownInstead(this.#report);
    return instead ? html`<span class="instead" title=${instead.why}>${instead.word}<span class="instead-from">${instead.from}</span></span>` : nothing;
  }

  /** @param {Camera} camera */
  #recording(camera) {
    const recording = camera.state.recording;
    if (!recording) return nothing;
    if (!recordingKnown(camera.state)) return html`<span class="rec unknown attention" title=${recording.cause ?? ""}>recording not known</span>`;
    if (recording.main) return html`<span class="rec" title="The main stream is being recorded">rec</span>`;
    return html`<span class="rec lost" title=${recording.cause ?? ""}>not recording</span>`;
  }

  /** @param {Camera} camera */
  #stick(camera) {
    const { stick, viewers } = camera.state;
    return html`
      ${stick ? html`<span class="stick ${stick.mine ? "mine" : ""}" title="Who holds the stick">${stick.mine ? "your stick" : stick.holder}</span>` : nothing}
      ${viewers && viewers > 1 ? html`<span class="watching" title="People watching this camera now">${viewers} watching</span>` : nothing}
    `;
  }

  /** @override */
  render() {
    const camera = this.#camera;
    const selected = this.#selected;
    const choose = () => select(this.index);
    if (!camera && this.content.cameraId && this.state.list === "ready") return this.#refused(choose);
    if (!camera) {
      return html`<article class="tile empty" data-state="empty" data-selected=${selected} aria-label="Empty tile ${this.index + 1}"
        @pointerdown=${choose} @focusin=${choose} tabindex="0">
        <p>${selected ? html`Type a camera’s number and press <kbd>Enter</kbd>` : "Empty"}</p></article>`;
    }
    const state = this.#stateOf(camera);
    const ageMs = state === "replay" ? "" : Math.round(this.#report?.verdict.ageMs ?? -1);
    const place = [camera.street, camera.group].filter(Boolean).join(" · ");
    return html`
      <article class="tile" tabindex="0" aria-label="Camera ${camera.number}, ${camera.name}" aria-current=${selected}
        data-camera-number=${camera.number} data-camera-id=${camera.id} data-state=${state} data-selected=${selected}
        data-age-ms=${ageMs} data-age-basis=${this.#report?.verdict.basis ?? ""} data-stream=${this.#report?.stream ?? ""}
        data-converted=${this.#report?.convertedFrom ?? ""}
        @pointerdown=${choose} @focusin=${choose}>
        <header class="tile-head">
          <span class="number">${camera.number}</span>
          <span class="name"><b>${camera.name}</b> <span class="place">${place}</span></span>
          <span class="facts">${this.#stick(camera)}${this.#shownInstead(state)}${this.#recording(camera)}${this.#standing(camera, state)}</span>
        </header>
        <sl-share-strip .camera=${camera}></sl-share-strip>
        <div class="picture" data-state=${state}><div class="rubber" hidden></div><div class="box" hidden></div></div>
        ${this.#veil(camera, state)}
      </article>
    `;
  }
}

customElements.define("sl-tile", Tile);
