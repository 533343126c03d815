/**
 * Teams: people who are given rights together.
 * @module
 */

import { html, nothing } from "lit";
import { send } from "../api.js";
import { counted, directory, standingOf } from "../directory.js";
import { fields } from "../element.js";
import { Asking, peopleKnown, personField } from "./people-asking.js";

/** @typedef {import("../directory.js").Team} Team */

const MEMBERS_SHOWN = 100;

class Teams extends Asking {
  #adding = false;
  #finding = "";

  /** @param {Event} event */
  async #add(event) {
    const { name = "" } = fields(event);
    await this.attempt("add", async () => {
      const made = await send("POST", "/teams", { name, users: [] });
      await directory.load("teams");
      this.#adding = false;
      directory.open("teams", made.id);
    }, `${name} is there. Put people in it.`);
  }

  /** @param {Team} team @param {Partial<Team>} change @param {string} where @param {string} done */
  #change(team, change, where, done) {
    return this.attempt(where, async () => {
      await send("PUT", `/teams/${team.id}`, { name: team.name, users: team.users, ...change });
      await directory.load("teams");
    }, done);
  }

  /** @param {Event} event @param {Team} team */
  async #join(event, team) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const person = directory.called(fields(event)["person"] ?? "");
    if (!person) return;
    const name = person.name || person.username;
    if (team.users.includes(person.id) || (await this.#change(team, { users: [...team.users, person.id] }, "join", `${name} is in ${team.name}.`))) {
      form.reset();
      /** @type {HTMLElement | null} */ (this.querySelector("#team-person"))?.focus();
    }
  }

  /** @param {Team} team */
  #remove(team) {
    return this.attempt("remove", async () => {
      await send("DELETE", `/teams/${team.id}`);
      await directory.load("teams", "grants");
      directory.open("teams");
    }, `${team.name} is removed, with what was granted to it.`);
  }

  /** @param {Team} team */
  #grantsOf(team) {
    const now = Date.now();
    return (directory.grants ?? []).filter((grant) => grant.team === team.id && standingOf(grant, now) !== "over");
  }

  /** @param {Team} team @param {string} id */
  #member(team, id) {
    const person = directory.person(id);
    const name = directory.personName(id);
    return html`<li class="row-line"><button class="row" @click=${() => directory.open("people", id)}><span class="row-name">${name}<small>${person?.username ?? ""}</small></span>
      ${person?.disabled ? html`<b class="attention">disabled</b>` : nothing}</button>
      ${this.twice({ key: id, label: "Take out", sure: "Really", name: `Take ${name} out`, act: () => this.#change(team, { users: team.users.filter((one) => one !== id) }, "join", `${name} is out of ${team.name}: what it gave them has ended.`) })}</li>`;
  }

  /** @param {Team} team */
  #page(team) {
    const grants = this.#grantsOf(team);
    const found = team.users
      .filter((id) => `${directory.personName(id)} ${directory.person(id)?.username ?? ""}`.toLowerCase().includes(this.#finding.toLowerCase()))
      .sort((one, other) => directory.personName(one).localeCompare(directory.personName(other)));
    return html`
      <div class="page-head"><button class="plain back" aria-label="Back to all teams" @click=${() => directory.open("teams")}>‹ Teams</button><h2 tabindex="-1">${team.name}</h2></div>
      <form class="inline" aria-label="Name of the team" @submit=${(/** @type {Event} */ event) => void this.#change(team, { name: fields(event)["name"] ?? team.name }, "name", "Saved.")}>
        <label class="away" for="team-name">Name</label><input id="team-name" name="name" required maxlength="120" .value=${team.name} autocomplete="off"><button>Rename</button></form>
      ${this.said("name")}
      <h3>${counted(team.users.length, "person", "people")}</h3>
      <form class="inline" @submit=${(/** @type {Event} */ event) => void this.#join(event, team)}>
        <div class="grow">${personField({ id: "team-person", label: "Put somebody in" })}</div><button class="primary foot">Put in</button></form>
      ${peopleKnown((person) => !team.users.includes(person.id))}
      ${this.said("join")}
      ${team.users.length > 12 ? html`<label for="team-find">Find in this team</label><input id="team-find" type="search" autocomplete="off" @input=${(/** @type {InputEvent} */ event) => { this.#finding = /** @type {HTMLInputElement} */ (event.target).value; this.requestUpdate(); }}>` : nothing}
      ${team.users.length === 0 ? html`<p class="hint">Nobody yet: what is granted to it, nobody has.</p>` : nothing}
      <ul class="rows">${found.slice(0, MEMBERS_SHOWN).map((id) => this.#member(team, id))}</ul>
      ${found.length > MEMBERS_SHOWN ? html`<p class="hint">and ${found.length - MEMBERS_SHOWN} more: type part of a name.</p>` : nothing}
      <h3>May do</h3>
      ${grants.length
        ? html`<ul class="plain-list">${grants.map((grant) => html`<li>${directory.roleName(grant.role)} over ${directory.groupName(grant.group)}</li>`)}</ul>`
        : html`<p class="hint">Nothing is granted to it.</p>`}
      <p class="hint">Being in a team has no times; a right of the team has a start and an end.</p>
      <div class="buttons"><button @click=${() => directory.open("grants", `team:${team.id}`)}>Give a right…</button></div>
      ${this.sure === "remove" ? html`<p class="said" role="status">${grants.length ? `${counted(grants.length, "right")} of ${counted(team.users.length, "person", "people")} end at once.` : "Nothing ends by it."}</p>` : nothing}
      ${this.said("remove")}
      <div class="buttons">${this.twice({ key: "remove", label: "Remove this team", sure: "Really remove it", act: () => this.#remove(team) })}</div>
    `;
  }

  /** @override */
  render() {
    const teams = directory.teams ?? [];
    const { id } = directory.place;
    const team = teams.find((one) => one.id === id);
    if (team) return this.#page(team);
    const row = (/** @type {Team} */ one) => html`<li><button class="row" @click=${() => directory.open("teams", one.id)}><span class="row-name">${one.name}<small>${counted(one.users.length, "person", "people")}</small></span>
      <span class="quiet">${this.#grantsOf(one).map((grant) => directory.roleName(grant.role)).filter((name, at, all) => all.indexOf(name) === at).join(", ") || "no rights"}</span></button></li>`;
    return html`
      <h2 tabindex="-1">Teams</h2>
      ${teams.length ? nothing : html`<p class="hint">No teams yet. A team is given rights once, for everybody in it: a shift, a field crew.</p>`}
      <ul class="rows">${teams.map(row)}</ul>
      ${this.#adding
        ? html`<form class="card" aria-label="New team" @submit=${(/** @type {Event} */ event) => void this.#add(event)}><label for="new-team">Name of the team</label><input id="new-team" name="name" required maxlength="120" autocomplete="off">
            ${this.said("add")}<div class="buttons"><button class="primary">Make it</button><button type="button" class="plain" @click=${() => { this.#adding = false; this.wrong = null; this.requestUpdate(); }}>Not now</button></div></form>`
        : html`<div class="buttons"><button id="add-team" @click=${() => { this.#adding = true; this.requestUpdate(); void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector("#new-team"))?.focus()); }}>New team</button></div>`}
    `;
  }
}

customElements.define("sl-teams", Teams);
