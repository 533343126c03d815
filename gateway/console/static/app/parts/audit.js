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

/** What somebody did, as a sentence goes on after their name. @type {Record<string, string>} */
const DID = {
  "access.set-up": "set up this gateway",
  "access.sign-in": "signed in",
  "access.sign-out": "signed out",
  "access.session-ended": "was signed out",
  "access.refused": "was refused",
  "user.added": "added a user",
  "user.changed": "changed a user",
  "user.removed": "removed a user",
  "camera.probed": "looked at a device",
  "camera.discovered": "searched the network",
  "camera.enrolled": "enrolled camera",
  "camera.changed": "changed camera",
  "camera.removed": "removed camera",
  "view.started": "began to watch camera",
  "view.ended": "stopped watching camera",
  "view.snapshot": "took a snapshot of camera",
  "steer.started": "took the stick of camera",
  "steer.ended": "let go of the stick of camera",
  "preset.stored": "stored a preset of camera",
  "preset.removed": "removed a preset of camera",
  "playback.started": "began to play back camera",
  "playback.ended": "stopped playing back camera",
  "playback.still": "saved a still of camera",
  "export.clip": "exported a clip of camera",
  "audit.read": "read this record",
  "audit.verified": "checked this record",
};

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
        ? `The record is whole: ${said.entries} entries, each sealed by the next.`
        : `The record was altered. ${said.problems.join(" ")}`;
    } catch (error) {
      const { title, cure } = say(error instanceof ApiError ? error.problem : error);
      [this.#sound, this.#checked] = [false, `${title} ${cure}`];
    }
    this.requestUpdate();
  }

  /** @param {any} entry */
  #row(entry) {
    const at = Date.parse(entry.at);
    const camera = cameraById(entry.subject);
    const failed = entry.outcome !== "done";
    return html`<li>
      <time datetime=${entry.at}>${day(at)} <b>${clock(at)}</b></time>
      <span class="audit-what"><b>${entry.actor || "nobody known"}</b> ${DID[entry.action] ?? entry.action.replace(".", " ")}
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
      <div class="buttons"><button id="verify-audit" @click=${() => void this.#verify()}>Check that nothing was altered</button>
        <button class="plain" @click=${() => void this.#load()}>Refresh</button></div>
      ${this.#checked ? html`<p class="said ${this.#sound ? "" : "alarm"}" role="status">${this.#checked}</p>` : nothing}
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#events ? html`<ol class="audit-list">${this.#events.map((event) => this.#row(event))}</ol>` : said ? nothing : html`<p class="hint">Asking…</p>`}
    `;
  }
}

customElements.define("sl-audit", Audit);
