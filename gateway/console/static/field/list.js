/**
 * What there is to do: units to put up, and units that stand.
 * @module
 */

import { html, nothing } from "lit";
import { signsHang } from "../app/deployments-words.js";
import { signOut } from "../app/session.js";
import { clock, dayAndTime, duration } from "../app/time.js";
import { alarmed, dueOf, health, spoken, standing, toPutUp } from "./progress.js";
import { FieldElement, deployments, ours } from "./state.js";
import { look, open, unsent } from "./work.js";

/** @typedef {import("./progress.js").Deployment} Deployment */

/** @param {string} iso */
const day = (iso) => new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

class FieldList extends FieldElement {
  /** What is in no step yet and would be left behind. @type {Deployment[]} */
  #left = [];

  async #leave() {
    this.#left = await unsent();
    if (this.#left.length > 0) this.requestUpdate();
    else await signOut();
  }

  #stay() {
    this.#left = [];
    this.requestUpdate();
  }

  /** Whoever leaves is told what of theirs nobody else will have. */
  #leaving() {
    if (this.#left.length === 0) return nothing;
    return html`<section class="card said attention" role="alert" id="left-behind"><h2>Begun, and not sent</h2>
      <p>What you began at ${this.#left.map(spoken).join("; ")} is in no step yet. It stays on this phone, unseen, and is here again when you sign in here.</p>
      <div class="row"><button class="primary" @click=${() => this.#stay()}>Stay</button>
        <button id="leave-it" @click=${() => { this.#stay(); void signOut(); }}>Sign out all the same</button></div></section>`;
  }

  /** What a unit says of itself, for who has to climb up to it. @param {string} label */
  #health(label) {
    const unit = this.field.units?.find((one) => one.label === label);
    if (!unit) return nothing;
    const { words, poor } = health(unit, (iso) => clock(Date.parse(iso)));
    return html`<span class=${poor ? "attention" : "quiet"} data-health=${label}>${poor ? "! " : ""}${words.join(" · ")}</span>`;
  }

  /** @param {Deployment} one */
  #row(one) {
    const due = dueOf(one, Date.now());
    return html`<li><button class="work" data-deployment=${one.id} data-stage=${one.stage} @click=${() => void open(one.id)}>
      <strong>${spoken(one)}</strong>
      <span>${one.title}</span>
      <span>Unit <b>${one.unit || "?"}</b>${one.until && one.stage === "deployed" ? ` · until ${dayAndTime(Date.parse(one.until))}` : ""}${one.stage === "withdrawn" ? " · withdrawn" : ""}${signsHang(one) ? " · the signs are still up" : ""}</span>
      ${this.#health(one.unit)}
      ${one.alarms.length > 0 ? html`<span class="alarm">! ${alarmed(one)}</span>` : nothing}
      ${one.stage === "deployed" && one.signed_off === null ? html`<span class="attention" data-unsigned>! not signed off</span>` : nothing}
      ${due === "over" ? html`<span class="alarm">! its time is over: take it down</span>` : due === "review" ? html`<span class="attention" data-due="review">! review due since ${day(/** @type {string} */ (one.review))}</span>`
        : one.stage === "deployed" && one.review ? html`<span class="quiet">next review by ${day(one.review)}</span>` : nothing}
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
    // What needs somebody comes first.
    const urgency = (/** @type {Deployment} */ one) => (one.alarms.length ? 0 : { over: 1, review: 2, "": signsHang(one) ? 1 : 3 }[dueOf(one, Date.now())]);
    const down = standing(deployments()).sort((one, other) => urgency(one) - urgency(other));
    return html`
      ${reach === "down" ? html`<p class="said attention" role="status">No network. This is how it stood ${duration(Date.now() - readAt)} ago. Work on: it is sent later.</p>` : nothing}
      <section aria-labelledby="to-put-up"><h1 id="to-put-up">Put up</h1>
        ${up.length ? html`<ul class="works">${up.map((one) => this.#row(one))}</ul>` : html`<p class="quiet">Nothing is planned.</p>`}</section>
      <section aria-labelledby="standing"><h1 id="standing">Standing</h1>
        ${down.length ? html`<ul class="works">${down.map((one) => this.#row(one))}</ul>` : html`<p class="quiet">Nothing stands.</p>`}</section>
      <footer class="field-foot">
        ${lasting ? nothing : html`<p class="hint">This browser may clear what waits here when the phone is full. Add this page to the home screen, and send before you leave.</p>`}
        <p class="quiet">Signed in as ${user?.name}.</p>
        <div class="row"><button @click=${() => void look({ whole: true })}>Send and read now</button>
          ${ours().length > 0 ? html`<span class="hint">Sign out when everything is sent.</span>` : html`<button id="sign-out" @click=${() => void this.#leave()}>Sign out</button>`}</div>
        ${this.#leaving()}
      </footer>`;
  }
}

customElements.define("field-list", FieldList);
