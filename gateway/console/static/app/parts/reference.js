/**
 * What one is at work on: the incident or request that stands in the audit beside what one sees, steers and takes.
 * @module
 */

import { html } from "lit";
import { problemOf, send } from "../api.js";
import { SlElement } from "../element.js";
import { wishes } from "../keys.js";
import { store, tell } from "../store.js";
import { line } from "../words.js";

class Reference extends SlElement {
  #focus = () => this.#input()?.select();

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    wishes.addEventListener("reference", this.#focus);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    wishes.removeEventListener("reference", this.#focus);
  }

  /** @returns {HTMLInputElement | null} */
  #input() {
    return this.querySelector("input");
  }

  async #say() {
    const input = this.#input();
    const reference = input?.value.trim() ?? "";
    if (!input || reference === this.state.reference) return;
    try {
      await send("PUT", "/session/reference", { reference });
      store.set({ reference });
      tell(reference ? `What you do from now on is for ${reference}.` : "What you do is no longer recorded for a reference.");
    } catch (error) {
      input.value = this.state.reference;
      tell(line(problemOf(error)), "attention");
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const input = this.#input();
    if (!input) return;
    if (event.key === "Escape") input.value = this.state.reference;
    if (event.key === "Enter") input.blur();
  }

  /** @override */
  render() {
    return html`
      <label class="reference" data-set=${this.state.reference !== ""}>
        <span>For</span>
        <input maxlength="120" autocomplete="off" spellcheck="false" placeholder="incident or request" .value=${this.state.reference}
          title="The incident or request that you are at work on. It stands in the audit beside what you see and do. (I)"
          @keydown=${(/** @type {KeyboardEvent} */ event) => this.#key(event)} @change=${() => void this.#say()}>
      </label>
    `;
  }
}

customElements.define("sl-reference", Reference);
