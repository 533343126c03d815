/**
 * A partner's own systems that take a share: each with a credential of its own, which is shown once.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { counted } from "../shares-words.js";
import { tell } from "../store.js";
import { say } from "../words.js";

/** @typedef {{camera: string, number: number, url: string}} Address */
/** @typedef {{id: string, name: string, username: string, open: boolean, addresses: Address[], viewers: unknown[], made_by: string}} Outlet */

class ShareOutlets extends SlElement {
  /** @override */
  static properties = { share: { attribute: false } };
  #asked = "";
  /** @type {Outlet[]} */
  #outlets = [];
  /** @type {Outlet & {password: string} | null} */
  #made = null;
  /** @type {import("../types.js").Problem | null} */
  #problem = null;

  constructor() {
    super();
    this.share = /** @type {import("../shares-types.js").Share | null} */ (null);
  }

  /** @override */
  willUpdate() {
    if (this.share && this.share.id !== this.#asked) {
      this.#asked = this.share.id;
      void this.#try(() => Promise.resolve());
    }
  }

  get #path() {
    return `/shares/${this.#asked}/outlets`;
  }

  /** Do something, and see how it stands then. @param {() => Promise<void>} act */
  async #try(act) {
    this.#problem = null;
    try {
      await act();
      this.#outlets = await get(this.#path);
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.requestUpdate();
  }

  /** @param {Event} event */
  #make(event) {
    const { name = "" } = fields(event);
    const form = /** @type {HTMLFormElement} */ (event.target);
    void this.#try(async () => {
      this.#made = await send("POST", this.#path, { name });
      form.reset();
    });
  }

  /** @param {Outlet} outlet */
  #remove(outlet) {
    void this.#try(async () => {
      await send("DELETE", `${this.#path}/${outlet.id}`);
      if (this.#made?.id === outlet.id) this.#made = null;
      tell(`${outlet.name} no longer receives anything.`);
    });
  }

  #shownOnce() {
    const made = this.#made;
    if (!made) return nothing;
    return html`
      <div class="invitation" role="status">
        <p><strong>For ${made.name}, shown this once.</strong> Hand it over in person or by phone.</p>
        <p>User name <code class="secret" data-secret="username">${made.username}</code></p>
        <p>Password <code class="secret" data-secret="password">${made.password}</code></p>
        ${made.addresses.length ? nothing : html`<p class="hint">The addresses are told below as soon as the cameras' hosts say where they listen.</p>`}
        <button @click=${() => { this.#made = null; this.requestUpdate(); }}>I have handed it over</button>
      </div>
    `;
  }

  /** @param {Outlet} outlet */
  #outlet(outlet) {
    return html`
      <li data-outlet=${outlet.id}>
        <p><b>${outlet.name}</b> · ${outlet.open ? (outlet.viewers.length ? counted(outlet.viewers.length, "view", "views") : "nothing taken now") : "not let in now"}
          <button class="plain" data-act="remove-outlet" aria-label="Take the share from ${outlet.name}" @click=${() => this.#remove(outlet)}>Take away</button></p>
        ${outlet.addresses.map((one) => html`<p class="hint"><span class="number">${one.number}</span> <code class="secret">${one.url}</code></p>`)}
      </li>
    `;
  }

  /** @override */
  render() {
    const said = this.#problem ? say(this.#problem) : null;
    return html`
      <section class="outlets" aria-label="Their own systems">
        <h4>Their own systems (RTSPS)</h4>
        ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
        ${this.#shownOnce()}
        ${this.#outlets.length ? html`<ul>${this.#outlets.map((one) => this.#outlet(one))}</ul>` : nothing}
        <form class="inline" @submit=${(/** @type {Event} */ event) => this.#make(event)}>
          <label class="away" for="outlet-${this.#asked}">Which system is to take this share</label>
          <input id="outlet-${this.#asked}" name="name" required maxlength="120" autocomplete="off" placeholder="Which system: VMS 2, north wall">
          <button data-act="make-outlet">Give it to a system</button>
        </form>
      </section>
    `;
  }
}

customElements.define("sl-share-outlets", ShareOutlets);
