/**
 * The strip along the top: call-up, wall layout, units in alarm, what was last said, the time, who is here.
 * @module
 */

import { html, nothing } from "lit";
import { setLayout } from "../actions.js";
import { SlElement } from "../element.js";
import "./reference.js";
import { deployments } from "../deployments.js";
import { awayLine } from "../hosts.js";
import { signOut } from "../session.js";
import { may, store } from "../store.js";
import { clock, day } from "../time.js";

const SAID_FOR_MS = 9000;

class TopBar extends SlElement {
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 500);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  #callUp() {
    const { typed, presetArmed, cameras } = this.state;
    const match = typed ? cameras.find((camera) => camera.number === Number(typed)) : undefined;
    const hint = presetArmed ? "preset 1–9" : typed ? (match ? match.name : "no such camera") : "type a number";
    return html`
      <div class="callup" data-typed=${typed} data-active=${typed !== "" || presetArmed} role="status" aria-label="Call-up">
        <span class="callup-label">${presetArmed ? "Preset" : "Camera"}</span>
        <span class="callup-digits">${typed || "—"}</span>
        <span class="callup-hint">${hint}</span>${match ? html`<kbd>Enter</kbd>` : nothing}
      </div>
    `;
  }

  /** Units in alarm, wherever one looks: counted here, told above the pictures, listed under Deployments. */
  #alarms() {
    const count = deployments.raised.length;
    if (count === 0 || this.state.lock !== "open") return nothing;
    const open = () => {
      deployments.set({ open: null, section: "due" });
      store.set({ panel: "deployments", panelOpen: true });
    };
    return html`<button class="unit-alarms" id="unit-alarms" data-count=${count} title="Show them under Deployments" @click=${open}><span aria-hidden="true">▲</span> ${count}
      <span class="wide-only">${count === 1 ? "unit in alarm" : "units in alarm"}</span><span class="away">: nobody sees to ${count === 1 ? "it" : "them"} yet</span></button>`;
  }

  #layouts() {
    return html`
      <div class="segments" role="group" aria-label="Tiles on the wall">
        ${[1, 4, 9].map(
          (count) => html`<button
            aria-pressed=${this.state.layout === count}
            data-layout=${count}
            title="${count === 1 ? "One tile" : `${count} tiles`} (Alt+${count})"
            @click=${() => setLayout(/** @type {1 | 4 | 9} */ (count))}
          >${count}</button>`,
        )}
      </div>
    `;
  }

  #notice() {
    const { notice, link } = this.state;
    const fresh = notice !== null && Date.now() - notice.at < SAID_FOR_MS;
    if (link === "down" && !fresh) {
      return html`<span class="said-line attention">Connection to the gateway lost. Trying again…</span>`;
    }
    if (fresh) return html`<span class="said-line ${notice.kind}">${notice.text}</span>`;
    const away = awayLine(this.state.cameras);
    if (!away) return nothing;
    const open = () => store.set({ panel: "hosts", panelOpen: true });
    return may("supervise")
      ? html`<button class="said-line hosts-down ${away.level}" title="Show the camera hosts" @click=${open}>${away.text}</button>`
      : html`<span class="said-line hosts-down ${away.level}">${away.text}</span>`;
  }

  /** @override */
  render() {
    const now = store.serverClock.now();
    const { user, lock } = this.state;
    return html`
      <header class="topbar">
        <span class="wordmark">Sightline</span>
        ${this.#callUp()} ${this.#layouts()}
        ${lock === "open" ? html`<sl-reference></sl-reference>` : nothing}
        <div class="alarms-space" role="status" aria-live="polite">${this.#alarms()}</div>
        <div class="said-space" role="status" aria-live="polite">${this.#notice()}</div>
        <time class="clock" datetime=${new Date(now).toISOString()}><span class="clock-day">${day(now)}</span> ${clock(now)}</time>
        <div class="who">
          ${lock === "open"
            ? html`<button class="plain who-name" id="account" title="Your account: lock, password, passkeys, sessions (${user?.role})"
                @click=${() => store.set({ panel: "account", panelOpen: true })}>${user?.name || user?.username}</button>
              <button class="plain" id="sign-out" @click=${() => void signOut()}>Sign out</button>`
            : html`<span class="who-name">${user?.name || user?.username}</span>`}
        </div>
      </header>
    `;
  }
}

customElements.define("sl-topbar", TopBar);
