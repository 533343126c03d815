/**
 * What is due to oneself: reviews and ends of the deployments that one answers for.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf } from "../api.js";
import { deployments, openDeployment } from "../deployments.js";
import { ownDueWords, unitWords } from "../deployments-words.js";
import { SlElement } from "../element.js";
import { news } from "../events.js";
import { may, store } from "../store.js";

/** @typedef {import("../deployments-words.js").OwnDue} OwnDue */

class OwnDueList extends SlElement {
  /** @type {OwnDue[] | null} */
  #due = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #leave = () => {};
  #turn = -1;
  #anew = () => void this.#load();

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#leave = deployments.subscribe(() => {
      if (deployments.state.turn === this.#turn) return;
      this.#turn = deployments.state.turn;
      this.#anew();
    });
    news.addEventListener("deployment-due", this.#anew);
    void this.#load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#leave();
    news.removeEventListener("deployment-due", this.#anew);
  }

  async #load() {
    try {
      this.#due = await get("/session/due");
      this.#problem = null;
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  /** @param {OwnDue} one */
  #one(one) {
    const words = html`<span class="row-name">${one.overdue ? html`<b>Overdue. </b>` : nothing}${ownDueWords(one, store.serverClock.now())}
      <small>${[one.title, one.unit ? unitWords(one.unit) : "", one.street].filter(Boolean).join(" · ")}</small></span>`;
    return html`<li class="dep-due" data-why=${one.why} data-level=${one.overdue ? "overdue" : "due"}>
      ${may("deploy") ? html`<button class="row" data-deployment=${one.deployment} @click=${() => openDeployment(one.deployment)}>${words}</button>` : html`<div class="row-line">${words}</div>`}</li>`;
  }

  /** @override */
  render() {
    if (this.#problem) return html`<h3>Due to you</h3><p class="said attention" role="status">What is due to you could not be loaded. ${this.#problem.title}</p>`;
    if (!this.#due?.length) return nothing;
    return html`<h3>Due to you</h3><ul class="rows" id="own-due">${this.#due.map((one) => this.#one(one))}</ul>`;
  }
}

customElements.define("sl-own-due", OwnDueList);
