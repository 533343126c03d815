/**
 * Breaking the glass: the form, the banner while one's own is broken, and what supervisors are told of others.
 * @module
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { problemOf } from "../api.js";
import { SlElement, fields } from "../element.js";
import { acknowledge, breakGlass, closeGlass, isOver, unseen } from "../glass.js";
import { may, store, tell } from "../store.js";
import { clockShort, day, dayAndTime, duration } from "../time.js";
import { line, say } from "../words.js";

/** @typedef {import("../types.js").BrokenGlass} BrokenGlass */

const USUAL_MINUTES = 15;
/** A phone shows one: what is scrolled out of sight there looks as if it were all. */
const shownAtOnce = () => (matchMedia("(min-width: 860px)").matches ? 3 : 1);

/** @param {() => Promise<unknown>} work */
const attempt = (work) => void work().catch((error) => tell(line(problemOf(error)), "attention"));

/** @param {BrokenGlass} one */
const left = (one) => duration(Date.parse(one.end) - store.serverClock.now());

/** From when to when it was broken: with the days, for whoever comes on another. @param {BrokenGlass} one */
function span(one) {
  const [start, end] = [Date.parse(one.start), Date.parse(one.end)];
  return `from ${dayAndTime(start)} to ${day(start) === day(end) ? clockShort(end) : dayAndTime(end)}`;
}

/** Who, why, until when, and the way to end it. @param {BrokenGlass} one */
export function brokenFacts(one) {
  return html`
    <h3>${one.name}</h3>
    <dl class="facts-list"><div><dt>because</dt><dd><b>${one.reason}</b></dd></div>
      <div><dt>cameras</dt><dd>every camera</dd></div>
      <div><dt>until</dt><dd>${clockShort(Date.parse(one.end))}, ${left(one)} left</dd></div></dl>
    <div class="buttons"><button @click=${() => attempt(() => closeGlass(one))}>End it</button></div>
  `;
}

class GlassForm extends SlElement {
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #length = 0;
  #busy = false;

  /** @param {Event} event */
  async #submit(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { reason = "", minutes = "" } = fields(event);
    this.#problem = null;
    this.#busy = true;
    this.requestUpdate();
    try {
      await breakGlass(reason, Number(minutes));
      form.reset();
      this.#length = 0;
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.#busy = false;
    this.requestUpdate();
  }

  /** @override */
  render() {
    const { glass } = this.state;
    if (!may("break_glass") || !glass) return nothing;
    if (glass.broken.length > 0) return html`<h3>Break the glass</h3><p class="hint">Every camera is open to you. The strip above the pictures says until when.</p>`;
    const said = this.#problem ? say(this.#problem) : null;
    const missing = glass.reason_min - this.#length;
    return html`
      <h3>Break the glass</h3>
      <p class="hint">In an emergency: every camera is open to you for a while, as to an operator. Your supervisors are told at once, and all you do by it is marked in the audit.</p>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      <form id="glass-form" @submit=${(/** @type {Event} */ event) => void this.#submit(event)}>
        <label for="glass-reason">What has happened, and why can it not wait?</label>
        <input id="glass-reason" name="reason" required maxlength="1000" autocomplete="off" aria-describedby="glass-missing"
          @input=${(/** @type {InputEvent} */ event) => { this.#length = /** @type {HTMLInputElement} */ (event.target).value.trim().length; this.requestUpdate(); }}>
        <p class="hint" id="glass-missing">${missing > 0 ? `${missing} more ${missing === 1 ? "character" : "characters"}.` : "Your supervisors read this."}</p>
        <label for="glass-minutes">For how many minutes, at most ${glass.minutes_max}</label>
        <input id="glass-minutes" name="minutes" type="number" required min="1" max=${glass.minutes_max} value=${Math.min(USUAL_MINUTES, glass.minutes_max)}>
        <div class="buttons"><button class="remove sure" ?disabled=${this.#busy || missing > 0}>Break the glass</button></div>
      </form>
    `;
  }
}

class GlassNotices extends SlElement {
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => (this.state.glass?.broken.length || this.state.broken.length || this.state.unseenGlass.length) && this.requestUpdate(), 1000);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  /** @param {BrokenGlass} one */
  #own(one) {
    if (Date.parse(one.end) <= store.serverClock.now()) return nothing;
    return html`<section class="notice banner alarm" data-glass="own" role="status">
      <p><strong>You broke the glass.</strong> Your supervisors are told. Every camera is open to you until ${clockShort(Date.parse(one.end))}:
        <time role="timer" aria-live="off">${left(one)} left</time>. <span class="quiet">${one.reason}</span></p>
      <span class="notice-acts"><button @click=${() => attempt(() => closeGlass(one))}>End it</button></span>
    </section>`;
  }

  /** The second click of a double one falls on what has come in its place, which nobody has read. @param {BrokenGlass} one @param {MouseEvent} event */
  async #acknowledge(one, event) {
    if (event.detail > 1) return;
    await acknowledge(one);
    tell(`Acknowledged: ${one.name} broke the glass.`);
  }

  /** @param {BrokenGlass} one */
  #others(one) {
    const over = isOver(one);
    return html`<section class="notice alarm loud" data-glass="other" data-over=${over} role="alert">
      <h2>${one.name} broke the glass <small>${over ? `${span(one)}; it is over` : `at ${clockShort(Date.parse(one.start))}, until ${clockShort(Date.parse(one.end))}`}</small></h2>
      <p>“${one.reason}” <span class="quiet">${over ? "Every camera was open to them, and nobody who supervises has seen it yet." : "Every camera is open to them."}</span></p>
      <span class="notice-acts">${over ? nothing : html`<button @click=${() => attempt(() => closeGlass(one))}>End it</button>`}
        <button class="primary" @click=${(/** @type {MouseEvent} */ event) => attempt(() => this.#acknowledge(one, event))}>I have seen it</button></span>
    </section>`;
  }

  /** @override */
  render() {
    if (this.state.lock !== "open") return nothing;
    // What goes on comes first: it can still be ended.
    const others = unseen().sort((one, other) => Number(isOver(one)) - Number(isOver(other)));
    const shown = others.slice(0, shownAtOnce());
    const more = others.length - shown.length;
    return html`${(this.state.glass?.broken ?? []).map((one) => this.#own(one))}${repeat(shown, ({ id }) => id, (one) => this.#others(one))}
      ${more > 0 ? html`<section class="notice alarm" role="status"><p>The glass was broken ${more} ${more === 1 ? "time" : "times"} more. Once you have seen ${shown.length === 1 ? "this" : "these"} you are shown the next.</p></section>` : nothing}`;
  }
}

customElements.define("sl-glass-form", GlassForm);
customElements.define("sl-glass-notices", GlassNotices);
