/**
 * What comes next in a deployment's life, for whoever may do it.
 * @module
 */

import { html, nothing } from "lit";
import { deployments } from "../deployments.js";
import { EFFECTS, lastOf, mayGoUpAgain, signsHang } from "../deployments-words.js";
import { fields } from "../element.js";
import { cameraById, may, store } from "../store.js";
import { dayAndTime, toIso } from "../time.js";
import { DAY_MS, Deploying, dateField, sentences } from "./deployment-asking.js";

/** @typedef {import("../deployments-words.js").Deployment} Deployment */
/** @typedef {import("../deployments-words.js").Rules} Rules */

/** What is chosen for the latest day is a moment before its end. */
const MOMENT_MS = 60_000;
/** A stay that ends with a day ends in its last second: longer is the next day. */
const SECOND_MS = 1000;

class DeploymentSteps extends Deploying {
  /** @override */
  static properties = { one: { attribute: false } };

  constructor() {
    super();
    /** @type {Deployment | null} */
    this.one = null;
  }

  #installing = false;

  /**
   * A form of one step.
   * @param {{where: string, title: string, path: string, done: string, body: unknown, button: unknown, blames?: string, open?: boolean, hint?: unknown,
   *   said: (given: Record<string, string>, event: SubmitEvent) => Record<string, unknown>}} form
   */
  #form({ where, title, path, done, body, button, said, blames = "", open = false, hint = "" }) {
    const submit = (/** @type {SubmitEvent} */ event) => {
      const { one } = this;
      if (one) void this.take(where, event, one.id, path, said(fields(event), event), done);
    };
    return html`<details class="dep-step" data-form=${where} ?open=${open}><summary>${title}</summary>
      <form id=${where} data-blames=${blames} @submit=${submit}>${hint ? html`<p class="hint">${hint}</p>` : nothing}${body}${this.said(where)}<div class="buttons">${button}</div></form></details>`;
  }

  /** @param {Deployment} one @param {Rules} rules */
  #decision(one, rules) {
    if (!may("decide_deployment")) return html`<p class="hint">Once its criteria are checked and its documents linked, a supervisor decides.</p>`;
    if (rules.two_people && one.mine) return html`<p class="said" role="status">You referred this yourself: somebody else must decide.</p>`;
    const open = one.criteria.filter(({ met }) => !met).length;
    const missing = ["dpia", "authority"].filter((kind) => !one.documents.includes(kind)).length;
    return this.#form({
      where: "decision", title: "Decide", path: "decision", done: "The decision is signed.", blames: "max_days", open: true,
      hint: open || missing ? `It can be approved once every criterion is met and an impact assessment and an authority are linked: ${[open ? `${open} of ${one.criteria.length} criteria are not` : "", missing ? `${missing} of 2 documents are not` : ""].filter(Boolean).join(", ")}. It can be refused now.` : "Your name stands under it. You are asked to prove that it is you.",
      body: html`${sentences({ id: "decision-reason", name: "reason", label: "Why", hint: "The reason, either way" })}
        <label for="decision-days">For how many days at most</label><input id="decision-days" name="max_days" type="number" min="1" max=${rules.max_days} value=${rules.max_days} required>`,
      button: html`<button class="primary" name="granted" value="yes" ?disabled=${open + missing > 0}>Approve</button><button name="granted" value="no" class="remove">Refuse</button>`,
      said: ({ reason, max_days: days }, event) => (/** @type {HTMLButtonElement | null} */ (event.submitter)?.value === "yes"
        ? { granted: true, reason, max_days: Number(days) } : { granted: false, reason }),
    });
  }

  /** @param {Deployment} one */
  #withdrawal(one) {
    return this.#form({ where: "withdrawal", title: "Withdraw it", path: "withdrawal", done: "It is withdrawn.", hint: one.signs_up ? "Its signs are up: they are to come down then, and are listed as due until they have." : "", body: sentences({ id: "withdrawal-text", name: "text", label: "Why it is not wanted any more" }),
      button: html`<button class="remove sure">Withdraw it</button>`, said: ({ text }) => ({ text }) });
  }

  /** @param {Deployment} one @param {Rules} rules */
  #plan(one, rules) {
    const units = deployments.state.units.flatMap(({ unit, cameras, deployment }) => (cameras[0] ? [{ unit, camera: cameras[0], deployment }] : []));
    return this.#form({
      where: "plan", title: one.stage === "planned" ? `Plan it anew (unit ${one.unit})` : "Plan it", path: "plan", done: "It is planned. Signs come next.", blames: "review_days", open: one.stage === "granted",
      body: units.length === 0 ? html`<p class="said attention">No camera is marked as one that moves. Mark one under Units.</p>` : html`
        <label for="plan-camera">Unit</label><select id="plan-camera" name="camera">${units.map(({ unit, camera, deployment }) => html`<option value=${camera} ?selected=${unit === one.unit}>
          ${unit}${cameraById(camera) ? `, camera ${cameraById(camera)?.number}` : ""}${deployment ? " (stands elsewhere now)" : ""}</option>`)}</select>
        <label for="plan-responsible">Who answers for it</label><input id="plan-responsible" name="responsible" required maxlength="120" autocomplete="off" aria-describedby="plan-responsible-hint" .defaultValue=${one.responsible}>
        <p class="hint" id="plan-responsible-hint">Write the name as their account has it, or their user name: what becomes due is told to them, too.</p>
        <div class="pair"><div><label for="plan-mount">Lamp post or mount</label><input id="plan-mount" name="mount" maxlength="120" autocomplete="off" placeholder="LP 14" .defaultValue=${one.mount}></div>
          <div><label for="plan-days">Reviewed every … days</label><input id="plan-days" name="review_days" type="number" min="1" max=${rules.review_days} value=${rules.review_days} required></div></div>`,
      button: units.length ? html`<button class="primary">Plan it</button>` : nothing,
      said: ({ camera, responsible, mount, review_days: days }) => ({ camera, responsible, mount, review_days: Number(days) }),
    });
  }

  /**
   * That a photo comes first, and the way to where it is sent: that form stands far below.
   * @param {string} what @param {string} kind
   */
  #photoFirst(what, kind) {
    const go = () => {
      const form = this.closest("sl-deployment")?.querySelector("#send-photo");
      const shut = form?.closest("details");
      if (!(form instanceof HTMLFormElement) || !shut) return;
      shut.open = true;
      const chosen = form.elements.namedItem("kind");
      if (chosen instanceof HTMLSelectElement) chosen.value = kind;
      form.scrollIntoView({ block: "center" });
      /** @type {HTMLElement | null} */ (form.querySelector("[type=file]"))?.focus({ preventScroll: true });
    };
    return html`${what} comes first, from the field team's phone or from here. <button type="button" class="link to-photo" @click=${go}>Send the photo</button>`;
  }

  /** @param {Deployment} one @param {Rules} rules */
  #signs(one, rules) {
    const photo = one.photos.some(({ kind }) => kind === "sign-up");
    if (one.signs_up) return nothing;
    return this.#form({ where: "signs-up", title: "Say that the signs are up", path: "signs-up", done: "The signs are up.", open: photo || !rules.sign_photos,
      hint: rules.sign_photos && !photo ? this.#photoFirst("A photo of a sign", "sign-up") : "",
      body: sentences({ id: "signs-up-text", name: "text", label: "Where they are", hint: "On LP 13 and LP 15" }), button: html`<button class="primary">They are up</button>`, said: ({ text }) => ({ text }) });
  }

  /** @param {Deployment} one @param {Rules} rules */
  #install(one, rules) {
    if (!one.signs_up) return html`<p class="hint">The unit goes up after its signs.</p>`;
    const again = one.stage === "removed";
    const toggle = (/** @type {Event} */ event) => {
      this.#installing = /** @type {HTMLDetailsElement} */ (event.target).open;
      this.requestUpdate();
    };
    const submit = (/** @type {SubmitEvent} */ event) => {
      const { latitude, longitude, street, bearing } = fields(event);
      const said = { unit: one.unit, place: { latitude: Number(latitude), longitude: Number(longitude) }, street, bearing_deg: bearing ? Number(bearing) : null };
      void this.take("installation", event, one.id, "installation", said, "It stands, and records.");
    };
    return html`<details class="dep-step" data-form="installation" @toggle=${toggle}><summary>${again ? "It was not taken down, or is up again" : "Say that the unit is up"}</summary>
      ${this.#installing ? html`<form id="installation" data-blames="place" @submit=${submit}>
        <p class="hint">Unit <strong>${one.unit}</strong>, as it is planned; where another hangs there, plan that first. ${again ? "For 24 hours it goes up again under its grant, for the time that it had. " : "Field teams say this from their phones. "}It is within ${Math.round(rules.spread_m)} m of the place that was approved.</p>
        <sl-place .place=${one.place} .legend=${"Where it stands"}></sl-place>
        <div class="pair"><div><label for="install-street">Street</label><input id="install-street" name="street" maxlength="120" autocomplete="off" .defaultValue=${one.street}></div>
          <div><label for="install-bearing">Looking, degrees from north</label><input id="install-bearing" name="bearing" type="number" min="0" max="360" step="any" placeholder="Not known"></div></div>
        ${this.said("installation")}<div class="buttons"><button class="primary">It is up</button></div></form>` : nothing}</details>`;
  }

  /** @param {Deployment} one @param {Rules} rules */
  #standing(one, rules) {
    const now = store.serverClock.now();
    const nextReview = now + rules.review_days * DAY_MS - MOMENT_MS;
    const longest = now + rules.max_days * DAY_MS - MOMENT_MS;
    const due = Date.parse(one.review ?? "") - now < 7 * DAY_MS;
    const ends = Date.parse(one.until ?? "");
    return html`
      ${this.#form({ where: "review", title: "Review it", path: "reviews", done: "The review is on file.", blames: "next", open: due,
        body: html`${sentences({ id: "review-found", name: "found", label: "What the review found" })}
          <label for="review-next">Next review</label><input id="review-next" name="next" type="date" required min=${dateField(now + DAY_MS)} max=${dateField(nextReview)} value=${dateField(nextReview)}>`,
        button: html`<button class="primary" name="needed" value="yes">Still needed</button><button name="needed" value="no">Not needed any more</button>`,
        said: ({ found, next = "" }, event) => ({ found, needed: /** @type {HTMLButtonElement | null} */ (event.submitter)?.value !== "no", next: toIso(lastOf(next, nextReview)) }) })}
      ${!may("decide_deployment") ? nothing : rules.two_people && one.mine ? html`<p class="hint">You referred this: somebody else signs a longer stay.</p>`
        : this.#form({ where: "extension", title: "Extend its stay", path: "extension", done: "It may stay longer.", blames: "until", open: !one.valid,
          hint: `It ends on ${dayAndTime(ends)}, and can be let stay until ${dayAndTime(longest)}. You are asked to prove that it is you.`,
          body: html`${sentences({ id: "extension-reason", name: "reason", label: "Why it stays longer" })}
            <label for="extension-until">Until the end of</label><input id="extension-until" name="until" type="date" required min=${dateField(Math.max(now, ends + SECOND_MS))} max=${dateField(longest)} value=${dateField(longest)}>`,
          button: html`<button class="primary">Extend it</button>`, said: ({ reason, until = "" }) => ({ reason, until: toIso(lastOf(until, longest)) }) })}
      ${this.#form({ where: "removal", title: "Say that the unit is down", path: "removal", done: "It is down, and records nothing.", open: !one.needed || !one.valid,
        body: sentences({ id: "removal-text", name: "text", label: "Why it was taken down" }), button: html`<button class="primary">It is down</button>`, said: ({ text }) => ({ text }) })}`;
  }

  /** @param {Deployment} one @param {Rules} rules */
  #signsDown(one, rules) {
    const photo = one.photos.some(({ kind }) => kind === "sign-down");
    return !signsHang(one) ? nothing : this.#form({ where: "signs-down", title: "Say that the signs are down", path: "signs-down", done: "The signs are down.", open: true,
      hint: rules.sign_photos && !photo ? this.#photoFirst("A photo of the place without its sign", "sign-down") : "",
      body: sentences({ id: "signs-down-text", name: "text", label: "What was taken down" }), button: html`<button class="primary">They are down</button>`, said: ({ text }) => ({ text }) });
  }

  /** @param {Deployment} one @param {Rules} rules */
  #down(one, rules) {
    return html`${mayGoUpAgain(one, store.serverClock.now()) ? this.#install(one, rules) : nothing}${this.#signsDown(one, rules)}${one.signs_down ? this.#evaluation(one) : html`<p class="hint">It is evaluated once its signs are down.</p>`}`;
  }

  /** @param {Deployment} one */
  #evaluation(one) {
    return this.#form({ where: "evaluation", title: one.stage === "evaluated" ? "Evaluate it again" : "Evaluate it", path: "evaluations", done: "The evaluation is on file.", open: one.stage === "removed",
      body: html`<label for="evaluation-effect">What became of the problem</label><select id="evaluation-effect" name="effect">${Object.entries(EFFECTS).map(([effect, words]) => html`<option value=${effect}>${words}</option>`)}</select>
        ${sentences({ id: "evaluation-found", name: "found", label: "What shows it", hint: "Figures before, during and after" })}`,
      button: html`<button class="primary">Put it on file</button>`, said: ({ found, effect }) => ({ found, effect }) });
  }

  #note() {
    return this.#form({ where: "note", title: "Add a note", path: "notes", done: "It is noted.", body: sentences({ id: "note-text", name: "text", label: "To be remembered" }),
      button: html`<button class="primary">Note it</button>`, said: ({ text }) => ({ text }) });
  }

  /** @param {Deployment} one @param {Rules} rules */
  #next(one, rules) {
    switch (one.stage) {
      case "referred":
        return html`${this.#decision(one, rules)} ${this.#withdrawal(one)}`;
      case "granted":
        return html`${this.#plan(one, rules)} ${this.#withdrawal(one)}`;
      case "planned":
        return html`${this.#signs(one, rules)} ${this.#install(one, rules)} ${this.#plan(one, rules)} ${this.#withdrawal(one)}`;
      case "deployed":
        return this.#standing(one, rules);
      case "removed":
        return this.#down(one, rules);
      case "evaluated":
        return this.#evaluation(one);
      case "withdrawn":
        return this.#signsDown(one, rules);
      default:
        return nothing;
    }
  }

  /** @override */
  render() {
    const { one } = this;
    const { rules } = deployments.state;
    return one && rules ? html`<section class="dep-steps" aria-label="What comes next">${this.#next(one, rules)}${this.#note()}</section>` : nothing;
  }
}

customElements.define("sl-deployment-steps", DeploymentSteps);
