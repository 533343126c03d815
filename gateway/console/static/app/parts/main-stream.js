/**
 * The main stream of a camera behind a thin link: its SIM pays for it, so it is taken while somebody asks.
 * @module
 */

import { html } from "lit";
import { problemOf, send } from "../api.js";
import { SlTicking } from "../element.js";
import { may, store, tell } from "../store.js";
import { duration } from "../time.js";
import { line } from "../words.js";

/** @typedef {import("../types.js").Camera} Camera */

const MINUTES = 10;

class MainStream extends SlTicking {
  /** @override */
  static properties = { camera: { attribute: false } };

  #busy = false;

  constructor() {
    super();
    /** @type {Camera | null} */
    this.camera = null;
  }

  /** @param {() => Promise<unknown>} work */
  async #attempt(work) {
    this.#busy = true;
    this.requestUpdate();
    try {
      await work();
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
    this.#busy = false;
    this.requestUpdate();
  }

  /** @override */
  render() {
    const camera = this.camera;
    if (!camera?.thin_link) return html``;
    const path = `/cameras/${camera.id}/main-stream`;
    const until = camera.thin_link.main_until;
    const left = until === null ? 0 : Date.parse(until) - store.serverClock.now();
    if (!may("steer")) {
      return left > 0 ? html`<span role="timer" aria-live="off">for ${duration(left)} yet</span>` : html`not taken: it comes over a SIM, and sub stands for it`;
    }
    if (left > 0) {
      return html`<span role="timer" aria-live="off">for ${duration(left)} yet</span>
        <button class="link" data-act="sub" ?disabled=${this.#busy} @click=${() => void this.#attempt(() => send("DELETE", path))}>Enough</button>`;
    }
    return html`not taken: it comes over a SIM, and sub stands for it
      <button class="link" data-act="main" ?disabled=${this.#busy}
        @click=${() => void this.#attempt(() => send("PUT", path, { minutes: MINUTES }))}>Take it for ${MINUTES} minutes</button>`;
  }
}

customElements.define("sl-main-stream", MainStream);
