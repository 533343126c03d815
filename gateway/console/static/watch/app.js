/**
 * The page: who is here, and what is known of their shares, decides what is shown.
 * @module
 */

import { html } from "lit";
import "../app/parts/confirm.js";
import "../app/parts/veil.js";
import "./gate.js";
import "./room.js";
import { WatchElement } from "./state.js";

class WatchApp extends WatchElement {
  /** @override */
  createRenderRoot() {
    this.replaceChildren();
    return this;
  }

  /** @override */
  render() {
    const { mine, barred } = this.watched;
    const inside = this.state.session === "signed-in" && mine !== null && !mine.terms_due && barred === null;
    if (!inside) return html`<watch-gate></watch-gate><sl-confirm></sl-confirm>`;
    return html`<watch-room></watch-room><sl-veil></sl-veil><sl-confirm></sl-confirm>`;
  }
}

customElements.define("watch-app", WatchApp);
