/**
 * Who did what: questions to the audit record, the newest of it, and a check that it is whole.
 * @module
 */

import { html, nothing } from "lit";
import { ApiError, get, send } from "../api.js";
import "./audit-seen.js";
import { did, who } from "../audit-words.js";
import { SlElement } from "../element.js";
import { cameraById } from "../store.js";
import { clock, day } from "../time.js";
import { say } from "../words.js";

class Audit extends SlElement {
  /** @type {import("../types.js").AuditEntry[] | null} */
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
      this.#events = said.entries;
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
      this.#sound = said.sound;
      this.#checked = said.sound
        ? `The record is whole: ${said.entries} entries, none altered, removed or moved.`
        : `The record was altered. ${said.problems.join(" ")}`;
    } catch (error) {
      const { title, cure } = say(error instanceof ApiError ? error.problem : error);
      [this.#sound, this.#checked] = [false, `${title} ${cure}`];
    }
    this.requestUpdate();
  }

  /** @param {import("../types.js").AuditEntry} entry */
  #row(entry) {
    const at = Date.parse(entry.at);
    const camera = cameraById(entry.subject);
    const failed = entry.outcome !== "done";
    return html`<li>
      <time datetime=${entry.at}>${day(at)} <b>${clock(at)}</b></time>
      <span class="audit-what"><b>${who(entry)}</b> ${did(entry)}
        ${camera ? html`<span class="number">${camera.number}</span>` : nothing}
        ${failed ? html`<span class="attention">${entry.outcome}</span>` : nothing}
        <small>${entry.address ? `from ${entry.address}` : ""}</small></span>
    </li>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h2>Audit</h2>
      <sl-audit-seen></sl-audit-seen>
      <h3>The newest of the record</h3>
      <div class="buttons"><button id="verify-audit" @click=${() => void this.#verify()}>Check that nothing was altered</button>
        <button class="plain" @click=${() => void this.#load()}>Refresh</button></div>
      ${this.#checked ? html`<p class="said ${this.#sound ? "" : "alarm"}" role="status">${this.#checked}</p>` : nothing}
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#events ? html`<ol class="audit-list">${this.#events.map((event) => this.#row(event))}</ol>` : said ? nothing : html`<p class="hint">Loading…</p>`}
    `;
  }
}

customElements.define("sl-audit", Audit);
