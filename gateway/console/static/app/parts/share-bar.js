/**
 * The share bar: in the place of the timeline, so that no picture moves or is covered. It makes a share by one more key,
 * or shows how the selected camera is shared and ends it by one.
 * @module
 */

import { html, nothing } from "lit";
import { SlTicking } from "../element.js";
import {
  barLengths, chooseMinutes, chooseOrganisation, closeBar, endShare, endSoon, extend, openBar, shareFromBar, takeOut, turnFollow, turnStick,
} from "../shares.js";
import { DIGITS, partners, sharesOf } from "../shares-model.js";
import { about, left, until } from "../shares-words.js";
import { cameraById, may, store } from "../store.js";
import { say } from "../words.js";
import { people } from "./share-people.js";

/** @typedef {import("../shares-types.js").Bar} Bar */
/** @typedef {import("../shares-types.js").Share} Share */
/** @typedef {import("../types.js").Camera} Camera */

const SOON_MIN = 5;

class ShareBar extends SlTicking {
  /** @param {Bar} bar */
  #make(bar) {
    const { sharing } = this.state;
    const said = bar.problem ? say(bar.problem) : null;
    const known = partners(sharing);
    if (sharing.standing !== "ready") {
      const why = sharing.problem ? say(sharing.problem) : { title: "Looking up the partners you may share with…", cure: "" };
      return html`<p class="bar-said" role="status">${why.title} ${why.cure}</p>`;
    }
    if (known.length === 0) {
      return html`<p class="bar-said" role="status"><strong>There is no partner to share with yet.</strong>
        ${may("administer") ? html`<button @click=${() => store.set({ panel: "sharing", panelOpen: true })}>Open Sharing, then Partners</button>` : "An administrator adds them."}</p>`;
    }
    return html`
      <div class="bar-choices">
        <div class="bar-choice" role="group" aria-label="With whom">
          <span class="bar-label">with</span>
          ${known.slice(0, DIGITS).map(
            (one, index) => html`<button aria-pressed=${bar.organisation === one.id} data-organisation=${one.id}
              @click=${() => chooseOrganisation(one.id)}><kbd>${index + 1}</kbd> ${one.name}</button>`,
          )}
          ${known.length > DIGITS
            ? html`<select aria-label="Another partner" @change=${(/** @type {Event} */ event) => chooseOrganisation(/** @type {HTMLSelectElement} */ (event.target).value)}>
                <option value="" disabled ?selected=${known.findIndex((one) => one.id === bar.organisation) < DIGITS}>others…</option>
                ${known.slice(DIGITS).map((one) => html`<option value=${one.id} ?selected=${one.id === bar.organisation}>${one.name}</option>`)}</select>`
            : nothing}
        </div>
        <div class="bar-choice" role="group" aria-label="For how long">
          <span class="bar-label">for <kbd>←</kbd><kbd>→</kbd></span>
          ${barLengths().map((minutes) => html`<button aria-pressed=${bar.minutes === minutes} data-minutes=${minutes} @click=${() => chooseMinutes(minutes)}>${minutes} min</button>`)}
        </div>
        <div class="bar-choice" role="group" aria-label="How">
          <button aria-pressed=${bar.follow} data-act="follow" title="They see whatever you select, for as long as the share runs" @click=${turnFollow}><kbd>F</kbd> Whatever I select</button>
          <button aria-pressed=${bar.stick} data-act="stick" title="They may ask for the stick; you lend it or not" @click=${turnStick}><kbd>S</kbd> May ask for the stick</button>
        </div>
      </div>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
    `;
  }

  /** @param {Bar} bar @param {Camera} camera */
  #keys(bar, camera) {
    return html`<div class="buttons">
      <button class="plain" data-act="leave" @click=${closeBar}>Leave it <kbd>Esc</kbd></button>
      <button class="primary" id="share-now" ?disabled=${bar.busy || bar.organisation === null} @click=${() => void shareFromBar()}>
        ${bar.busy ? "Sharing…" : html`Share ${camera.number} <kbd>Enter</kbd>`}</button>
    </div>`;
  }

  /** @param {Share} share @param {Camera} camera @param {boolean} first whether the keys are its own */
  #share(share, camera, first) {
    const now = store.serverClock.now();
    const key = (/** @type {string} */ name) => (first ? html` <kbd>${name}</kbd>` : nothing);
    return html`
      <section class="bar-share" data-share=${share.id} aria-label="Shared with ${share.organisation_name}">
        <p><b>${share.title === share.organisation_name ? share.organisation_name : `${share.title}, with ${share.organisation_name}`}</b>
          until ${until(share.end, now)} · <b class="bar-left">${left(Date.parse(share.end) - now)} left</b>
          <small>${share.follow ? "follow-me · " : ""}${about(share)} · by ${share.made_by}</small></p>
        <div class="buttons">
          <button class="end" data-act="end" @click=${() => void endShare(share)}>End${key("Del")}</button>
          ${share.kind === "standing" ? nothing : html`<button data-act="extend" @click=${() => void extend(share)}>30 min more${key("X")}</button>`}
          <button data-act="soon" @click=${() => void endSoon(share, SOON_MIN)}>End in ${SOON_MIN} min</button>
          ${share.follow ? nothing : html`<button data-act="take-out" @click=${() => void takeOut(share, camera.id)}>Take ${camera.number} out${key("C")}</button>`}
        </div>
        ${people(share, true)}
      </section>
    `;
  }

  /** @override */
  render() {
    const { sharing } = this.state;
    const { bar } = sharing;
    const camera = cameraById(bar?.camera);
    if (!bar || !camera) return nothing;
    const shares = sharesOf(sharing, camera.id);
    const showing = bar.mode === "shown";
    return html`
      <section class="share-bar" data-mode=${bar.mode} aria-label=${showing ? "How this camera is shared" : "Share this camera"}>
        <header>
          <h2>${showing ? "Shared:" : "Share"} <span class="number">${camera.number}</span> ${camera.name}</h2>
          ${showing
            ? html`<div class="buttons"><button class="plain" data-act="another" @click=${openBar}>Share with somebody else too <kbd>W</kbd></button>
                <button class="plain" data-act="close" @click=${closeBar}>Close <kbd>Esc</kbd></button></div>`
            : html`${shares.length ? html`<span class="quiet">it is shared already; this adds another share</span>` : nothing}
                ${sharing.standing === "ready" && partners(sharing).length ? this.#keys(bar, camera) : nothing}`}
        </header>
        ${showing ? shares.map((share, index) => this.#share(share, camera, index === 0)) : this.#make(bar)}
      </section>
    `;
  }
}

customElements.define("sl-share-bar", ShareBar);
