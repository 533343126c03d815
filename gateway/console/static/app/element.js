/**
 * What every component here is: Lit, rendered into the page itself (one set of style sheets, ids that labels and
 * tests can reach), drawn again when the store changes.
 * @module
 */

import { LitElement } from "lit";
import { store } from "./store.js";

export class SlElement extends LitElement {
  /** @type {() => void} */
  #leave = () => {};

  /** @override */
  createRenderRoot() {
    return this;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#leave = store.subscribe(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#leave();
  }

  get state() {
    return store.state;
  }
}

/** One that tells of times that run: it is drawn again every second. */
export class SlTicking extends SlElement {
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 1000);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }
}

/**
 * A form's fields by name, trimmed (a password stays as it was typed).
 * @param {Event} event @returns {Record<string, string>}
 */
export function fields(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  /** @type {Record<string, string>} */
  const values = {};
  for (const [name, value] of new FormData(form)) {
    values[name] = name.includes("password") ? String(value) : String(value).trim();
  }
  return values;
}
