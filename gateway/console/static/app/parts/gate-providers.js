/**
 * Signing in with an account that others keep: a button for each provider, which leads to its own page.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { SlElement } from "../element.js";
import { say } from "../words.js";

/** @typedef {{id: string, name: string}} Provider */

class GateProviders extends SlElement {
  /** @type {Provider[]} */
  #providers = [];
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  /** Where a provider is asked for its page, and with what. @type {(provider: Provider) => [string, object]} */
  departure = ({ id }) => [`/oidc/${id}/start`, { return_to: location.pathname }];
  /** What stands on its button. @type {(provider: Provider) => string} */
  word = ({ name }) => `Sign in with ${name}`;
  /** What the buttons are together. */
  label = "Sign in with another account";
  /** The one that is being gone to. */
  #going = "";
  /** Back from there by the browser's own key: the page is as it was left. @param {PageTransitionEvent} event */
  #shown = (event) => {
    if (!event.persisted) return;
    this.#going = "";
    this.requestUpdate();
  };

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    addEventListener("pageshow", this.#shown);
    void this.#learn();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener("pageshow", this.#shown);
  }

  async #learn() {
    // Without an answer there is the form above, and nothing to say.
    this.#providers = await get("/oidc/providers").catch(() => []);
    this.requestUpdate();
  }

  /** @param {Provider} provider */
  async #go(provider) {
    this.#problem = null;
    this.#going = provider.id;
    this.requestUpdate();
    try {
      const { url } = await send("POST", ...this.departure(provider));
      location.assign(url);
    } catch (error) {
      this.#problem = problemOf(error);
      this.#going = "";
      this.requestUpdate();
    }
  }

  #said() {
    if (!this.#problem) return nothing;
    const { title, cure } = say(this.#problem);
    return html`<p class="said attention" role="alert"><strong>${title}</strong> ${cure}</p>`;
  }

  /** @override */
  render() {
    if (this.#providers.length === 0) return nothing;
    return html`
      <div class="gate-providers" role="group" aria-label=${this.label}>
        <p class="gate-or" aria-hidden="true">or</p>
        ${this.#said()}
        ${this.#providers.map(
          (provider) => html`
            <button type="button" data-provider=${provider.id} ?disabled=${this.#going !== ""} @click=${() => void this.#go(provider)}>
              ${this.#going === provider.id ? "Going there…" : this.word(provider)}
            </button>
          `,
        )}
      </div>
    `;
  }
}

customElements.define("sl-gate-providers", GateProviders);
