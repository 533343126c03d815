/**
 * Inviting somebody of a partner: the code is shown this once, as a link and as a picture for a phone.
 * @module
 */

import { html, nothing } from "lit";
import { problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { loadPartners } from "../shares.js";
import { until } from "../shares-words.js";
import { store, tell } from "../store.js";
import { say } from "../words.js";

/** @typedef {import("../shares-types.js").Organisation} Organisation */
/** @typedef {import("../shares-types.js").Invitation & {code: string, link: string, picture: string}} Shown */

class PartnerInvite extends SlElement {
  /** @override */
  static properties = { organisation: { attribute: false } };
  /** @type {Shown | null} */
  #shown = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;

  constructor() {
    super();
    this.organisation = /** @type {Organisation | null} */ (null);
  }

  /** @param {Event} event */
  async #invite(event) {
    const { username = "", name = "" } = fields(event);
    this.#problem = null;
    try {
      this.#shown = await send("POST", `/organisations/${this.organisation?.id}/invitations`, { username, name });
      await loadPartners();
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  /** @param {Shown} shown */
  #once(shown) {
    const done = () => {
      this.#shown = null;
      this.requestUpdate();
    };
    return html`
      <section class="offer invitation" aria-labelledby="invitation-title">
        <h4 id="invitation-title">Invitation for ${shown.name}</h4>
        <p class="hint">Give it to them in person or by phone. It is shown this once, works once, and until ${until(shown.expires, store.serverClock.now())}.</p>
        <img class="qr" src=${shown.picture} alt="QR code of the link below" width="180" height="180">
        <p><code class="secret" id="invitation-code">${shown.code}</code></p>
        <p><code class="secret" id="invitation-link">${shown.link}</code></p>
        <div class="buttons">
          <button @click=${() => void copy(shown.link)}>Copy the link</button>
          <button class="primary" id="invitation-given" @click=${done}>They have it</button>
        </div>
      </section>
    `;
  }

  /** @override */
  render() {
    const { organisation } = this;
    if (!organisation) return nothing;
    if (this.#shown) return this.#once(this.#shown);
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h4>Invite somebody</h4>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      <form @submit=${(/** @type {Event} */ event) => void this.#invite(event)}>
        <div class="pair">
          <div><label for="invite-name">Rank, number and name</label><input id="invite-name" name="name" required maxlength="100" autocomplete="off" placeholder="PC 1234 Smith"></div>
          <div><label for="invite-username">User name</label><input id="invite-username" name="username" required maxlength="64" pattern="[\\w.@\\-]+" autocomplete="off" spellcheck="false" autocapitalize="none" placeholder="pc.1234"></div>
        </div>
        <button>Invite</button>
      </form>
    `;
  }
}

/** Browsers let a page copy only where it came over HTTPS. @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell("The link is copied.");
  } catch {
    tell("This browser lets nothing be copied here. Mark the link and copy it.", "attention");
  }
}

customElements.define("sl-partner-invite", PartnerInvite);
