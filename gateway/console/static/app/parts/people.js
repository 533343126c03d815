/**
 * Who may use this: users and their roles.
 * @module
 */

import { html, nothing } from "lit";
import { ApiError, get, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { tell } from "../store.js";
import { say } from "../words.js";

const ROLES = /** @type {Record<string, string>} */ ({
  administrator: "everything, and who may do what",
  operator: "watches, steers, plays back, exports",
  viewer: "watches and plays back",
});

class People extends SlElement {
  /** @type {import("../types.js").User[] | null} */
  #users = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #removing = "";

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  /** @param {() => Promise<unknown>} work @param {string} done */
  async #attempt(work, done) {
    this.#problem = null;
    try {
      await work();
      if (done) tell(done);
      return true;
    } catch (error) {
      this.#problem = error instanceof ApiError ? error.problem : { type: "page", ...say(error) };
      return false;
    } finally {
      this.requestUpdate();
    }
  }

  async #load() {
    await this.#attempt(async () => {
      const said = await get("/users");
      this.#users = Array.isArray(said) ? said : said.users;
    }, "");
  }

  /** @param {Event} event */
  async #add(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { username = "", name = "", password = "", role = "viewer" } = fields(event);
    const ok = await this.#attempt(() => send("POST", "/users", { username, name: name || username, password, role }), `${name || username} can sign in now.`);
    if (ok) form.reset();
    await this.#reload(ok);
  }

  /** @param {boolean} ok */
  async #reload(ok) {
    if (ok) await this.#load();
  }

  /** @param {import("../types.js").User} user @param {string} role */
  async #role(user, role) {
    await this.#reload(await this.#attempt(() => send("PATCH", `/users/${user.id}`, { role }), `${user.name || user.username} is ${role} now.`));
    this.requestUpdate();
  }

  /** @param {import("../types.js").User} user */
  async #remove(user) {
    if (this.#removing !== user.id) {
      this.#removing = user.id;
      this.requestUpdate();
      return;
    }
    this.#removing = "";
    await this.#reload(await this.#attempt(() => send("DELETE", `/users/${user.id}`), `${user.name || user.username} was removed and signed out.`));
  }

  /** @param {import("../types.js").User} user */
  #row(user) {
    const self = user.id === this.state.user?.id;
    return html`<li class="person">
      <span class="camera-name">${user.name || user.username}<small>${user.username}${self ? " · you" : ""}</small></span>
      <label class="away" for="role-${user.id}">Role of ${user.username}</label>
      <select id="role-${user.id}" ?disabled=${self} .value=${user.role} @change=${(/** @type {Event} */ event) =>
        void this.#role(user, /** @type {HTMLSelectElement} */ (event.target).value)}>
        ${Object.keys(ROLES).map((role) => html`<option value=${role} ?selected=${role === user.role}>${role}</option>`)}</select>
      ${self ? nothing : html`<button class="plain remove ${this.#removing === user.id ? "sure" : ""}" @blur=${() => { this.#removing = ""; this.requestUpdate(); }}
        @click=${() => void this.#remove(user)}>${this.#removing === user.id ? "Really?" : "Remove"}</button>`}
    </li>`;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <h2>People</h2>
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${this.#users ? html`<ul class="people">${this.#users.map((user) => this.#row(user))}</ul>` : said ? nothing : html`<p class="hint">Asking…</p>`}
      <h3>Add somebody</h3>
      <form @submit=${(/** @type {Event} */ event) => void this.#add(event)}>
        <div class="pair">
          <div><label for="person-username">User name</label><input id="person-username" name="username" required autocomplete="off" spellcheck="false" autocapitalize="none"></div>
          <div><label for="person-name">Full name</label><input id="person-name" name="name" autocomplete="off"></div>
        </div>
        <label for="person-password">First password</label>
        <input id="person-password" name="password" type="password" required autocomplete="new-password">
        <label for="person-role">Role</label>
        <select id="person-role" name="role">${Object.entries(ROLES).reverse().map(([role, does]) => html`<option value=${role}>${role}: ${does}</option>`)}</select>
        <button class="primary">Add</button>
      </form>
    `;
  }
}

customElements.define("sl-people", People);
