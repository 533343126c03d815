/**
 * Mobile cameras: what of their deployments needs somebody, all there are, a referral, and the units.
 * @module
 */

import { html, nothing } from "lit";
import { ApiError, get } from "../api.js";
import { deployments, loadDeployments } from "../deployments.js";
import { STAGES, dueWords, lasting, unitWords, waits } from "../deployments-words.js";
import { mapView } from "../map-view.js";
import { PAGE } from "../pages.js";
import { may, store } from "../store.js";
import { day, dayAndTime } from "../time.js";
import { say } from "../words.js";
import "./deployment.js";
import { Deploying } from "./deployment-asking.js";
import "./deployment-refer.js";
import "./deployment-units.js";

/** @typedef {import("../deployments-words.js").Deployment} Deployment */
/** @typedef {import("../deployments-words.js").Due} Due */

/** @type {["due" | "all" | "refer" | "units", string][]} */
const SECTIONS = [["due", "Due"], ["all", "All"], ["refer", "Refer"], ["units", "Units"]];

class DeploymentsPanel extends Deploying {
  #stage = "";
  /** @type {Deployment[] | null} */
  #all = null;
  #more = false;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #turn = -1;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void loadDeployments();
  }

  /** @override */
  willUpdate() {
    const { section, turn } = deployments.state;
    if (section !== "all" || turn === this.#turn) return;
    this.#turn = turn;
    void this.#load();
  }

  /** @param {string} [before] */
  async #load(before = "") {
    const stage = this.#stage;
    try {
      const query = new URLSearchParams({ ...(stage ? { stage } : {}), ...(before ? { before } : {}) });
      const said = /** @type {Deployment[]} */ (await get(`/deployments?${query}`));
      if (stage !== this.#stage) return;
      this.#all = before ? [...(this.#all ?? []), ...said] : said;
      this.#more = said.length === PAGE;
      this.#problem = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#problem = error.problem;
    }
    this.requestUpdate();
  }

  /** @param {"due" | "all" | "refer" | "units"} section */
  #section(section) {
    deployments.set({ section, open: null });
    this.#turn = -1;
  }

  /** @param {Deployment} one */
  #open(one) {
    deployments.set({ open: one.id });
    const away = one.alarms.includes("left") ? deployments.state.reported[one.unit] : undefined;
    mapView.show([[one.place.latitude, one.place.longitude], ...(away ? [/** @type {[number, number]} */ ([away.latitude, away.longitude])] : [])]);
  }

  /** @param {Due} due */
  #due(due) {
    const { deployment: one, why, overdue } = due;
    const level = why === "alarm" ? (waits(due) ? "alarm" : "seen") : overdue ? "overdue" : "due";
    return html`<li class="dep-due" data-why=${why} data-level=${level}>
      <button class="row" data-deployment=${one.id} @click=${() => this.#open(one)}>
        <span class="dep-level" aria-hidden="true">${{ alarm: "!", seen: "…", overdue: "!", due: "·" }[level]}</span>
        <span class="row-name"><b>${{ alarm: "Alarm. ", seen: "Alarm, acknowledged. ", overdue: "Overdue. ", due: "" }[level]}${due.yours ? "Due to you. " : ""}</b>${dueWords(due, store.serverClock.now())}
          <small>${[one.title, one.unit ? unitWords(one.unit) : "", one.street].filter(Boolean).join(" · ")}</small></span>
      </button></li>`;
  }

  #dueList() {
    const { due, problem } = deployments.state;
    if (!due) return problem ? nothing : html`<p class="hint">Loading…</p>`;
    if (due.length === 0) return html`<p class="hint" role="status">Nothing needs anybody. Reviews and ends of stays are listed here before they are due.</p>`;
    return html`<ul class="rows" id="deployments-due">${due.map((one) => this.#due(one))}</ul>`;
  }

  /** @param {Deployment} one */
  #row(one) {
    const wrong = one.alarms.length > 0 || one.unseen.length > 0;
    const late = one.stage !== "deployed" ? "" : !one.valid ? "past its time" : Date.parse(one.review ?? "") < store.serverClock.now() ? "review overdue" : "";
    const when = one.stage === "deployed" ? `until ${dayAndTime(Date.parse(one.until ?? ""))}` : `referred ${day(Date.parse(one.referred))}`;
    return html`<li><button class="row" data-deployment=${one.id} @click=${() => this.#open(one)}>
      <span class="row-name">${one.title}<small>${[one.unit ? unitWords(one.unit) : "", one.street, when].filter(Boolean).join(" · ")}</small></span>
      <span class="row-facts"><span class=${one.stage === "deployed" ? "" : "quiet"}>${STAGES[one.stage]}</span>
        ${wrong ? html`<span class="alarm">${one.alarms.length ? lasting(one.alarms[0] ?? "") : "alarm"}</span>` : late ? html`<span class="attention">${late}</span>` : nothing}</span>
    </button></li>`;
  }

  #allList() {
    const choose = (/** @type {Event} */ event) => {
      this.#stage = /** @type {HTMLSelectElement} */ (event.target).value;
      this.#all = null;
      void this.#load();
      this.requestUpdate();
    };
    const said = this.#problem ? say(this.#problem) : null;
    return html`<label for="deployments-stage" class="away">How far</label>
      <select id="deployments-stage" @change=${choose}><option value="">However far they are</option>
        ${Object.entries(STAGES).map(([stage, words]) => html`<option value=${stage} ?selected=${stage === this.#stage}>${words}</option>`)}</select>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#all === null ? (said ? nothing : html`<p class="hint">Loading…</p>`)
        : this.#all.length === 0 ? html`<p class="hint" role="status">${this.#stage ? "There is none." : "Nothing was referred yet."}</p>`
          : html`<ul class="rows" id="deployments-all">${this.#all.map((one) => this.#row(one))}</ul>`}
      ${this.#more ? html`<button @click=${() => void this.#load(this.#all?.at(-1)?.id)}>Show older ones</button>` : nothing}`;
  }

  /** @override */
  render() {
    if (!may("deploy")) return html`<h2 tabindex="-1">Deployments</h2><p class="said attention">You may not see deployments. Ask an administrator for the permission.</p>`;
    const { open, section, problem, due } = deployments.state;
    if (open) return html`<sl-deployment .deployment=${open}></sl-deployment>`;
    const said = problem ? say(problem) : null;
    return html`
      <h2 tabindex="-1">Deployments</h2>
      <nav class="dep-sections" aria-label="Deployments">${SECTIONS.map(([name, label]) => html`<button data-section=${name}
        aria-current=${name === section ? "page" : "false"} @click=${() => this.#section(name)}>${label}${name === "due" && due?.length ? ` (${due.length})` : ""}</button>`)}</nav>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${section === "refer" ? html`<sl-refer></sl-refer>` : section === "units" ? html`<sl-deployables></sl-deployables>` : section === "all" ? this.#allList() : this.#dueList()}
    `;
  }
}

customElements.define("sl-deployments", DeploymentsPanel);
