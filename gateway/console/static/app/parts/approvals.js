/**
 * What waits for a second person, for who may be it; and where the glass is broken, for who supervises.
 * @module
 */

import { html, nothing } from "lit";
import { called, told } from "../acts.js";
import { problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { learnWaiting } from "../second-person.js";
import { may, store, tell } from "../store.js";
import { clockShort, duration } from "../time.js";
import { say } from "../words.js";
import { brokenFacts } from "./glass.js";

/** @typedef {import("../types.js").WaitingAct} WaitingAct */

class Approvals extends SlElement {
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #refusing = "";
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 1000);
    void learnWaiting();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  /** @param {() => Promise<unknown>} work @param {string} done */
  async #attempt(work, done) {
    this.#problem = null;
    try {
      await work();
      this.#refusing = "";
      tell(done);
    } catch (error) {
      this.#problem = problemOf(error);
    }
    await learnWaiting();
    this.requestUpdate();
  }

  /** @param {WaitingAct} one */
  #allow(one) {
    void this.#attempt(() => send("POST", `/approvals/${one.id}/allowance`), `You agreed: ${called(one.act)}.`);
  }

  /** @param {WaitingAct} one @param {Event} event */
  #refuse(one, event) {
    const { reason = "" } = fields(event);
    void this.#attempt(() => send("POST", `/approvals/${one.id}/refusal`, { reason }), `You refused: ${called(one.act)}.`);
  }

  /** @param {WaitingAct} one */
  async #beginRefusal(one) {
    this.#refusing = one.id;
    this.requestUpdate();
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector(`#refusal-${one.id}`))?.focus();
  }

  /** @param {WaitingAct} one */
  #decide(one) {
    if (one.mine) return html`<p class="said">You asked for this yourself. Somebody else must agree to it.</p>`;
    if (this.#refusing !== one.id) {
      return html`<div class="buttons"><button class="primary" @click=${() => this.#allow(one)}>Agree</button>
        <button @click=${() => void this.#beginRefusal(one)}>Refuse…</button></div>`;
    }
    return html`<form @submit=${(/** @type {Event} */ event) => this.#refuse(one, event)}>
      <label for="refusal-${one.id}">Why not? ${one.asked_by} reads it.</label>
      <input id="refusal-${one.id}" name="reason" required minlength="3" maxlength="500" autocomplete="off">
      <div class="buttons"><button class="primary">Refuse</button>
        <button type="button" class="plain" @click=${() => { this.#refusing = ""; this.requestUpdate(); }}>Back</button></div>
    </form>`;
  }

  /** @param {WaitingAct} one */
  #one(one) {
    const now = store.serverClock.now();
    return html`<li class="waiting" data-act=${one.act}>
      <h3>${called(one.act)}</h3>
      <p><b>${one.asked_by}</b> asks since ${clockShort(Date.parse(one.asked))}
        <span class="quiet">· ${duration(Date.parse(one.until) - now)} left</span></p>
      <dl class="facts-list">${told(one.facts).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
        <div><dt>because</dt><dd><b>${one.reason}</b></dd></div></dl>
      ${this.#decide(one)}
    </li>`;
  }

  #broken() {
    const { broken } = this.state;
    if (!may("supervise") || broken.length === 0) return nothing;
    return html`<h2>Broken glass</h2><ul class="waitings">${broken.map((one) => html`<li class="waiting">${brokenFacts(one)}</li>`)}</ul>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    const { waiting } = this.state;
    return html`
      ${this.#broken()}
      <h2>Waiting for a second person</h2>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${waiting.length === 0 ? html`<p class="hint">Nothing is waiting. Requests appear here at once.</p>` : nothing}
      <ul class="waitings">${waiting.map((one) => this.#one(one))}</ul>
    `;
  }
}

customElements.define("sl-approvals", Approvals);
