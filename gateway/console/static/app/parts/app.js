/**
 * The page: who is here decides what is shown.
 * @module
 */

import { html } from "lit";
import "./asking.js";
import "./confirm.js";
import "./gate.js";
import "./glass.js";
import "./map.js";
import "./panel.js";
import "./share-asks.js";
import "./share-bar.js";
import "./timeline.js";
import "./topbar.js";
import "./unit-alarms.js";
import "./veil.js";
import "./wall.js";
import { SlElement } from "../element.js";

class App extends SlElement {
  #cleared = false;

  /** @override */
  willUpdate() {
    if (!this.#cleared) this.replaceChildren();
    this.#cleared = true;
    document.title = this.state.session === "signed-in" ? "Sightline · control room" : "Sightline";
  }

  /** @override */
  createRenderRoot() {
    this.replaceChildren();
    this.#cleared = true;
    return this;
  }

  /** @override */
  render() {
    const { session, lock, panel, panelOpen, outline, placing, sharing } = this.state;
    if (session !== "signed-in") return html`<sl-gate></sl-gate><sl-confirm></sl-confirm>`;
    return html`
      <div class="room" data-panel=${panelOpen ? panel : "none"} data-lock=${lock} data-outline=${outline !== null} data-placing=${placing} data-sharing=${sharing.bar !== null}>
        <sl-topbar></sl-topbar>
        <div class="notices"><sl-glass-notices></sl-glass-notices><sl-unit-alarms></sl-unit-alarms><sl-askings></sl-askings></div>
        <main class="centre" aria-label="Pictures">
          <sl-wall></sl-wall>
          <sl-share-bar></sl-share-bar>
          <sl-timeline></sl-timeline>
        </main>
        <aside class="side" aria-label="Map and controls">
          <sl-share-asks></sl-share-asks>
          <sl-map></sl-map>
          <sl-panel></sl-panel>
        </aside>
      </div>
      <sl-veil></sl-veil>
      <sl-confirm></sl-confirm>
    `;
  }
}

customElements.define("sl-app", App);
