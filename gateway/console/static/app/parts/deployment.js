/**
 * One deployment: what comes next, what it is for, how its unit stands, its photos, its log.
 * @module
 */

import { html, nothing } from "lit";
import { callUp } from "../actions.js";
import { ApiError, get } from "../api.js";
import { deployments, step as takeStep, newKey } from "../deployments.js";
import { STAGES, happened, lasting, lineWords, signsHang, ticks, timeWords, recordedWhenDownWords } from "../deployments-words.js";
import { cameraById, may, store } from "../store.js";
import { clock, day, dayAndTime } from "../time.js";
import { say } from "../words.js";
import "./confirmed-here.js";
import { Deploying, atLength } from "./deployment-asking.js";
import "./deployment-file.js";
import "./deployment-steps.js";
import { cameraChips } from "./people-asking.js";

/** @typedef {import("../deployments-words.js").Deployment} DeploymentFacts */
/** @typedef {import("../deployments-words.js").Line} Line */

class DeploymentPage extends Deploying {
  /** @override */
  static properties = { deployment: { attribute: false } };

  constructor() {
    super();
    /** Which. */
    this.deployment = "";
  }

  /** @type {DeploymentFacts | null} */
  #one = null;
  /** @type {Line[]} */
  #log = [];
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #turn = "";

  /** @override */
  willUpdate() {
    const turn = `${this.deployment} ${deployments.state.turn}`;
    if (turn === this.#turn) return;
    this.#turn = turn;
    void this.#load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    deployments.set({ shown: null });
  }

  async #load() {
    const id = this.deployment;
    try {
      const [one, log] = await Promise.all([get(`/deployments/${id}`), get(`/deployments/${id}/log`)]);
      if (id !== this.deployment) return;
      [this.#one, this.#log, this.#problem] = [one, log, null];
      if (this.isConnected) deployments.set({ shown: one });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#problem = error.problem;
    }
    this.requestUpdate();
  }

  /** @param {DeploymentFacts} one */
  #alarms(one) {
    const acknowledge = (/** @type {import("../deployments-words.js").Unseen} */ unseen) =>
      this.attempt("alarm", () => takeStep(one.id, "acknowledgements", { kind: unseen.kind, line: unseen.line, key: newKey() }), "It is acknowledged.");
    const goesOn = one.alarms.filter((kind) => !one.unseen.some((each) => each.kind === kind));
    return html`${one.unseen.map((each) => html`<div class="said alarm dep-raised" role="status"><span><strong>The unit ${happened(each.kind)}</strong>
        ${each.count > 1 ? `${each.count} times since` : "at"} ${dayAndTime(Date.parse(each.since))}${one.alarms.includes(each.kind) ? `, and is still ${lasting(each.kind)}` : ""}.</span>
        <button class="primary" @click=${() => void acknowledge(each)}>I see to it</button></div>`)}
      ${goesOn.length ? html`<p class="said attention" role="status">The unit is still ${goesOn.map(lasting).join(" and ")}. That is acknowledged.</p>` : nothing}
      ${this.said("alarm")}`;
  }

  /** @param {DeploymentFacts} one */
  #standing(one) {
    const now = store.serverClock.now();
    if (one.stage === "withdrawn" && signsHang(one)) return html`<p class="said attention" role="status"><strong>It was withdrawn, and its signs still hang.</strong> Take them down.</p>`;
    if (one.stage !== "deployed") return nothing;
    const [until, review] = [Date.parse(one.until ?? ""), Date.parse(one.review ?? "")];
    if (!one.valid) return html`<p class="said attention" role="status"><strong>Its time was over on ${dayAndTime(until)}.</strong> It records nothing until its stay is extended. Else take it down.</p>`;
    if (!one.needed) return html`<p class="said attention" role="status"><strong>The last review found that it is not needed any more.</strong> Take it down.</p>`;
    if (review <= now && review < until) return html`<p class="said attention" role="status"><strong>Its review is overdue since ${day(review)}.</strong></p>`;
    return html`<p class="said" role="status">Stands until <b>${dayAndTime(until)}</b>, review by <b>${day(review)}</b>. It records.</p>`;
  }

  /** @param {DeploymentFacts} one */
  #facts(one) {
    const when = (/** @type {string | null} */ iso) => (iso ? dayAndTime(Date.parse(iso)) : null);
    const rows = /** @type {[string, unknown][]} */ ([
      ["Problem", atLength(one.problem)],
      ["Evidence", atLength(one.evidence)],
      ["Tried", atLength(one.alternatives)],
      ["Purpose", atLength(one.purpose)],
      ["Referred", `by ${one.referred_by}, ${when(one.referred)}`],
      ["Place", `${one.street ? `${one.street}, ` : ""}${one.place.latitude.toFixed(5)}, ${one.place.longitude.toFixed(5)}`],
      ["Decided", one.decided ? `${one.stage === "refused" ? "Refused" : `Approved for ${one.max_days} days`} by ${one.decided_by}, ${when(one.decided)}` : null],
      ["Unit", one.unit || null],
      ["Cameras", one.cameras.length ? cameraChips(one.cameras) : null],
      ["Responsible", one.responsible || null],
      ["Mount", one.mount || null],
      ["Signs up", when(one.signs_up)],
      ["Put up", when(one.deployed)],
      ["Signed off", one.signed_off ? `by ${one.signed_off_by}, ${when(one.signed_off)}` : one.stage === "deployed" ? "Not yet" : null],
      ["Taken down", when(one.removed)],
      ["Recorded when down", one.recorded_when_down.length ? `${recordedWhenDownWords(one.recorded_when_down)}, as nobody had said yet that it was down. What there is of it is withheld from everybody but administrators.` : null],
      ["Signs down", when(one.signs_down)],
      ["Evaluated", when(one.evaluated)],
    ]);
    return html`<dl class="facts-list dep-facts">${rows.filter(([, value]) => value !== null).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
  }

  /** What should not have been recorded, for who may look at it and have it deleted. @param {DeploymentFacts} one */
  #recordedWhenDown(one) {
    if (!one.recorded_when_down.length || !may("administer")) return nothing;
    const erase = () => this.attempt("erasure", () => takeStep(one.id, "erasure", { key: newKey() }), "It is deleted; the log says what had to be kept.");
    return html`${this.said("erasure")}<div class="buttons">${this.twice({ key: "erasure", label: "Delete what was recorded when it was down", sure: "Really delete it", act: erase })}</div>`;
  }

  /** @param {DeploymentFacts} one */
  #ticks(one) {
    if (!["planned", "deployed", "removed", "evaluated"].includes(one.stage)) return nothing;
    return html`<section class="dep-part"><h3>Tick list</h3><ul class="dep-ticks" id="deployment-ticks">${ticks(one).map(([done, words]) =>
      html`<li data-is=${String(done)}>${done ? "✓" : "–"} ${words}${done ? nothing : html` <span class="quiet">not yet</span>`}</li>`)}</ul></section>`;
  }

  #lines() {
    return html`<section><h3>Log</h3>
      <p class="hint">Nobody can change a line. Each has a digest over itself and the line before, which the audit has too.</p>
      <ol class="dep-log" id="deployment-log">${[...this.#log].reverse().map((line) => {
        const [did, said] = lineWords(line);
        const at = Date.parse(line.done);
        const when = timeWords(line);
        return html`<li data-step=${line.step}><time datetime=${line.done}>${day(at)} <b>${clock(at)}</b></time>
          <span><b>${line.by}</b> ${did}${said ? html`<small>${atLength(said)}</small>` : nothing}${when ? html`<small class="dep-when">${when}</small>` : nothing}<small class="dep-digest" title=${line.digest}>${line.n} · ${line.digest.slice(0, 16)}</small></span></li>`;
      })}</ol></section>`;
  }

  /** @override */
  render() {
    const one = this.#one;
    const back = html`<button class="plain back" aria-label="Back to the list" @click=${() => deployments.set({ open: null })}>‹ Deployments</button>`;
    const said = this.#problem ? say(this.#problem) : null;
    if (!one || one.id !== this.deployment) {
      return html`<div class="page-head">${back}</div>${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : html`<p class="hint">Loading…</p>`}`;
    }
    const camera = one.cameras.map((id) => cameraById(id)).find(Boolean);
    return html`
      <div class="page-head">${back}<h2 tabindex="-1">${one.title}</h2><span class="dep-stage" data-stage=${one.stage}>${STAGES[one.stage]}</span></div>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#alarms(one)} ${this.#standing(one)}
      ${camera && one.stage === "deployed" ? html`<div class="buttons"><button @click=${() => callUp(camera)}>Show camera ${camera.number} live</button></div>` : nothing}
      <sl-deployment-steps .one=${one}></sl-deployment-steps>
      ${this.#facts(one)} ${this.#recordedWhenDown(one)} ${this.#ticks(one)}
      ${one.stage === "deployed" ? html`<sl-confirmed-here .cameras=${one.cameras} .turn=${this.#turn}></sl-confirmed-here>` : nothing}
      <sl-deployment-file .one=${one} .log=${this.#log}></sl-deployment-file>
      ${this.#lines()}
    `;
  }
}

customElements.define("sl-deployment", DeploymentPage);
