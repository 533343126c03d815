/**
 * Roles: those that come with Sightline in words, and bundles of the site's own making.
 * @module
 */

import { html, nothing } from "lit";
import { send } from "../api.js";
import { counted, directory, standingOf } from "../directory.js";
import { PERMISSIONS, ROLES, inOrder, labelOf } from "../permissions.js";
import { Asking } from "./people-asking.js";

/** @typedef {import("../directory.js").Bundle} Bundle */

class Roles extends Asking {
  /** @param {Event} event @param {Bundle | null} bundle */
  async #save(event, bundle) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const name = String(form.get("name") ?? "").trim();
    const wish = { name, permissions: form.getAll("permission") };
    await this.attempt("role", async () => {
      await send(bundle ? "PUT" : "POST", bundle ? `/roles/${bundle.id}` : "/roles", wish);
      await directory.load("roles");
      directory.open("roles");
    }, bundle ? `${name} is changed, for everybody who has it.` : `${name} is there. Grant it under Rights.`);
  }

  /** @param {Bundle} bundle */
  #remove(bundle) {
    return this.attempt("role", async () => {
      await send("DELETE", `/roles/${bundle.id}`);
      await directory.load("roles", "grants");
      directory.open("roles");
    }, `${bundle.name} is removed, with every right that gave it.`);
  }

  /** @param {Bundle} bundle */
  #used(bundle) {
    const now = Date.now();
    return (directory.grants ?? []).filter((grant) => grant.role === bundle.id && standingOf(grant, now) !== "over").length;
  }

  /** @param {Bundle} bundle */
  #row(bundle) {
    const does = inOrder(bundle.permissions).filter((one) => one !== "signed_in");
    const known = ROLES[bundle.id];
    return html`<li class="card" data-role=${bundle.id}>
      <div class="page-head"><h3>${known?.label ?? bundle.name}</h3>${bundle.fixed ? nothing : html`<small class="quiet">of your own · ${counted(this.#used(bundle), "right")}</small>
        <button class="plain" aria-label="Change ${bundle.name}" @click=${() => directory.open("roles", bundle.id)}>Change</button>`}</div>
      ${known ? html`<p class="hint">${known.says[0]?.toUpperCase()}${known.says.slice(1)}.</p>` : nothing}
      <details><summary>${does.length ? does.map(labelOf).join(", ") : "Nothing by itself"}</summary>
        <ul class="plain-list">${inOrder(bundle.permissions).map((one) => html`<li>${PERMISSIONS[one]?.says ?? one}</li>`)}</ul></details>
    </li>`;
  }

  /** @param {Bundle | null} bundle */
  #form(bundle) {
    const box = (/** @type {[string, {label: string, says: string}]} */ [name, { label, says }]) => html`<label class="check explained"><input type="checkbox" name="permission" value=${name} ?checked=${bundle?.permissions.includes(name) ?? false}>
      <span>${label}<small>${says}</small></span></label>`;
    const choices = Object.entries(PERMISSIONS).filter(([name]) => name !== "signed_in");
    const used = bundle ? this.#used(bundle) : 0;
    return html`
      <div class="page-head"><button class="plain back" aria-label="Back to all roles" @click=${() => directory.open("roles")}>‹ Roles</button><h2 tabindex="-1">${bundle?.name ?? "New role"}</h2></div>
      ${used ? html`<p class="hint">${counted(used, "right")} ${used === 1 ? "gives" : "give"} it: a change counts for everybody at once.</p>` : nothing}
      <form @submit=${(/** @type {Event} */ event) => void this.#save(event, bundle)}>
        <label for="role-name">Name</label><input id="role-name" name="name" required maxlength="120" autocomplete="off" .value=${bundle?.name ?? ""}>
        <fieldset><legend>With cameras</legend>${choices.filter(([, { house }]) => !house).map(box)}</fieldset>
        <fieldset><legend>In the house</legend><p class="hint">These count only where the role is given over all cameras.</p>${choices.filter(([, { house }]) => house).map(box)}</fieldset>
        ${this.said("role")}
        <div class="buttons"><button class="primary">${bundle ? "Save" : "Make it"}</button>
          ${bundle ? this.twice({ key: "remove", label: "Remove this role", sure: used ? `Really remove it, with ${counted(used, "right")}` : "Really remove it", act: () => this.#remove(bundle) }) : nothing}</div>
      </form>
    `;
  }

  /** @override */
  render() {
    const roles = directory.roles ?? [];
    const { id } = directory.place;
    const bundle = roles.find((one) => one.id === id && !one.fixed) ?? null;
    if (bundle || id === "new") return this.#form(bundle);
    return html`
      <h2 tabindex="-1">Roles</h2>
      <ul class="cards">${roles.map((one) => this.#row(one))}</ul>
      <div class="buttons"><button id="add-role" @click=${() => directory.open("roles", "new")}>New role</button></div>
    `;
  }
}

customElements.define("sl-roles", Roles);
