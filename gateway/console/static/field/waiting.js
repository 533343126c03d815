/**
 * What waits to be sent, where it needs somebody: the gateway refused a step, and what follows it is held back.
 * @module
 */

import { html, nothing } from "lit";
import { clock } from "../app/time.js";
import { line } from "../app/words.js";
import { FieldElement, deployments, ours } from "./state.js";
import { look, open, outbox } from "./work.js";

/** @typedef {import("./outbox.js").Waiting} Waiting */

/** A wet thumb that taps twice means one tap. */
const TWICE_MS = 1000;
/** Who has not answered by then was asked in passing. */
const ASKED_MS = 10_000;

class FieldWaiting extends FieldElement {
  /** What may be about to be left out: its key. */
  #asked = "";
  /** It was asked long enough ago to be meant. */
  #ready = false;
  #timer = 0;

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#asked = "";
  }

  /** @param {string} key whether it is to be left out; empty: nothing is */
  #ask(key) {
    clearTimeout(this.#timer);
    this.#asked = key;
    this.#ready = false;
    this.requestUpdate();
    if (!key) return;
    this.#timer = setTimeout(() => {
      this.#ready = true;
      this.requestUpdate();
      this.#timer = setTimeout(() => this.#ask(""), ASKED_MS);
    }, TWICE_MS);
  }

  /** @param {Waiting} one */
  async #leaveOut(one) {
    this.#ask("");
    await outbox.leaveOut(one);
    void look();
  }

  /** @param {Waiting} one */
  async #retry(one) {
    await outbox.retry(one);
    void look();
  }

  /** Asked below, and not under the thumb that asked. @param {Waiting} one */
  #question(one) {
    return html`<p class="hint" role="status">${one.photo ? "The photo is then gone: it may be nowhere else." : "It was then never taken."}</p>
      <button data-really ?disabled=${!this.#ready} @click=${() => void this.#leaveOut(one)}>Really leave it out</button>`;
  }

  /** @override */
  render() {
    const refused = ours().filter((one) => one.refused);
    if (refused.length === 0) return nothing;
    return refused.map((one) => {
      const asked = this.#asked === one.key;
      const elsewhere = this.field.open !== one.deployment && deployments().some(({ id }) => id === one.deployment);
      return html`<section class="card said alarm" role="alert" data-refused=${one.step}>
      <h2>Refused: ${one.words} (${clock(one.at)})</h2>
      ${one.where ? html`<p><strong>${one.where}</strong></p>` : nothing}
      <p>${line(one.refused)}</p>
      <p class="hint">What you did after it at this place waits on this phone. What it lacked goes ahead of it, and what you do anew in its place.</p>
      <div class="row">${elsewhere ? html`<button data-open @click=${() => void open(one.deployment)}>Open the place</button>` : nothing}
        <button class="primary" @click=${() => void this.#retry(one)}>Try again</button>
        <button data-leave @click=${() => this.#ask(asked ? "" : one.key)}>${asked ? "Keep it" : "Leave it out"}</button></div>
      ${asked ? this.#question(one) : nothing}
    </section>`;
    });
  }
}

customElements.define("field-waiting", FieldWaiting);
