/**
 * A share with everything that it can have. What two keys make is this with the room's defaults.
 * @module
 */

import { html, nothing } from "lit";
import { problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { made, organisationById } from "../shares.js";
import { partners } from "../shares-model.js";
import { selectedCamera, store } from "../store.js";
import { localField, toIso } from "../time.js";
import { say } from "../words.js";
import "./instant.js";
import { STREAMS } from "./share-card.js";

const REVIEW_DAYS = 182;
const DAY_MS = 86_400_000;

class ShareNew extends SlElement {
  /** @override */
  static properties = { done: { attribute: false } };
  #organisation = "";
  #kind = "incident";
  #named = false;
  #follow = false;
  #busy = false;
  /** What is selected when the form is opened; it does not change under one's hands. */
  #numbers = String(selectedCamera()?.number ?? "");
  /** @type {import("../types.js").Problem | null} */
  #problem = null;

  constructor() {
    super();
    this.done = () => {};
  }

  /** @param {string} typed numbers @returns {string[]} @throws {Error} one that there is not */
  #cameras(typed) {
    const numbers = typed.split(/[\s,;]+/).filter(Boolean);
    return numbers.map((number) => {
      const camera = store.state.cameras.find((one) => one.number === Number(number));
      if (!camera) throw new Error(`There is no camera ${number}.`);
      return camera.id;
    });
  }

  /** @param {Event} event */
  async #make(event) {
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const said = fields(event);
    this.#problem = null;
    this.#busy = true;
    this.requestUpdate();
    try {
      const standing = this.#kind === "standing";
      const share = await send("POST", "/shares", {
        organisation: said["organisation"],
        recipients: this.#named ? form.getAll("recipient").map(String) : null,
        cameras: this.#follow ? this.#cameras(said["cameras"] ?? "").slice(0, 1) : this.#cameras(said["cameras"] ?? ""),
        follow: this.#follow,
        kind: this.#kind,
        title: said["title"] ?? "",
        reference: said["reference"] ?? "",
        reason: said["reason"] ?? "",
        review: standing && said["review"] ? new Date(said["review"]).toISOString() : null,
        start: said["start"] ? toIso(Number(said["start"])) : null,
        minutes: standing ? null : Number(said["minutes"]),
        stream: said["stream"],
        viewer_limit: Number(said["limit"]),
        may_ask_for_stick: form.has("stick"),
        stills: form.has("stills"),
      });
      made(share);
      this.done();
    } catch (error) {
      const own = error instanceof Error && error.message.startsWith("There is no camera");
      this.#problem = own ? { type: "page", title: /** @type {Error} */ (error).message, cure: "Give the numbers of cameras that you see." } : problemOf(error);
    }
    this.#busy = false;
    this.requestUpdate();
  }

  /** @param {string} organisation */
  #people(organisation) {
    const people = organisationById(organisation)?.people ?? [];
    if (!this.#named) return nothing;
    if (people.length === 0) return html`<p class="hint">None of them has enrolled yet.</p>`;
    return html`<fieldset class="pick"><legend class="away">Who of them</legend>
      ${people.map((one) => html`<label class="check"><input type="checkbox" name="recipient" value=${one.user_id}> ${one.name}${one.terms ? "" : html` <small class="quiet">terms not accepted</small>`}</label>`)}
    </fieldset>`;
  }

  #agreement() {
    const now = store.serverClock.now();
    return html`<label for="share-review">To be reviewed by</label>
      <input id="share-review" name="review" type="date" required .value=${localField(now + REVIEW_DAYS * DAY_MS).slice(0, 10)} min=${localField(now + DAY_MS).slice(0, 10)}>`;
  }

  /** @param {(value: any) => void} keep @param {"value" | "checked"} [what] */
  #keeps(keep, what = "value") {
    return (/** @type {Event} */ event) => {
      keep(/** @type {HTMLInputElement} */ (event.target)[what]);
      this.requestUpdate();
    };
  }

  /** @override */
  render() {
    const { sharing } = this.state;
    const known = partners(sharing);
    if (known.length === 0) return html`<p class="empty-said">There is no partner to share with yet. An administrator adds them under Partners.</p>`;
    const organisation = this.#organisation || known[0]?.id || "";
    const said = this.#problem ? say(this.#problem) : null;
    const standing = this.#kind === "standing";
    const { usual } = sharing;
    return html`
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      <form class="share-form" @submit=${(/** @type {Event} */ event) => void this.#make(event)}>
        <label for="share-organisation">With</label>
        <select id="share-organisation" name="organisation" @change=${this.#keeps((value) => (this.#organisation = value))}>
          ${known.map((one) => html`<option value=${one.id} ?selected=${one.id === organisation}>${one.name}</option>`)}</select>
        <label class="check"><input type="checkbox" id="share-named" ?checked=${this.#named} @change=${this.#keeps((value) => (this.#named = value), "checked")}> Only named people of theirs</label>
        ${this.#people(organisation)}
        <label for="share-cameras">${this.#follow ? "Camera to begin with" : "Cameras, by number"}</label>
        <input id="share-cameras" name="cameras" ?required=${!this.#follow} autocomplete="off" inputmode="numeric" .value=${this.#numbers}
          @input=${this.#keeps((value) => (this.#numbers = value))} placeholder="12, 14, 31">
        <label class="check"><input type="checkbox" id="share-follow" ?checked=${this.#follow} @change=${this.#keeps((value) => (this.#follow = value), "checked")}> Whatever I select (follow-me)</label>
        <label for="share-kind">By</label>
        <select id="share-kind" @change=${this.#keeps((value) => (this.#kind = value))}>
          <option value="incident" ?selected=${!standing}>an incident</option><option value="standing" ?selected=${standing}>a standing agreement</option></select>
        <label for="share-reference">${standing ? "Reference of the agreement" : "Reference of the incident"}</label>
        <input id="share-reference" name="reference" maxlength="100" ?required=${standing} autocomplete="off">
        ${standing ? this.#agreement() : nothing}
        <label for="share-reason">Reason</label>
        <input id="share-reason" name="reason" maxlength="500" autocomplete="off" placeholder=${usual?.reason ?? ""}>
        <label for="share-title">Title</label>
        <input id="share-title" name="title" maxlength="100" autocomplete="off" placeholder="The reason, or the camera">
        <label for="share-start">Begins (empty: now)</label>
        <sl-instant field="share-start" name="start"></sl-instant>
        ${standing ? nothing : html`<label for="share-minutes">Minutes</label><input id="share-minutes" name="minutes" type="number" required min="1" max=${usual?.max_minutes ?? 1440} value=${usual?.minutes ?? 60}>`}
        <div class="pair">
          <div><label for="share-stream">Stream</label><select id="share-stream" name="stream">
            ${STREAMS.map(([value, label]) => html`<option value=${value}>${label}</option>`)}</select></div>
          <div><label for="share-limit">Views at once</label><input id="share-limit" name="limit" type="number" required min="1" max="1000" value=${usual?.viewer_limit ?? 20}></div>
        </div>
        <label class="check"><input type="checkbox" name="stick"> They may ask for the stick</label>
        <label class="check"><input type="checkbox" name="stills"> They may take stills</label>
        <button class="primary" ?disabled=${this.#busy}>${this.#busy ? "Sharing…" : "Share"}</button>
      </form>
    `;
  }
}

customElements.define("sl-share-new", ShareNew);
