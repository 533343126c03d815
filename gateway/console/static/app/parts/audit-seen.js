/**
 * Two questions to the audit: who saw this camera, and what did this person see?
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, saveUrl } from "../api.js";
import { howAllowed, toWhat } from "../audit-facts.js";
import { AuditNames, cameraWords, isIdentifier, tail } from "../audit-names.js";
import { didInAll, when, who } from "../audit-words.js";
import { SlElement, fields } from "../element.js";
import { clockShort, day, fileTime, toIso } from "../time.js";
import { say } from "../words.js";
import "./instant.js";

/** @typedef {import("../types.js").AuditEntry} AuditEntry */
/** @typedef {{asked: URLSearchParams, title: string, nothing: string}} Question  What is asked, in words too, and what an empty answer means. */

const HOUR_MS = 3_600_000;

/** From when to when, in one line. @param {number} from @param {number} to @returns {string} */
const span = (from, to) => `${day(from)} ${clockShort(from)} to ${day(to) === day(from) ? "" : `${day(to)} `}${clockShort(to)}`;

class AuditSeen extends SlElement {
  /** @override */
  static properties = { names: { attribute: false }, people: { attribute: false } };
  /** @type {AuditEntry[] | null} */
  #found = null;
  /** @type {string | null} */
  #before = null;
  /** @type {Question | null} */
  #question = null;
  /** Cameras that had the number that was asked about, where there were several. @type {{id: string, words: string}[]} */
  #choice = [];
  /** @type {(id: string) => void} */
  #choose = () => {};
  /** Which question is being answered: an answer to an earlier one comes too late. */
  #turn = 0;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #now = Date.now();

  constructor() {
    super();
    this.names = new AuditNames();
    this.people = this.names.people;
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

  /** Nothing of an earlier answer stays beside a new question. */
  #clear() {
    this.#turn += 1;
    this.#problem = this.#question = this.#found = this.#before = null;
    this.#choice = [];
    this.requestUpdate();
    return this.#turn;
  }

  /** @param {SubmitEvent} event */
  async #ask(event) {
    const turn = this.#clear();
    const csv = event.submitter?.dataset.csv !== undefined;
    const { number = "", person = "", from: first = "", to: last = "" } = fields(event);
    const [from, to] = [Number(first), Number(last)];
    const times = { start: toIso(from), end: toIso(to) };
    if (person) {
      const name = this.names.person(person);
      await this.#put({
        asked: new URLSearchParams({ ...times, person }),
        title: `What ${name} saw, ${span(from, to)}`,
        nothing: `${name} saw nothing in that time.`,
      }, csv);
      return;
    }
    const ask = (/** @type {string} */ camera) => {
      const known = this.names.camera(camera);
      const words = known ? cameraWords(known) : tail(camera);
      return this.#put({
        asked: new URLSearchParams({ ...times, camera }),
        title: `Who saw camera ${words}, ${span(from, to)}`,
        nothing: `Nobody saw camera ${words} in that time.`,
      }, csv);
    };
    await this.#attempt(async () => {
      const meant = isIdentifier(number) ? [number] : await this.#numbered(Number(number));
      if (turn !== this.#turn) return;
      const [only] = meant;
      if (only === undefined) {
        this.#problem = { type: "page", title: `There is no camera ${number}.`, cure: "None that was removed had that number either. The identifier from the record will do." };
      } else if (meant.length === 1) await ask(only);
      else {
        this.#choice = meant.map((id) => ({ id, words: `${this.names.anything(id)} ${tail(id)}` }));
        this.#choose = (id) => {
          this.#clear();
          void ask(id);
        };
      }
    });
  }

  /** Whom a number means: the camera that has it, else those that had it when they were removed. @param {number} number @returns {Promise<string[]>} */
  async #numbered(number) {
    const camera = this.state.cameras.find((one) => one.number === number);
    if (camera) return [camera.id];
    await this.names.learnRemoved();
    return this.names.removedAs(number).map((one) => one.id);
  }

  /** @param {Question} question @param {boolean} csv whether it is saved, not shown */
  async #put(question, csv) {
    if (csv) {
      saveUrl(`/api/v1/audit/seen.csv?${question.asked}`, `seen-${fileTime(Date.now())}.csv`);
      return;
    }
    this.#question = question;
    this.requestUpdate();
    await this.#answer(question.asked);
  }

  /** @param {URLSearchParams} asked */
  #answer(asked) {
    const turn = this.#turn;
    return this.#attempt(async () => {
      const said = await get(`/audit/seen?${asked}`);
      if (turn !== this.#turn) return;
      [this.#found, this.#before] = [[...(this.#found ?? []), ...said.entries], said.before];
      await this.names.learn(said.entries);
    });
  }

  #more() {
    const asked = new URLSearchParams(this.#question?.asked);
    asked.set("before", this.#before ?? "");
    return this.#answer(asked);
  }

  /** @param {string} name @param {number} hours */
  #times(name, hours) {
    return html`<div class="times">
      <label for="${name}-from">From</label><sl-instant field="${name}-from" name="from" required .usual=${this.#now - hours * HOUR_MS}></sl-instant>
      <label for="${name}-to">To</label><sl-instant field="${name}-to" name="to" required .usual=${this.#now + HOUR_MS / 60}></sl-instant>
    </div>
    <div class="buttons"><button class="primary">Show</button><button data-csv>Save as CSV</button></div>`;
  }

  /** @param {AuditEntry} entry */
  #row(entry) {
    return html`<li>
      <time datetime=${entry.start ?? entry.at}>${when(entry)}</time>
      <span class="audit-what"><b>${who(entry)}</b> ${didInAll(entry)} <b>${toWhat(entry, this.names)}</b>
        <small>${howAllowed(entry, this.names)}</small></span>
    </li>`;
  }

  #answered() {
    if (this.#choice.length) {
      return html`<p class="said" role="status">Several cameras that were removed had that number. Which one?</p>
        <div class="buttons">${this.#choice.map(({ id, words }) => html`<button @click=${() => this.#choose(id)}>${words}</button>`)}</div>`;
    }
    if (!this.#question) return nothing;
    const found = this.#found;
    return html`<h3 id="seen-question">${this.#question.title}</h3>
      ${found === null ? (this.#problem ? nothing : html`<p class="hint" role="status">Loading…</p>`) : nothing}
      ${found?.length === 0 ? html`<p class="said" role="status">${this.#question.nothing}</p>` : nothing}
      ${found?.length ? html`<ol class="audit-list" id="seen" aria-labelledby="seen-question">${found.map((entry) => this.#row(entry))}</ol>` : nothing}
      ${found && this.#before ? html`<button id="seen-earlier" @click=${() => void this.#more()}>Show earlier</button>` : nothing}`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h3>Who saw this camera?</h3>
      <form id="who-saw" @submit=${(/** @type {SubmitEvent} */ event) => void this.#ask(event)}>
        <label for="who-saw-number">Camera number</label>
        <input id="who-saw-number" name="number" pattern="[0-9]{1,4}|[0-9a-f]{32}" required autocomplete="off" spellcheck="false" aria-describedby="who-saw-hint"
          title="A number, or the identifier of a camera as it stands in the record">
        <p class="hint" id="who-saw-hint">Also the number of one that was removed, or its identifier.</p>
        ${this.#times("who-saw", 1)}
      </form>
      <h3>What did this person see?</h3>
      <form id="person-saw" @submit=${(/** @type {SubmitEvent} */ event) => void this.#ask(event)}>
        <label for="person-saw-person">Person</label>
        <select id="person-saw-person" name="person" required>
          <option value="">Choose</option>
          ${this.people.map(({ id }) => html`<option value=${id}>${this.names.person(id)}</option>`)}
        </select>
        ${this.#times("person-saw", 24)}
      </form>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#answered()}
    `;
  }
}

customElements.define("sl-audit-seen", AuditSeen);
