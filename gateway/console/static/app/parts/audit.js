/**
 * Who did what: questions to the audit record, the record itself, and a check that it is whole.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import "./audit-seen.js";
import "./instant.js";
import { factsOf, howAllowed, toWhat } from "../audit-facts.js";
import { AuditNames } from "../audit-names.js";
import { acts, did, who } from "../audit-words.js";
import { SlElement, fields } from "../element.js";
import { clock, day, toIso } from "../time.js";
import { say } from "../words.js";

/** @typedef {import("../types.js").AuditEntry} AuditEntry */

const PAGE = 100;

class Audit extends SlElement {
  #names = new AuditNames();
  /** @type {AuditEntry[] | null} */
  #entries = null;
  /** @type {number | null} */
  #before = null;
  /** What the list is narrowed to: empty is everything. */
  #filter = { action: "", actor_id: "", start: "", end: "" };
  /** Which question the list answers: an answer to an earlier one comes too late. */
  #turn = 0;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #checked = "";
  #sound = true;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#load();
    void this.#attempt(() => this.#names.learnPeople());
  }

  /** @param {() => Promise<unknown>} work */
  async #attempt(work) {
    try {
      await work();
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  /** The newest of what is asked for, or what comes before what is there. @param {number | null} [before] */
  #load(before = null) {
    this.#turn += 1;
    const turn = this.#turn;
    this.#problem = null;
    if (before === null) this.#entries = null;
    this.requestUpdate();
    const asked = new URLSearchParams({ limit: String(PAGE) });
    for (const [name, value] of Object.entries(this.#filter)) if (value) asked.set(name, value);
    if (before !== null) asked.set("before", String(before));
    return this.#attempt(async () => {
      const said = await get(`/audit?${asked}`);
      if (turn !== this.#turn) return;
      [this.#entries, this.#before] = [[...(this.#entries ?? []), ...said.entries], said.before];
      await this.#names.learn(said.entries);
    });
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
      const { title, cure } = say(problemOf(error));
      [this.#sound, this.#checked] = [false, `${title} ${cure}`];
    }
    this.requestUpdate();
  }

  #narrowing() {
    const choose = (/** @type {"action" | "actor_id"} */ name) => (/** @type {Event} */ event) => {
      this.#filter = { ...this.#filter, [name]: /** @type {HTMLSelectElement} */ (event.target).value };
      void this.#load();
    };
    return html`<div class="pair">
      <div><label for="audit-action">What was done</label><select id="audit-action" @change=${choose("action")}>
        <option value="">Anything</option>${acts().map(([action, words]) => html`<option value=${action}>${words}</option>`)}</select></div>
      <div><label for="audit-person">By whom</label><select id="audit-person" @change=${choose("actor_id")}>
        <option value="">Anybody</option>${this.#names.people.map(({ id }) => html`<option value=${id}>${this.#names.person(id)}</option>`)}</select></div>
    </div>
    <form id="record-times" aria-label="When it was done" @submit=${(/** @type {Event} */ event) => this.#between(event)}>
      <div class="times">
        <label for="record-from">From</label><sl-instant field="record-from" name="from" describedby="record-times-hint"></sl-instant>
        <label for="record-to">To</label><sl-instant field="record-to" name="to" describedby="record-times-hint"></sl-instant>
      </div>
      <div class="buttons"><button>Show that time</button></div>
      <p class="hint" id="record-times-hint">Either may be empty: then from its beginning, or until now.</p>
    </form>`;
  }

  /** By a button, not as it is typed: each reading is itself on record. @param {Event} event */
  #between(event) {
    const { from = "", to = "" } = fields(event);
    const told = (/** @type {string} */ at) => (at ? toIso(Number(at)) : "");
    this.#filter = { ...this.#filter, start: told(from), end: told(to) };
    void this.#load();
  }

  /** @param {AuditEntry} entry */
  #row(entry) {
    const at = Date.parse(entry.at);
    const facts = factsOf(entry, this.#names);
    return html`<li>
      <time datetime=${entry.at}>${day(at)} <b>${clock(at)}</b></time>
      <span class="audit-what"><b>${who(entry)}</b> ${did(entry)} <b>${toWhat(entry, this.#names)}</b>
        ${entry.outcome === "done" ? nothing : html`<span class="attention">${entry.outcome}</span>`}
        ${facts.length ? html`<span class="audit-facts">${facts.map(([name, value], index) => html`${index ? " · " : ""}${name} <b>${value}</b>`)}</span>` : nothing}
        <small>${howAllowed(entry, this.#names)}</small></span>
    </li>`;
  }

  #list() {
    if (!this.#entries) return this.#problem ? nothing : html`<p class="hint">Loading…</p>`;
    if (this.#entries.length === 0) return html`<p class="said" role="status">Nothing of the kind is on record.</p>`;
    return html`<ol class="audit-list" id="record">${this.#entries.map((entry) => this.#row(entry))}</ol>
      ${this.#before === null ? nothing : html`<button id="record-earlier" @click=${() => void this.#load(this.#before)}>Show earlier</button>`}`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h2>Audit</h2>
      <sl-audit-seen .names=${this.#names} .people=${this.#names.people}></sl-audit-seen>
      <h3>The record, newest first</h3>
      ${this.#narrowing()}
      <div class="buttons"><button id="verify-audit" @click=${() => void this.#verify()}>Check that nothing was altered</button>
        <button class="plain" @click=${() => void this.#load()}>Refresh</button></div>
      ${this.#checked ? html`<p class="said ${this.#sound ? "" : "alarm"}" role="status">${this.#checked}</p>` : nothing}
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#list()}
    `;
  }
}

customElements.define("sl-audit", Audit);
