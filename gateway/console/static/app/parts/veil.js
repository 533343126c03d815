/**
 * Over a console that is locked, or is a wallboard: the pictures stay, and a proof gives the rest back.
 * @module
 */

import { html, nothing } from "lit";
import "./proof.js";
import { get } from "../api.js";
import { SlElement } from "../element.js";
import { confirm, confirmChallenge, look, signOut, ways } from "../session.js";

class Veil extends SlElement {
  /** @type {string[] | null} */
  #methods = null;
  /** On a wallboard the form is out of sight until somebody asks for it. */
  #asked = false;
  #was = "open";

  /** @param {object} proof */
  #prove = async (proof) => {
    await confirm(proof, () => this.state.lock !== "open");
    await look();
  };

  /** @override */
  willUpdate() {
    const { lock } = this.state;
    if (lock === this.#was) return;
    this.#was = lock;
    this.#asked = lock === "locked";
    if (lock !== "open" && this.#methods === null) {
      void get("/session/confirm/methods").then((methods) => {
        this.#methods = methods;
        this.requestUpdate();
      }, () => {});
    }
    if (lock === "open") this.#methods = null;
  }

  #card() {
    const { lock, user } = this.state;
    return html`
      <section class="veil-card" aria-labelledby="veil-title">
        <h2 id="veil-title">${lock === "wall" ? "Wallboard" : "Locked"}</h2>
        <p class="quiet">${user?.name || user?.username} is signed in. ${lock === "wall" ? "" : "Nobody touched this console for a while, or somebody locked it."}</p>
        ${this.#methods ? html`<sl-proof .methods=${ways(this.#methods)} .prove=${this.#prove} .challenge=${confirmChallenge} .act=${"Unlock"}></sl-proof>` : nothing}
        <div class="other-ways">
          ${lock === "wall" ? html`<button type="button" class="plain" @click=${() => { this.#asked = false; this.requestUpdate(); }}>Leave it a wallboard</button>` : nothing}
          <button type="button" class="plain" @click=${() => void signOut()}>Sign out</button>
        </div>
      </section>
    `;
  }

  /** @override */
  render() {
    const { lock } = this.state;
    if (lock === "open") return nothing;
    if (this.#asked) return this.#card();
    return html`<button class="veil-corner" id="unlock" @click=${() => { this.#asked = true; this.requestUpdate(); }}>Wallboard · unlock</button>`;
  }
}

customElements.define("sl-veil", Veil);
