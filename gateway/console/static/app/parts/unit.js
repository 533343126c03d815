/**
 * One unit: what it said last and how old that is, how that went, what it is told, and what was refused of it.
 * @module
 */

import { html, nothing } from "lit";
import { callUp } from "../actions.js";
import { send } from "../api.js";
import { SlTicking, fields } from "../element.js";
import { cameraById, may, store } from "../store.js";
import { dayAndTime, duration, fromIso } from "../time.js";
import { causeWords, concernsOf, dataForecast, dataLevel, dataWords, filled, kindWords, linkWords, stateWords } from "../units.js";
import { say } from "../words.js";
import "./health-trends.js";
import "./unit-camera.js";
import "./unit-certificates.js";
import "./unit-commands.js";
import { Asking } from "./people-asking.js";

/** @typedef {import("../units.js").OneUnit} OneUnit */

/** A state may be as old as this before that is said in amber. */
const OLD_MS = 15 * 60_000;

/** What a unit said last: the ages run. */
class UnitStates extends SlTicking {
  /** @override */
  static properties = { unit: { attribute: false } };

  constructor() {
    super();
    /** @type {OneUnit | null} */
    this.unit = null;
  }

  /** @override */
  render() {
    const now = store.serverClock.now();
    const states = this.unit?.states ?? [];
    if (states.length === 0) return html`<p class="hint">It has said nothing yet.</p>`;
    return html`<dl class="unit-states">${states.map((state) => {
      const old = Math.max(0, now - fromIso(state.time));
      const stale = state.kind.startsWith("state/") && old > OLD_MS;
      return html`<div data-kind=${state.kind}><dt>${kindWords(state.kind)}</dt><dd>${stateWords(state)}
        <small class=${stale ? "attention" : "quiet"} title="By its own clock ${dayAndTime(fromIso(state.unit_time))}">${duration(old)} ago</small></dd></div>`;
    })}</dl>`;
  }
}

customElements.define("sl-unit-states", UnitStates);

class UnitPage extends Asking {
  /** @override */
  static properties = { unit: { attribute: false }, problem: { attribute: false } };

  constructor() {
    super();
    /** @type {OneUnit | null} */
    this.unit = null;
    /** @type {import("../types.js").Problem | null} */
    this.problem = null;
    /** @type {() => void} */
    this.back = () => {};
    /** @type {() => Promise<void>} */
    this.again = () => Promise.resolve();
  }

  /** @param {Event} event @param {OneUnit} unit */
  #save(event, unit) {
    const { model = "", note = "", camera = "" } = fields(event);
    void this.attempt("facts", async () => {
      const known = unit.cameras.includes(camera) ? unit.cameras[0] : camera;
      await send("PUT", `/units/${encodeURIComponent(unit.label)}`, { model, note, camera: known || null, budget_bytes: unit.data.budget_bytes });
      await this.again();
    }, "Saved.");
  }

  /** @param {OneUnit} unit */
  #retire(unit) {
    return this.attempt("retire", async () => {
      await send("DELETE", `/units/${encodeURIComponent(unit.label)}`);
      await this.again();
    }, `Unit ${unit.label} is retired: its certificates are revoked, and nothing more is taken of it.`);
  }

  /** @param {OneUnit} unit */
  #forget(unit) {
    return this.attempt("forget", async () => {
      await send("DELETE", `/units/${encodeURIComponent(unit.label)}/camera`);
      await this.again();
    }, "Forgotten: which camera it has is learnt from what it says next.");
  }

  /** @param {OneUnit} unit */
  #data(unit) {
    const share = filled(unit.data);
    const words = dataWords(unit.data);
    return html`<h3>Data of its SIM</h3>
      <div class="unit-data" data-level=${dataLevel(unit.data)}>
        <p>${words}</p>
        ${share === null ? nothing : html`<meter min="0" max="1" high="0.9" optimum="0" value=${Math.min(1, share)} aria-label="Used of the month's data">${words}</meter>`}
        <p class=${dataLevel(unit.data) === "good" ? "hint" : "attention"}>${dataForecast(unit.data, store.serverClock.now())}</p>
      </div>`;
  }

  /** @param {OneUnit} unit */
  #refusals({ refusals }) {
    return html`<h3>Refused of it since the gateway started</h3>
      ${refusals.length === 0 ? html`<p class="hint">Nothing.</p>` : html`<ul class="plain-list" id="unit-refusals">${refusals.map(
        (one) => html`<li data-cause=${one.cause}><b>${one.count}</b> ${one.count === 1 ? "message" : "messages"} ${causeWords(one.cause)}; last ${dayAndTime(fromIso(one.last))}${one.said ? html` <small class="quiet">${one.said}</small>` : nothing}</li>`)}</ul>`}`;
  }

  /** @param {OneUnit} unit */
  #facts(unit) {
    const cameras = store.state.cameras;
    return html`<details ?open=${["facts", "forget"].includes(this.wrong?.where ?? "")}><summary>Model, camera and note</summary>
      <form aria-label="Model, camera and note" @submit=${(/** @type {Event} */ event) => this.#save(event, unit)}>
        <label for="unit-model">Model</label><input id="unit-model" name="model" maxlength="120" autocomplete="off" .value=${unit.model}>
        <label for="unit-camera">Its camera</label>
        <select id="unit-camera" name="camera"><option value="">None yet</option>${cameras.map(({ id, number, name }) => html`<option value=${id} ?selected=${unit.cameras.includes(id)}>${number} ${name}</option>`)}</select>
        <label for="unit-note">Note</label><input id="unit-note" name="note" maxlength="1000" autocomplete="off" .value=${unit.note}>
        ${this.said("facts")}
        <div class="buttons"><button>Save</button></div>
      </form>
      ${unit.urn || unit.serial ? html`<p class="hint" id="unit-learnt">It said that its camera is <code>${unit.urn ?? "of no URN"}</code>${unit.serial ? html`, serial number <code>${unit.serial}</code>` : nothing}, and is believed for no other. If it was given another camera, or that one is not its own, have it forgotten.</p>
        ${this.sure === "forget" ? html`<p class="said" role="status">The camera that it names next is taken for its own, unless that is another unit's. What is chosen above stays: if it has another camera, choose that, too.</p>` : nothing}
        ${this.said("forget")}
        <div class="buttons">${this.twice({ key: "forget", label: "Forget its camera", sure: "Really forget it", name: `Forget which camera unit ${unit.label} has`, act: () => this.#forget(unit) })}</div>` : this.said("forget")}</details>`;
  }

  /** @param {OneUnit} unit */
  #ending(unit) {
    if (!may("enrol") || unit.link === "retired") return nothing;
    return html`<h3>Ending it</h3>
      ${this.sure === "retire" ? html`<p class="said" role="status">Its certificates are revoked, its connection ends, and nothing more is taken of it. What it said stays. It does not come back under this label.</p>` : nothing}
      ${this.said("retire")}
      <div class="buttons">${this.twice({ key: "retire", label: "Retire it", sure: "Really retire it", name: `Retire unit ${unit.label}`, act: () => this.#retire(unit) })}</div>`;
  }

  /** Why it is not there, or not yet. */
  #none() {
    const said = this.problem ? say(this.problem) : null;
    return said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : html`<p class="hint" role="status">Loading…</p>`;
  }

  /** @param {OneUnit} unit */
  #body(unit) {
    const camera = cameraById(unit.cameras[0]);
    const busy = unit.link !== "retired";
    return html`
      ${this.problem ? html`<p class="said attention" role="alert">${say(this.problem).title} What is shown is as it was.</p>` : nothing}
      <div class="unit-concerns">${concernsOf(unit).map(({ level, by, text, cure }) => html`<p class="unit-concern ${level}">${by}: ${text} <small>${cure}</small></p>`)}</div>
      <dl class="facts-list">
        <div><dt>Camera</dt><dd>${camera ? html`<button class="number" @click=${() => callUp(camera)} title="Call it up">${camera.number}</button> ${camera.name}${camera.street ? `, ${camera.street}` : ""}` : "none that you may see"}</dd></div>
        <div><dt>Model</dt><dd>${unit.model || "not told"}${unit.serial ? `, camera's serial number ${unit.serial}` : ""}</dd></div>
        <div><dt>Here since</dt><dd>${dayAndTime(fromIso(unit.enrolled))}${unit.retired ? `, retired ${dayAndTime(fromIso(unit.retired))}` : ""}</dd></div>
        ${unit.note ? html`<div><dt>Note</dt><dd>${unit.note}</dd></div>` : nothing}
      </dl>
      ${busy && (may("deploy") || may("enrol")) ? html`<sl-unit-commands .unit=${unit} .again=${this.again}></sl-unit-commands>` : nothing}
      <h3>What it said last</h3>
      <sl-unit-states .unit=${unit}></sl-unit-states>
      ${this.#data(unit)}
      <sl-unit-trends .label=${unit.label}></sl-unit-trends>
      ${this.#refusals(unit)}
      ${may("enrol") ? html`<sl-unit-certificates .unit=${unit} .again=${this.again}></sl-unit-certificates>
        ${busy && camera ? html`<h3>Its camera's password</h3><sl-unit-camera .camera=${camera.id}></sl-unit-camera>` : nothing}
        ${busy ? this.#facts(unit) : nothing}` : nothing}
      ${this.#ending(unit)}
    `;
  }

  /** @override */
  render() {
    const { unit } = this;
    // One and the same head before and after it is loaded: who works by keys keeps their place.
    const head = html`<div class="page-head"><button class="plain back" aria-label="Back to all units" @click=${this.back}>‹ Units</button>
      <h2 tabindex="-1">Unit ${unit ? html`${unit.label} <small class="quiet unit-link" data-link=${unit.link}>${linkWords(unit)}</small>` : nothing}</h2></div>`;
    return html`${head} ${unit ? this.#body(unit) : this.#none()}`;
  }
}

customElements.define("sl-unit", UnitPage);
