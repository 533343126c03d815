/**
 * Who did what: the newest of the audit record, and a check of its chain.
 * @module
 */

import { html, nothing } from "lit";
import { ApiError, get, send } from "../api.js";
import { SlElement } from "../element.js";
import { cameraById } from "../store.js";
import { clock, day } from "../time.js";
import { say } from "../words.js";

class Audit extends SlElement {
  /** @type {any[] | null} */
  #events = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #checked = "";
  #sound = true;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    try {
      const said = await get("/audit?limit=100");
      this.#events = Array.isArray(said) ? said : (said.events ?? said.entries);
      this.#problem = null;
    } catch (error) {
      this.#problem = error instanceof ApiError ? error.problem : { type: "page", ...say(error) };
    }
    this.requestUpdate();
  }

  async #verify() {
    this.#checked = "Checking…";
    this.requestUpdate();
    try {
      const said = await send("POST", "/audit/verify");
      this.#sound = said.sound ?? said.ok ?? said.problem == null;
      const count = said.checked ?? said.events ?? said.count;
      this.#checked = this.#sound
        ? `The record is whole${count === undefined ? "" : `: ${count} entries, each sealed by the next`}.`
        : `The record was altered. ${said.detail ?? said.problem ?? ""}`;
    } catch (error) {
      const { title, cure } = say(error instanceof ApiError ? error.problem : error);
      [this.#sound, this.#checked] = [false, `${title} ${cure}`];
    }
    this.requestUpdate();
  }

  /** @param {any} event */
  #row(event) {
    const at = Date.parse(event.at ?? event.time);
    const subject = event.subject ?? event.target ?? event.camera ?? "";
    const camera = cameraById(event.camera_id ?? event.camera ?? subject);
    return html`<li>
      <time datetime=${new Date(at).toISOString()}>${day(at)} <b>${clock(at)}</b></time>
      <span class="audit-what"><b>${event.who ?? event.username ?? "nobody"}</b> ${String(event.what ?? event.action ?? "").replaceAll(/[._]/g, " ")}
        ${camera ? html`<span class="number">${camera.number}</span>` : ""} <small>from ${event.address ?? event.from ?? event.where ?? "here"}</small></span>
    </li>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h2>Audit</h2>
      <div class="buttons"><button id="verify-audit" @click=${() => void this.#verify()}>Check that nothing was altered</button>
        <button class="plain" @click=${() => void this.#load()}>Refresh</button></div>
      ${this.#checked ? html`<p class="said ${this.#sound ? "" : "alarm"}" role="status">${this.#checked}</p>` : nothing}
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#events ? html`<ol class="audit-list">${this.#events.map((event) => this.#row(event))}</ol>` : said ? nothing : html`<p class="hint">Asking…</p>`}
    `;
  }
}

customElements.define("sl-audit", Audit);
