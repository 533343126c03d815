/**
 * One person: who they are, how they sign in, where they are signed in, and taking all that away.
 * @module
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./person-rights.js";
import "./sessions.js";
import { get, send } from "../api.js";
import { directory, goingOnWords } from "../directory.js";
import { fields } from "../element.js";
import { OWN_ROLES, ROLES } from "../permissions.js";
import { store } from "../store.js";
import { dayAndTime } from "../time.js";
import { hidePasswords, passwordField } from "./password.js";
import { Asking } from "./people-asking.js";

/** @typedef {import("../directory.js").Person} PersonFacts */
/** @typedef {{password: boolean, totp: string | null, passkeys: {id: string, name: string, created: string, used: string | null}[], recovery_left: number}} Factors */
/** @typedef {{id: string, provider: string | null, issuer: string, subject: string, governs: boolean, created: string, signed_in: string | null}} Account */

class PersonPage extends Asking {
  user = "";
  /** @type {Factors | null} */
  #factors = null;
  /** @type {Account[] | null} */
  #accounts = null;
  /** @type {{id: string, name: string}[]} */
  #providers = [];
  /** What they do now. @type {import("../directory.js").GoingOn[] | null} */
  #going = null;
  #sessionsRead = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  #load() {
    return this.attempt("person", async () => {
      [this.#factors, this.#accounts, this.#providers] = await Promise.all([
        get(`/users/${this.user}/factors`), get(`/users/${this.user}/accounts`), get("/oidc/providers"),
      ]);
    });
  }

  /** What ends with it is asked for at the moment that it matters. */
  async #look() {
    this.#going = null;
    this.#going = await get(`/users/${this.user}/going-on`).catch(() => null);
    this.requestUpdate();
  }

  #ends() {
    const words = this.#going ? goingOnWords(this.#going) : "";
    return words ? ` Ends ${words}.` : "";
  }

  /** @param {string} where @param {object} change @param {string} done */
  async #change(where, change, done) {
    const ok = await this.attempt(where, async () => {
      await send("PATCH", `/users/${this.user}`, change);
      await directory.load("users");
    }, done);
    // What ended their sessions is told by the list being read again.
    if (ok) this.#sessionsRead += 1;
    this.requestUpdate();
    return ok;
  }

  /** @param {Event} event @param {PersonFacts} facts */
  #save(event, facts) {
    const { name = "", role = facts.role } = fields(event);
    const change = { ...(name && name !== facts.name ? { name } : {}), ...(role === facts.role ? {} : { role }) };
    if (Object.keys(change).length > 0) void this.#change("who", change, role === facts.role ? `Saved: ${name}.` : `${name} is ${ROLES[role]?.label ?? role} now, and signs in again.`);
  }

  /** @param {Event} event @param {PersonFacts} facts */
  async #password(event, facts) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { password = "" } = fields(event);
    hidePasswords(this);
    if (await this.#change("password", { password }, `${facts.name} has a new password; their sessions have ended.`)) form.reset();
  }

  /** @param {PersonFacts} facts */
  #remove(facts) {
    return this.attempt("remove", async () => {
      await send("DELETE", `/users/${this.user}`);
      await directory.load("users", "teams", "grants");
      directory.open("people");
    }, `${facts.name} is removed and signed out.`);
  }

  /** @param {PersonFacts} facts */
  #removeFactors(facts) {
    return this.attempt("factors", async () => {
      await send("DELETE", `/users/${this.user}/factors`);
      this.#sessionsRead += 1;
      this.#factors = await get(`/users/${this.user}/factors`);
    }, `${facts.name} has no second factor any more, and adds a new one.`);
  }

  /** @param {Event} event */
  async #tie(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { provider = "", subject = "" } = fields(event);
    const ok = await this.attempt("accounts", async () => {
      await send("POST", `/users/${this.user}/accounts`, { provider, subject });
      this.#accounts = await get(`/users/${this.user}/accounts`);
    }, "The account is tied: it signs them in.");
    if (ok) form.reset();
  }

  /** @param {Account} account */
  #untie(account) {
    return this.attempt("accounts", async () => {
      await send("DELETE", `/users/${this.user}/accounts/${account.id}`);
      this.#sessionsRead += 1;
      this.#accounts = await get(`/users/${this.user}/accounts`);
    }, "The account is untied; the sessions that it opened have ended.");
  }

  /** @param {PersonFacts} facts @param {boolean} self */
  #who(facts, self) {
    const governed = this.#accounts?.some((account) => account.governs) ?? false;
    const partner = facts.role === "partner";
    const why = self ? "Your own role is changed by somebody else." : partner ? "Somebody of another organisation stays a partner." : "";
    return html`<form class="card" aria-label="Name and role" @submit=${(/** @type {Event} */ event) => this.#save(event, facts)}>
      <label for="person-own-name">Name</label>
      <input id="person-own-name" name="name" required maxlength="120" autocomplete="off" .value=${facts.name}>
      <label for="person-own-role">Role, on every camera</label>
      <select id="person-own-role" name="role" ?disabled=${self || partner} aria-describedby=${why ? "role-why" : nothing}>
        ${(partner ? Object.entries(ROLES).filter(([role]) => role === "partner") : OWN_ROLES).map(
          ([role, { label, says }]) => html`<option value=${role} ?selected=${role === facts.role}>${label}: ${says}</option>`)}</select>
      ${why ? html`<p class="hint" id="role-why">${why}</p>` : nothing}
      ${governed ? html`<p class="hint">A provider keeps this account: name and role follow its groups at the next sign-in.</p>` : nothing}
      ${this.said("who")}
      <div class="buttons"><button>Save</button></div>
    </form>`;
  }

  /** @param {PersonFacts} facts */
  #signingIn(facts) {
    const has = this.#factors;
    if (!has) return this.wrong ? nothing : html`<p class="hint" role="status">Loading…</p>`;
    const second = [
      ...has.passkeys.map(({ name, used }) => `passkey “${name}”${used ? `, used ${dayAndTime(Date.parse(used))}` : ""}`),
      ...(has.totp === null ? [] : [`authenticator app, since ${dayAndTime(Date.parse(has.totp))}`]),
    ];
    return html`
      <ul class="plain-list">
        <li>${has.password ? "Password" : "No password here"}</li>
        ${second.map((one) => html`<li>${one[0]?.toUpperCase()}${one.slice(1)}</li>`)}
        ${second.length ? html`<li>${has.recovery_left} recovery codes left</li>` : html`<li>No second factor</li>`}
      </ul>
      ${second.length
        ? html`${this.sure === "factors" ? html`<p class="said" role="status">For who has lost theirs. Their sessions end, and they add a new factor at the next sign-in. See that it is really them.</p>` : nothing}
            <div class="buttons">${this.twice({ key: "factors", label: "Remove all second factors", sure: "Really remove them all", act: () => this.#removeFactors(facts) })}</div>`
        : nothing}
      ${this.said("factors")}
      <details ?open=${this.wrong?.where === "password"}><summary>Set a new password</summary>
        <form @submit=${(/** @type {Event} */ event) => void this.#password(event, facts)}>
          <input type="hidden" name="username" autocomplete="username" value=${facts.username}>
          ${passwordField({ id: "person-new-password", name: "password", label: "New password", autocomplete: "new-password", hint: "Their sessions end. They change it themselves after signing in." })}
          ${this.said("password")}
          <div class="buttons"><button>Set it</button></div>
        </form></details>
    `;
  }

  #accountsOf() {
    const accounts = this.#accounts ?? [];
    if (accounts.length === 0 && this.#providers.length === 0) return nothing;
    const named = (/** @type {Account} */ account) => this.#providers.find((one) => one.id === account.provider)?.name ?? account.issuer;
    return html`
      <h3>Accounts of providers</h3>
      ${accounts.length ? nothing : html`<p class="hint">None: they sign in with what they have here.</p>`}
      <ul class="rows">${accounts.map((account) => html`<li class="row-line"><span class="row-name">${named(account)}<small>${account.subject}${account.governs ? " · says what they are here" : ""}${account.signed_in ? ` · signed in ${dayAndTime(Date.parse(account.signed_in))}` : ""}</small></span>
        ${this.twice({ key: account.id, label: "Untie", sure: "Really untie", name: `Untie ${named(account)}`, act: () => this.#untie(account) })}</li>`)}</ul>
      ${this.#providers.length ? html`<details ?open=${this.wrong?.where === "accounts"}><summary>Tie an account</summary>
        <form @submit=${(/** @type {Event} */ event) => void this.#tie(event)}>
          <label for="tie-provider">Provider</label>
          <select id="tie-provider" name="provider">${this.#providers.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}</select>
          <label for="tie-subject">The provider's own name for them (sub)</label>
          <input id="tie-subject" name="subject" required maxlength="255" autocomplete="off" spellcheck="false" autocapitalize="none" aria-describedby="tie-hint">
          <p class="hint" id="tie-hint">Not their e-mail address: addresses are given to somebody else in time.</p>
          <div class="buttons"><button>Tie it</button></div>
        </form></details>` : nothing}
      ${this.said("accounts")}
    `;
  }

  /** @param {PersonFacts} facts @param {boolean} self */
  #ending(facts, self) {
    if (self) return html`<p class="hint">You cannot disable or remove yourself.</p>`;
    const asked = this.sure === "disable" || this.sure === "remove";
    const disable = facts.disabled
      ? html`<button @click=${() => void this.#change("end", { disabled: false }, `${facts.name} can sign in again.`)}>Let them sign in again</button>`
      : this.twice({ key: "disable", label: "Disable", sure: "Really disable", before: () => this.#look(), act: () => this.#change("end", { disabled: true }, `${facts.name} is disabled and signed out.${this.#ends()}`) });
    return html`
      ${asked ? html`<p class="said" role="status">${this.sure === "disable"
        ? "They are signed out, and cannot sign in until they are let in again. What they are and were given stays."
        : "They are signed out; their rights and tokens go with them. What they did stays on record."}${this.#ends()}</p>` : nothing}
      ${this.said("end")} ${this.said("remove")}
      <div class="buttons">${this.sure === "remove" ? nothing : disable}
        ${this.sure === "disable" ? nothing : this.twice({ key: "remove", label: "Remove", sure: "Really remove", name: `Remove ${facts.name}`, before: () => this.#look(), act: () => this.#remove(facts) })}</div>
    `;
  }

  /** @override */
  render() {
    const facts = directory.person(this.user);
    if (!facts) return html`<p class="said">They are not here any more.</p>`;
    const self = facts.id === store.state.user?.id;
    return html`
      <div class="page-head"><button class="plain back" aria-label="Back to everybody" @click=${() => directory.open("people")}>‹ People</button>
        <h2 tabindex="-1">${facts.name || facts.username}<small class="quiet"> ${facts.username}</small></h2></div>
      <p class="hint">${facts.disabled ? html`<b class="attention">Disabled.</b> ` : nothing}${facts.signed_in === null ? "Has never signed in" : `Signed in ${dayAndTime(Date.parse(facts.signed_in))}`}; here since ${dayAndTime(Date.parse(facts.created))}.</p>
      ${this.said("person")}
      ${this.#who(facts, self)}
      <sl-person-rights .user=${facts.id}></sl-person-rights>
      <h3>Signs in with</h3>
      ${this.#signingIn(facts)}
      ${this.#accountsOf()}
      <h3>Signed in at</h3>
      ${repeat([this.#sessionsRead], (one) => one, () => html`<sl-sessions .user=${facts.id}></sl-sessions>`)}
      <h3>Ending it</h3>
      ${this.#ending(facts, self)}
    `;
  }
}

customElements.define("sl-person", PersonPage);
