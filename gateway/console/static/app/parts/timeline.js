/**
 * The timeline under the pictures: what is recorded, where it is not and why, and where we are in it.
 * @module
 */

import { html, nothing } from "lit";
import { armExport, back30, goLive, markExport, replay, still } from "../actions.js";
import { SlElement } from "../element.js";
import { Footage } from "../footage.js";
import { armHold, showsStretch } from "../holds.js";
import { hostAway } from "../hosts.js";
import { wishes } from "../keys.js";
import { openBar } from "../shares.js";
import { may, selectedCamera, selectedSlot, store, tell } from "../store.js";
import { clock, clockFine, clockShort, day, dayInYear, duration } from "../time.js";
import { around, clip, marks, nearestRecorded, shift, toShare, toTime, zoom } from "../timescale.js";
import { gapCause, say } from "../words.js";

/** Where now stands while the view follows it, as a share of the width. */
const NOW_AT = 0.92;
const CLICK_PX = 4;

class Timeline extends SlElement {
  #view = around({ start: 0, end: 30 * 60_000 }, Date.now(), NOW_AT);
  #following = true;
  #footage = new Footage(() => this.requestUpdate());
  #timer = 0;
  #pointer = /** @type {{id: number, x: number, view: {start: number, end: number}, moved: boolean} | null} */ (null);
  #hover = /** @type {number | null} */ (null);
  #scrubbed = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 250);
    showsStretch(() => this.#view);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
    showsStretch(() => null);
    this.#footage.end();
  }

  #now() {
    return store.serverClock.now();
  }

  /** What the head of the timeline points at. */
  #at() {
    const slot = selectedSlot();
    if (slot.replayAt === null) return this.#now();
    return this.state.replayClock[slot.cameraId ?? ""] ?? slot.replayAt;
  }

  /** @override */
  willUpdate() {
    const camera = selectedCamera();
    const live = selectedSlot().replayAt === null;
    if (this.#pointer === null) {
      if (live && this.#following) this.#view = around(this.#view, this.#now(), NOW_AT);
      else if (!live) {
        const share = toShare(this.#view, this.#at());
        if (this.#following && (share < 0.02 || share > 0.98)) this.#view = around(this.#view, this.#at(), 0.5);
      }
    }
    this.#footage.look(camera?.id ?? null, this.#view);
    this.#footage.lookAtHolds(may("view_recorded") ? (camera?.id ?? null) : null, this.state.holdsTurn);
  }

  /** @param {PointerEvent | WheelEvent} event */
  #share(event) {
    const rect = /** @type {HTMLElement} */ (this.querySelector(".track")).getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - rect.left) / rect.width));
  }

  /** @param {PointerEvent} event */
  #press = (event) => {
    if (event.button !== 0 || !selectedCamera()) return;
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    this.#pointer = { id: event.pointerId, x: event.clientX, view: this.#view, moved: false };
  };

  /** Drag to scrub: the footage goes under the pointer. @param {PointerEvent} event */
  #move = (event) => {
    this.#hover = this.#share(event);
    const pointer = this.#pointer;
    if (pointer && event.pointerId === pointer.id) {
      if (Math.abs(event.clientX - pointer.x) >= CLICK_PX) pointer.moved = true;
      if (pointer.moved && !this.state.exporting && performance.now() - this.#scrubbed > 180) {
        this.#scrubbed = performance.now();
        this.#go(toTime(this.#view, this.#hover));
      }
    }
    this.requestUpdate();
  };

  /** @param {PointerEvent} event */
  #lift = (event) => {
    if (!this.#pointer || event.pointerId !== this.#pointer.id) return;
    this.#pointer = null;
    const at = toTime(this.#view, this.#share(event));
    if (this.state.exporting) markExport(Math.min(at, this.#now()));
    else this.#go(at);
  };

  /** @param {number} at */
  #go(at) {
    if (at >= this.#now() - 1500) {
      goLive();
      return;
    }
    const { spans } = this.#footage.timeline;
    const found = nearestRecorded(spans, at);
    if (found === null) tell("Nothing is recorded then.", "attention");
    else replay(found);
  }

  /** @param {WheelEvent} event */
  #wheel = (event) => {
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      const move = (event.deltaX || event.deltaY) / this.clientWidth;
      this.#view = shift(this.#view, move * (this.#view.end - this.#view.start));
      this.#following = false;
    } else {
      const live = selectedSlot().replayAt === null && this.#following;
      this.#view = zoom(this.#view, live ? NOW_AT : this.#share(event), event.deltaY > 0 ? 1.3 : 1 / 1.3);
    }
    this.requestUpdate();
  };

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const step = (this.#view.end - this.#view.start) / 20;
    if (event.key === "ArrowLeft") this.#go(this.#at() - step);
    else if (event.key === "ArrowRight") this.#go(this.#at() + step);
    else return;
    event.preventDefault();
  };

  /** @param {number} factor */
  #zoomBy(factor) {
    this.#view = zoom(this.#view, selectedSlot().replayAt === null ? NOW_AT : 0.5, factor);
    this.requestUpdate();
  }

  /** @param {{left: number, width: number}} part */
  #style = (part) => `left:${part.left * 100}%;width:${part.width * 100}%`;

  #spans() {
    const { spans, gaps, newest } = this.#footage.timeline;
    return html`
      ${spans.map((span) => {
        const part = clip(this.#view, span);
        return part ? html`<i class="span" .style=${this.#style(part)}></i>` : nothing;
      })}
      ${gaps.map((gap) => {
        const part = clip(this.#view, gap);
        if (!part) return nothing;
        const cause = gapCause(gap.cause);
        return html`<i class="gap" data-cause=${gap.cause} .style=${this.#style(part)}
          title="Not recorded ${clock(gap.start)}–${clock(gap.end)}: ${cause.replace(/^not recorded /, "")}${gap.detail ? `: ${gap.detail}` : ""}.">
          ${part.width * this.clientWidth > 8 * cause.length ? html`<span>${cause}</span>` : nothing}</i>`;
      })}
      ${newest && newest < this.#now() - 30_000 && newest > this.#view.start
        ? html`<i class="newest" .style=${`left:${toShare(this.#view, newest) * 100}%`} title="Newest footage: ${clock(newest)}"></i>`
        : nothing}
    `;
  }

  /** What is held, and what is about to be. */
  #holds() {
    const { holding } = this.state;
    const part = holding && holding.camera === selectedCamera()?.id ? clip(this.#view, holding) : null;
    return html`
      ${this.#footage.holds.map((hold) => {
        const held = clip(this.#view, { start: Date.parse(hold.start), end: Date.parse(hold.end) });
        return held ? html`<i class="held" data-due=${hold.due} .style=${this.#style(held)} title="Held: ${hold.reason}">${held.width * this.clientWidth > 44 ? html`<span>held</span>` : nothing}</i>` : nothing;
      })}
      ${part ? html`<i class="range holding" .style=${this.#style(part)}><span>to be held</span></i>` : nothing}
    `;
  }

  #scale() {
    const { step, at } = marks(this.#view, Math.max(3, this.clientWidth / 110));
    const text = (/** @type {number} */ mark) =>
      step >= 86_400_000 ? dayInYear(mark) : step >= 60_000 ? clockShort(mark) : clock(mark);
    return at.map((mark) => {
      const share = toShare(this.#view, mark);
      return share * this.clientWidth > 110 && share < 0.98
        ? html`<i class="mark" .style=${`left:${share * 100}%`}><span>${text(mark)}</span></i>`
        : nothing;
    });
  }

  #exportRange() {
    const { exporting } = this.state;
    if (!exporting || !("from" in exporting)) return nothing;
    const other = this.#hover === null ? this.#at() : toTime(this.#view, this.#hover);
    const part = clip(this.#view, { start: Math.min(exporting.from, other), end: Math.max(exporting.from, other) });
    return part
      ? html`<i class="range" .style=${this.#style(part)}><span>${duration(Math.abs(other - exporting.from))}</span></i>`
      : nothing;
  }

  /** @param {boolean} live */
  #controls(live) {
    const none = !selectedCamera();
    const wish = (/** @type {string} */ name, /** @type {unknown} */ detail = null) => () =>
      wishes.dispatchEvent(new CustomEvent(name, { detail }));
    const { paused, exporting } = this.state;
    return html`
      <div class="transport" role="group" aria-label="Playback">
        <button title="Back 30 seconds (R)" data-act="back30" ?disabled=${none} @click=${back30}>−30 s</button>
        <button title="One frame back (,)" data-act="frame-back" ?disabled=${live} @click=${wish("step", -1)}>‹ frame</button>
        <button title="Pause or go on (Space)" data-act="pause" class="wide" ?disabled=${live} @click=${wish("pause")}>${paused ? "Play" : "Pause"}</button>
        <button title="One frame on (.)" data-act="frame-on" ?disabled=${live} @click=${wish("step", 1)}>frame ›</button>
        <button title="Back to the live picture (L)" data-act="live" class="wide" aria-pressed=${live && !none} ?disabled=${none} @click=${goLive}>Live</button>
      </div>
      <div class="transport" role="group" aria-label="Keep">
        <button title="Save a still (S)" data-act="still" ?disabled=${none} @click=${() => void still()}>Still</button>
        <button title="Export a range: two clicks on the timeline (E)" data-act="export" ?disabled=${none} aria-pressed=${exporting !== null}
          @click=${armExport}>${exporting === null ? "Export" : "from" in exporting ? "…to where?" : "…from where?"}</button>
        ${may("hold") ? html`<button title="Hold what is shown here beyond its time (H)" data-act="hold" ?disabled=${none} aria-pressed=${this.state.holding !== null && this.state.holding.camera === selectedCamera()?.id} @click=${armHold}>Hold</button>` : nothing}
        ${may("share") ? html`<button title="Share the live picture with a partner (W)" data-act="share" ?disabled=${none} @click=${openBar}>Share</button>` : nothing}
      </div>
      <div class="transport" role="group" aria-label="How much time is shown">
        <button title="Show less time" aria-label="Show less time" @click=${() => this.#zoomBy(1 / 2)}>+</button>
        <button title="Show more time" aria-label="Show more time" @click=${() => this.#zoomBy(2)}>−</button>
      </div>
    `;
  }

  #said() {
    const camera = selectedCamera();
    const { timeline, problem, loaded } = this.#footage;
    if (!camera) return "No camera is selected.";
    if (problem && camera && hostAway(camera.state)) return "The recordings are away with their camera host. They are asked for again.";
    if (problem) return `${say(problem).title} ${say(problem).cure}`;
    if (!loaded) return "Loading the recordings…";
    return timeline.spans.length === 0 ? "Nothing is recorded in this stretch." : "";
  }

  /** @override */
  render() {
    const slot = selectedSlot();
    const live = slot.replayAt === null;
    const at = this.#at();
    const head = toShare(this.#view, at);
    const camera = selectedCamera();
    const said = this.#said();
    const hovered = this.#hover === null ? null : toTime(this.#view, this.#hover);
    return html`
      <section class="timeline" aria-label="Timeline" data-mode=${live ? "live" : "replay"} data-exporting=${this.state.exporting !== null}>
        <div class="timeline-bar">
          <span class="timeline-camera">${camera ? html`<span class="number">${camera.number}</span>` : nothing}
            <time class="timeline-at" datetime=${new Date(at).toISOString()}>${live ? clock(at) : clockFine(at)}</time>
            <span class="timeline-mode">${!camera ? "" : live ? "live" : html`recorded · ${duration(this.#now() - at)} ago`}</span></span>
          ${this.#controls(live)}
        </div>
        <div class="track" tabindex="0" role="slider" data-own-arrows aria-label="Time" aria-valuenow=${Math.round(at / 1000)}
          aria-valuetext="${day(at)} ${clock(at)}" aria-valuemin=${Math.round(this.#view.start / 1000)} aria-valuemax=${Math.round(this.#now() / 1000)}
          @pointerdown=${this.#press} @pointermove=${this.#move} @pointerup=${this.#lift} @keydown=${this.#key} @wheel=${this.#wheel}
          @pointerleave=${() => { this.#hover = null; this.requestUpdate(); }}>
          <div class="lane">${this.#spans()}${this.#holds()}${this.#exportRange()}
            ${clipFuture(this.#view, this.#now(), this.#style)}</div>
          <div class="scale"><span class="scale-day">${day(this.#view.start)}</span>${this.#scale()}</div>
          ${head >= 0 && head <= 1 ? html`<i class="head" data-live=${live} .style=${`left:${head * 100}%`}></i>` : nothing}
          ${hovered !== null && this.#hover !== null
            ? html`<i class="hover" data-side=${this.#hover > 0.85 ? "left" : "right"} .style=${`left:${this.#hover * 100}%`}><span>${clock(hovered)}</span></i>`
            : nothing}
          ${said ? html`<p class="timeline-said">${said}</p>` : nothing}
        </div>
      </section>
    `;
  }
}

/** @param {{start: number, end: number}} view @param {number} now @param {(part: {left: number, width: number}) => string} style */
function clipFuture(view, now, style) {
  const part = clip(view, { start: now, end: view.end });
  return part ? html`<i class="future" .style=${style(part)}></i>` : nothing;
}

customElements.define("sl-timeline", Timeline);
