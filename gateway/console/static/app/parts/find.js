/**
 * Every camera, and the ones that match what is typed: number, name, street, group.
 * @module
 */

import { html, nothing } from "lit";
import { callUp } from "../actions.js";
import { SlElement } from "../element.js";
import { toGlass } from "../glass.js";
import { recordingKnown } from "../hosts.js";
import { matching } from "../search.js";
import { may, selectedCamera, store } from "../store.js";
import { standing } from "../words.js";
import "./find-footage.js";

class Find extends SlElement {
  #query = "";

  /** @param {import("../types.js").Camera} camera */
  #choose(camera) {
    callUp(camera);
    // On a phone the list gives way to the picture.
    store.set({ panelOpen: matchMedia("(min-width: 860px)").matches });
  }

  /** @param {InputEvent} event */
  #typed(event) {
    this.#query = /** @type {HTMLInputElement} */ (event.target).value;
    this.requestUpdate();
  }

  /** @param {SubmitEvent} event */
  #first(event) {
    event.preventDefault();
    const [first] = matching(this.state.cameras, this.#query);
    if (first) this.#choose(first);
  }

  /** @param {import("../types.js").Camera} camera */
  #row(camera) {
    const down = camera.state.live !== "live";
    const lost = camera.state.recording && !camera.state.recording.main && recordingKnown(camera.state);
    const selected = selectedCamera()?.id === camera.id;
    return html`
      <li>
        <button class="camera-row" data-camera-number=${camera.number} aria-current=${selected} @click=${() => this.#choose(camera)}>
          <span class="number">${camera.number}</span>
          <span class="camera-name">${camera.name}<small>${[camera.street, camera.group].filter(Boolean).join(" · ")}</small></span>
          <span class="camera-facts">
            ${down ? html`<span class="attention">${standing(camera.state)}</span>` : nothing}
            ${lost ? html`<span class="lost">not recording</span>` : nothing}
            ${camera.head ? html`<span class="quiet">PTZ</span>` : html`<span class="quiet">fixed</span>`}
          </span>
        </button>
      </li>
    `;
  }

  /** @override */
  render() {
    const found = matching(this.state.cameras, this.#query);
    return html`
      <form role="search" @submit=${this.#first}>
        <label for="search">Find a camera</label>
        <input id="search" type="search" placeholder="Name, street, group or number" autocomplete="off" spellcheck="false" @input=${this.#typed}>
      </form>
      ${may("view_recorded") ? html`<sl-find-footage></sl-find-footage>` : nothing}
      <p class="hint" role="status">${found.length === 0
        ? this.state.cameras.length === 0
          ? may("enrol") ? "No cameras yet. Enrol one." : "No cameras yet."
          : "No camera matches. Try part of a name or street."
        : `${found.length} of ${this.state.cameras.length}; Enter calls up the first.`}</p>
      ${may("break_glass") ? html`<p class="hint">Need a camera that is not listed? <button class="plain" id="to-glass" @click=${toGlass}>Break the glass…</button></p>` : nothing}
      <ul class="camera-list">${found.map((camera) => this.#row(camera))}</ul>
    `;
  }
}

customElements.define("sl-find", Find);
