/**
 * A unit that stands: how it is, its review, and taking it down (the camera first, then its signs) or on to another place.
 * @module
 */

import { html, nothing } from "lit";
import { fields } from "../app/element.js";
import { clock } from "../app/time.js";
import "./look.js";
import { shoot } from "./photo.js";
import { alarmed, dueOf, health, spoken, takenDown, toPutUp } from "./progress.js";
import "./review.js";
import "./scan.js";
import { FieldElement, deployments, opened } from "./state.js";
import { close, draw, open, take } from "./work.js";

/** @typedef {import("./progress.js").Deployment} Deployment */

class FieldDown extends FieldElement {
  #seen = "";
  /** @type {"" | "picture" | "review"} */
  #shown = "";

  /** @param {Deployment} one */
  #unit(one) {
    if (this.#seen === "") {
      return html`<p>Take it down after you have scanned it, so that it is the right one.</p>
        <field-scan .found=${(/** @type {string} */ label) => { this.#seen = label; this.requestUpdate(); }}></field-scan>`;
    }
    if (this.#seen !== one.unit) {
      return html`<p class="said attention" role="alert"><strong>This is ${this.#seen}; ${one.unit} stands here.</strong></p>
        <button @click=${() => { this.#seen = ""; this.requestUpdate(); }}>Look again</button>`;
    }
    const down = (/** @type {Event} */ event) => {
      const { reason = "" } = fields(event);
      void take(one.id, [{ step: "removal", said: { text: reason }, words: "the unit is down" }]);
    };
    return html`<p>Once this is sent, it stands nowhere and records nothing. What it records until then is not this street's.</p>
      <form class="typed" @submit=${down}><label for="why-down">Why</label>
        <input id="why-down" name="reason" required minlength="3" maxlength="500" autocomplete="off" .value=${one.valid ? "Its work is done." : "Its time is over."}>
        <button class="primary" id="is-down">${one.unit} is down</button></form>`;
  }

  /** @param {Deployment} one */
  #signs(one) {
    return html`<p>Signs last: photograph the post as you leave it, without them.</p>
      ${shoot("sign-photo", "Photograph the post without its signs", true, (photo) => take(one.id, [
        { step: "photos", said: { kind: "sign-down" }, words: "photo of the post", photo },
        { step: "signs-down", said: { text: "The signs are down, as in the photo." }, words: "signs are down" },
      ]))}`;
  }

  /** @param {"picture" | "review"} what @param {string} words */
  #opener(what, words) {
    return html`<button id=${`show-${what}`} aria-expanded=${this.#shown === what} @click=${() => {
      this.#shown = this.#shown === what ? "" : what;
      this.requestUpdate();
    }}>${words}</button>`;
  }

  /** A unit in the hand goes on to where it is wanted next. @param {Deployment} one */
  #onward(one) {
    const next = toPutUp(deployments());
    if (!next.length) return nothing;
    return html`<section class="card" id="onward"><h2>Does ${one.unit} go on to another place?</h2>
      <ul class="works">${next.map((other) => html`<li><button class="work" data-onward=${other.id} @click=${() => void open(other.id, one.unit)}>
        <strong>${spoken(other)}</strong>
        <span>${other.unit === one.unit ? "planned for it" : `${other.unit} is planned`} · ${other.title}</span></button></li>`)}</ul></section>`;
  }

  /** @override */
  render() {
    const one = opened();
    if (!one) return nothing;
    const done = takenDown(one);
    const camera = one.cameras[0];
    const unit = this.field.units?.find(({ label }) => label === one.unit);
    const how = unit ? health(unit, (iso) => clock(Date.parse(iso))) : null;
    const due = dueOf(one, Date.now());
    return html`<section class="card head"><h1>${spoken(one)}</h1>
        <p>Unit <b>${one.unit}</b> · ${one.title}</p>
        ${one.alarms.length ? html`<p class="said alarm">${alarmed(one)}</p>` : nothing}
        ${how ? html`<p id="how" class=${how.poor ? "attention" : "quiet"}>${how.words.join(" · ")}</p>` : nothing}
        ${due === "review" ? html`<p class="said attention">A review is due.</p>` : due === "over" ? html`<p class="said alarm">Its time is over, and it records nothing: take it down.</p>` : nothing}
        ${one.stage === "deployed" && one.signed_off === null ? html`<p class="said attention">Nobody has signed it off yet.</p>
          <button class=${this.field.draft?.down ? "primary" : ""} id="go-on" @click=${() => void draw({ down: false, up: true })}>Go on putting it up</button>` : nothing}
        ${one.stage === "deployed" ? html`<div class="row">${camera ? this.#opener("picture", "Picture, zones and presets") : nothing}${due === "over" ? nothing : this.#opener("review", "Review")}</div>` : nothing}</section>
      ${one.stage === "deployed" && this.#shown === "picture" && camera ? html`<section class="card"><field-look .camera=${camera} .deployment=${one.id}></field-look></section>` : nothing}
      ${one.stage === "deployed" && this.#shown === "review" ? html`<section class="card"><field-review @submit=${() => { this.#shown = ""; this.requestUpdate(); }}></field-review></section>` : nothing}
      ${one.stage === "withdrawn" ? html`<section class="card"><p class="said attention" role="status">It was withdrawn: no unit goes up here. Its signs are to come down.</p></section>`
        : html`<section class="card part" data-part="removal" data-done=${done.unit} data-now=${!done.unit}>
        <h2><span aria-hidden="true">${done.unit ? "✓" : 1}</span> Take the unit down<span class="away">${done.unit ? ": done" : ""}</span></h2>${done.unit ? nothing : this.#unit(one)}</section>`}
      <section class="card part" data-part="signs-down" data-done=${done.signs} data-now=${done.unit && !done.signs}>
        <h2><span aria-hidden="true">${done.signs ? "✓" : one.stage === "withdrawn" ? 1 : 2}</span> The signs<span class="away">${done.signs ? ": done" : ""}</span></h2>${done.unit && !done.signs ? this.#signs(one) : nothing}</section>
      ${one.removed !== null ? this.#onward(one) : nothing}
      ${done.unit && done.signs ? html`<section class="card"><p class="said">Done. ${one.stage === "withdrawn" ? "" : "What it achieved is written in the control room."}</p><button class="primary" @click=${close}>Back to the list</button></section>` : nothing}`;
  }
}

customElements.define("field-down", FieldDown);
