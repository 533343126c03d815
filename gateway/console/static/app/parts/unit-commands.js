/**
 * What a unit is told over MQTT, and what it answers: within half a minute, or that is said.
 * @module
 */

import { html, nothing } from "lit";
import { send } from "../api.js";
import { fields } from "../element.js";
import { may } from "../store.js";
import { clock, fromIso } from "../time.js";
import { Asking } from "./people-asking.js";

/** @typedef {import("../units.js").OneUnit} OneUnit */
/** @typedef {{id: string, ok: boolean, error: string | null, time: string}} Answer */

const GB = 1e9;

class UnitCommands extends Asking {
  /** @override */
  static properties = { unit: { attribute: false } };

  /** What was asked, and what came of it. @type {{asked: string, answer: Answer | null} | null} */
  #told = null;

  constructor() {
    super();
    /** @type {OneUnit | null} */
    this.unit = null;
    /** @type {() => Promise<void>} */
    this.again = () => Promise.resolve();
  }

  /** @param {string} asked in words @param {string} path @param {object} [body] */
  #tell(asked, path, body) {
    this.#told = { asked, answer: null };
    void this.attempt("command", async () => {
      try {
        const answer = await send("POST", `/units/${encodeURIComponent(this.unit?.label ?? "")}/${path}`, body);
        this.#told = { asked, answer };
        await this.again();
      } catch (error) {
        this.#told = null;
        throw error;
      }
    });
  }

  /** @param {Event} event */
  #budget(event) {
    const { budget = "" } = fields(event);
    const budget_bytes = budget === "" ? null : Math.round(Number(budget) * GB);
    this.#tell(budget_bytes === null ? "to send as much as it will" : `to send ${budget} GB a month at most`, "data-budget", { budget_bytes });
  }

  #answer() {
    const told = this.#told;
    if (!told) return nothing;
    if (!told.answer) return html`<p class="said" role="status">Told ${told.asked}. Waiting for its answer, half a minute at most…</p>`;
    const { ok, error, time } = told.answer;
    return html`<p class="said ${ok ? "" : "attention"}" role="status">Told ${told.asked}: ${ok ? "done" : `it will not: ${error ?? "it does not say why"}`}. Its answer is of ${clock(fromIso(time))} by its own clock.</p>`;
  }

  /** @override */
  render() {
    const { unit } = this;
    if (!unit) return nothing;
    const away = unit.link === "gone" || unit.link === "never";
    const waiting = this.#told !== null && this.#told.answer === null;
    const off = away || waiting;
    const budget = unit.data.budget_bytes;
    return html`<section class="unit-commands" aria-label="Tell it something">
      ${away ? html`<p class="hint">It can be told nothing while its link is away.</p>` : nothing}
      ${may("deploy") ? html`<div class="buttons">
        <button data-command="locate" ?disabled=${off} @click=${() => this.#tell("to say where it is", "locate")}>Where is it?</button>
        <button data-command="main" ?disabled=${off} @click=${() => this.#tell("to send its main stream", "stream", { stream: "main" })}>Full picture</button>
        <button data-command="sub" ?disabled=${off} @click=${() => this.#tell("to send as little as it can", "stream", { stream: "sub" })}>Save data</button>
        ${off ? nothing : this.twice({ key: "reboot", label: "Start it anew", sure: "Really start it anew", act: () => this.#tell("to start anew", "reboot") })}
      </div>
      ${this.sure === "reboot" ? html`<p class="said" role="status">Its pictures stop for a minute or two, and are not recorded meanwhile.</p>` : nothing}` : nothing}
      ${this.#answer()} ${this.said("command")}
      ${may("enrol") ? html`<form class="inline unit-budget" @submit=${(/** @type {Event} */ event) => this.#budget(event)}>
        <label for="unit-budget">Data a month, GB</label>
        <input id="unit-budget" name="budget" type="number" min="0" max="10000" step="any" inputmode="decimal" placeholder="no budget" .value=${budget === null ? "" : String(budget / GB)}>
        <button ?disabled=${off}>Set it</button></form>` : nothing}
    </section>`;
  }
}

customElements.define("sl-unit-commands", UnitCommands);
