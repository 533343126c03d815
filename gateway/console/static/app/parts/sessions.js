/**
 * Sessions: where one, or as an administrator somebody, is signed in, and ending them.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { SlElement } from "../element.js";
import { tell } from "../store.js";
import { clock, day } from "../time.js";
import { say } from "../words.js";

/** @typedef {{id: string, since: string, used: string, address: string, browser: string, methods: string[], state: string, current: boolean}} Entry */

/** @type {Record<string, string>} */
const HOW = { password: "password", code: "one-time code", totp: "authenticator app", passkey: "passkey", recovery: "recovery code", oidc: "your organisation's account", mfa: "two factors there" };

class Sessions extends SlElement {
  /** Whose, where they are not one's own. @type {string | null} */
  user = null;
  /** @type {Entry[] | null} */
  #sessions = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#attempt(() => Promise.resolve());
  }

  /** @param {() => Promise<void>} work */
  async #attempt(work) {
    this.#problem = null;
    try {
      await work();
      this.#sessions = await get(this.user === null ? "/sessions" : `/sessions?user_id=${this.user}`);
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  /** @param {string} path @param {string} done */
  #end(path, done) {
    void this.#attempt(async () => {
      await send("DELETE", path);
      tell(done);
    });
  }

  /** @param {Entry} entry */
  #row(entry) {
    const since = Date.parse(entry.since);
    const state = entry.state === "locked" ? " · locked" : entry.state === "wall" ? " · wallboard" : "";
    return html`<li class="person" data-session=${entry.current ? "here" : "elsewhere"}>
      <span class="camera-name">${entry.browser || "Unknown browser"}${entry.current ? html` <b class="here">this one</b>` : nothing}
        <small>${entry.address} · since ${day(since)} ${clock(since)}${state}</small>
        <small>${entry.methods.map((method) => HOW[method] ?? method).join(", ")}</small></span>
      ${entry.current ? nothing : html`<button class="plain" aria-label="End the session of ${entry.browser} at ${entry.address}" @click=${() => this.#end(`/sessions/${entry.id}`, "That session has ended.")}>End</button>`}
    </li>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    const others = (this.#sessions ?? []).filter((entry) => !entry.current).length;
    const [path, act, done] = this.user === null
      ? ["/sessions", "End all others", "Your other sessions have ended."]
      : [`/users/${this.user}/sessions`, "End all", "Their sessions have ended."];
    return html`
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#sessions?.length === 0 ? html`<p class="hint">Nowhere now.</p>` : nothing}
      <ul class="people">${(this.#sessions ?? []).map((entry) => this.#row(entry))}</ul>
      ${others > 1 ? html`<div class="buttons"><button id="end-others" @click=${() => this.#end(path, done)}>${act}</button></div>` : nothing}
    `;
  }
}

customElements.define("sl-sessions", Sessions);
