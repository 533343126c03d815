/**
 * Rights that were given: to whom, what, over which cameras, from when to when; and taking them away.
 * @module
 */

import { html, nothing } from "lit";
import { get, send } from "../api.js";
import { PAGE, counted, directory, goingOnWords, standingOf, treeOf } from "../directory.js";
import { fields } from "../element.js";
import { OWN_ROLES } from "../permissions.js";
import { cameraById, store } from "../store.js";
import { dayAndTime, toIso } from "../time.js";
import "./instant.js";
import { Asking, peopleKnown, personField } from "./people-asking.js";

/** @typedef {import("../directory.js").Grant} Grant */
/** @typedef {import("../directory.js").Standing} Standing */

/** @type {[standing: Standing | "all", label: string][]} */
const FILTERS = [["all", "In force"], ["soon", "Ends soon"], ["to-come", "To come"], ["over", "Over"]];
const TICK_MS = 15_000;

class Grants extends Asking {
  /** @type {Standing | "all"} */
  #filter = "all";
  #shown = PAGE;
  #giving = false;
  /** @type {"user" | "team"} */
  #to = "user";
  /** What goes on by the right that is about to be taken away. @type {import("../directory.js").GoingOn[] | null} */
  #going = null;
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    const [kind, id] = directory.place.id?.split(":") ?? [];
    if (kind === "user" || kind === "team") void this.#give(kind, id ?? "");
    void this.attempt("list", () => directory.load("grants"));
    // A right that begins or ends by the clock moves without being touched.
    this.#timer = setInterval(() => this.requestUpdate(), TICK_MS);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  /** @param {"user" | "team"} to @param {string} [id] */
  async #give(to, id = "") {
    this.#giving = true;
    this.#to = to;
    this.requestUpdate();
    await this.updateComplete;
    const field = /** @type {HTMLInputElement | null} */ (this.querySelector(to === "user" ? "#grant-person" : "#grant-team"));
    if (field && id) field.value = to === "user" ? (directory.person(id)?.username ?? "") : id;
    /** @type {HTMLElement | null} */ (id ? this.querySelector("#grant-role") : field)?.focus();
  }

  /** @param {Event} event */
  async #add(event) {
    const { person = "", team = "", role = "", group = "", from = "", until = "", reason = "" } = fields(event);
    const user = directory.called(person);
    const wish = {
      role, reason, group: group || null,
      user: this.#to === "user" ? (user?.id ?? person) : null, team: this.#to === "team" ? team : null,
      start: from ? toIso(Number(from)) : null, end: until ? toIso(Number(until)) : null,
    };
    const name = this.#to === "team" ? directory.teamName(team) : user?.name || person;
    await this.attempt("add", async () => {
      await send("POST", "/grants", wish);
      await directory.load("grants");
      this.#giving = false;
    }, `${name}: ${directory.roleName(role)} over ${directory.groupName(wish.group)}.`);
  }

  /** @param {Grant} grant */
  async #look(grant) {
    this.#going = null;
    this.#going = await get(`/grants/${grant.id}/going-on`).catch(() => null);
    this.requestUpdate();
  }

  /** @param {Grant} grant */
  #end(grant) {
    const ended = this.#going ? goingOnWords(this.#going) : "";
    return this.attempt(grant.id, async () => {
      await send("DELETE", grant.glass ? `/glass/${grant.id}` : `/grants/${grant.id}`);
      await directory.load("grants");
    }, `${directory.holder(grant)}: ${grant.glass ? "the glass is closed" : "the right is taken away"}.${ended ? ` It ended ${ended}.` : ""}`);
  }

  /** @param {Grant} grant @param {Standing} standing */
  #times(grant, standing) {
    const end = grant.end === null ? "" : dayAndTime(Date.parse(grant.end));
    if (standing === "to-come") return `from ${dayAndTime(Date.parse(grant.start))}${end ? ` until ${end}` : ""}`;
    if (standing === "over") return `was until ${end}`;
    return end ? `until ${end}` : `since ${dayAndTime(Date.parse(grant.start))}`;
  }

  #ends() {
    if (this.#going === null) return "";
    const words = goingOnWords(this.#going);
    const who = [...new Set(this.#going.map((one) => `${one.who} at ${cameraById(one.camera)?.number ?? "a camera"}`))];
    return words ? `It ends ${words} at once (${who.slice(0, 4).join(", ")}${who.length > 4 ? " and others" : ""}).` : "Nobody does anything by it alone now.";
  }

  /** @param {Grant} grant */
  #row(grant) {
    const standing = standingOf(grant, store.serverClock.now());
    const asked = this.sure === grant.id;
    const holder = directory.holder(grant);
    return html`<li class="row-line grant" data-standing=${standing} data-glass=${grant.glass}>
      <span class="row-name"><b>${holder}</b>${grant.team === null ? nothing : html`<span class="quiet"> team</span>`}
        <span>${grant.glass ? "broke the glass: " : ""}${directory.roleName(grant.role)} over ${directory.groupName(grant.group)}</span>
        <small class=${standing === "soon" ? "attention" : ""}>${this.#times(grant, standing)}</small>
        <small>${grant.reason ? `“${grant.reason}” · ` : ""}${grant.glass ? "taken" : `given by ${directory.personName(grant.granted_by)}`} ${dayAndTime(Date.parse(grant.start))}</small></span>
      ${standing === "over" ? nothing : this.twice({
        key: grant.id, label: grant.glass ? "End" : "Take away", sure: grant.glass ? "Really end it" : "Really take it away",
        name: `${grant.glass ? "End the glass of" : "Take away from"} ${holder}`, before: () => this.#look(grant), act: () => this.#end(grant),
      })}
      ${asked ? html`<p class="row-more said" role="status">${this.#going === null ? "Checking what is going on under it…" : this.#ends()}</p>` : nothing}
      ${this.said(grant.id)}
    </li>`;
  }

  #form() {
    const groups = directory.groups ?? [];
    const teams = directory.teams ?? [];
    const own = (directory.roles ?? []).filter((role) => !role.fixed);
    return html`<form class="card" aria-label="Give a right" @submit=${(/** @type {Event} */ event) => void this.#add(event)}>
      <div class="segments" role="group" aria-label="To whom">${/** @type {["user" | "team", string][]} */ ([["user", "A person"], ["team", "A team"]]).map(([to, label]) => html`<button type="button" aria-pressed=${this.#to === to} @click=${() => void this.#give(to)}>${label}</button>`)}</div>
      ${this.#to === "user"
        ? personField({ id: "grant-person", label: "To" })
        : html`<label for="grant-team">To</label><select id="grant-team" name="team" required><option value="">Choose</option>${teams.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}</select>`}
      ${peopleKnown((person) => person.role !== "partner")}
      <label for="grant-role">What</label>
      <select id="grant-role" name="role" required><option value="">Choose</option>${own.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}
        ${OWN_ROLES.filter(([role]) => role !== "member").map(([role, { label, says }]) => html`<option value=${role}>${label}: ${says}</option>`)}</select>
      <label for="grant-group">Over</label>
      <select id="grant-group" name="group" aria-describedby="grant-over"><option value="">All cameras</option>${treeOf(groups).map(({ group, depth }) => html`<option value=${group.id}>${"  ".repeat(depth)}${group.name} (${group.holds.length})</option>`)}</select>
      <p class="hint" id="grant-over">Over a group, a role gives only what is done with cameras; nothing of the house.</p>
      <div class="times">
        <label for="grant-from">From</label><sl-instant field="grant-from" name="from" describedby="grant-times"></sl-instant>
        <label for="grant-until">Until</label><sl-instant field="grant-until" name="until" describedby="grant-times" .least=${Date.now()}></sl-instant>
      </div>
      <p class="hint" id="grant-times">Left empty: from now, and for good.</p>
      <label for="grant-reason">Why</label><input id="grant-reason" name="reason" maxlength="1000" autocomplete="off">
      ${this.said("add")}
      <div class="buttons"><button class="primary">Give it</button>
        <button type="button" class="plain" @click=${() => { this.#giving = false; this.wrong = null; this.requestUpdate(); }}>Not now</button></div>
    </form>`;
  }

  /** @override */
  render() {
    const now = store.serverClock.now();
    const grants = directory.grants ?? [];
    const standings = new Map(grants.map((grant) => [grant.id, standingOf(grant, now)]));
    const takes = (/** @type {Standing | "all"} */ filter, /** @type {Grant} */ grant) => {
      const standing = /** @type {Standing} */ (standings.get(grant.id));
      return filter === "all" ? standing === "now" || standing === "soon" : standing === filter;
    };
    const broken = grants.filter((grant) => grant.glass && standings.get(grant.id) === "soon");
    const found = grants.filter((grant) => takes(this.#filter, grant) && !broken.includes(grant));
    const choose = (/** @type {Standing | "all"} */ filter) => {
      this.#filter = filter;
      this.#shown = PAGE;
      this.requestUpdate();
    };
    return html`
      <h2 tabindex="-1">Rights</h2>
      ${broken.length ? html`<section class="glass" aria-label="Where the glass is broken"><h3 class="attention">The glass is broken</h3><ul class="rows">${broken.map((grant) => this.#row(grant))}</ul></section>` : nothing}
      ${this.#giving ? this.#form() : html`<div class="buttons"><button id="add-grant" class="primary" @click=${() => void this.#give("user")}>Give a right</button></div>`}
      ${this.said("list")}
      <div class="segments filters" role="group" aria-label="Which rights">${FILTERS.map(([filter, label]) => html`<button aria-pressed=${this.#filter === filter} @click=${() => choose(filter)}>${label} <span class="quiet">${grants.filter((grant) => takes(filter, grant) && !broken.includes(grant)).length}</span></button>`)}</div>
      ${found.length === 0 ? html`<p class="hint">${{ all: "No right is given. People have what their role gives, on every camera.", soon: "None ends within a week.", "to-come": "None begins later.", over: "None is over.", now: "" }[this.#filter]}</p>` : nothing}
      <ul class="rows">${found.slice(0, this.#shown).map((grant) => this.#row(grant))}</ul>
      ${found.length > this.#shown ? html`<button @click=${() => { this.#shown += PAGE; this.requestUpdate(); }}>Show more of ${counted(found.length - this.#shown, "right")}</button>` : nothing}
    `;
  }
}

customElements.define("sl-grants", Grants);
