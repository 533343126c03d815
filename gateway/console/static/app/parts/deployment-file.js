/**
 * What is on file of a deployment: its documents by reference and fingerprint, and its photos.
 * @module
 */

import { html, nothing } from "lit";
import { ApiError } from "../api.js";
import { alarmPictureUrl, photoUrl, sendPhoto } from "../deployments.js";
import { DOCUMENTS, PHOTOS, happened, shutWords, signsHang } from "../deployments-words.js";
import { fields } from "../element.js";
import { dayAndTime } from "../time.js";
import { Deploying, atLength } from "./deployment-asking.js";

/** @typedef {import("../deployments-words.js").Deployment} Deployment */
/** @typedef {import("../deployments-words.js").Line} Line */

const OVER = ["refused", "withdrawn"];
/** Photos that somebody sends, by the stages at which they are usually sent. @type {Record<string, string>} */
const USUAL = { removed: "sign-down", withdrawn: "sign-down", deployed: "unit" };

class DeploymentFile extends Deploying {
  /** @override */
  static properties = { one: { attribute: false }, log: { attribute: false } };

  constructor() {
    super();
    /** @type {Deployment | null} */
    this.one = null;
    /** @type {Line[]} */
    this.log = [];
  }

  /** The fingerprint of a file that is chosen; the file itself is not sent. @param {Event} event */
  async #fingerprint(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const file = input.files?.[0];
    const field = /** @type {HTMLInputElement} */ (input.form?.elements.namedItem("sha256"));
    if (!file) return;
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    field.value = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    input.value = "";
  }

  /** @param {Deployment} one */
  #documents(one) {
    const linked = this.log.filter((line) => line.step === "document");
    const takes = !OVER.includes(one.stage);
    return html`<section class="dep-part"><h3>Documents</h3>
      ${linked.length ? html`<ul class="rows" id="deployment-documents">${linked.map(({ said }) => html`<li class="row-line"><span class="row-name"><b>${DOCUMENTS[said["kind"]] ?? said["kind"]}</b>: ${said["title"]}
          <small>${said["reference"]} · SHA-256 <span title=${said["sha256"]}>${said["sha256"].slice(0, 12)}…</span></small></span></li>`)}</ul>`
        : html`<p class="hint">None is linked. An impact assessment and an authority are needed before it is approved.</p>`}
      ${takes ? html`<details ?open=${one.stage === "referred" && !["dpia", "authority"].every((kind) => one.documents.includes(kind))}><summary>Link a document</summary>
        <form id="link-document" @submit=${(/** @type {SubmitEvent} */ event) => this.#link(event, one)}>
          <label for="document-kind">What it is</label><select id="document-kind" name="kind">${Object.entries(DOCUMENTS).map(([kind, words]) =>
            html`<option value=${kind} ?selected=${kind === ["dpia", "authority"].find((each) => !one.documents.includes(each))}>${words}</option>`)}</select>
          <label for="document-title">Its title</label><input id="document-title" name="title" required maxlength="120" autocomplete="off">
          <label for="document-reference">Where it is kept</label><input id="document-reference" name="reference" required maxlength="500" autocomplete="off" placeholder="Its number or address">
          ${globalThis.crypto?.subtle ? html`<label for="document-file">The file, for its fingerprint; it is not sent</label><input id="document-file" type="file" @change=${(/** @type {Event} */ event) => void this.#fingerprint(event)}>` : nothing}
          <label for="document-sha256">Fingerprint (SHA-256)</label><input id="document-sha256" name="sha256" required pattern="[0-9a-f]{64}" maxlength="64" autocomplete="off" spellcheck="false" placeholder="64 digits 0–9, a–f">
          ${this.said("document")}
          <div class="buttons"><button class="primary">Link it</button></div></form></details>` : nothing}
    </section>`;
  }

  /** @param {SubmitEvent} event @param {Deployment} one */
  #link(event, one) {
    void this.take("document", event, one.id, "documents", fields(event), "It is linked.");
  }

  /** @param {Event} event @param {Deployment} one */
  #photo(event, one) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const given = new FormData(form);
    const photo = /** @type {File} */ (given.get("photo"));
    void this.attempt("photo", async () => {
      if (!["image/jpeg", "image/png"].includes(photo.type)) throw new ApiError({ type: "page", title: "A photo is a JPEG or a PNG.", cure: "Choose another file." }, 0);
      const { name, size, lastModified } = photo;
      const kind = String(given.get("kind"));
      await this.unanswered.send("photo", JSON.stringify([one.id, kind, name, size, lastModified]), {}, ({ key }) => sendPhoto(one.id, kind, photo, key));
      form.reset();
    }, "The photo is on file.");
  }

  /** @param {Deployment} one @param {{sha256: string, kind: string}} photo */
  #figure(one, { sha256, kind }) {
    const said = this.log.find((line) => line.said["sha256"] === sha256 && line.step === "photo");
    const taken = said?.said["taken"] || said?.at || "";
    const remarks = /** @type {string[]} */ (said?.said["remarks"] ?? []);
    return html`<figure class="dep-photo" data-kind=${kind}><a href=${photoUrl(one.id, sha256)} target="_blank" rel="noopener"><img loading="lazy" src=${photoUrl(one.id, sha256)} alt=${PHOTOS[kind] ?? kind}></a>
      <figcaption>${PHOTOS[kind] ?? kind}<small>${Number.isNaN(Date.parse(taken)) ? taken : dayAndTime(Date.parse(taken))}</small>${remarks.map((remark) => html`<small class="attention">${remark}</small>`)}</figcaption></figure>`;
  }

  /** What a camera saw at an alarm; where one may not open it, or it is gone, that is said in its place. @param {Deployment} one */
  #pictures(one) {
    if (!one.pictures.length) return nothing;
    const figure = (/** @type {import("../deployments-words.js").AlarmPicture} */ picture) => {
      const { sha256, at } = picture;
      const line = this.log.find((each) => each.step === "picture" && each.said["sha256"] === sha256);
      const words = line ? `The unit ${happened(line.said["kind"])}` : "At an alarm";
      const url = alarmPictureUrl(one.id, sha256);
      const shut = shutWords(picture);
      return html`<figure class="dep-photo" data-kind="alarm">${shut ? html`<span class="dep-photo-shut">${shut}</span>`
        : html`<a href=${url} target="_blank" rel="noopener"><img loading="lazy" src=${url} alt=${words}></a>`}
        <figcaption>${words}<small>${dayAndTime(Date.parse(at))}</small></figcaption></figure>`;
    };
    return html`<section class="dep-part" id="deployment-pictures"><h3>Pictures of alarms</h3>
      <p class="hint">Kept for as long as footage of that camera and time. Whoever opens one is in the audit.</p>
      <div class="dep-photos">${one.pictures.map(figure)}</div></section>`;
  }

  /** @param {Deployment} one */
  #photos(one) {
    const takes = (!OVER.includes(one.stage) && one.stage !== "evaluated") || signsHang(one);
    const order = Object.keys(PHOTOS);
    const photos = [...one.photos].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    const usual = USUAL[one.stage] ?? "sign-up";
    return html`<section class="dep-part"><h3>Photos</h3>
      ${photos.length ? html`<div class="dep-photos">${photos.map((photo) => this.#figure(one, photo))}</div>` : html`<p class="hint">None yet. Field teams send them from their phones, too.</p>`}
      ${takes ? html`<details><summary>Send a photo</summary>
        <form id="send-photo" data-blames="photo" @submit=${(/** @type {Event} */ event) => this.#photo(event, one)}>
          <label for="photo-kind">What it shows</label><select id="photo-kind" name="kind">${Object.entries(PHOTOS).map(([kind, words]) =>
            html`<option value=${kind} ?selected=${kind === usual}>${words}</option>`)}</select>
          <label for="photo-file">JPEG or PNG, as it was made</label><input id="photo-file" name="photo" type="file" accept="image/jpeg,image/png" required>
          ${this.said("photo")}
          <div class="buttons"><button class="primary">Send it</button></div></form></details>` : nothing}
    </section>`;
  }

  /** @param {Deployment} one */
  #criteria(one) {
    const words = (/** @type {boolean | null} */ met) => (met === null ? html`<span class="quiet">not looked at</span>` : met ? html`<span>✓ met</span>` : html`<span class="attention">✕ not met</span>`);
    return html`<section class="dep-part"><h3>Criteria</h3><ul class="rows" id="deployment-criteria">${one.criteria.map(({ criterion, met }, index) => {
      const found = this.log.findLast((line) => line.step === "checked" && line.said["criterion"] === criterion);
      return html`<li data-met=${String(met)}><div class="row-line"><span class="row-name">${criterion}${found ? html`<small>${atLength(found.said["found"])}</small>` : nothing}</span><span class="row-facts">${words(met)}</span></div>
        ${one.stage === "referred" ? html`<details ?open=${met === null && index === one.criteria.findIndex((each) => each.met === null)}><summary>${met === null ? "Check it" : "Look at it again"}</summary>
          <form data-criterion=${index} @submit=${(/** @type {SubmitEvent} */ event) => this.#check(event, one, criterion, index)}>
            <label for="criterion-${index}">What was found</label><input id="criterion-${index}" name="found" required minlength="3" maxlength="5000" autocomplete="off">
            ${this.said(`criterion-${index}`)}
            <div class="buttons"><button class="primary" name="met" value="yes">Met</button><button name="met" value="no">Not met</button></div></form></details>` : nothing}</li>`;
    })}</ul></section>`;
  }

  /** @param {SubmitEvent} event @param {Deployment} one @param {string} criterion @param {number} index */
  #check(event, one, criterion, index) {
    const { found = "" } = fields(event);
    const met = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value !== "no";
    void this.take(`criterion-${index}`, event, one.id, "checks", { criterion, met, found }, `Criterion ${met ? "met" : "not met"}.`);
  }

  /** @override */
  render() {
    const { one } = this;
    return one ? html`${this.#criteria(one)} ${this.#documents(one)} ${this.#photos(one)} ${this.#pictures(one)}` : nothing;
  }
}

customElements.define("sl-deployment-file", DeploymentFile);
