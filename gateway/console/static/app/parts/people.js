/**
 * People and what they may do: five pages in one panel, of which this is the way in and the list of people.
 * @module
 */

import { html, nothing } from "lit";
import "./grants.js";
import "./groups.js";
import "./person.js";
import "./roles.js";
import "./teams.js";
import { send } from "../api.js";
import { PAGE, counted, directory, matchingPeople } from "../directory.js";
import { fields } from "../element.js";
import { OWN_ROLES, ROLES } from "../permissions.js";
import { store } from "../store.js";
import { dayAndTime } from "../time.js";
import { hidePasswords, passwordField } from "./password.js";
import { Asking } from "./people-asking.js";

/** @typedef {import("../directory.js").Section} Section */

/** @type {[section: Section, label: string][]} */
const SECTIONS = [["people", "People"], ["teams", "Teams"], ["groups", "Groups"], ["roles", "Roles"], ["grants", "Rights"]];

class People extends Asking {
  #query = "";
  #shown = PAGE;
  #adding = false;
  #at = directory.place;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#at = directory.place;
    void this.#load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    directory.forget();
    store.set({ outline: null });
  }

  #load() {
    return this.attempt("list", () => directory.everything());
  }

  /** @override */
  updated() {
    if (this.#at === directory.place) return;
    this.#at = directory.place;
    void this.#arrive();
  }

  /** Once another page is drawn, what reads it and what scrolls it begin at its head. */
  async #arrive() {
    await new Promise(requestAnimationFrame);
    this.closest(".panel-body")?.scrollTo(0, 0);
    const head = /** @type {HTMLElement | null} */ (this.querySelector("h2"));
    // A page that put a hand into a field of its own keeps it there.
    if (!this.querySelector("input:focus, select:focus")) head?.focus({ preventScroll: true });
  }

  /** @param {Event} event */
  async #add(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { username = "", name = "", password = "", role = "viewer" } = fields(event);
    hidePasswords(this);
    const ok = await this.attempt("add", async () => {
      await send("POST", "/users", { username, name: name || username, password, role });
      await directory.load("users");
    }, `${name || username} can sign in now.`);
    if (!ok) return;
    form.reset();
    this.#adding = false;
    this.requestUpdate();
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector("#add-person"))?.focus();
  }

  async #open() {
    this.#adding = true;
    this.requestUpdate();
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector("#person-username"))?.focus();
  }

  #form() {
    if (!this.#adding) return html`<div class="buttons"><button id="add-person" class="primary" @click=${() => void this.#open()}>Add somebody</button></div>`;
    return html`<form class="card" aria-label="Add somebody" @submit=${(/** @type {Event} */ event) => void this.#add(event)}>
      <div class="pair">
        <div><label for="person-username">User name</label><input id="person-username" name="username" required maxlength="64" pattern="[\\p{L}\\p{N}._@\\-]+"
          title="Letters, digits, dots, dashes or @" autocomplete="off" spellcheck="false" autocapitalize="none"></div>
        <div><label for="person-name">Full name</label><input id="person-name" name="name" maxlength="120" autocomplete="off"></div>
      </div>
      ${passwordField({ id: "person-password", name: "password", label: "First password", autocomplete: "new-password", hint: "They change it themselves under their name." })}
      <label for="person-role">Role</label>
      <select id="person-role" name="role">${OWN_ROLES.map(([role, { label, says }]) => html`<option value=${role}>${label}: ${says}</option>`)}</select>
      <p class="hint">A role holds on every camera. Choose Member for who is to see some cameras only, and give them rights over a group. People of other organisations are invited there.</p>
      ${this.said("add")}
      <div class="buttons"><button class="primary">Add</button>
        <button type="button" class="plain" @click=${() => { this.#adding = false; this.wrong = null; this.requestUpdate(); }}>Not now</button></div>
    </form>`;
  }

  /** @param {import("../directory.js").Person} user @param {string[]} teams */
  #row(user, teams) {
    const seen = user.signed_in === null ? "never signed in" : `signed in ${dayAndTime(Date.parse(user.signed_in))}`;
    const self = user.id === store.state.user?.id;
    return html`<li><button class="row" data-person=${user.username} @click=${() => directory.open("people", user.id)}>
      <span class="row-name">${user.name || user.username}${self ? html` <b class="here">you</b>` : nothing}
        <small>${[user.username, seen, ...teams].join(" · ")}</small></span>
      <span class="row-facts">${user.disabled ? html`<b class="attention">disabled</b>` : nothing}<span class="quiet">${ROLES[user.role]?.label ?? user.role}</span></span>
    </button></li>`;
  }

  #list() {
    const { users, teams } = directory;
    const teamsOf = (/** @type {string} */ id) => (teams ?? []).filter((team) => team.users.includes(id)).map((team) => team.name);
    const found = matchingPeople(users ?? [], this.#query, teamsOf);
    const typed = (/** @type {InputEvent} */ event) => {
      this.#query = /** @type {HTMLInputElement} */ (event.target).value;
      this.#shown = PAGE;
      this.requestUpdate();
    };
    const first = (/** @type {Event} */ event) => {
      event.preventDefault();
      if (this.#query && found[0]) directory.open("people", found[0].id);
    };
    return html`
      <h2 tabindex="-1">People</h2>
      ${this.#form()}
      <form role="search" @submit=${first}>
        <label for="people-search">Find somebody</label>
        <input id="people-search" type="search" .value=${this.#query} placeholder="Name, role or team" autocomplete="off" spellcheck="false" @input=${typed}>
      </form>
      <p class="hint" role="status">${found.length === 0
        ? "Nobody matches. Try part of a name, a role or a team."
        : this.#query ? `${found.length} of ${counted(users?.length ?? 0, "person", "people")}; Enter opens the first.` : counted(found.length, "person", "people")}</p>
      <ul class="rows">${found.slice(0, this.#shown).map((user) => this.#row(user, teamsOf(user.id)))}</ul>
      ${found.length > this.#shown
        ? html`<button @click=${() => { this.#shown += PAGE; this.requestUpdate(); }}>Show ${Math.min(PAGE, found.length - this.#shown)} more of ${found.length - this.#shown}</button>`
        : nothing}
    `;
  }

  #page() {
    const { section, id } = directory.place;
    if (section === "teams") return html`<sl-teams></sl-teams>`;
    if (section === "groups") return html`<sl-groups></sl-groups>`;
    if (section === "roles") return html`<sl-roles></sl-roles>`;
    if (section === "grants") return html`<sl-grants></sl-grants>`;
    return id === null ? this.#list() : html`<sl-person .user=${id}></sl-person>`;
  }

  /** @override */
  render() {
    const { section } = directory.place;
    const ready = directory.users && directory.teams && directory.groups && directory.roles && directory.grants;
    return html`
      <nav class="sections" aria-label="People and rights">${SECTIONS.map(([name, label]) => html`<button data-section=${name}
        aria-current=${section === name ? "page" : "false"} @click=${() => directory.open(name)}>${label}</button>`)}</nav>
      ${ready
        ? this.#page()
        : this.wrong
          ? html`${this.said("list")}<div class="buttons"><button @click=${() => void this.#load()}>Try again</button></div>`
          : html`<p class="hint" role="status">Loading…</p>`}
    `;
  }
}

customElements.define("sl-people", People);
