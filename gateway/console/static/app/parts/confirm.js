/**
 * Asks who is there, at the moment that it is needed; what asked for it then goes on by itself.
 * @module
 */

import { html, nothing } from "lit";
import "./proof.js";
import { SlElement } from "../element.js";
import { confirm, confirmChallenge, signOut, ways } from "../session.js";

class ConfirmDialog extends SlElement {
  /** @param {object} proof */
  #prove = async (proof) => {
    const asked = this.state.confirming;
    await confirm(proof, () => this.state.confirming === asked);
    asked?.settle(true);
  };

  /** @override */
  updated() {
    const dialog = /** @type {HTMLDialogElement | null} */ (this.querySelector("dialog"));
    if (dialog && !dialog.open) dialog.showModal();
  }

  /** @override */
  render() {
    const { confirming, user } = this.state;
    if (!confirming) return nothing;
    const methods = ways(confirming.methods);
    const giveUp = () => confirming.settle(false);
    return html`
      <dialog class="ask" aria-labelledby="confirm-title" @cancel=${giveUp}>
        <h2 id="confirm-title">Confirm that it is you</h2>
        <p class="quiet">${user?.name || user?.username}, this needs a fresh proof. It then holds for a while.</p>
        ${methods.length
          ? html`<sl-proof .methods=${methods} .prove=${this.#prove} .challenge=${confirmChallenge}></sl-proof>`
          : html`<p>Sign in again to go on.</p><button class="primary" @click=${() => void signOut()}>Sign out</button>`}
        <button type="button" class="plain give-up" @click=${giveUp}>Leave it</button>
      </dialog>
    `;
  }
}

customElements.define("sl-confirm", ConfirmDialog);
