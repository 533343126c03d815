/**
 * What the forms about one camera share: it is asked for when it is shown, again when another camera is shown in its
 * place, and an answer about the former one is not taken for the latter's.
 * @module
 */

import { html, nothing } from "lit";
import { SlElement } from "../element.js";
import { may } from "../store.js";
import { Asking } from "./people-asking.js";

export class AskingOfCamera extends Asking {
  /** @override */
  static properties = { camera: { attribute: false } };

  /** Under which name it asks, and says what went wrong. */
  where = "camera";
  #of = "";

  constructor() {
    super();
    /** Its identifier. @type {string} */
    this.camera = "";
  }

  /** Forget what was known of the former camera. */
  forget() {}

  /** Ask for what is to be known. @param {string} _camera @returns {Promise<unknown>} */
  async ask(_camera) {
    return null;
  }

  /** Keep what was answered. @param {any} _known */
  keep(_known) {}

  /** @override */
  willUpdate() {
    if (this.#of === this.camera) return;
    this.#of = this.camera;
    this.forget();
    void this.attempt(this.where, () => this.load());
  }

  /** Ask until it is the camera of now that answered, or could not. */
  async load() {
    for (;;) {
      const camera = this.camera;
      try {
        const known = await this.ask(camera);
        if (camera === this.camera) return this.keep(known);
      } catch (error) {
        if (camera === this.camera) throw error;
      }
    }
  }
}

/** Such a form, shut until somebody wants it: only then it asks. For who may enrol. */
export class ShutOfCamera extends SlElement {
  /** @override */
  static properties = { camera: { attribute: false }, _open: { state: true } };

  summary = "";

  constructor() {
    super();
    /** Its identifier. @type {string} */
    this.camera = "";
    this._open = false;
  }

  /** @returns {unknown} the form */
  form() {
    return nothing;
  }

  /** @override */
  render() {
    if (!may("enrol")) return nothing;
    return html`<details class="remarks" @toggle=${(/** @type {Event} */ event) => { this._open = /** @type {HTMLDetailsElement} */ (event.target).open; }}>
      <summary>${this.summary}</summary>${this._open ? this.form() : nothing}</details>`;
  }
}
