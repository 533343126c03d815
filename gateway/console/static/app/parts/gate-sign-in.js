/**
 * Signing in: name and password, or a passkey alone; and what completes it.
 * @module
 */

import { html, nothing } from "lit";
import "./gate-providers.js";
import "./proof.js";
import { problemOf } from "../api.js";
import { SlElement, fields } from "../element.js";
import { usable } from "../passkeys.js";
import { second, signIn, signInByPasskey, startOver, ways } from "../session.js";
import { say } from "../words.js";
import { hidePasswords, passwordField } from "./password.js";

/** @typedef {import("../types.js").Problem} Problem */

class GateSignIn extends SlElement {
  /** @type {Problem | null} */
  #problem = null;
  #busy = false;
  /** What is said to who has forgotten the password. @type {string} */
  forgotten = "Forgotten it? Ask an administrator to set a new one.";

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
  #signIn(event) {
    const { username = "", password = "" } = fields(event);
    hidePasswords(this);
    void this.#attempt(() => signIn(username, password));
  }

  #said() {
    const { notice } = this.state;
    if (!this.#problem) return notice ? html`<p class="said attention" role="status">${notice.text}</p>` : nothing;
    const { title, cure } = say(this.#problem);
    return html`<p id="gate-problem" class="said attention" role="alert" tabindex="-1"><strong>${title}</strong> ${cure}</p>`;
  }

  #first() {
    return html`
      <h1>Sign in</h1>
      ${this.#said()}
      <form @submit=${this.#signIn}>
        <label for="username">User name</label>
        <input id="username" name="username" required autocomplete="username" spellcheck="false" autocapitalize="none" autofocus>
        ${passwordField({ id: "password", name: "password", label: "Password", autocomplete: "current-password" })}
        <button class="primary" ?disabled=${this.#busy}>${this.#busy ? "Signing in…" : "Sign in"}</button>
      </form>
      ${usable()
        ? html`<button id="passkey" ?disabled=${this.#busy} @click=${() => void this.#attempt(signInByPasskey)}>Sign in with a passkey</button>`
        : nothing}
      <p class="hint">${this.forgotten}</p>
      <sl-gate-providers></sl-gate-providers>
    `;
  }

  #second() {
    const { second: due } = this.state;
    const methods = ways(due?.methods ?? []).filter((method) => method !== "passkey" || due?.passkey);
    return html`
      <h1>One more step</h1>
      ${methods.length
        ? html`<sl-proof .methods=${methods} .prove=${second} .challenge=${() => Promise.resolve({ options: due?.passkey ?? {} })} .act=${"Sign in"}></sl-proof>`
        : html`<p class="said attention" role="alert"><strong>Your passkey does not work at this address.</strong> Open the console at the
            address where you added it, or ask an administrator to remove it.</p>`}
      <button class="plain" @click=${startOver}>Sign in as somebody else</button>
    `;
  }

  /** @override */
  render() {
    return this.state.session === "second" ? this.#second() : this.#first();
  }

  /** @override */
  updated() {
    const field = /** @type {HTMLElement | null} */ (this.querySelector("[autofocus]"));
    if (document.activeElement === document.body) field?.focus();
  }
}

customElements.define("sl-gate-sign-in", GateSignIn);
