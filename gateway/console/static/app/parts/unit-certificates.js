/**
 * The certificates of a unit: a new one, whose key is downloaded once and kept nowhere, and those that are to be good no more.
 * @module
 */

import { html, nothing } from "lit";
import { saveBlob, send } from "../api.js";
import { dayAndTime, fromIso } from "../time.js";
import { store } from "../store.js";
import { Asking } from "./people-asking.js";

/** @typedef {import("../units.js").OneUnit} OneUnit */
/** @typedef {import("../units.js").UnitCertificate} UnitCertificate */
/** @typedef {{serial: string, expires: string, certificate: string, key: string, authority: string}} Issued */

/** Everything that a unit needs, in one file: its certificate, its key, and by whom it knows the broker. @param {Issued} issued */
export const bundleOf = ({ certificate, key, authority }) => [certificate, key, authority].map((each) => each.trim()).join("\n") + "\n";

class UnitCertificates extends Asking {
  /** @override */
  static properties = { unit: { attribute: false }, fresh: { type: Boolean } };

  /** @type {Issued | null} */
  #issued = null;
  #saved = false;

  constructor() {
    super();
    /** @type {OneUnit | null} */
    this.unit = null;
    /** On the way to a new unit: nothing but the first certificate. */
    this.fresh = false;
    /** @type {() => Promise<void> | void} */
    this.again = () => {};
    /** Told once the file was downloaded. @type {() => void} */
    this.saved = () => {};
  }

  get #path() {
    return `/units/${encodeURIComponent(this.unit?.label ?? "")}`;
  }

  #issue() {
    void this.attempt("certificate", async () => {
      this.#issued = await send("POST", `${this.#path}/certificate`);
      this.#saved = false;
      await this.again();
    });
  }

  #save() {
    if (!this.#issued || !this.unit) return;
    saveBlob(new Blob([bundleOf(this.#issued)], { type: "application/x-pem-file" }), `${this.unit.label}.pem`);
    this.#saved = true;
    this.saved();
    this.requestUpdate();
  }

  /** The key goes out of this page as well. */
  #forget() {
    this.#issued = null;
    this.requestUpdate();
  }

  /** @param {UnitCertificate} certificate */
  #revoke(certificate) {
    return this.attempt("certificate", async () => {
      await send("DELETE", `${this.#path}/certificates/${certificate.serial}`);
      await this.again();
    }, "It is revoked: nothing more is taken by it.");
  }

  #once() {
    if (!this.#issued) return nothing;
    return html`<div class="said" id="unit-bundle" role="status"><strong>Certificate and key of ${this.unit?.label}, good until ${dayAndTime(fromIso(this.#issued.expires))}.</strong>
      The key is shown this once and kept nowhere. Put the file on the unit, then delete it here.
      <div class="buttons"><button class="primary" id="unit-bundle-save" @click=${() => this.#save()}>${this.#saved ? "Download it again" : `Download ${this.unit?.label}.pem`}</button>
        ${this.#saved ? html`<button class="plain" @click=${() => this.#forget()}>Done: forget it</button>` : nothing}</div></div>`;
  }

  /** @param {UnitCertificate} one @param {number} now */
  #row(one, now) {
    const over = fromIso(one.expires) <= now;
    const standing = one.revoked ? `revoked ${dayAndTime(fromIso(one.revoked))}` : over ? `ended ${dayAndTime(fromIso(one.expires))}` : `good until ${dayAndTime(fromIso(one.expires))}`;
    return html`<li class="row-line" data-serial=${one.serial} data-good=${!one.revoked && !over}><span class="row-name">${standing}<small>made ${dayAndTime(fromIso(one.issued))} · <span class="unbroken">number …${one.serial.slice(-8)}</span></small></span>
      ${one.revoked || over ? nothing : this.twice({ key: one.serial, label: "Revoke", sure: "Really revoke", name: `Revoke the certificate of ${dayAndTime(fromIso(one.issued))}`, act: () => this.#revoke(one) })}</li>`;
  }

  /** @override */
  render() {
    const { unit } = this;
    if (!unit) return nothing;
    const now = store.serverClock.now();
    const good = unit.certificates.some((one) => !one.revoked && fromIso(one.expires) > now);
    const make = unit.link === "retired" || this.#issued ? nothing : html`<div class="buttons"><button id="unit-certify" class=${good ? "" : "primary"} @click=${() => this.#issue()}>${good ? "Make a new certificate" : "Make its certificate"}</button></div>`;
    if (this.fresh) return html`${this.#once()} ${make} ${this.said("certificate")}`;
    return html`<h3>Certificates</h3>
      ${unit.certificates.length ? html`<ul class="rows">${unit.certificates.map((one) => this.#row(one, now))}</ul>` : html`<p class="hint">None: it cannot call in.</p>`}
      ${good && unit.link !== "retired" ? html`<p class="hint">A new one does not end the old one. Revoke that once the unit has come by the new one.</p>` : nothing}
      ${this.#once()} ${make} ${this.said("certificate")}`;
  }
}

customElements.define("sl-unit-certificates", UnitCertificates);
