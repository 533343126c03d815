/**
 * Deployable units: all of them with what needs somebody first, one with everything that is known of it, and a new one.
 * @module
 */

import { html, nothing } from "lit";
import { deployments } from "../deployments.js";
import { SlElement } from "../element.js";
import { some } from "../hosts.js";
import { cameraById, may, store } from "../store.js";
import { duration, fromIso } from "../time.js";
import { batteryWords, causeWords, concernsOf, dataLevel, dataWords, levelOf, linkWords, overallWords, signalWords, worstUnitsFirst } from "../units.js";
import { UnitsWatch } from "../units-watch.js";
import { say } from "../words.js";
import "./unit.js";
import "./unit-labels.js";
import "./unit-new.js";

/** @typedef {import("../units.js").Unit} Unit */

const STALE_MS = 20_000;

class Units extends SlElement {
  /** @type {UnitsWatch | null} */
  #watch = null;
  /** @type {"list" | "new" | "labels"} */
  #page = "list";
  #find = "";
  #drawn = "";

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#watch = new UnitsWatch(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#watch?.end();
    this.#watch = null;
  }

  /** @param {"list" | "new" | "labels"} page @param {string} [label] */
  #go(page, label = "") {
    this.#page = page;
    this.#watch?.open(label);
  }

  /** Somebody came by a link to one unit. @override */
  willUpdate() {
    const { unit } = this.state;
    if (!unit) return;
    store.state.unit = "";
    this.#go("list", unit);
  }

  /** Another page is read from its head. @override */
  updated() {
    const drawn = `${this.#page} ${this.#watch?.opened}`;
    if (this.#drawn && this.#drawn !== drawn) {
      this.closest(".panel-body")?.scrollTo(0, 0);
      // The page is a part of its own, which draws itself after this.
      requestAnimationFrame(() => /** @type {HTMLElement | null} */ (this.querySelector("h2"))?.focus({ preventScroll: true }));
    }
    this.#drawn = drawn;
  }

  /** Where it stands, in a few words. @param {Unit} unit */
  #where(unit) {
    const deployed = this.#watch?.deployed.get(unit.label);
    const camera = cameraById(unit.cameras[0]);
    const number = camera ? `camera ${camera.number}` : unit.cameras.length ? "" : "no camera of its own yet";
    if (deployed) return [deployed.street || deployed.title, deployed.stage === "planned" ? "planned" : "", number].filter(Boolean).join(" · ");
    return [camera?.street || (may("deploy") ? "not deployed" : ""), number].filter(Boolean).join(" · ");
  }

  /** @param {Unit} unit @param {number} now */
  #row(unit, now) {
    const found = concernsOf(unit);
    const heard = unit.heard === null ? "never heard" : `heard ${duration(Math.max(0, now - fromIso(unit.heard)))} ago`;
    return html`<li class="unit-row" data-unit=${unit.label} data-level=${levelOf(unit)} data-link=${unit.link}>
      <button class="unit-open" @click=${() => this.#go("list", unit.label)} aria-label="Unit ${unit.label}, ${linkWords(unit)}${found[0] ? `: ${found[0].text}` : ""}">
        <span class="unit-head"><b>${unit.label}</b><span class="unit-link">${linkWords(unit)}</span><small class="quiet">${heard}</small></span>
        <span class="unit-where">${this.#where(unit)}</span>
        ${unit.link === "retired" || unit.link === "never" ? nothing : html`<span class="unit-facts"><span>${batteryWords(unit)}</span><span>${signalWords(unit)}</span>
          <span class=${dataLevel(unit.data) === "good" ? "" : "attention"}>${dataWords(unit.data)}</span>${unit.firmware ? html`<span>firmware ${unit.firmware}</span>` : nothing}</span>`}
        ${found.slice(0, 3).map(({ level, by, text }) => html`<span class="unit-concern ${level}">${by}: ${text}</span>`)}
      </button></li>`;
  }

  /** What came from nobody that is known. */
  #strangers() {
    const found = this.#watch?.strangers ?? [];
    if (found.length === 0) return nothing;
    return html`<details class="unit-strangers"><summary>Turned away: ${some(found.reduce((sum, one) => sum + one.count, 0), "message", "messages")} of no unit that is enrolled</summary>
      <ul class="plain-list">${found.map((one) => html`<li>${one.label || "Somebody"}: ${one.count} × ${causeWords(one.cause)}</li>`)}</ul></details>`;
  }

  #list() {
    const watch = /** @type {UnitsWatch} */ (this.#watch);
    const now = store.serverClock.now();
    const units = watch.units ?? [];
    const wanted = this.#find.toUpperCase();
    const shown = worstUnitsFirst(units).filter((unit) => !wanted || `${unit.label} ${unit.model} ${this.#where(unit)}`.toUpperCase().includes(wanted));
    const online = units.filter(({ link }) => link === "online").length;
    const raised = new Set(deployments.raised.map(({ unit }) => unit.toUpperCase()));
    const { wrong, words } = overallWords(units, raised);
    const stale = watch.units && performance.now() - watch.heardAt > STALE_MS;
    const said = watch.problem ? say(watch.problem) : null;
    return html`
      <div class="page-head"><h2 tabindex="-1">Units</h2>
        ${may("enrol") ? html`<button id="unit-labels" class="plain" @click=${() => this.#go("labels")} ?disabled=${units.length === 0}>Print labels</button>
          <button id="unit-new" @click=${() => this.#go("new")}>New unit</button>` : nothing}</div>
      ${said ? html`<div class="said attention"><span role="alert"><strong>${said.title}</strong> ${said.cure}</span>
        ${stale ? html` What is shown below is ${duration(performance.now() - watch.heardAt)} old.` : nothing}
        ${watch.problem?.status === 403 ? nothing : html`<div class="buttons"><button @click=${() => void watch.ask()}>Try again</button></div>`}</div>` : nothing}
      ${watch.units === null
        ? said ? nothing : html`<p class="hint" role="status">Loading…</p>`
        : units.length === 0
          ? html`<p class="said">No unit is enrolled that you may see. ${may("enrol") ? "A new one takes five minutes: its label, its certificate, and a password for its camera." : "Whoever enrols cameras makes them known."}</p>`
          : html`<p class="units-total"><b role="status" class=${wrong ? "attention" : ""}>${words}</b>
              <span>${online} of ${some(units.length, "unit", "units")} online</span></p>
            ${units.length > 6 ? html`<label class="away" for="unit-find">Find a unit</label><input id="unit-find" type="search" placeholder="Label, model or street" autocomplete="off"
              .value=${this.#find} @input=${(/** @type {Event} */ event) => { this.#find = /** @type {HTMLInputElement} */ (event.target).value; this.requestUpdate(); }}>` : nothing}
            ${shown.length ? html`<ul class="unit-list" aria-label="Units, those that need somebody first">${shown.map((unit) => this.#row(unit, now))}</ul>` : html`<p class="hint">No unit is called so, or stands there.</p>`}`}
      ${this.#strangers()}
    `;
  }

  /** @override */
  render() {
    const watch = this.#watch;
    if (!watch) return nothing;
    const back = () => this.#go("list");
    if (this.#page === "new") return html`<sl-unit-new .done=${(/** @type {string} */ label) => this.#go("list", label)}></sl-unit-new>`;
    if (this.#page === "labels") return html`<sl-unit-labels .units=${watch.units ?? []} .back=${back}></sl-unit-labels>`;
    if (watch.opened) return html`<sl-unit .unit=${watch.one} .problem=${watch.problem} .back=${back} .again=${() => watch.ask()}></sl-unit>`;
    return this.#list();
  }
}

customElements.define("sl-units", Units);
