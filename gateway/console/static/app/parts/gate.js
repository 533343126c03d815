/**
 * Before the room: first run, sign-in, and a gateway that does not answer.
 * @module
 */

import { html, nothing } from "lit";
import "./factors.js";
import "./gate-sign-in.js";
import { problemOf } from "../api.js";
import { SlElement, fields } from "../element.js";
import { begin, codeInAddress, setUp, signOut } from "../session.js";
import { leftWords } from "./left.js";
import { say } from "../words.js";
import { passwordField } from "./password.js";

/** @typedef {import("../types.js").Problem} Problem */

class Gate extends SlElement {
  /** @type {Problem | null} */
  #problem = null;
  #busy = false;

  /** @param {() => Promise<void>} work */
  async #attempt(work) {
    this.#problem = null;
    this.#busy = true;
    this.requestUpdate();
    try {
      await work();
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.#busy = false;
    this.requestUpdate();
    await this.updateComplete;
    if (this.#problem) /** @type {HTMLElement | null} */ (this.querySelector("#gate-problem"))?.focus();
  }

  /** @param {Event} event */
  #setUp(event) {
    const { code = "", username = "", password = "", password_again: again } = fields(event);
    if (password !== again) {
      this.#problem = { type: "page", title: "The two passwords differ.", cure: "Type the same one twice." };
      this.requestUpdate();
      return;
    }
    void this.#attempt(() => setUp(code, username, password));
  }

  #said() {
    if (!this.#problem) return nothing;
    const { title, cure } = say(this.#problem);
    return html`<p id="gate-problem" class="said attention" role="alert" tabindex="-1"><strong>${title}</strong> ${cure}</p>`;
  }

  #setupForm() {
    const code = codeInAddress();
    return html`
      <h1>First run</h1>
      <p class="quiet">Make the administrator. The one-time code is in the gateway’s terminal, or in its log.</p>
      ${this.#said()}
      <form @submit=${this.#setUp}>
        <label for="setup-code">One-time code</label>
        <input id="setup-code" name="code" required autocomplete="one-time-code" spellcheck="false" .value=${code} ?autofocus=${!code}>
        <label for="setup-username">User name</label>
        <input id="setup-username" name="username" required autocomplete="username" spellcheck="false" autocapitalize="none" ?autofocus=${Boolean(code)}>
        ${passwordField({ id: "setup-password", name: "password", label: "Password", autocomplete: "new-password", hint: "At least 12 characters. Several words are better than one with signs in it." })}
        ${passwordField({ id: "setup-again", name: "password_again", label: "Password again", autocomplete: "new-password" })}
        <button class="primary" ?disabled=${this.#busy}>${this.#busy ? "Making it…" : "Make administrator"}</button>
      </form>
    `;
  }

  #enrolFirst() {
    return html`
      <h1>Add a second factor</h1>
      <p class="quiet">It is required here: a password that somebody has learned must not be enough.</p>
      <sl-factors .whenEnrolled=${() => void begin()}></sl-factors>
      <button class="plain" @click=${() => void signOut()}>Sign out</button>
    `;
  }

  #body() {
    switch (this.state.session) {
      case "setup":
        return this.#setupForm();
      case "signed-out":
      case "second":
        return html`<sl-gate-sign-in></sl-gate-sign-in>`;
      case "enrol":
        return this.#enrolFirst();
      default:
        return this.#waiting();
    }
  }

  #waiting() {
    const lost = this.state.session === "unreachable";
    if (lost && this.state.leaving) return leftWords();
    return html`
      <h1>${lost ? "The gateway does not answer" : "Sightline is starting…"}</h1>
      ${lost
        ? html`<p class="said attention" role="alert">Nothing came back from <strong>${location.host}</strong>. Recording is not
              affected by this page. It is tried again every two seconds.</p>
            <button @click=${() => void begin()}>Try now</button>`
        : nothing}
    `;
  }

  /** @override */
  render() {
    const { session } = this.state;
    return html`
      <main class="gate" data-gate=${session}>
        <div class="gate-mark" aria-hidden="true"></div>
        <section class="gate-card">
          <p class="wordmark">Sightline</p>
          ${this.#body()}
        </section>
        <p class="gate-foot">Views, steering, playback and exports are written to an audit record under your name.</p>
      </main>
    `;
  }

  /** @override */
  updated() {
    const field = /** @type {HTMLElement | null} */ (this.querySelector("[autofocus]"));
    if (document.activeElement === document.body) field?.focus();
  }
}

customElements.define("sl-gate", Gate);
