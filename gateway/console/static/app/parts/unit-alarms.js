/**
 * Units in alarm, above the pictures until somebody acknowledges them: what happened, with the last picture.
 * @module
 */

import { html, nothing } from "lit";
import { callUp, replay } from "../actions.js";
import { ApiError } from "../api.js";
import { acknowledge, alarmPictureUrl, deployments, openDeployment, pictureKey } from "../deployments.js";
import { happened, recordingWords, shutWords, unitWords, withoutWords } from "../deployments-words.js";
import { SlElement } from "../element.js";
import { recordingKnown } from "../hosts.js";
import { cameraById, may, tell } from "../store.js";
import { clock, day } from "../time.js";
import { line } from "../words.js";

/** @typedef {import("../deployments-words.js").Deployment} Deployment */
/** @typedef {import("../deployments-words.js").Unseen} Unseen */

const SHOWN = 3;
const BEFORE_MS = 10_000;

class UnitAlarms extends SlElement {
  #leave = () => {};

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#leave = deployments.subscribe(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#leave();
  }

  /** @param {Deployment} one @param {Unseen} unseen */
  async #acknowledge(one, unseen) {
    try {
      await acknowledge(one, unseen);
      tell(`That ${unitWords(one.unit).toLowerCase()} ${happened(unseen.kind)} is acknowledged.`);
    } catch (error) {
      tell(line(error instanceof ApiError ? error.problem : error), "attention");
    }
  }

  /** @param {Deployment} one @param {Unseen} unseen */
  #picture(one, { line }) {
    const { sha256, why } = deployments.state.pictures[pictureKey(one.id, line)] ?? {};
    const picture = one.pictures.find((each) => each.sha256 === sha256);
    const shut = picture ? shutWords(picture) : why ? withoutWords(why) : "No picture yet";
    if (!picture || shut) return html`<span class="dep-alarm-picture hint">${shut}</span>`;
    const at = alarmPictureUrl(one.id, picture.sha256);
    return html`<a class="dep-alarm-picture" href=${at} target="_blank" rel="noopener"><img src=${at} alt="The last picture of unit ${one.unit}"></a>`;
  }

  /** @param {Deployment} one @param {Unseen} unseen */
  #one(one, unseen) {
    const { kind, count, since, told } = unseen;
    const at = Date.parse(since);
    const camera = one.cameras.map((id) => cameraById(id)).find(Boolean);
    const live = () => camera && callUp(camera);
    const before = () => {
      if (!camera) return;
      callUp(camera);
      replay(at - BEFORE_MS);
    };
    return html`<section class="notice alarm dep-alarm" data-unit=${one.unit} data-kind=${kind} role="alert">
      ${this.#picture(one, unseen)}
      <div class="dep-alarm-words"><h2>${unitWords(one.unit)} ${happened(kind)} <small>${count > 1 ? `${count} times since` : "at"} ${clock(at)}, ${day(at)}${told ? html`, told at ${clock(Date.parse(told))}` : nothing}</small></h2>
        <p>${one.street || one.title}. ${camera ? recordingWords(one, camera.number, recordingKnown(camera.state) ? camera.state.recording : null) : "You may not see its camera."}</p></div>
      <span class="notice-acts">
        ${camera ? html`<button @click=${live}>Live</button>${may("view_recorded") ? html`<button @click=${before}>Before it</button>` : nothing}` : nothing}
        <button @click=${() => openDeployment(one.id)}>Open</button>
        <button class="primary" @click=${() => void this.#acknowledge(one, unseen)}>I see to it</button></span>
    </section>`;
  }

  /** @override */
  render() {
    if (this.state.lock !== "open") return nothing;
    const raised = deployments.raised.flatMap((one) => one.unseen.map((unseen) => ({ one, unseen })));
    const more = raised.length - SHOWN;
    return html`${raised.slice(0, SHOWN).map(({ one, unseen }) => this.#one(one, unseen))}
      ${more > 0 ? html`<section class="notice alarm" role="status"><p>${more} more ${more === 1 ? "alarm waits" : "alarms wait"} under Deployments.</p></section>` : nothing}`;
  }
}

customElements.define("sl-unit-alarms", UnitAlarms);
