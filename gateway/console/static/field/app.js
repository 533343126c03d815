/**
 * The page: who is here and what is open decide what is shown. Without the gateway it goes on with what this phone has.
 * @module
 */

import { html, nothing } from "lit";
import "../app/parts/confirm.js";
import "../app/parts/gate.js";
import "../app/parts/veil.js";
import "./down.js";
import "./list.js";
import "./up.js";
import "./waiting.js";
import { begin, signOut } from "../app/session.js";
import { store } from "../app/store.js";
import { ofOthers } from "./outbox.js";
import { FieldElement, opened, ours } from "./state.js";
import { close } from "./work.js";

class FieldApp extends FieldElement {
  /** @override */
  createRenderRoot() {
    this.replaceChildren();
    return this;
  }

  #strip() {
    const { reach } = this.field;
    const waits = ours().length;
    const stuck = ours().some(({ refused }) => refused);
    const words = stuck ? "refused" : waits > 0 ? `${waits} to send` : reach === "up" ? "all sent" : "no network";
    const mark = stuck ? "!" : waits > 0 ? "↑" : reach === "up" ? "✓" : "○";
    return html`<header class="field-strip">
      ${this.field.open ? html`<button class="back" @click=${close} aria-label="Back to the list">‹ Back</button>` : html`<span class="wordmark">Sightline</span>`}
      <span class="field-sent" role="status" data-reach=${reach} data-waits=${waits} data-stuck=${stuck}><span aria-hidden="true">${mark}</span> ${words}${
        reach === "down" && waits > 0 ? " · no network" : ""}</span>
    </header>`;
  }

  /** What waits of others is theirs to send. */
  #ofOthers() {
    return ofOthers(this.field.outbox, this.field.user?.id).map(({ name, count }) => html`<p class="field-kept" role="status" data-theirs=${count}>${
      count === 1 ? "A step" : `${count} steps`} of ${name} ${count === 1 ? "waits" : "wait"} on this phone. They are sent when ${name} signs in here.</p>`);
  }

  /** Locked, and nobody can be asked to open it. @param {string} name @param {string} session */
  #shut(name, session) {
    return html`<main class="field" data-lock="locked" data-session=${session}><section class="card" id="shut"><h1>This page is locked.</h1>
      <p>${name} is signed in on this phone. It takes the network to open it: nothing is shown until then, and nothing can be done in anybody’s name.</p>
      <p class="quiet">What was done and begun here is still on the phone.</p>
      <button class="primary" @click=${() => void begin()}>Try now</button></section>${this.#ofOthers()}</main>`;
  }

  #body() {
    const { barred, open } = this.field;
    if (barred) return html`<section class="card"><h1>${barred.title}</h1><p>${barred.cure}</p></section>`;
    if (open === null) return html`<field-list></field-list>`;
    const one = opened();
    if (!one) return html`<section class="card"><h1>It is not here any more.</h1><p>Somebody else took the next step. Go back to the list.</p></section>`;
    // Who begins to put it up signs it off here, when it stands already.
    const putting = one.stage === "planned" || (one.stage === "deployed" && one.signed_off === null && (this.field.draft?.seen !== "" || this.field.draft?.up) && !this.field.draft?.down);
    return putting ? html`<field-up></field-up>` : html`<field-down></field-down>`;
  }

  /** @override */
  render() {
    const { session, lock, notice } = this.state;
    const alone = (session === "unreachable" || session === "starting") && this.field.user !== null;
    if (session === "astray") {
      return html`<main class="field"><section class="card"><h1>This page is for field teams.</h1>
        <p>What is shared with you is at <a href="/watch">/watch</a>.</p><button @click=${() => void signOut()}>Sign out</button></section></main>`;
    }
    if (this.field.shut !== null && (session === "unreachable" || session === "starting")) return this.#shut(this.field.shut.name, session);
    if (session !== "signed-in" && !alone) {
      return html`<sl-gate></sl-gate><sl-confirm></sl-confirm>${this.#ofOthers()}`;
    }
    return html`<main class="field" data-lock=${lock} data-session=${session}>
        ${this.#strip()}
        ${notice && notice.kind !== "news" ? html`<div class="said attention notice" role="alert"><p>${notice.text}</p><button @click=${() => store.set({ notice: null })}>Understood</button></div>` : nothing}
        ${lock === "open" ? html`<field-waiting></field-waiting>${this.#ofOthers()}${this.#body()}` : nothing}
      </main>
      <sl-veil></sl-veil><sl-confirm></sl-confirm>`;
  }
}

customElements.define("field-app", FieldApp);
