/**
 * Whether a camera tells its events over MQTT, at our broker for cameras (ONVIF Profile M): told to, or to do so no more.
 * @module
 */

import { html, nothing } from "lit";
import { ApiError, get, send } from "../api.js";
import { SlElement } from "../element.js";
import { may } from "../store.js";
import { Asking } from "./people-asking.js";

/** @typedef {{address: string, prefix: string, status: string}} Broker */
/** @typedef {{address: string | null, prefix: string, brokers: Broker[]}} Brokers */

/** What a camera answers that has no such thing: the question itself is refused, and no sign-in is. */
const CANNOT = "camera.fault";
/** How a camera stands with a broker, as it says itself. @type {Record<string, string>} */
const STANDS = { Connected: "and is connected", Connecting: "and is connecting", Offline: "but does not reach it" };

class CameraEvents extends Asking {
  /** @override */
  static properties = { camera: { attribute: false } };

  /** @type {Brokers | null} */
  #known = null;
  #cannot = false;
  #of = "";

  constructor() {
    super();
    /** Its identifier. @type {string} */
    this.camera = "";
  }

  /** @override */
  willUpdate() {
    if (this.#of === this.camera) return;
    [this.#of, this.#known, this.#cannot] = [this.camera, null, false];
    void this.attempt("events", () => this.#load());
  }

  async #load() {
    const id = this.camera;
    try {
      const known = await get(`/cameras/${id}/event-brokers`);
      if (id === this.camera) this.#known = known;
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem.type !== CANNOT) throw error;
      if (id === this.camera) this.#cannot = true;
    }
  }

  /** @param {"PUT" | "DELETE"} method @param {string} done */
  #tell(method, done) {
    return this.attempt("events", async () => {
      try {
        await send(method, `/cameras/${this.camera}/event-broker`);
      } finally {
        await this.#load();
      }
    }, done);
  }

  /** @param {Brokers} known */
  #standing({ address, prefix, brokers }) {
    const others = brokers.filter((one) => one.address !== address).map((one) => one.address);
    const also = others.length ? html`<p class="hint">It also tells ${others.join(", ")}. That was set on the camera, not here.</p>` : nothing;
    if (address === null) return html`<p class="hint">There is no broker for cameras here: telemetry.cameras_url in the settings names one.</p>${also}`;
    const ours = brokers.find((one) => one.address === address);
    const begin = () => this.#tell("PUT", "The camera tells its events at our broker.");
    return html`<p>${ours ? `It tells them at our broker ${STANDS[ours.status] ?? "and does not say how that goes"}.` : "It is asked for them (pull point), and tells nobody by itself."}</p>
      ${ours ? html`<p class="hint">Under ${prefix}</p>` : nothing}${also}${this.said("events")}
      <div class="buttons">${ours ? html`<button data-act="events-anew" @click=${begin}>Give it a new password there</button>
          ${this.twice({ key: "events-off", label: "Tell no more", sure: "Really tell no more", name: "Tell no more events over MQTT", act: () => this.#tell("DELETE", "The camera tells no events over MQTT any more.") })}`
        : html`<button data-act="events-on" @click=${begin}>Tell events over MQTT</button>`}</div>`;
  }

  /** @override */
  render() {
    if (this.#cannot) return html`<p class="hint" role="status">This camera cannot tell its events over MQTT.</p>`;
    if (this.#known) return html`<div class="camera-events">${this.#standing(this.#known)}</div>`;
    return html`${this.said("events")}${this.wrong ? nothing : html`<p class="hint" role="status">Asking the camera…</p>`}`;
  }
}

customElements.define("sl-camera-events", CameraEvents);

/** The same, shut until somebody wants it: only then the camera is asked. */
class EventsOfCamera extends SlElement {
  /** @override */
  static properties = { camera: { attribute: false }, _open: { state: true } };

  constructor() {
    super();
    /** Its identifier. @type {string} */
    this.camera = "";
    this._open = false;
  }

  /** @override */
  render() {
    if (!may("enrol")) return nothing;
    return html`<details class="remarks" @toggle=${(/** @type {Event} */ event) => { this._open = /** @type {HTMLDetailsElement} */ (event.target).open; }}>
      <summary>Events over MQTT</summary>${this._open ? html`<sl-camera-events .camera=${this.camera}></sl-camera-events>` : nothing}</details>`;
  }
}

customElements.define("sl-events-of-camera", EventsOfCamera);
