/**
 * Partner organisations: from where their people come in, who they are, and who is invited.
 * @module
 */

import { html, nothing } from "lit";
import "./partners-invite.js";
import { problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { loadPartners } from "../shares.js";
import { counted, until } from "../shares-words.js";
import { may, store, tell } from "../store.js";
import { say } from "../words.js";

/** @typedef {import("../shares-types.js").Organisation} Organisation */
/** @typedef {import("../shares-types.js").Recipient} Recipient */

class Partners extends SlElement {
  #open = "";
  #adding = false;
  #sure = "";
  /** @type {import("../types.js").Problem | null} */
  #problem = null;

  /** @param {() => Promise<unknown>} work @param {string} done @returns {Promise<boolean>} */
  async #attempt(work, done) {
    this.#problem = null;
    this.#sure = "";
    try {
      await work();
      await loadPartners();
      if (done) tell(done);
      return true;
    } catch (error) {
      this.#problem = problemOf(error);
      return false;
    } finally {
      this.requestUpdate();
    }
  }

  /** @param {Event} event @param {Organisation | null} one null: a new one */
  async #put(event, one) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const said = fields(event);
    const body = {
      name: said["name"],
      networks: (said["networks"] ?? "").split(/[\s,;]+/).filter(Boolean),
      certificate: said["certificate"] || null,
      disabled: new FormData(form).has("disabled"),
    };
    const ok = await this.#attempt(
      async () => {
        const kept = await send(one ? "PUT" : "POST", one ? `/organisations/${one.id}` : "/organisations", body);
        this.#open = kept.id;
      },
      one ? `${body.name} is changed. Its people sign in again.` : `${body.name} is added. Invite its people.`,
    );
    if (ok) this.#adding = false;
    this.requestUpdate();
  }

  /** Two clicks: the first asks. @param {string} path @param {string} done */
  #remove(path, done) {
    if (this.#sure !== path) {
      this.#sure = path;
      this.requestUpdate();
      return;
    }
    void this.#attempt(() => send("DELETE", path), done);
  }

  /** @param {string} path @param {string} label @param {string} what @param {string} done */
  #remover(path, label, what, done) {
    const sure = this.#sure === path;
    return html`<button class="plain remove ${sure ? "sure" : ""}" aria-label="${sure ? "Really: " : ""}${label} ${what}"
      @blur=${() => { this.#sure = ""; this.requestUpdate(); }} @click=${() => this.#remove(path, done)}>${sure ? "Really?" : label}</button>`;
  }

  /** @param {Organisation | null} one */
  #form(one) {
    const id = one?.id ?? "new";
    return html`
      <form class="organisation-form" @submit=${(/** @type {Event} */ event) => void this.#put(event, one)}>
        <label for="organisation-name-${id}">Name</label>
        <input id="organisation-name-${id}" name="name" required maxlength="100" autocomplete="off" .value=${one?.name ?? ""}>
        <label for="organisation-networks-${id}">Networks that they come from</label>
        <textarea id="organisation-networks-${id}" name="networks" rows="2" spellcheck="false" placeholder="203.0.113.0/24 (empty: from anywhere)" .value=${(one?.networks ?? []).join("\n")}></textarea>
        <label for="organisation-certificate-${id}">Client certificate, SHA-256 in hex</label>
        <input id="organisation-certificate-${id}" name="certificate" spellcheck="false" autocomplete="off" placeholder="none is asked for" .value=${one?.certificate ?? ""}>
        ${one ? html`<label class="check"><input type="checkbox" name="disabled" ?checked=${one.disabled}> Disabled: they see nothing and cannot sign in</label>` : nothing}
        <div class="buttons"><button class=${one ? "" : "primary"}>${one ? "Change it" : "Add"}</button>
          ${one
            ? this.#remover(`/organisations/${one.id}`, "Remove", one.name, `${one.name} is removed; its shares have ended.`)
            : html`<button type="button" class="plain" @click=${() => { this.#adding = false; this.requestUpdate(); }}>Not now</button>`}</div>
      </form>
    `;
  }

  /** @param {Recipient} person */
  #person(person) {
    return html`<li class="person" data-person=${person.user_id}><span class="camera-name">${person.name}
      <small class=${person.terms ? "" : "attention"}>${person.terms ? "has accepted the terms" : "has not accepted the terms"}</small></span>
      ${may("supervise") ? this.#remover(`/recipients/${person.user_id}`, "Remove", person.name, `${person.name} sees nothing from now on.`) : nothing}</li>`;
  }

  /** @param {Organisation} one */
  #inside(one) {
    const now = store.serverClock.now();
    return html`
      ${may("administer")
        ? this.#form(one)
        : html`<p class="hint">${one.networks.length ? `From ${one.networks.join(", ")}.` : "From anywhere."} ${one.certificate ? "With its client certificate only." : ""}</p>`}
      <h4>People</h4>
      ${one.people.length ? html`<ul class="people">${one.people.map((person) => this.#person(person))}</ul>` : html`<p class="hint">Nobody has enrolled yet.</p>`}
      ${one.invited.length
        ? html`<h4>Invited</h4><ul class="people">${one.invited.map(
            (invited) => html`<li class="person" data-invited=${invited.username}><span class="camera-name">${invited.name}<small>${invited.username} · the code works until ${until(invited.expires, now)}</small></span>
              ${may("supervise") ? this.#remover(`/invitations/${invited.id}`, "Withdraw", `the invitation of ${invited.name}`, "The invitation is worthless now.") : nothing}</li>`,
          )}</ul>`
        : nothing}
      ${may("supervise") && !one.disabled ? html`<sl-partner-invite .organisation=${one}></sl-partner-invite>` : nothing}
    `;
  }

  /** @param {Organisation} one */
  #row(one) {
    const open = this.#open === one.id;
    const usual = this.state.sharing.usual?.organisation === one.id;
    const facts = [counted(one.people.length, "person", "people"), one.invited.length ? `${one.invited.length} invited` : "", usual ? "the room’s usual partner" : "", one.disabled ? "disabled" : ""];
    return html`<li class="organisation" data-organisation=${one.id}>
      <button class="camera-row" aria-expanded=${open} @click=${() => { this.#open = open ? "" : one.id; this.#problem = null; this.requestUpdate(); }}>
        <span class="camera-name">${one.name}<small class=${one.disabled ? "attention" : ""}>${facts.filter(Boolean).join(" · ")}</small></span></button>
      ${open ? html`<div class="organisation-inside">${this.#inside(one)}</div>` : nothing}
    </li>`;
  }

  /** @override */
  render() {
    const { organisations } = this.state.sharing;
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      ${organisations.length
        ? html`<ul class="organisations">${organisations.map((one) => this.#row(one))}</ul>`
        : html`<p class="empty-said">No partner organisation yet. ${may("administer") ? "Add one, then invite its people." : "An administrator adds them."}</p>`}
      ${may("administer")
        ? this.#adding
          ? html`<h3>Add an organisation</h3>${this.#form(null)}`
          : html`<div class="buttons"><button id="add-organisation" @click=${() => { this.#adding = true; this.requestUpdate(); }}>Add an organisation</button></div>`
        : nothing}
    `;
  }
}

customElements.define("sl-partners", Partners);
