/**
 * A field for a password that can be looked at. Pasting is welcome: password managers do.
 * @module
 */

import { html } from "lit";

/**
 * @param {{id: string, name: string, label: string, autocomplete: string, hint?: string, autofocus?: boolean}} field
 */
export function passwordField({ id, name, label, autocomplete, hint = "", autofocus = false }) {
  return html`
    <label for=${id}>${label}</label>
    <div class="password">
      <input id=${id} name=${name} type="password" required autocomplete=${autocomplete} spellcheck="false" autocapitalize="none"
        aria-describedby=${hint ? `${id}-hint` : ""} ?autofocus=${autofocus}>
      <button type="button" class="plain" aria-pressed="false" aria-controls=${id} @click=${toggle}>Show</button>
    </div>
    ${hint ? html`<p id="${id}-hint" class="hint">${hint}</p>` : ""}
  `;
}

/** @param {Event} event */
function toggle(event) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  const input = /** @type {HTMLInputElement} */ (button.previousElementSibling);
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.textContent = shown ? "Hide" : "Show";
  button.setAttribute("aria-pressed", String(shown));
  input.focus();
}

/** What was typed is out of sight again once it was sent. @param {ParentNode} within */
export function hidePasswords(within) {
  for (const button of within.querySelectorAll(".password button[aria-pressed=true]")) /** @type {HTMLElement} */ (button).click();
}
