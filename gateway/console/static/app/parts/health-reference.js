/**
 * What a camera is to show: its reference view, taken and forgotten by whoever may enrol cameras.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { SlElement } from "../element.js";
import { may, tell } from "../store.js";
import { dayAndTime, fromIso } from "../time.js";
import { line } from "../words.js";

class ReferenceView extends SlElement {
  /** @override */
  static properties = { camera: { attribute: false } };

  /** When it was taken; null: there is none; undefined: not known yet. @type {string | null | undefined} */
  #taken = undefined;
  #of = "";
  #problem = "";
  #busy = false;
  /** Its host looks at a picture that comes after the wish: that may take some seconds. */
  #taking = false;
  #forgetting = false;

  constructor() {
    super();
    /** @type {import("../types.js").Camera | null} */
    this.camera = null;
  }

  /** @override */
  willUpdate() {
    const id = this.camera?.id ?? "";
    if (id === this.#of) return;
    this.#of = id;
    this.#taken = undefined;
    this.#problem = "";
    // What was asked of the one before goes on without this form.
    [this.#busy, this.#taking, this.#forgetting] = [false, false, false];
    if (id) void this.#load(id);
  }

  /** @param {string} id */
  async #load(id) {
    try {
      const said = await get(`/cameras/${id}/reference-view`);
      if (id === this.#of) this.#taken = said.taken;
    } catch (error) {
      if (id === this.#of) this.#problem = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** @param {"PUT" | "DELETE"} method @param {string} done */
  async #send(method, done) {
    const id = this.#of;
    [this.#busy, this.#taking] = [true, method === "PUT"];
    this.#problem = "";
    this.requestUpdate();
    try {
      const said = await send(method, `/cameras/${id}/reference-view`);
      if (id === this.#of) this.#taken = said?.taken ?? null;
      tell(done);
    } catch (error) {
      // Who looks at another camera by now is told all the same.
      if (id === this.#of) this.#problem = line(problemOf(error));
      else tell(line(problemOf(error)), "attention");
    }
    if (id !== this.#of) return;
    [this.#busy, this.#taking, this.#forgetting] = [false, false, false];
    this.requestUpdate();
  }

  #forget() {
    if (this.#forgetting) return void this.#send("DELETE", "Its picture is compared with nothing any more.");
    this.#forgetting = true;
    this.requestUpdate();
  }

  /** @override */
  render() {
    const { camera } = this;
    if (!camera) return nothing;
    const taken = this.#taken;
    return html`<section class="reference-view" aria-labelledby="reference-view-title">
      <h3 id="reference-view-title">How it should look</h3>
      ${taken ? html`<figure><img src="/api/v1/cameras/${camera.id}/reference-view/picture?taken=${encodeURIComponent(taken)}" width="160" height="90" alt="What camera ${camera.number} is to show, small and grey">
        <figcaption>Taken ${dayAndTime(fromIso(taken))}. ${camera.head ? "While its head stands as it stood then, Health says so if it shows something else." : "If the camera is turned away from it, Health says so."}</figcaption></figure>` : nothing}
      ${taken === null ? html`<p class="hint">Nobody has said so yet: if this camera is turned, nobody is told.${camera.head ? " Steer it to where it stands most of the time, best its home, and say so there." : ""}</p>` : nothing}
      ${taken === undefined && !this.#problem ? html`<p class="hint" role="status">Loading…</p>` : nothing}
      ${this.#taking ? html`<p class="hint" role="status">Waiting for its next picture…</p>` : nothing}
      ${this.#problem ? html`<p class="said attention" role="alert">${this.#problem}</p>` : nothing}
      ${may("enrol") ? html`<div class="buttons">
        <button id="reference-take" ?disabled=${this.#busy} title="What it shows now becomes what it is to show"
          @click=${() => void this.#send("PUT", `What camera ${camera.number} shows now is how it should look.`)}>This is how it should look</button>
        ${taken ? html`<button class="plain remove ${this.#forgetting ? "sure" : ""}" id="reference-forget" ?disabled=${this.#busy}
          @blur=${() => { this.#forgetting = false; this.requestUpdate(); }} @click=${() => this.#forget()}>${this.#forgetting ? "Really forget it" : "Forget it"}</button>` : nothing}
      </div>` : nothing}
      ${this.#forgetting ? html`<p class="said" role="status">Nothing is compared with it then: if this camera is turned, nobody is told.</p>` : nothing}
    </section>`;
  }
}

customElements.define("sl-reference-view", ReferenceView);
