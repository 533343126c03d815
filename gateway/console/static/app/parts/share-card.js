/**
 * One share: what it gives to whom until when, who watches, what was written, and everything that can be changed.
 * @module
 */

import { html, nothing } from "lit";
import "./instant.js";
import "./share-notes.js";
import "./share-outlets.js";
import { callUp } from "../actions.js";
import { SlTicking, fields } from "../element.js";
import { follow } from "../shares-following.js";
import { changeTerms, endShare, extend, takeBack, takeOut } from "../shares.js";
import { about, counted, left, until } from "../shares-words.js";
import { cameraById, store } from "../store.js";
import { toIso } from "../time.js";
import { people, watchersOf } from "./share-people.js";

/** @typedef {import("../shares-types.js").Share} Share */

/** The streams that a share may give. @type {[value: string, label: string][]} */
export const STREAMS = [
  ["line", "what their line carries"],
  ["main", "main only"],
  ["sub", "small only"],
];

class ShareCard extends SlTicking {
  /** @override */
  static properties = { share: { attribute: false } };
  #more = false;

  constructor() {
    super();
    this.share = /** @type {Share | null} */ (null);
  }

  /** @param {Share} share @param {string} id */
  #camera(share, id) {
    const camera = cameraById(id);
    if (!camera) return html`<span class="quiet">a camera that you do not see</span>`;
    return html`<button class="number" title="Show ${camera.name}" @click=${() => callUp(camera)}>${camera.number}</button>
      ${this.#more && !share.follow
        ? html`<button class="plain take-out" data-act="take-out" aria-label="Take camera ${camera.number} out of this share" @click=${() => void takeOut(share, id)}>take out</button>`
        : nothing}`;
  }

  /** @param {Share} share */
  #cameras(share) {
    const here = this.state.sharing.following === share.id;
    const own = share.made_by_id === this.state.user?.id;
    return html`<p class="share-cameras">
      ${share.follow ? html`<b>Follow-me</b> ${here ? "at this console" : own ? html`<button data-act="follow-here" @click=${() => follow(share.id)}>Follow here</button>` : `of ${share.made_by}`}:` : "Cameras"}
      ${share.cameras.length ? share.cameras.map((id) => this.#camera(share, id)) : html`<span class="quiet">nothing is selected</span>`}</p>`;
  }

  /** @param {Share} share */
  #loans(share) {
    const now = store.serverClock.now();
    return share.lent.map(
      (loan) => html`<p class="lent">✛ Stick of <span class="number">${cameraById(loan.camera)?.number ?? "?"}</span> lent to <b>${loan.name}</b> · ${left(Date.parse(loan.until) - now)} left
        <button data-act="take-back" @click=${() => void takeBack(loan)}>Take back</button></p>`,
    );
  }

  /** @param {Event} event @param {Share} share */
  #change(event, share) {
    const { end = "", stream = "", limit = "" } = fields(event);
    const form = /** @type {HTMLFormElement} */ (event.target);
    const checked = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).checked;
    const moved = Math.abs(Number(end) - Date.parse(share.end)) >= 60_000;
    void changeTerms(share, {
      ...(moved ? { end: toIso(Number(end)) } : {}),
      stream,
      viewer_limit: Number(limit),
      may_ask_for_stick: checked("stick"),
      stills: checked("stills"),
    });
  }

  /** @param {Share} share */
  #changes(share) {
    const id = share.id;
    return html`
      <form class="share-change" @submit=${(/** @type {Event} */ event) => this.#change(event, share)}>
        <label for="end-${id}">Ends</label>
        <sl-instant field="end-${id}" name="end" required .value=${Date.parse(share.end)}></sl-instant>
        <div class="pair">
          <div><label for="stream-${id}">Stream</label><select id="stream-${id}" name="stream">
            ${STREAMS.map(([value, label]) => html`<option value=${value} ?selected=${value === share.stream}>${label}</option>`)}</select></div>
          <div><label for="limit-${id}">Views at once</label><input id="limit-${id}" name="limit" type="number" required min="1" max="1000" .value=${String(share.viewer_limit)}></div>
        </div>
        <label class="check"><input type="checkbox" name="stick" ?checked=${share.may_ask_for_stick}> They may ask for the stick</label>
        <label class="check"><input type="checkbox" name="stills" ?checked=${share.stills}> They may take stills</label>
        <button>Change it</button>
      </form>
    `;
  }

  /** @override */
  render() {
    const { share } = this;
    if (!share) return nothing;
    const now = store.serverClock.now();
    const coming = Date.parse(share.start) > now;
    const views = watchersOf(share);
    return html`
      <article class="share-card" data-share=${share.id} data-running=${!coming} aria-label="Share ${share.title}">
        <header><h3>${share.title}</h3><b class="share-left">${coming ? `begins ${until(share.start, now)}` : `${left(Date.parse(share.end) - now)} left`}</b></header>
        <p class="hint">${share.title === share.organisation_name ? "" : `With ${share.organisation_name}. `}Until ${until(share.end, now)} · ${about(share)} · by ${share.made_by}</p>
        ${this.#cameras(share)} ${this.#loans(share)}
        <p class="share-views">${counted(views.length, "view", "views")} open, of ${share.viewer_limit}</p>
        ${people(share, this.#more)}
        ${coming ? nothing : html`<sl-share-notes .share=${share}></sl-share-notes>`}
        <div class="buttons">
          <button class="end" data-act="end" @click=${() => void endShare(share)}>End</button>
          ${share.kind === "standing" ? nothing : html`<button data-act="extend" @click=${() => void extend(share)}>30 min more</button>`}
          <button data-act="more" aria-expanded=${this.#more} @click=${() => { this.#more = !this.#more; this.requestUpdate(); }}>${this.#more ? "Less" : "More"}</button>
        </div>
        ${this.#more ? this.#changes(share) : nothing}
        ${this.#more && !share.follow ? html`<sl-share-outlets .share=${share}></sl-share-outlets>` : nothing}
      </article>
    `;
  }
}

customElements.define("sl-share-card", ShareCard);
