/**
 * Accounts that others keep, with which one signs in here: tied to oneself, and untied.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { SlElement } from "../element.js";
import { tell } from "../store.js";
import { day } from "../time.js";
import { begin, tied } from "../tying.js";
import { say } from "../words.js";

/** @typedef {{id: string, provider: string | null, issuer: string, subject: string, governs: boolean, created: string, signed_in: string | null}} Account */
/** @typedef {import("../confirm-there.js").Provider} Provider */

class Accounts extends SlElement {
  /** @type {Account[]} */
  #accounts = [];
  /** @type {Provider[]} */
  #providers = [];
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #untying = "";
  #going = "";

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#attempt(() => this.#load());
  }

  async #load() {
    [this.#accounts, this.#providers] = await Promise.all([get("/session/accounts"), get("/oidc/providers")]);
    const tying = tied();
    if (tying && this.#accounts.some((account) => account.provider === tying)) tell(`You can sign in with ${this.#called(tying)} from now on.`);
  }

  /** @param {string | null} provider */
  #called = (provider) => this.#providers.find(({ id }) => id === provider)?.name ?? "a provider that is no longer set up";

  /** @param {() => Promise<void>} work */
  async #attempt(work) {
    this.#problem = null;
    try {
      await work();
    } catch (error) {
      this.#problem = problemOf(error);
      this.#going = "";
    }
    this.requestUpdate();
  }

  /** @param {Provider} provider */
  #tie(provider) {
    void this.#attempt(async () => {
      const { url } = await send("POST", `/session/accounts/${provider.id}`);
      this.#going = provider.id;
      begin(provider.id);
      location.assign(url);
    });
  }

  /** @param {Account} account */
  #untie(account) {
    if (this.#untying !== account.id) {
      this.#untying = account.id;
      this.requestUpdate();
      return;
    }
    this.#untying = "";
    void this.#attempt(async () => {
      await send("DELETE", `/session/accounts/${account.id}`);
      await this.#load();
      tell("That account opens nothing here any more.");
    });
  }

  /** @param {Account} account */
  #row(account) {
    return html`<li class="person" data-account=${account.provider ?? ""}>
      <span class="camera-name">${this.#called(account.provider)}
        <small>${account.governs ? "says what you may do here" : `tied on ${day(Date.parse(account.created))}`}${account.signed_in ? `, last used ${day(Date.parse(account.signed_in))}` : ""}</small></span>
      ${account.governs ? nothing : html`<button class="plain remove ${this.#untying === account.id ? "sure" : ""}" aria-label="Untie ${this.#called(account.provider)}"
        @blur=${() => { this.#untying = ""; this.requestUpdate(); }} @click=${() => this.#untie(account)}>${this.#untying === account.id ? "Really?" : "Untie"}</button>`}
    </li>`;
  }

  /** @override */
  render() {
    const open = this.#providers.filter(({ id }) => !this.#accounts.some((account) => account.provider === id || account.governs));
    if (this.#accounts.length === 0 && open.length === 0 && !this.#problem) return nothing;
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h3>Accounts elsewhere</h3>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      <ul class="people">${this.#accounts.map((account) => this.#row(account))}</ul>
      ${open.length ? html`<div class="buttons">${open.map((provider) => html`<button data-tie=${provider.id} ?disabled=${this.#going !== ""} @click=${() => this.#tie(provider)}>${this.#going === provider.id ? "Going there…" : `Tie ${provider.name} to you`}</button>`)}</div>` : nothing}
    `;
  }
}

customElements.define("sl-accounts", Accounts);