/**
 * Your account: this console, password, second factors, sessions.
 * @module
 */

import { html, nothing } from "lit";
import "./accounts.js";
import "./factors.js";
import "./glass.js";
import "./own-due.js";
import "./reference.js";
import "./sessions.js";
import { problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { shut } from "../session.js";
import { may, tell } from "../store.js";
import { line, say } from "../words.js";
import { hidePasswords, passwordField } from "./password.js";

class Account extends SlElement {
  /** @type {import("../types.js").Problem | null} */
  #problem = null;
  #changing = false;

  /** @param {"locked" | "wall"} state */
  #shut(state) {
    void shut(state).catch((error) => tell(line(problemOf(error)), "attention"));
  }

  /** @param {Event} event */
  async #change(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { current_password: current, new_password: next } = fields(event);
    hidePasswords(this);
    this.#problem = null;
    try {
      await send("PUT", "/session/password", { current, new: next });
      form.reset();
      this.#changing = false;
      tell("Your password is changed. Your other sessions have ended.");
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  #passwordForm() {
    const said = this.#problem ? say(this.#problem) : null;
    if (!this.#changing) {
      return html`<div class="buttons"><button id="change-password" @click=${() => { this.#changing = true; this.requestUpdate(); }}>Change password</button></div>`;
    }
    return html`
      ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
      <form @submit=${(/** @type {Event} */ event) => void this.#change(event)}>
        <input type="hidden" name="username" autocomplete="username" value=${this.state.user?.username ?? ""}>
        ${passwordField({ id: "current-password", name: "current_password", label: "Password now", autocomplete: "current-password" })}
        ${passwordField({ id: "new-password", name: "new_password", label: "New password", autocomplete: "new-password", hint: "Several words are better than one with signs in it." })}
        <div class="buttons"><button class="primary">Change it</button>
          <button type="button" class="plain" @click=${() => { this.#changing = false; this.#problem = null; this.requestUpdate(); }}>Not now</button></div>
      </form>
    `;
  }

  /** @override */
  render() {
    const { user } = this.state;
    return html`
      <h2>${user?.name || user?.username}<small class="quiet"> · ${user?.username}, ${user?.role}</small></h2>
      <div class="buttons">
        <button id="lock-now" @click=${() => this.#shut("locked")}>Lock this console</button>
        ${may("view_live") ? html`<button id="make-wall" title="Shows live pictures for as long as it runs, and nothing else, until somebody unlocks it" @click=${() => this.#shut("wall")}>Make it a wallboard</button>` : nothing}
      </div>
      <div class="narrow-only"><sl-reference></sl-reference></div>
      <sl-own-due></sl-own-due>
      <sl-glass-form></sl-glass-form>
      <h3>Second factors</h3>
      <sl-factors></sl-factors>
      <h3>Password</h3>
      ${this.#passwordForm()}
      <sl-accounts></sl-accounts>
      <h3>Where you are signed in</h3>
      <sl-sessions></sl-sessions>
    `;
  }
}

customElements.define("sl-account", Account);
