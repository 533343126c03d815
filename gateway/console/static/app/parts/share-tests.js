/**
 * Tests of the links to partners' rooms: a test picture is shared for a short while, and their page says what it saw.
 * @module
 */

import { problemOf } from "../api.js";
import { html, nothing } from "lit";
import { SlElement } from "../element.js";
import { loadTests, testLink } from "../shares.js";
import { testLine } from "../shares-words.js";
import { cameraById, selectedCamera, store, tell } from "../store.js";
import { line } from "../words.js";

/** @typedef {import("../shares-types.js").Organisation} Organisation */
/** @typedef {import("../shares-types.js").RoomTest} RoomTest */

/** A shift, as long as the longest. */
const SHIFT_MS = 12 * 3_600_000;

class ShareTests extends SlElement {
  /** @type {Set<string>} */
  #asked = new Set();
  #open = "";

  /** @override */
  willUpdate() {
    for (const { id } of this.state.sharing.organisations) {
      if (this.#asked.has(id)) continue;
      this.#asked.add(id);
      void loadTests(id).catch((error) => tell(line(problemOf(error)), "attention"));
    }
  }

  /** @param {Organisation} one */
  #start(one) {
    // The room's own test picture, or the one that is selected where it has none.
    const camera = this.state.sharing.usual?.test_camera ? null : (selectedCamera()?.id ?? null);
    void testLink(one.id, camera);
  }

  /** @param {RoomTest} test */
  #result(test) {
    const camera = cameraById(test.camera);
    return html`<li data-result=${test.result} class=${test.result === "failed" ? "attention" : ""}>${testLine(test)}
      <small>asked for by ${test.operator}${camera ? html`, with the picture of <span class="number">${camera.number}</span>` : nothing}</small></li>`;
  }

  /** @param {Organisation} one */
  #row(one) {
    const tests = (this.state.sharing.tests[one.id] ?? []).filter((test) => store.serverClock.now() - Date.parse(test.at) < SHIFT_MS);
    const running = tests[0]?.result === "running";
    const shown = this.#open === one.id ? tests : tests.slice(0, 1);
    return html`<li class="link-test" data-organisation=${one.id}>
      <div class="link-head"><b>${one.name}</b>
        <button data-act="test" ?disabled=${running || one.disabled} @click=${() => this.#start(one)}>${running ? "Testing…" : "Test the link"}</button></div>
      ${one.disabled
        ? html`<p class="hint">Disabled: nothing is shared with it.</p>`
        : shown.length
          ? html`<ul role="status">${shown.map((test) => this.#result(test))}</ul>`
          : html`<p class="hint">Not tested in the last 12 hours.</p>`}
      ${tests.length > 1
        ? html`<button class="plain" aria-expanded=${this.#open === one.id} @click=${() => { this.#open = this.#open === one.id ? "" : one.id; this.requestUpdate(); }}>
            ${this.#open === one.id ? "Only the last" : `${tests.length - 1} more in the last 12 hours`}</button>`
        : nothing}
    </li>`;
  }

  /** @override */
  render() {
    const { organisations } = this.state.sharing;
    if (organisations.length === 0) return html`<p class="hint">There is no partner yet.</p>`;
    return html`<ul class="link-tests">${organisations.map((one) => this.#row(one))}</ul>`;
  }
}

customElements.define("sl-share-tests", ShareTests);
