/**
 * Whether a camera tells its events over MQTT, at our broker for cameras (ONVIF Profile M): told to, or to do so no more.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { AskingOfCamera, ShutOfCamera } from "./of-camera.js";

/** @typedef {{address: string, prefix: string, status: string}} Broker */
/** @typedef {{address: string | null, prefix: string, brokers: Broker[]}} Brokers */

/** What a camera answers that has no such thing: the question itself is refused, and no sign-in is. */
const CANNOT = "camera.fault";
/** How a camera stands with a broker, as it says itself. @type {Record<string, string>} */
const STANDS = { Connected: "and is connected", Connecting: "and is connecting", Offline: "but does not reach it" };

class CameraEvents extends AskingOfCamera {
  /** @override */
  where = "events";
  /** @type {Brokers | null} */
  #known = null;
  #cannot = false;

  /** @override */
  forget() {
    [this.#known, this.#cannot] = [null, false];
  }

  /** @override @param {string} camera @returns {Promise<Brokers | null>} null: it has no such thing */
  async ask(camera) {
    try {
      return await get(`/cameras/${camera}/event-brokers`);
    } catch (error) {
      if (problemOf(error).type !== CANNOT) throw error;
      return null;
    }
  }

  /** @override @param {Brokers | null} known */
  keep(known) {
    [this.#known, this.#cannot] = [known, known === null];
  }

  /** @param {"PUT" | "DELETE"} method @param {string} done */
  #tell(method, done) {
    return this.attempt("events", async () => {
      try {
        await send(method, `/cameras/${this.camera}/event-broker`);
      } finally {
        await this.load();
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

class EventsOfCamera extends ShutOfCamera {
  /** @override */
  summary = "Events over MQTT";

  /** @override */
  form() {
    return html`<sl-camera-events .camera=${this.camera}></sl-camera-events>`;
  }
}

customElements.define("sl-events-of-camera", EventsOfCamera);
