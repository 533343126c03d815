/**
 * Health: what of cameras and units needs a person, by urgency; how one camera is; how much of a month each was there.
 * @module
 */

import { html, nothing } from "lit";
import { callUp } from "../actions.js";
import { deployments } from "../deployments.js";
import { SlElement, fields } from "../element.js";
import { gathered, learnHealth, putOff, sinceWords, takeUp, waits } from "../health.js";
import { cameraById, may, store, tell } from "../store.js";
import { clock, dayAndTime, fromIso } from "../time.js";
import { line, say } from "../words.js";
import { unitLink } from "./health-camera.js";
import "./health-report.js";

/** @typedef {import("../health-types.js").Need} Need */

/** @type {[name: "needs" | "camera" | "report", label: string, permission: string][]} */
const SECTIONS = [
  ["needs", "To see to", "view_live"],
  ["camera", "This camera", "view_live"],
  ["report", "Availability", "view_recorded"],
];
const SHOWN_CAMERAS = 24;
const STALE_MS = 120_000;

/** A need's card, known again from one answer to the next. @param {readonly Need[]} same */
const keyOf = (same) => same.map(({ camera, unit, deployment, kind }) => `${deployment?.id ?? unit ?? camera} ${kind}`).join();

class Health extends SlElement {
  /** @type {"needs" | "camera" | "report"} */
  #section = "needs";
  /** Which card is being put off. */
  #putting = "";
  #busy = false;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void learnHealth();
  }

  /** @param {"needs" | "camera" | "report"} section */
  #open(section) {
    this.#section = section;
    this.requestUpdate();
  }

  /** Call a camera up, and on the map. @param {string} id */
  #show(id) {
    const camera = cameraById(id);
    if (!camera) return tell("You may not see that camera.", "attention");
    callUp(camera);
    store.set({ panelOpen: matchMedia("(min-width: 860px)").matches });
  }

  /** How the camera is, and its unit. @param {string} id */
  #checkUp(id) {
    const camera = cameraById(id);
    if (camera) callUp(camera);
    this.#open("camera");
  }

  /** @param {() => Promise<void>} work @param {string} done */
  async #attempt(work, done) {
    this.#busy = true;
    this.requestUpdate();
    try {
      await work();
      tell(done);
      this.#putting = "";
    } catch (error) {
      tell(line(/** @type {{problem?: unknown}} */ (error).problem ?? error), "attention");
    }
    this.#busy = false;
    this.requestUpdate();
  }

  /** @param {Event} event @param {readonly Need[]} same */
  #putOff(event, same) {
    const { wait = "", reason = "" } = fields(event);
    const until = waits(store.serverClock.now()).find(([key]) => key === wait)?.[2] ?? null;
    void this.#attempt(() => putOff(same, until, reason), "Put off. It stays below, with your reason.");
  }

  /** @param {readonly Need[]} same @param {string} key */
  #form(same, key) {
    const name = `put-off-${key.replaceAll(/[^\w]/g, "-")}`;
    return html`<form class="need-form" @submit=${(/** @type {Event} */ event) => this.#putOff(event, same)}>
      <label for="${name}-wait">For how long</label>
      <select id="${name}-wait" name="wait">${waits(store.serverClock.now()).map(([wait, label]) => html`<option value=${wait}>${label}</option>`)}</select>
      <label for="${name}-reason">Why it can wait, or who sees to it</label>
      <input id="${name}-reason" name="reason" required minlength="3" maxlength="500" autocomplete="off" placeholder="Van ordered for tomorrow, job 4711">
      <div class="buttons"><button class="primary" ?disabled=${this.#busy}>Put it off</button>
        <button type="button" class="plain" @click=${() => { this.#putting = ""; this.requestUpdate(); }}>Leave it</button></div>
    </form>`;
  }

  /** @param {string} key */
  async #begin(key) {
    this.#putting = key;
    this.requestUpdate();
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector(".need-form select"))?.focus();
  }

  /** The unit's own page. @param {string} label */
  #showUnit(label) {
    store.set({ panelOpen: true, panel: "units", unit: label });
  }

  /** The deployment's own page. @param {string} id */
  #showDeployment(id) {
    deployments.set({ section: "due", open: id });
    store.set({ panelOpen: true, panel: "deployments" });
  }

  /** Whose it is. @param {readonly Need[]} same */
  #whose(same) {
    const [need] = /** @type {[Need]} */ (same);
    const { camera, unit, deployment } = need;
    if (deployment) {
      return html`<button class="need-camera" title="Show the deployment" @click=${() => this.#showDeployment(deployment.id)}><span>${deployment.title}</span></button>`;
    }
    if (camera === null && unit === null) return html`<b class="need-camera">The units' broker</b>`;
    if (camera === null) {
      const whose = html`<span class="number">${unit}</span> <span>Unit without a camera</span>`;
      return may("deploy") ? html`<button class="need-camera" title="Show the unit" @click=${() => this.#showUnit(unit ?? "")}>${whose}</button>` : html`<span class="need-camera">${whose}</span>`;
    }
    if (same.length === 1) {
      return html`<button class="need-camera" title="Show the camera and its place" @click=${() => this.#show(camera)}>
        <span class="number">${need.number}</span> <span>${need.name}</span></button>`;
    }
    const more = same.length - SHOWN_CAMERAS;
    return html`<b>${same.length} cameras</b> <span class="need-cameras">${same.slice(0, SHOWN_CAMERAS).map(({ camera, number, name }) => html`<button class="number"
      title="${name}: show it" @click=${() => this.#show(camera ?? "")}>${number}</button>`)}${more > 0 ? html`<span class="hint">and ${more} more</span>` : nothing}</span>`;
  }

  /** @param {readonly Need[]} same */
  #card(same) {
    const [need] = /** @type {[Need]} */ (same);
    const key = keyOf(same);
    const waiting = need.put_off;
    const now = store.serverClock.now();
    const first = same.map(({ since }) => since).sort()[0] ?? need.since;
    return html`<li class="need" data-need="${need.number ?? need.unit ?? need.deployment?.id ?? "broker"} ${need.kind}" data-urgency=${waiting ? "put-off" : need.urgency}>
      <div class="need-whose">${this.#whose(same)}</div>
      <p class="need-cause">${need.cause} <small class="quiet">${sinceWords(first, now)}</small></p>
      <p class="hint">${need.cure}</p>
      ${waiting ? html`<p class="need-waiting">Put off by ${waiting.by} at ${dayAndTime(fromIso(waiting.at))}, ${waiting.until
        ? `until ${dayAndTime(fromIso(waiting.until))}` : "for as long as it lasts"}: ${waiting.reason}</p>` : nothing}
      ${this.#putting === key ? this.#form(same, key) : html`<div class="buttons">
        ${same.length === 1 && need.camera !== null ? html`<button class="need-check" @click=${() => this.#checkUp(need.camera ?? "")}>Check-up</button>` : nothing}
        ${same.length === 1 ? unitLink(need.unit) : nothing}
        ${need.deployment ? html`<button class="to-deployment" @click=${() => this.#showDeployment(need.deployment?.id ?? "")}>Deployment</button>` : nothing}
        ${!may("steer") || need.kind === "alarm" || need.deployment || (need.camera === null && need.unit === null) ? nothing : waiting
          ? html`<button class="plain" ?disabled=${this.#busy} @click=${() => void this.#attempt(() => takeUp(same), "It needs somebody again.")}>Take it up again</button>`
          : html`<button class="plain need-put-off" @click=${() => void this.#begin(key)}>Put off…</button>`}</div>`}
    </li>`;
  }

  #needs() {
    const { health } = this.state;
    if (!health) return html`<p class="hint" role="status">Asking the gateway…</p>`;
    const { looked, needs, problem } = health;
    const said = problem ? say(problem) : null;
    const now = store.serverClock.now();
    const old = looked !== null && now - fromIso(looked) > STALE_MS;
    return html`
      ${said ? html`<div class="said attention"><span role="alert"><strong>${said.title}</strong> ${said.cure}</span>
        <div class="buttons"><button @click=${() => void learnHealth()}>Try again</button></div></div>` : nothing}
      ${!said && looked === null ? html`<p class="hint" role="status">The gateway has just started and has not looked at its cameras yet. It does so within half a minute.</p>` : nothing}
      ${looked !== null && needs.length === 0 ? html`<p class="need-none" role="status"><strong>Nothing needs anybody.</strong> Every camera and unit that you may see is as it should be${may("deploy") ? ", and no deployment is waiting for anything" : ""}.</p>` : nothing}
      ${gathered(needs).map(({ name, label, cards }) => html`<section class="needs" data-group=${name} aria-label=${label}>
        <h3>${label} <span class="needs-count">${cards.reduce((sum, same) => sum + same.length, 0)}</span></h3>
        <ul>${cards.map((same) => this.#card(same))}</ul></section>`)}
      ${looked === null ? nothing : html`<p class="hint ${old ? "attention" : ""}">Looked at ${clock(fromIso(looked))}, and twice a minute.</p>`}
    `;
  }

  /** @param {KeyboardEvent} event */
  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".health-sections [role=tab]")]);
    const next = tabs[(tabs.indexOf(/** @type {HTMLElement} */ (event.target)) + step + tabs.length) % tabs.length];
    next?.focus();
    next?.click();
    event.preventDefault();
  }

  /** @override */
  render() {
    return html`
      <h2>Health</h2>
      <div class="segments health-sections" role="tablist" aria-label="Health" data-own-arrows @keydown=${this.#arrow}>${SECTIONS.filter(([, , permission]) => may(permission)).map(
        ([name, label]) => html`<button role="tab" id="health-${name}" aria-selected=${this.#section === name} aria-controls="health-body"
          tabindex=${this.#section === name ? 0 : -1} @click=${() => this.#open(name)}>${label}</button>`)}</div>
      <div id="health-body" class="health-body" role="tabpanel" aria-labelledby="health-${this.#section}">
        ${this.#section === "camera" ? html`<sl-checkup></sl-checkup>` : this.#section === "report" ? html`<sl-availability></sl-availability>` : this.#needs()}
      </div>
    `;
  }
}

customElements.define("sl-health", Health);
