/**
 * One's own acts that take a second person: asked why, waited for, and what came of it. Beside the pictures, never over.
 * @module
 */

import { html } from "lit";
import { called, toldInLine } from "../acts.js";
import { SlElement, fields } from "../element.js";
import { dismiss } from "../second-person.js";
import { store } from "../store.js";
import { duration } from "../time.js";

/** @typedef {import("../types.js").Asking} Asking */
/** @typedef {import("../types.js").Approver} Approver */

/** @param {string[]} names @returns {string} */
const listed = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`);

/** Who may agree, in a sentence. @param {Approver[]} approvers @returns {string} */
export function whoMay(approvers) {
  const here = approvers.filter((one) => one.here).map((one) => one.name);
  const away = approvers.filter((one) => !one.here).map((one) => one.name);
  if (approvers.length === 0) return "Nobody else here may agree to it. An administrator can give somebody that right.";
  if (here.length === 0) return `${listed(away.slice(0, 5))} may agree, but none of them is signed in now.`;
  return `${listed(here.slice(0, 5))} may agree${here.length > 1 ? "" : ", and is signed in now"}.`;
}

class Askings extends SlElement {
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.state.askings.length && this.requestUpdate(), 1000);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  /** @override */
  updated() {
    const field = /** @type {HTMLInputElement | null} */ (this.querySelector("input:not([data-met])"));
    if (!field) return;
    field.dataset["met"] = "";
    field.focus();
  }

  /** @param {Asking} asking */
  #reason(asking) {
    const submit = (/** @type {Event} */ event) => asking.ask(fields(event)["reason"] ?? "");
    return html`
      <p>${whoMay(asking.approvers)}</p>
      <form class="notice-form" @submit=${submit}>
        <label for="asking-${asking.key}">Why is it to be done?</label>
        <input id="asking-${asking.key}" name="reason" required minlength="3" maxlength="500" autocomplete="off">
        <button class="primary">Ask</button>
        <button type="button" class="plain" @click=${asking.leave}>Leave it</button>
      </form>
    `;
  }

  /** @param {Asking} asking */
  #waiting(asking) {
    return html`
      <p>A second person must agree. ${whoMay(asking.approvers)} It is then done by itself; you can carry on meanwhile.</p>
      <span class="notice-acts"><time role="timer" aria-live="off">${duration(asking.until - store.serverClock.now())} left</time>
        <button @click=${asking.leave}>Withdraw</button></span>
    `;
  }

  /** @param {Asking} asking */
  #one(asking) {
    const facts = toldInLine(asking.facts);
    return html`
      <section class="notice ${asking.stage === "over" ? "attention" : ""}" data-asking=${asking.stage} role=${asking.stage === "over" ? "alert" : "status"}>
        <h2>${called(asking.act)}${asking.stage === "reason" ? " takes two people" : ""} <small>${facts}</small></h2>
        ${asking.stage === "reason" ? this.#reason(asking) : asking.stage === "waiting" ? this.#waiting(asking) : html`
          <p><strong>${asking.said}</strong> Nothing was done.</p>
          <span class="notice-acts"><button @click=${() => dismiss(asking.key)}>Dismiss</button></span>`}
      </section>
    `;
  }

  /** @override */
  render() {
    return this.state.askings.map((asking) => this.#one(asking));
  }
}

customElements.define("sl-askings", Askings);
