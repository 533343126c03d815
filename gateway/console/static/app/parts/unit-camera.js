/**
 * A camera's own password: a random one in place of the one that it came with. Nobody sees it, this page neither.
 * @module
 */

import { html, nothing } from "lit";
import { get, send } from "../api.js";
import { dayAndTime, fromIso } from "../time.js";
import { AskingOfCamera, ShutOfCamera } from "./of-camera.js";

/** @typedef {{random_since: string | null, under_way: boolean}} Standing */
/** @typedef {Standing & {other_accounts: {name: string, level: string}[], in_clear: boolean}} Done */

class UnitCamera extends AskingOfCamera {
  /** @override */
  where = "password";
  /** @type {Standing | null} */
  #standing = null;
  /** @type {Done | null} */
  #done = null;

  /** @override */
  forget() {
    [this.#standing, this.#done] = [null, null];
  }

  /** @override @param {string} camera @returns {Promise<Standing>} */
  ask(camera) {
    return get(`/cameras/${camera}/password`);
  }

  /** @override @param {Standing} standing */
  keep(standing) {
    this.#standing = standing;
  }

  #renew() {
    return this.attempt("password", async () => {
      try {
        const camera = this.camera;
        const done = await send("POST", `/cameras/${camera}/password`);
        if (camera === this.camera) this.#standing = this.#done = done;
        else await this.load();
      } catch (error) {
        await this.load();
        throw error;
      }
    }, "The camera has a password that nobody knows.");
  }

  #left() {
    const done = this.#done;
    if (!done) return nothing;
    const names = done.other_accounts.map(({ name, level }) => `${name} (${level})`).join(", ");
    return html`<ul class="plain-list" id="camera-password-left">
      <li>${names ? html`<b class="attention">The camera has other accounts: ${names}.</b> They are as they were: whoever knows their passwords comes in by them. Remove them on the camera's own page.` : "The camera has no other account."}</li>
      ${done.in_clear ? html`<li>It was told over plain HTTP, the way ONVIF has it: whoever listened on that network knows it. Do this at the depot, or over the VPN.</li>` : nothing}</ul>`;
  }

  /** @override */
  render() {
    const standing = this.#standing;
    if (!standing) return html`${this.said("password")}${this.wrong ? nothing : html`<p class="hint" role="status">Loading…</p>`}`;
    const words = standing.random_since ? `A random one since ${dayAndTime(fromIso(standing.random_since))}; nobody knows it.` : "The one that was typed when the camera was enrolled.";
    return html`<div class="unit-password" data-random=${standing.random_since !== null}>
      <p>${words}</p>
      ${standing.under_way ? html`<p class="said attention" role="status">A new one is on its way and the link broke. Both are kept; which it takes is found out as soon as the camera answers.</p>` : nothing}
      ${this.#left()}
      ${this.sure === "renew" ? html`<p class="said" role="status">Its pictures stop for a second or two. Nobody can sign in to the camera itself any more with the old password.</p>` : nothing}
      ${this.said("password")}
      <div class="buttons">${this.twice({ key: "renew", label: standing.random_since ? "Give it another" : "Give it a random password", sure: "Really change it", act: () => this.#renew() })}</div></div>`;
  }
}

customElements.define("sl-unit-camera", UnitCamera);

class CameraPassword extends ShutOfCamera {
  /** @override */
  summary = "Its own password";

  /** @override */
  form() {
    return html`<sl-unit-camera .camera=${this.camera}></sl-unit-camera>`;
  }
}

customElements.define("sl-camera-password", CameraPassword);
