/**
 * What one has to sign in with besides the password: passkeys, an authenticator app, recovery codes.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { create, usable } from "../passkeys.js";
import { tell } from "../store.js";
import { day } from "../time.js";
import { say } from "../words.js";

/** @typedef {import("../types.js").Problem} Problem */
/** @typedef {{id: string, name: string, created: string, used: string | null, here: boolean}} Passkey */
/** @typedef {{totp: string | null, passkeys: Passkey[], recovery_left: number, required: boolean}} Known */
/** @typedef {{ticket: string, secret: string, uri: string, picture: string}} Offer */

const FEW = 3;

export class Factors extends SlElement {
  /** @type {Known | null} */
  #known = null;
  /** @type {Offer | null} */
  #offer = null;
  #naming = false;
  /** @type {string[]} */
  #codes = [];
  /** @type {Problem | null} */
  #problem = null;
  #sure = "";
  /** Called when a first factor is there and its recovery codes are kept. @type {() => void} */
  whenEnrolled = () => {};

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  /** @param {() => Promise<void>} work */
  async #attempt(work) {
    this.#problem = null;
    try {
      await work();
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  async #load() {
    await this.#attempt(async () => {
      this.#known = await get("/session/factors");
    });
  }

  /** @param {{recovery_codes: string[]}} answer @param {string} done */
  async #taken({ recovery_codes: codes }, done) {
    this.#offer = null;
    this.#naming = false;
    this.#codes = codes;
    tell(done);
    await this.#load();
    if (codes.length === 0) this.whenEnrolled();
  }

  #addTotp() {
    void this.#attempt(async () => {
      this.#offer = await send("POST", "/session/factors/totp");
      this.requestUpdate();
      await this.updateComplete;
      /** @type {HTMLElement | null} */ (this.querySelector("#totp-code"))?.focus();
    });
  }

  /** @param {Event} event */
  #takeTotp(event) {
    const { code = "" } = fields(event);
    void this.#attempt(async () => {
      await this.#taken(await send("PUT", "/session/factors/totp", { ticket: this.#offer?.ticket, code }), "The authenticator app is added.");
    });
  }

  async #namePasskey() {
    this.#naming = true;
    this.requestUpdate();
    await this.updateComplete;
    /** @type {HTMLInputElement | null} */ (this.querySelector("#passkey-name"))?.select();
  }

  /** @param {Event} event */
  #addPasskey(event) {
    const { name = "" } = fields(event);
    void this.#attempt(async () => {
      const { ticket, options } = await send("POST", "/session/factors/passkeys/options");
      const credential = await create(options);
      await this.#taken(await send("POST", "/session/factors/passkeys", { ticket, name, credential }), `The passkey “${name}” is added.`);
    });
  }

  /** Two clicks: the first asks. @param {string} path @param {string} what */
  #remove(path, what) {
    if (this.#sure !== path) {
      this.#sure = path;
      this.requestUpdate();
      return;
    }
    this.#sure = "";
    void this.#attempt(async () => {
      await send("DELETE", path);
      tell(`${what} is removed.`);
      await this.#load();
    });
  }

  #renew() {
    void this.#attempt(async () => {
      this.#codes = (await send("POST", "/session/factors/recovery")).recovery_codes;
      await this.#load();
    });
  }

  /** @param {string} path @param {string} what */
  #remover(path, what) {
    const sure = this.#sure === path;
    return html`<button class="plain remove ${sure ? "sure" : ""}" aria-label="${sure ? "Really remove" : "Remove"} ${what}"
      @blur=${() => { this.#sure = ""; this.requestUpdate(); }} @click=${() => this.#remove(path, what)}>${sure ? "Really?" : "Remove"}</button>`;
  }

  #shownCodes() {
    return html`
      <section class="recovery" aria-labelledby="recovery-title">
        <h3 id="recovery-title">Recovery codes: keep them where you find them without this device</h3>
        <p class="hint">Each lets you in once in place of the passkey or app. They are shown this once.</p>
        <ol class="codes">${this.#codes.map((code) => html`<li><code>${code}</code></li>`)}</ol>
        <div class="buttons">
          <button @click=${() => void navigator.clipboard.writeText(this.#codes.join("\n")).then(() => tell("The codes are copied."))}>Copy</button>
          <button class="primary" id="codes-kept" @click=${() => { this.#codes = []; this.requestUpdate(); this.whenEnrolled(); }}>I have kept them</button>
        </div>
      </section>
    `;
  }

  /** @param {Offer} offer */
  #offered(offer) {
    return html`
      <section class="offer">
        <p>Scan this with the app on your phone, or type the secret into it.</p>
        <img class="qr" src=${offer.picture} alt="QR code of the secret that stands below" width="180" height="180">
        <p><code class="secret">${offer.secret.match(/.{1,4}/g)?.join(" ")}</code></p>
        <form @submit=${this.#takeTotp}>
          <label for="totp-code">The code that it shows now</label>
          <input id="totp-code" name="code" class="code" required inputmode="numeric" autocomplete="one-time-code" maxlength="7" spellcheck="false">
          <div class="buttons"><button class="primary">Add the app</button>
            <button type="button" class="plain" @click=${() => { this.#offer = null; this.requestUpdate(); }}>Not now</button></div>
        </form>
      </section>
    `;
  }

  #named() {
    return html`
      <form @submit=${this.#addPasskey}>
        <label for="passkey-name">What to call it</label>
        <input id="passkey-name" name="name" required maxlength="60" autocomplete="off" .value=${suggested()}>
        <div class="buttons"><button class="primary">Add the passkey</button>
          <button type="button" class="plain" @click=${() => { this.#naming = false; this.requestUpdate(); }}>Not now</button></div>
      </form>
    `;
  }

  /** @param {Known} known */
  #list(known) {
    const any = known.totp !== null || known.passkeys.length > 0;
    return html`
      ${any ? html`<ul class="factors">
        ${known.passkeys.map(
          (key) => html`<li class="person"><span class="camera-name">${key.name}<small>passkey · ${key.used ? `last used ${day(Date.parse(key.used))}` : `added ${day(Date.parse(key.created))}`}${key.here ? "" : " · works at another address only"}</small></span>
            ${this.#remover(`/session/factors/passkeys/${key.id}`, key.name)}</li>`,
        )}
        ${known.totp !== null
          ? html`<li class="person"><span class="camera-name">Authenticator app<small>since ${day(Date.parse(known.totp))}</small></span>
              ${this.#remover("/session/factors/totp", "The authenticator app")}</li>`
          : nothing}
        <li class="person"><span class="camera-name">Recovery codes<small class=${known.recovery_left < FEW ? "attention" : ""}>${known.recovery_left} left</small></span>
          <button class="plain" id="renew-codes" @click=${this.#renew}>Make new ones</button></li>
      </ul>`
        : html`<p class="hint">A password alone lets you in. With one of these, somebody who has learned it cannot get in.</p>`}
      ${this.#naming ? this.#named() : this.#offer ? this.#offered(this.#offer) : this.#adders(known)}
    `;
  }

  /** @param {Known} known */
  #adders(known) {
    return html`<div class="buttons">
      ${usable() ? html`<button id="add-passkey" @click=${() => void this.#namePasskey()}>Add a passkey</button>` : nothing}
      <button id="add-totp" @click=${this.#addTotp}>${known.totp === null ? "Add an authenticator app" : "Change to another app"}</button>
    </div>
    ${usable() ? nothing : html`<p class="hint">Passkeys need this console to be opened by its name, over HTTPS.</p>`}`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#codes.length ? this.#shownCodes() : this.#known ? this.#list(this.#known) : nothing}
    `;
  }
}

/** @returns {string} a name for the passkey of this device */
function suggested() {
  const system = /(iPhone|iPad|Android|Windows|Mac|Linux)/.exec(navigator.userAgent)?.[1] ?? "This device";
  return system === "Mac" ? "This Mac" : system;
}

customElements.define("sl-factors", Factors);
