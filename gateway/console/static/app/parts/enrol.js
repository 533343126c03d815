/**
 * Enrolling a camera, in three steps: find it or give its address; look at what it says and shows; number, name, place.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf, send } from "../api.js";
import { callUp, loadCameras } from "../actions.js";
import { SlElement, fields } from "../element.js";
import { may, store, tell } from "../store.js";
import { say } from "../words.js";
import { found, discovered } from "./enrol-found.js";

/** @typedef {import("../types.js").Problem} Problem */
/** @typedef {{address: string, username: string, password: string, tls_verify: boolean}} Target */

/** @param {string | undefined} text */
const number = (text) => (text === undefined || text === "" ? undefined : Number(text));

class Enrol extends SlElement {
  /** @type {"address" | "look"} */
  #step = "address";
  /** @type {Target} */
  #target = { address: "", username: "", password: "", tls_verify: true };
  /** @type {any[] | null} */
  #devices = null;
  /** @type {any} */
  #probe = null;
  /** @type {Problem | null} */
  #problem = null;
  #busy = "";
  /** Labels of the units that are known, those without a camera first. @type {string[]} */
  #labels = [];
  /** Label of the unit that it is to belong to. */
  #unit = "";

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#target.password = "";
    store.state.picked = null;
  }

  /** @template T @param {string} doing @param {() => Promise<T>} work @returns {Promise<T | undefined>} */
  async #attempt(doing, work) {
    this.#busy = doing;
    this.#problem = null;
    this.requestUpdate();
    try {
      return await work();
    } catch (error) {
      this.#problem = problemOf(error);
      return undefined;
    } finally {
      this.#busy = "";
      this.requestUpdate();
    }
  }

  async #discover() {
    this.#devices = null;
    const devices = await this.#attempt("discover", () => send("POST", "/discovery", {}));
    this.#devices = devices ?? null;
    this.requestUpdate();
  }

  /** @param {any} device */
  #use(device) {
    this.#target.address = device.addresses[0] ?? "";
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector("#enrol-username"))?.focus());
  }

  /** @param {Event} event */
  async #look(event) {
    const given = fields(event);
    this.#target = {
      address: given.address ?? "",
      username: given.username ?? "",
      password: given.password ?? "",
      tls_verify: given.tls_any === undefined,
    };
    const probe = await this.#attempt("look", () => send("POST", "/cameras/probe", this.#target));
    if (!probe) return;
    this.#probe = probe;
    this.#step = "look";
    store.set({ picked: null });
    this.requestUpdate();
    if (may("deploy")) void this.#learnUnits();
  }

  /** Whose it may be. A site whose units do not call in types the label. */
  async #learnUnits() {
    const known = await get("/units").then(({ units }) => units, () => /** @type {import("../units.js").Unit[]} */ ([]));
    const good = known.filter((/** @type {import("../units.js").Unit} */ { retired }) => retired === null);
    good.sort((/** @type {import("../units.js").Unit} */ one, /** @type {import("../units.js").Unit} */ other) => one.cameras.length - other.cameras.length || one.label.localeCompare(other.label, "en", { numeric: true }));
    this.#labels = good.map((/** @type {import("../units.js").Unit} */ { label }) => label);
    this.requestUpdate();
  }

  /** As it is printed, where it is known: capitals make no difference. @param {string} typed @returns {string} */
  #printed(typed) {
    const label = typed.trim();
    return this.#labels.find((known) => known.toLowerCase() === label.toLowerCase()) ?? label;
  }

  #belongs() {
    if (!may("deploy")) return nothing;
    return html`<label for="enrol-unit">Belongs to a unit</label>
      <input id="enrol-unit" name="unit" list="enrol-units" maxlength="32" pattern="[A-Za-z0-9][A-Za-z0-9_\\-]*" autocomplete="off" spellcheck="false" autocapitalize="characters"
        placeholder="Label, as D017; empty: it is fixed" aria-describedby="enrol-unit-hint" @input=${(/** @type {InputEvent} */ event) => { this.#unit = this.#printed(/** @type {HTMLInputElement} */ (event.target).value); this.requestUpdate(); }}>
      <datalist id="enrol-units">${this.#labels.map((label) => html`<option value=${label}></option>`)}</datalist>
      <p class="hint" id="enrol-unit-hint">A unit's camera records nothing before it is deployed, and its deployment says where it stands.</p>`;
  }

  /** @param {Event} event */
  async #enrol(event) {
    const given = fields(event);
    /** @type {Record<string, unknown>} */
    const body = { ...this.#target };
    for (const name of ["number", "latitude", "longitude", "bearing_deg", "height_m"]) {
      if (number(given[name]) !== undefined) body[name] = number(given[name]);
    }
    for (const name of ["name", "street", "group"]) if (given[name]) body[name] = given[name];
    const unit = this.#printed(given.unit ?? "");
    if (unit) body["unit"] = unit;
    const cameras = await this.#attempt("enrol", () => send("POST", "/cameras", body));
    if (!cameras) return;
    await loadCameras();
    const first = store.state.cameras.find((camera) => camera.id === cameras[0]?.id);
    tell(!first ? "The camera is enrolled." : unit ? `Camera ${first.number} is enrolled as unit ${unit}'s. It records once that is deployed.` : `Camera ${first.number} is enrolled and records from now on.`);
    this.#restart();
    if (first) callUp(first);
    store.set({ panel: "steer", picked: null });
  }

  #restart() {
    this.#step = "address";
    this.#target = { address: "", username: "", password: "", tls_verify: true };
    this.#probe = null;
    this.#problem = null;
    this.#unit = "";
    this.requestUpdate();
  }

  #said() {
    if (!this.#problem) return nothing;
    const { title, cure } = say(this.#problem);
    return html`<p class="said attention" role="alert" data-problem=${this.#problem.type}><strong>${title}</strong> ${cure}</p>`;
  }

  #addressStep() {
    const { address, username, password, tls_verify: verify } = this.#target;
    const looking = this.#busy === "look";
    return html`
      <h2>Enrol a camera</h2>
      <section class="discover">
        <button id="discover" ?disabled=${this.#busy !== ""} @click=${() => void this.#discover()}>
          ${this.#busy === "discover" ? "Searching the network…" : "Find cameras on the network"}</button>
        ${this.#devices ? discovered(this.#devices, address, (device) => this.#use(device)) : nothing}
      </section>
      ${this.#said()}
      <form @submit=${(/** @type {Event} */ event) => void this.#look(event)}>
        <label for="enrol-address">Address</label>
        <input id="enrol-address" name="address" required spellcheck="false" autocomplete="off" autocapitalize="none" .value=${address}
          placeholder="10.1.2.3 or http://10.1.2.3/onvif/device_service">
        <div class="pair">
          <div><label for="enrol-username">User name</label>
            <input id="enrol-username" name="username" autocomplete="off" spellcheck="false" autocapitalize="none" .value=${username}></div>
          <div><label for="enrol-password">Password</label>
            <input id="enrol-password" name="password" type="password" autocomplete="off" .value=${password}></div>
        </div>
        <p class="hint">As they were set on the camera for ONVIF. The password is stored encrypted and never shown again.</p>
        <label class="check"><input type="checkbox" name="tls_any" ?checked=${!verify}> Accept a certificate that the camera signed itself</label>
        <button class="primary" ?disabled=${this.#busy !== ""}>${looking ? "Looking, up to a minute…" : "Look at it"}</button>
      </form>
    `;
  }

  #lookStep() {
    const next = 1 + Math.max(0, ...this.state.cameras.map((camera) => camera.number));
    const { picked } = this.state;
    const views = this.#probe.views?.length ?? 1;
    const suggested = this.#probe.name ?? "";
    return html`
      <h2>Is this the one?</h2>
      ${found(this.#probe)}
      ${this.#said()}
      <form @submit=${(/** @type {Event} */ event) => void this.#enrol(event)}>
        <div class="pair narrow-first">
          <div><label for="enrol-number">Number</label><input id="enrol-number" name="number" inputmode="numeric" pattern="[0-9]{1,4}" required .value=${String(next)}></div>
          <div><label for="enrol-name">Name</label><input id="enrol-name" name="name" required maxlength="80" autocomplete="off" .value=${suggested}></div>
        </div>
        ${views > 1 ? html`<p class="hint">It has ${views} views; each becomes a camera, numbered from this one on.</p>` : nothing}
        <div class="pair">
          <div><label for="enrol-street">Street</label><input id="enrol-street" name="street" autocomplete="off"></div>
          <div><label for="enrol-group">Group</label><input id="enrol-group" name="group" autocomplete="off"></div>
        </div>
        ${this.#belongs()}
        <p class="hint">Click on the map where it stands, or type the place.</p>
        <div class="pair">
          <div><label for="enrol-latitude">Latitude</label><input id="enrol-latitude" name="latitude" inputmode="decimal" pattern="-?[0-9]+([.][0-9]+)?" .value=${picked ? picked.latitude.toFixed(6) : ""}></div>
          <div><label for="enrol-longitude">Longitude</label><input id="enrol-longitude" name="longitude" inputmode="decimal" pattern="-?[0-9]+([.][0-9]+)?" .value=${picked ? picked.longitude.toFixed(6) : ""}></div>
        </div>
        <div class="pair">
          <div><label for="enrol-bearing">Bearing, ° from north</label><input id="enrol-bearing" name="bearing_deg" inputmode="decimal" pattern="[0-9]{1,3}([.][0-9]+)?"></div>
          <div><label for="enrol-height">Height, m</label><input id="enrol-height" name="height_m" inputmode="decimal" pattern="[0-9]+([.][0-9]+)?"></div>
        </div>
        <div class="buttons">
          <button class="primary" ?disabled=${this.#busy !== ""}>${this.#busy === "enrol" ? "Enrolling…" : this.#unit ? `Enrol for ${this.#unit}` : "Enrol and record"}</button>
          <button type="button" @click=${() => this.#restart()}>Another one</button>
        </div>
      </form>
    `;
  }

  /** @override */
  render() {
    return html`<div class="enrol" data-step=${this.#step}>${this.#step === "address" ? this.#addressStep() : this.#lookStep()}</div>`;
  }
}

customElements.define("sl-enrol", Enrol);
