/**
 * The panel beside the pictures: what would be dialogs elsewhere is here, where it covers nothing.
 * @module
 */

import { html, nothing } from "lit";
import "./steer.js";
import { SlElement } from "../element.js";
import { deployments } from "../deployments.js";
import { due } from "../health.js";
import { wishes } from "../keys.js";
import { Later, QUIET_MS } from "../later.js";
import { may, store } from "../store.js";

/** @typedef {import("../types.js").PanelName} PanelName */

/** @type {[name: PanelName, label: string, permission: string | null][]} */
const TABS = [
  ["steer", "Steer", null],
  ["find", "Cameras", null],
  ["deployments", "Deployments", "deploy"],
  ["health", "Health", "view_live"],
  ["sharing", "Sharing", "share"],
  ["enrol", "Enrol", "enrol"],
  ["units", "Units", "deploy"],
  ["holds", "Holds", "view_recorded"],
  ["approvals", "Approvals", "approve"],
  ["hosts", "Hosts", "supervise"],
  ["people", "People", "administer"],
  ["audit", "Audit", "audit"],
  ["keys", "Keys", null],
  ["account", "You", null],
];

/** All but the one that a console comes up with. @type {Partial<Record<PanelName, () => Promise<unknown>>>} */
const PARTS = {
  find: () => import("./find.js"),
  deployments: () => import("./deployments.js"),
  health: () => import("./health.js"),
  sharing: () => import("./shares.js"),
  enrol: () => import("./enrol.js"),
  units: () => import("./units.js"),
  holds: () => import("./holds.js"),
  approvals: () => import("./approvals.js"),
  hosts: () => import("./hosts.js"),
  people: () => import("./people.js"),
  audit: () => import("./audit.js"),
  keys: () => import("./keys-help.js"),
  account: () => import("./account.js"),
};

class Panel extends SlElement {
  #leave = () => {};
  #parts = new Later(PARTS, () => this.requestUpdate());
  #quiet = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#quiet = setTimeout(() => void this.#parts.rest(), QUIET_MS);
    wishes.addEventListener("search", this.#search);
    this.#leave = deployments.subscribe(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#quiet);
    wishes.removeEventListener("search", this.#search);
    this.#leave();
  }

  /** @override */
  willUpdate() {
    void this.#parts.need(this.state.panel);
  }

  #search = async () => {
    store.set({ panel: "find", panelOpen: true });
    await this.#parts.need("find");
    await this.updateComplete;
    await new Promise(requestAnimationFrame);
    /** @type {HTMLElement | null} */ (this.querySelector("#search"))?.focus();
  };

  /** @param {PanelName} name @param {MouseEvent} event */
  #choose(name, event) {
    void this.#parts.again(name);
    store.set({ panel: name, panelOpen: true });
    // Whoever clicked has the arrows for the head again; whoever came by keys (detail 0) goes on from tab to tab.
    if (event.detail > 0) /** @type {HTMLElement} */ (event.currentTarget).blur();
  }

  /** @param {KeyboardEvent} event */
  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("[role=tab]")].filter((tab) => tab.clientWidth > 0));
    const next = tabs[(tabs.indexOf(/** @type {HTMLElement} */ (event.target)) + step + tabs.length) % tabs.length];
    next?.focus();
    next?.click();
    event.preventDefault();
  }

  /** How many things wait there. @param {PanelName} name */
  #badge(name) {
    const { waiting, holdsDue, health } = this.state;
    const alarm = name === "deployments" && deployments.raised.length > 0;
    const count =
      {
        approvals: waiting.filter((one) => !one.mine).length,
        holds: holdsDue,
        deployments: deployments.waiting,
        health: due(health?.needs ?? []).length,
      }[/** @type {string} */ (name)] ?? 0;
    return count ? html` <b class="badge" data-alarm=${alarm} aria-label="${count} waiting${alarm ? ", units in alarm" : ""}">${count}</b>` : nothing;
  }

  #body() {
    const is = this.#parts.is(this.state.panel);
    if (is === "coming") return html`<p class="hint">Loading…</p>`;
    if (is === "failed") {
      return html`<p class="said attention" role="alert"><strong>This panel did not load.</strong> The gateway did not give it; the pictures are not touched by that.
        <button id="panel-again" @click=${() => void this.#parts.again(this.state.panel)}>Try again</button></p>`;
    }
    switch (this.state.panel) {
      case "holds":
        return html`<sl-holds></sl-holds>`;
      case "approvals":
        return html`<sl-approvals></sl-approvals>`;
      case "find":
        return html`<sl-find></sl-find>`;
      case "sharing":
        return html`<sl-shares></sl-shares>`;
      case "deployments":
        return html`<sl-deployments></sl-deployments>`;
      case "enrol":
        return html`<sl-enrol></sl-enrol>`;
      case "health":
        return html`<sl-health></sl-health>`;
      case "units":
        return html`<sl-units></sl-units>`;
      case "hosts":
        return html`<sl-hosts></sl-hosts>`;
      case "people":
        return html`<sl-people></sl-people>`;
      case "audit":
        return html`<sl-audit></sl-audit>`;
      case "account":
        return html`<sl-account></sl-account>`;
      case "keys":
        return html`<sl-keys></sl-keys>`;
      default:
        return html`<sl-steer></sl-steer>`;
    }
  }

  /** @override */
  render() {
    const { panel, panelOpen } = this.state;
    return html`
      <section class="panel">
        <div class="tabs">
          <button class="tab map-tab" aria-pressed=${!panelOpen} @click=${() => store.set({ panelOpen: false })}>Map</button>
          <div class="tab-list" role="tablist" aria-label="Panels" data-own-arrows @keydown=${this.#arrow}>${TABS.filter(([name, , permission]) => (permission === null || may(permission)) && name !== (panel === "account" ? "keys" : "account")).map(
            ([name, label]) => html`<button class="tab" role="tab" id="tab-${name}" aria-selected=${panel === name} aria-controls="panel-body"
              tabindex=${panel === name ? 0 : -1} data-open=${panelOpen && panel === name} @click=${(/** @type {MouseEvent} */ event) => this.#choose(name, event)}>${label}${this.#badge(name)}</button>`,
          )}</div>
        </div>
        <div class="panel-body" id="panel-body" role="tabpanel" aria-labelledby="tab-${panel}" tabindex="-1">${this.#body()}</div>
      </section>
    `;
  }
}

customElements.define("sl-panel", Panel);
