/**
 * What there is to do: units to put up, and units that stand.
 * @module
 */

import { html, nothing } from "lit";
import { signOut } from "../app/session.js";
import { clock, duration } from "../app/time.js";
import { said, standing, toPutUp } from "./progress.js";
import { FieldElement, deployments, ours } from "./state.js";
import { look, open } from "./work.js";

/** @typedef {import("./progress.js").Deployment} Deployment */

/** @param {string} iso */
const day = (iso) => new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

class FieldList extends FieldElement {
  /** What a unit says of itself, for who has to climb up to it. @param {string} label */
  #health(label) {
    const unit = this.field.units?.find((one) => one.label === label);
    if (!unit) return nothing;
    const battery = said(unit, "battery");
    const signal = said(unit, "signal");
    const words = [
      unit.link === "online" ? "online" : unit.link === "never" ? "has not called in yet" : `${unit.link} since ${unit.heard ? clock(Date.parse(unit.heard)) : "?"}`,
      typeof battery?.percent === "number" ? `battery ${Math.round(battery.percent)} %${battery.charging ? ", charging" : ""}` : "",
      typeof signal?.rsrp_dbm === "number" ? `signal ${Math.round(signal.rsrp_dbm)} dBm` : "",
    ];
    return html`<span class=${unit.link === "online" ? "quiet" : "attention"}>${words.filter(Boolean).join(" · ")}</span>`;
  }

  /** @param {Deployment} one */
  #row(one) {
    const due = one.review !== null && one.stage === "deployed" && Date.parse(one.review) < Date.now();
    const over = one.stage === "deployed" && !one.valid;
    return html`<li><button class="work" data-deployment=${one.id} data-stage=${one.stage} @click=${() => void open(one.id)}>
      <strong>${one.street || one.title}${one.mount ? `, ${one.mount}` : ""}</strong>
      <span>${one.title}</span>
      <span>Unit <b>${one.unit || "?"}</b>${one.until && one.stage === "deployed" ? ` · until ${day(one.until)}` : ""}${one.stage === "removed" ? " · the signs are still up" : ""}</span>
      ${this.#health(one.unit)}
      ${one.alarms.length > 0 ? html`<span class="alarm">! ${one.alarms.join(", ")}</span>` : nothing}
      ${over ? html`<span class="alarm">! its time is over: take it down</span>` : due ? html`<span class="attention">! review due since ${day(/** @type {string} */ (one.review))}</span>` : nothing}
    </button></li>`;
  }

  /** @override */
  render() {
    const { readAt, reach, lasting, user } = this.field;
    if (readAt === null) {
      return html`<section class="card"><h1>${reach === "down" ? "No network yet" : "Reading…"}</h1>
        <p>What is to be done is read from the gateway once, and is then on this phone.</p></section>`;
    }
    const up = toPutUp(deployments());
    const down = standing(deployments());
    return html`
      ${reach === "down" ? html`<p class="said attention" role="status">No network. This is how it stood ${duration(Date.now() - readAt)} ago. Work on: it is sent later.</p>` : nothing}
      <section aria-labelledby="to-put-up"><h1 id="to-put-up">Put up</h1>
        ${up.length ? html`<ul class="works">${up.map((one) => this.#row(one))}</ul>` : html`<p class="quiet">Nothing is planned.</p>`}</section>
      <section aria-labelledby="to-take-down"><h1 id="to-take-down">Take down</h1>
        ${down.length ? html`<ul class="works">${down.map((one) => this.#row(one))}</ul>` : html`<p class="quiet">Nothing stands.</p>`}</section>
      <footer class="field-foot">
        ${lasting ? nothing : html`<p class="hint">This browser may clear what waits here when the phone is full. Add this page to the home screen, and send before you leave.</p>`}
        <p class="quiet">${user?.name}</p>
        <div class="row"><button @click=${() => void look()}>Send and read now</button>
          ${ours().length > 0 ? html`<span class="hint">Sign out when everything is sent.</span>` : html`<button @click=${() => void signOut()}>Sign out</button>`}</div>
      </footer>`;
  }
}

customElements.define("field-list", FieldList);
