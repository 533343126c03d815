/**
 * One proof of who one is, in whichever of the ways that one has: used to complete a sign-in, to confirm, to unlock.
 * @module
 */

import { html, nothing } from "lit";
import { problemOf } from "../api.js";
import { confirmingProviders, openedWindow } from "../confirm-there.js";
import { SlElement, fields } from "../element.js";
import { use } from "../passkeys.js";
import { say } from "../words.js";
import { passwordField } from "./password.js";

/** @typedef {import("../types.js").Problem} Problem */

/** @type {Record<string, string>} */
const CALLED = {
  passkey: "passkey",
  totp: "code from the authenticator app",
  password: "password",
  recovery: "recovery code",
  oidc: "organisation’s account",
};

class ProofForm extends SlElement {
  /** Ways in order of preference. @type {string[]} */
  methods = [];
  /** Takes a proof as the API does; throws what is wrong with it. @type {(proof: object) => Promise<void>} */
  prove = () => Promise.resolve();
  /** What to ask the browser for a passkey. @type {() => Promise<{ticket?: string, options: object}>} */
  challenge = () => Promise.reject(new Error("no challenge"));
  act = "Confirm";
  #chosen = "";
  #busy = false;
  /** Where one can confirm with an account that others keep; asked for once it is wanted. @type {import("../confirm-there.js").Provider[] | null} */
  #providers = null;
  /** @type {Problem | null} */
  #problem = null;

  get #method() {
    return this.methods.includes(this.#chosen) ? this.#chosen : (this.methods[0] ?? "");
  }

  /** @param {() => Promise<object>} proof */
  async #attempt(proof) {
    this.#problem = null;
    this.#busy = true;
    this.requestUpdate();
    try {
      await this.prove(await proof());
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.#busy = false;
    this.requestUpdate();
    await this.updateComplete;
    if (this.#problem) /** @type {HTMLInputElement | null} */ (this.querySelector("input"))?.select();
  }

  /** @param {Event} event */
  #submit(event) {
    const { proof_password: typed = "" } = fields(event);
    const method = this.#method;
    void this.#attempt(() => Promise.resolve({ [method]: method === "password" ? typed : typed.trim() }));
  }

  #passkey() {
    void this.#attempt(async () => {
      const { ticket, options } = await this.challenge();
      const passkey = await use(options);
      return ticket === undefined ? { passkey } : { ticket, passkey };
    });
  }

  async #learnProviders() {
    this.#providers = [];
    this.#providers = await confirmingProviders().catch(() => []);
    this.requestUpdate();
    await this.updateComplete;
    this.#focus();
  }

  #there() {
    if (this.#providers === null) void this.#learnProviders();
    return html`<div class="buttons">${(this.#providers ?? []).map(
      ({ id, name }) => html`<button class="primary there" data-provider=${id} ?disabled=${this.#busy} @click=${() => {
        const page = openedWindow();
        void this.#attempt(() => Promise.resolve({ provider: id, page }));
      }}>${this.#busy ? "Waiting for the other window…" : `Confirm with ${name}`}</button>`,
    )}</div>`;
  }

  /** @param {string} method */
  async #choose(method) {
    this.#chosen = method;
    this.#problem = null;
    this.requestUpdate();
    await this.updateComplete;
    this.#focus();
  }

  #focus() {
    /** @type {HTMLElement | null} */ (this.querySelector("input, .passkey, .there"))?.focus();
  }

  /** @override */
  firstUpdated() {
    this.#focus();
  }

  #field() {
    const method = this.#method;
    if (method === "password") {
      return passwordField({ id: "proof", name: "proof_password", label: "Password", autocomplete: "current-password" });
    }
    const totp = method === "totp";
    return html`
      <label for="proof">${totp ? "Code from your authenticator app" : "Recovery code"}</label>
      <input id="proof" name="proof_password" class="code" required autocomplete=${totp ? "one-time-code" : "off"} inputmode=${totp ? "numeric" : "text"}
        maxlength=${totp ? 7 : 24} spellcheck="false" autocapitalize=${totp ? "none" : "characters"}>
    `;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    const others = this.methods.filter((method) => method !== this.#method);
    return html`
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#method === "oidc" ? this.#there() : this.#method === "passkey"
        ? html`<button class="primary passkey" ?disabled=${this.#busy} @click=${this.#passkey}>${this.#busy ? "Waiting for the passkey…" : "Use passkey"}</button>`
        : html`<form @submit=${this.#submit}>${this.#field()}<button class="primary" ?disabled=${this.#busy}>${this.#busy ? "Checking…" : this.act}</button></form>`}
      ${others.length
        ? html`<div class="other-ways">${others.map((method) => html`<button type="button" class="plain" data-way=${method} @click=${() => void this.#choose(method)}>Use ${{ password: "the", oidc: "your" }[method] ?? "a"} ${CALLED[method] ?? method}</button>`)}</div>`
        : nothing}
    `;
  }
}

customElements.define("sl-proof", ProofForm);
