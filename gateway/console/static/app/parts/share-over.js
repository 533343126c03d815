/**
 * The shares that ended last. What was before them is in the audit.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf } from "../api.js";
import { SlElement } from "../element.js";
import { about, counted } from "../shares-words.js";
import { cameraById } from "../store.js";
import { clockShort, day, duration } from "../time.js";
import { say } from "../words.js";

/** @typedef {import("../shares-types.js").Share} Share */

const PAGE = 20;

class ShareOver extends SlElement {
  /** @type {Share[] | null} */
  #shares = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #page = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    try {
      this.#shares = await get("/shares?over=true");
      this.#problem = null;
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  /** @param {number} page */
  #turn(page) {
    this.#page = page;
    this.requestUpdate();
  }

  /** @param {Share} share */
  #row(share) {
    const [from, to] = [Date.parse(share.start), Date.parse(share.ended ?? share.end)];
    const numbers = share.cameras.map((id) => cameraById(id)?.number).filter((number) => number !== undefined);
    return html`<li data-share=${share.id}>
      <time datetime=${share.ended ?? share.end}>${day(to)} <b>${clockShort(to)}</b></time>
      <span><b>${share.title}</b>${share.title === share.organisation_name ? "" : `, ${share.organisation_name}`}
        ${numbers.map((number) => html`<span class="number">${number}</span> `)}
        <small>${to > from ? `${duration(Math.max(60_000, Math.floor((to - from) / 60_000) * 60_000))}` : "ended before it began"} · ${about(share)} · by ${share.made_by}</small></span>
    </li>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    if (said) return html`<div class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure} <button @click=${() => void this.#load()}>Try again</button></div>`;
    if (!this.#shares) return html`<p class="hint">Loading…</p>`;
    if (this.#shares.length === 0) return html`<p class="empty-said">No share has ended yet.</p>`;
    const pages = Math.ceil(this.#shares.length / PAGE);
    const shown = this.#shares.slice(this.#page * PAGE, (this.#page + 1) * PAGE);
    return html`
      <ol class="share-over">${shown.map((share) => this.#row(share))}</ol>
      ${pages > 1
        ? html`<div class="buttons pages">
            <button ?disabled=${this.#page === 0} @click=${() => this.#turn(this.#page - 1)}>Newer</button>
            <span class="quiet">${this.#page + 1} of ${pages}</span>
            <button ?disabled=${this.#page === pages - 1} @click=${() => this.#turn(this.#page + 1)}>Older</button></div>`
        : nothing}
      <p class="hint">${counted(this.#shares.length, "share", "shares")}. Everything earlier, and who watched what, is in the audit.</p>
    `;
  }
}

customElements.define("sl-share-over", ShareOver);
