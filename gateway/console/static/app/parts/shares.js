/**
 * Sharing, in the panel: what is shared now, a share with everything that it can have, those that ended, and partners.
 * @module
 */

import { html, nothing } from "lit";
import "./partners.js";
import "./share-card.js";
import "./share-new.js";
import "./share-over.js";
import "./share-tests.js";
import { SlTicking, fields } from "../element.js";
import { endAll, loadPartners, loadShares, openBar } from "../shares.js";
import { sharesOf } from "../shares-model.js";
import { counted, until } from "../shares-words.js";
import { problemOf, send } from "../api.js";
import { selectedCamera, store, tell } from "../store.js";
import { line, say } from "../words.js";

/** @typedef {import("../shares-types.js").Share} Share */
/** @typedef {"now" | "new" | "over" | "partners"} Section */

/** @type {[Section, string][]} */
const SECTIONS = [
  ["now", "Now"],
  ["new", "New"],
  ["over", "Ended"],
  ["partners", "Partners"],
];
const DAY_MS = 86_400_000;

class Shares extends SlTicking {
  /** @type {Section} */
  #section = "now";
  #sure = false;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void loadShares();
  }

  /** @override */
  willUpdate() {
    // A note is answered at its share, which stands there.
    if (this.state.sharing.answering !== null) this.#section = "now";
  }

  /** @param {Section} section */
  #show(section) {
    this.#section = section;
    this.#sure = false;
    if (section === "partners" || section === "new") void loadPartners().catch((error) => tell(line(problemOf(error)), "attention"));
    this.requestUpdate();
  }

  async #endAll() {
    if (!this.#sure) {
      this.#sure = true;
      this.requestUpdate();
      return;
    }
    this.#sure = false;
    await endAll();
    this.requestUpdate();
  }

  /** @param {Event} event @param {Share} share */
  async #reviewed(event, share) {
    const { review = "" } = fields(event);
    try {
      await send("POST", `/shares/${share.id}/reviewed`, { review: new Date(review).toISOString() });
      await loadShares();
      tell(`The share “${share.title}” goes on until its review on ${review}.`);
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
  }

  /** Standing shares whose review is due. @param {Share[]} due @param {number} now */
  #due(due, now) {
    if (due.length === 0) return nothing;
    return html`<section class="due" aria-label="Reviews due">
      ${due.map(
        (share) => html`<div class="said attention" data-due=${share.id}>
          <strong>The review of “${share.title}” with ${share.organisation_name} is due</strong> since ${until(share.review ?? "", now)}
          (agreement ${share.reference}). It ends by itself on ${until(share.end, now)}.
          <form class="inline" @submit=${(/** @type {Event} */ event) => void this.#reviewed(event, share)}>
            <label class="away" for="review-${share.id}">Next review</label>
            <input id="review-${share.id}" name="review" type="date" required min=${isoDay(now + DAY_MS)} max=${isoDay(now + 365 * DAY_MS)} .value=${isoDay(now + 182 * DAY_MS)}>
            <button>Reviewed: it continues</button>
          </form>
        </div>`,
      )}
    </section>`;
  }

  #now() {
    const { sharing } = this.state;
    const now = store.serverClock.now();
    const open = sharing.shares.filter((share) => share.kind !== "test");
    const running = open.filter((share) => Date.parse(share.start) <= now);
    const coming = open.filter((share) => Date.parse(share.start) > now);
    const due = running.filter((share) => share.review !== null && Date.parse(share.review) <= now);
    const here = selectedCamera();
    const watching = Object.values(sharing.watching).flat().length;
    return html`
      ${this.#due(due, now)}
      ${here ? html`<div class="buttons"><button id="share-here" @click=${openBar}>${sharesOf(sharing, here.id).length ? "How" : "Share"} <span class="number">${here.number}</span> ${sharesOf(sharing, here.id).length ? "is shared" : here.name}</button></div>` : nothing}
      ${open.length === 0
        ? html`<p class="empty-said">Nothing is shared. Select a picture and press <kbd>W</kbd>, then <kbd>Enter</kbd>; or make a <button class="link" @click=${() => this.#show("new")}>share with more options</button>.</p>`
        : html`<p class="share-count"><span><b>${counted(running.length, "share", "shares")}</b>, ${counted(watching, "view", "views")} open outside</span>
            <button class="end ${this.#sure ? "sure" : ""}" id="end-all" @blur=${() => { this.#sure = false; this.requestUpdate(); }}
              @click=${() => void this.#endAll()}>${this.#sure ? `Really end ${open.length === 1 ? "it" : `all ${open.length}`}?` : "End every share now"}</button></p>`}
      <div class="share-list">
        ${[...running, ...coming].map((share) => html`<sl-share-card .share=${share}></sl-share-card>`)}
      </div>
      <h3>Links to partners’ rooms</h3>
      <sl-share-tests></sl-share-tests>
    `;
  }

  #body() {
    switch (this.#section) {
      case "new":
        return html`<sl-share-new .done=${() => this.#show("now")}></sl-share-new>`;
      case "over":
        return html`<sl-share-over></sl-share-over>`;
      case "partners":
        return html`<sl-partners></sl-partners>`;
      default:
        return this.#now();
    }
  }

  /** @override */
  render() {
    const { standing, problem } = this.state.sharing;
    const said = problem ? say(problem) : null;
    return html`
      <h2>Sharing</h2>
      <div class="segments sections" role="group" aria-label="Sharing">
        ${SECTIONS.map(
          ([name, label]) => html`<button aria-pressed=${this.#section === name} data-section=${name} @click=${() => this.#show(name)}>${label}</button>`,
        )}
      </div>
      ${said ? html`<div class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure} <button @click=${() => void loadShares()}>Try again</button></div>` : nothing}
      ${standing === "unasked" ? html`<p class="hint">Loading…</p>` : standing === "ready" ? this.#body() : nothing}
    `;
  }
}

/** @param {number} ms */
const isoDay = (ms) => new Date(ms).toISOString().slice(0, 10);

customElements.define("sl-shares", Shares);
