/**
 * Before the pictures: an invitation, signing in, the second factor, the terms; and a page that is not for whoever came.
 * @module
 */

import { html, nothing } from "lit";
import "../app/parts/factors.js";
import "../app/parts/gate-providers.js";
import "../app/parts/gate-sign-in.js";
import { get, problemOf, send } from "../app/api.js";
import { fields } from "../app/element.js";
import { leftWords } from "../app/parts/left.js";
import { hidePasswords, passwordField } from "../app/parts/password.js";
import { begin, further, signOut } from "../app/session.js";
import { store } from "../app/store.js";
import { say } from "../app/words.js";
import { WatchElement } from "./state.js";

/** @typedef {import("../app/types.js").Problem} Problem */
/** @typedef {{username: string, name: string, organisation: string, expires: string}} Invited */
/** @typedef {{version: string, text: string, accepted: boolean}} Terms */

/** A code comes in the part of the address that no server is sent; it is read once and taken out of it. */
function codeInAddress() {
  const code = new URLSearchParams(location.hash.slice(1)).get("join") ?? "";
  if (code) history.replaceState(null, "", location.pathname);
  return code;
}

class WatchGate extends WatchElement {
  #code = codeInAddress();
  #joining = this.#code !== "";
  /** @type {Invited | null} */
  #invited = null;
  /** @type {Terms | null} */
  #terms = null;
  /** @type {Problem | null} */
  #problem = null;
  #busy = false;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    addEventListener("hashchange", this.#hashed);
    if (this.#code) void this.#look(this.#code);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.#hashed);
  }

  /** A link that was opened in a page that stood here already. */
  #hashed = () => {
    const code = codeInAddress();
    if (!code) return;
    this.#joining = true;
    void this.#look(code);
  };

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

  #said() {
    if (!this.#problem) return nothing;
    const { title, cure } = say(this.#problem);
    return html`<p id="gate-problem" class="said attention" role="alert" tabindex="-1"><strong>${title}</strong> ${cure}</p>`;
  }

  // --- the invitation

  /** @param {string} code */
  #look(code) {
    return this.#attempt(async () => {
      this.#code = code;
      this.#invited = null;
      this.#invited = await send("POST", "/invitation", { code });
    });
  }

  /** @param {Event} event */
  #enrol(event) {
    const { password = "", password_again: again } = fields(event);
    hidePasswords(this);
    if (password !== again) {
      this.#problem = { type: "page", title: "The two passwords differ.", cure: "Type the same one twice." };
      this.requestUpdate();
      return;
    }
    void this.#attempt(async () => {
      await further(await send("POST", "/enrolment", { code: this.#code, password }));
      this.#joining = false;
      this.#code = "";
    });
  }

  #leave() {
    this.#joining = false;
    this.#invited = this.#problem = null;
    this.#code = "";
    this.requestUpdate();
  }

  #codeForm() {
    return html`
      <h1>Use an invitation</h1>
      <p class="quiet">The control room gave you a code. It works once, and not for long.</p>
      ${this.#said()}
      <form @submit=${(/** @type {Event} */ event) => void this.#look(fields(event).code ?? "")}>
        <label for="join-code">Code</label>
        <input id="join-code" class="code" name="code" required autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" maxlength="64" .value=${this.#code} autofocus>
        <button class="primary" ?disabled=${this.#busy}>${this.#busy ? "Looking…" : "Continue"}</button>
      </form>
      <button class="plain" @click=${this.#leave}>Sign in instead</button>
    `;
  }

  /** @param {Invited} invited */
  #join(invited) {
    return html`
      <h1>Welcome, ${invited.name}</h1>
      <p class="quiet">You are invited for <strong>${invited.organisation}</strong>, under the user name <strong>${invited.username}</strong>. Is that not you, or is your name wrong? Then close this page and tell the control room.</p>
      ${this.#said()}
      <form @submit=${this.#enrol}>
        <p>This is drawn over the pictures: <strong id="join-name">${invited.name}</strong></p>
        <input class="away" name="username" autocomplete="username" tabindex="-1" aria-hidden="true" .value=${invited.username} readonly>
        ${passwordField({ id: "join-password", name: "password", label: "Password", autocomplete: "new-password", hint: "At least 12 characters. Several words are better than one with signs in it.", autofocus: true })}
        ${passwordField({ id: "join-again", name: "password_again", label: "Password again", autocomplete: "new-password" })}
        <button class="primary" ?disabled=${this.#busy}>${this.#busy ? "Enrolling…" : "Enrol"}</button>
      </form>
      <sl-gate-providers
        .label=${"Enrol with an account that you have"}
        .word=${(/** @type {{name: string}} */ { name }) => `Use ${name} instead of a password`}
        .departure=${(/** @type {{id: string}} */ { id }) => [`/oidc/${id}/enrolment`, { code: this.#code }]}></sl-gate-providers>
      <button class="plain" @click=${this.#leave}>Sign in instead</button>
    `;
  }

  // --- the terms

  #termsForm() {
    if (this.#terms === null && !this.#busy && !this.#problem) {
      void this.#attempt(async () => {
        this.#terms = await get("/terms");
      });
    }
    const terms = this.#terms;
    const accept = () =>
      this.#attempt(async () => {
        await send("POST", "/terms", { version: terms?.version });
        this.#terms = null;
      });
    return html`
      <h1>Before you see anything</h1>
      ${this.#said()}
      ${terms
        ? html`<div class="terms" tabindex="0" role="region" aria-label="Terms">${terms.text.split(/\n+/).map((part) => html`<p>${part}</p>`)}</div>
            <button class="primary" id="accept" ?disabled=${this.#busy} @click=${() => void accept()}>I accept these terms</button>`
        : nothing}
      ${this.#problem ? html`<button @click=${() => { this.#problem = this.#terms = null; this.requestUpdate(); }}>Read them again</button>` : nothing}
      <button class="plain" @click=${() => void signOut()}>Sign out</button>
    `;
  }

  // --- the rest

  #second() {
    return html`
      <h1>Add a second factor</h1>
      <p class="quiet">With it, a password that somebody has learned does not show them these pictures.</p>
      <sl-factors .whenEnrolled=${() => void begin()}></sl-factors>
      <button class="plain" @click=${() => void signOut()}>Sign out</button>
    `;
  }

  #astray() {
    const { user } = this.state;
    return html`
      <h1>This page is for partners</h1>
      <p>You are signed in as ${user?.name || user?.username}, of the control room. This page shows only what the room shares with other organisations.</p>
      <a class="primary" href="/">Go to the control room</a>
      <button class="plain" @click=${() => void signOut()}>Sign out</button>
    `;
  }

  /** @param {Problem} problem */
  #barred(problem) {
    const { title, cure } = say(problem);
    return html`
      <h1>No pictures here</h1>
      <p class="said attention" role="alert"><strong>${title}</strong> ${cure}</p>
      <p class="hint">It is tried again by itself.</p>
      <button class="plain" @click=${() => void signOut()}>Sign out</button>
    `;
  }

  #waiting() {
    const lost = this.state.session === "unreachable";
    if (lost && this.state.leaving) return leftWords();
    return html`
      <h1>${lost ? "The control room's server does not answer" : "Looking up what is shared with you…"}</h1>
      ${lost
        ? html`<p class="said attention" role="alert">Nothing came back from <strong>${location.host}</strong>. Check your network, or try another one. It is tried again every two seconds.</p>
            <button @click=${() => void begin()}>Try now</button>`
        : nothing}
    `;
  }

  #body() {
    const { session } = this.state;
    if (session === "setup") return html`<h1>Not in use yet</h1><p>This system has not been set up. Ask the control room.</p>`;
    if (session === "astray") return this.#astray();
    if (session === "enrol") return this.#second();
    if (session === "signed-in") return this.watched.barred ? this.#barred(this.watched.barred) : this.watched.mine?.terms_due ? this.#termsForm() : this.#waiting();
    if (session === "signed-out" && this.#joining) return this.#invited ? this.#join(this.#invited) : this.#codeForm();
    if (session === "signed-out" || session === "second") {
      return html`<sl-gate-sign-in .forgotten=${"Forgotten it? Ask the control room to invite you again."}></sl-gate-sign-in>
        ${session === "signed-out" ? html`<button class="plain" id="join" @click=${() => { this.#joining = true; this.requestUpdate(); }}>I have an invitation</button>` : nothing}`;
    }
    return this.#waiting();
  }

  /** @override */
  render() {
    return html`
      <main class="gate" data-gate=${this.state.session}>
        <div class="gate-mark" aria-hidden="true"></div>
        <section class="gate-card"><p class="wordmark">Sightline <span class="quiet">shared views</span></p>${this.#body()}</section>
        <p class="gate-foot">What you watch, and when, is written to an audit record under your name.</p>
      </main>
    `;
  }

  /** @override */
  updated() {
    const field = /** @type {HTMLElement | null} */ (this.querySelector("[autofocus]"));
    if (document.activeElement === document.body) field?.focus();
    if (store.state.session !== "signed-in") this.#terms = null;
  }
}

customElements.define("watch-gate", WatchGate);
