/**
 * Breaking the glass: the form, the banner while one's own is broken, and what supervisors are told of others.
 * @module
 */

import { html, nothing } from "lit";
import { problemOf } from "../api.js";
import { SlElement, fields } from "../element.js";
import { acknowledge, breakGlass, closeGlass, unseen } from "../glass.js";
import { may, store, tell } from "../store.js";
import { clockShort, duration } from "../time.js";
import { line, say } from "../words.js";

/** @typedef {import("../types.js").BrokenGlass} BrokenGlass */

const USUAL_MINUTES = 15;

/** @param {() => Promise<unknown>} work */
const attempt = (work) => void work().catch((error) => tell(line(problemOf(error)), "attention"));

/** @param {BrokenGlass} one */
const left = (one) => duration(Date.parse(one.end) - store.serverClock.now());

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
    this.#timer = setInterval(() => (this.state.glass?.broken.length || this.state.broken.length) && this.requestUpdate(), 1000);
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

  /** @param {BrokenGlass} one */
  #others(one) {
    return html`<section class="notice alarm loud" data-glass="other" role="alert">
      <h2>${one.name} broke the glass <small>at ${clockShort(Date.parse(one.start))}, until ${clockShort(Date.parse(one.end))}</small></h2>
      <p>“${one.reason}” <span class="quiet">Every camera is open to them.</span></p>
      <span class="notice-acts"><button @click=${() => attempt(() => closeGlass(one))}>End it</button>
        <button class="primary" @click=${() => attempt(() => acknowledge(one))}>I have seen it</button></span>
    </section>`;
  }

  /** @override */
  render() {
    if (this.state.lock !== "open") return nothing;
    return html`${(this.state.glass?.broken ?? []).map((one) => this.#own(one))}${unseen().map((one) => this.#others(one))}`;
  }
}

customElements.define("sl-glass-form", GlassForm);
customElements.define("sl-glass-notices", GlassNotices);
