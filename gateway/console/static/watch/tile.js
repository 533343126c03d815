/**
 * One shared picture: live, with who looks drawn over it, and in words what is wrong with it when something is.
 * @module
 */

import { html, nothing } from "lit";
import { liveTitle, liveWords } from "../app/freshness.js";
import { Hands } from "../app/hands.js";
import { LivePicture } from "../app/live.js";
import { store } from "../app/store.js";
import { fill, select } from "./acts.js";
import { askAnew } from "./feed.js";
import { Mark, markLines } from "./mark.js";
import { reportDecoded } from "./room-test.js";
import { ownLoan, streamOf } from "./shares.js";
import { WatchElement } from "./state.js";
import { shownOf } from "./words.js";

/** @typedef {import("./shares.js").View} View */
/** @typedef {import("../app/live.js").LiveReport} LiveReport */

class WatchTile extends WatchElement {
  /** @override */
  static properties = { view: { attribute: false }, index: { type: Number }, large: { type: Boolean } };

  /** @type {LivePicture | null} */
  #live = null;
  /** @type {Mark | null} */
  #mark = null;
  /** @type {Hands | null} */
  #hands = null;
  /** @type {LiveReport | null} */
  #report = null;
  #showing = "";
  #wasLive = false;
  #tampered = false;
  #shownAge = { at: 0, ms: 0 };

  constructor() {
    super();
    this.view = /** @type {View} */ (/** @type {unknown} */ (null));
    this.index = 0;
    this.large = false;
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#clear();
  }

  #clear() {
    this.#live?.end();
    this.#mark?.end();
    this.#hands?.end();
    this.#live = this.#mark = this.#hands = this.#report = null;
    this.#showing = "";
  }

  get #selected() {
    return this.watched.selected === this.view.camera.id;
  }

  #aspect() {
    const video = this.#live?.video;
    return video?.videoWidth ? video.videoWidth / video.videoHeight : 16 / 9;
  }

  /** @override */
  updated() {
    const host = /** @type {HTMLElement | null} */ (this.querySelector(".picture"));
    const { camera, shares } = this.view;
    const { stream, hasSub } = streamOf(this.view, this.large);
    if (!host) return;
    if (this.#showing !== camera.id) {
      this.#clear();
      this.#showing = camera.id;
      this.#tampered = false;
      this.#start(host, stream, hasSub);
    }
    this.#live?.want(stream);
    if (this.#live) this.#live.timed = camera.timed;
    this.#hands?.allow(this.#selected && this.state.lock === "open" && ownLoan(this.view, this.state.user?.id) !== null);
    if (camera.live && !this.#wasLive) this.#live?.hurry();
    this.#wasLive = camera.live;
    const test = shares.find(({ kind }) => kind === "test");
    if (test && this.#live && this.#shown().standing === "live") void reportDecoded(test, this.#live);
  }

  /** @param {HTMLElement} host @param {"main" | "sub"} stream @param {boolean} hasSub */
  #start(host, stream, hasSub) {
    this.#live = new LivePicture(host, this.view.camera.id, stream, hasSub, (report) => {
      if (report.state === "forbidden" && this.#report?.state !== "forbidden") askAnew();
      this.#report = report;
      this.requestUpdate();
    });
    this.#mark = new Mark(host, () => markLines(/** @type {any} */ (this.view.shares[0]), store.serverClock.now()), () => this.#aspect(), () => {
      // A picture without its mark is no picture.
      this.#live?.end();
      this.#mark?.end();
      this.#live = this.#mark = null;
      this.#tampered = true;
      this.requestUpdate();
    });
    this.#hands = new Hands(host, () => this.#aspect());
  }

  #shown() {
    return shownOf(this.#report, this.view.camera, { tampered: this.#tampered, host: location.hostname });
  }

  /** @param {import("./words.js").Shown} shown */
  #standing(shown) {
    const { verdict } = this.#report ?? {};
    if (shown.standing !== "live" || verdict?.ageMs == null) return html`<span class="standing ${shown.standing === "connecting" ? "" : "attention"}">${shown.word}</span>`;
    const now = performance.now();
    if (now - this.#shownAge.at > 1000) this.#shownAge = { at: now, ms: verdict.ageMs };
    return html`<span class="standing" title=${liveTitle(verdict, this.#shownAge.ms)}>live <b>${liveWords(verdict, this.#shownAge.ms)}</b></span>`;
  }

  /** @param {import("./words.js").Shown} shown */
  #over(shown) {
    // An age that runs is not read out each time that it is drawn; what happened is, once (below).
    if (shown.title === "") return nothing;
    return shown.over
      ? html`<div class="flag"><strong>${shown.title}</strong> <span>${shown.detail}</span></div>`
      : html`<div class="veil ${shown.standing === "connecting" ? "quiet" : "attention"}" role="status"><strong>${shown.title}</strong>
          ${shown.detail ? html`<span>${shown.detail}</span>` : nothing}</div>`;
  }

  #toggle() {
    fill(!this.watched.filled);
  }

  /** @override */
  render() {
    if (!this.view) return nothing;
    const { camera, shares } = this.view;
    const shown = this.#shown();
    const loan = camera.lent;
    const mine = ownLoan(this.view, this.state.user?.id) !== null;
    const choose = () => select(camera.id);
    return html`
      <article class="tile view" tabindex="0" aria-label="Camera ${camera.number}, ${camera.name}: ${shown.word}" aria-current=${this.#selected}
        data-camera-id=${camera.id} data-camera-number=${camera.number} data-state=${shown.standing} data-selected=${this.#selected}
        data-age-ms=${Math.round(this.#report?.verdict.ageMs ?? -1)} data-age-basis=${this.#report?.verdict.basis ?? ""} data-stream=${this.#report?.stream ?? ""}
        @pointerdown=${choose} @focusin=${choose} @dblclick=${this.#toggle}>
        <header class="tile-head">
          <span class="number">${this.index < 9 ? html`<span class="away">picture ${this.index + 1}, camera </span>` : nothing}${camera.number}</span>
          <span class="name"><b>${camera.name}</b> <span class="place">${camera.street}</span></span>
          <span class="facts">
            ${shares.some(({ kind }) => kind === "test") ? html`<span class="stick">link test</span>` : nothing}
            ${loan ? html`<span class="stick ${mine ? "mine" : ""}">${mine ? "your stick" : `${loan.name} steers`}</span>` : nothing}
            ${this.#standing(shown)}
          </span>
        </header>
        <div class="picture" data-state=${shown.standing}><div class="rubber" hidden></div><div class="box" hidden></div></div>
        ${this.#over(shown)}
        <span class="away" role="status">${shown.over ? `Camera ${camera.number}: ${shown.word} picture. ${shown.detail}` : ""}</span>
      </article>
    `;
  }
}

customElements.define("watch-tile", WatchTile);
