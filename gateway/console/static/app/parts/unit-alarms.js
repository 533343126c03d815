/**
 * Units in alarm, above the pictures until somebody acknowledges them: what happened, with the last picture.
 * @module
 */

import { html, nothing } from "lit";
import { callUp, replay } from "../actions.js";
import { problemOf } from "../api.js";
import { acknowledge, alarmPictureUrl, deployments, openDeployment, pictureKey } from "../deployments.js";
import { happened, recordingWords, shutWords, stood, unitWords, withoutWords } from "../deployments-words.js";
import { SlElement } from "../element.js";
import { recordingKnown } from "../hosts.js";
import { cameraById, may, tell } from "../store.js";
import { clock, day } from "../time.js";
import { line } from "../words.js";

/** @typedef {import("../deployments-words.js").Deployment} Deployment */

const SHOWN = 3;
const BEFORE_MS = 10_000;
const AND = new Intl.ListFormat("en-GB");

/** All that happened to a unit and nobody saw to yet, as a sentence goes on after its name. @param {Deployment} one */
const together = (one) => AND.format(one.unseen.map(({ kind, count }) => `${happened(kind)}${count > 1 ? ` (${count} times)` : ""}`));

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

  /** Whoever sees to a unit sees to all that is said of it; what happens later comes anew. @param {Deployment} one */
  async #acknowledge(one) {
    try {
      for (const unseen of one.unseen) await acknowledge(one, unseen);
      tell(`Acknowledged: ${unitWords(one.unit)} ${together(one)}.`);
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
  }

  /** The newest picture of what happened to a unit; else why there is none. @param {Deployment} one */
  #picture(one) {
    const newest = [...one.unseen].sort((left, right) => right.line - left.line);
    const known = newest.map(({ line }) => deployments.state.pictures[pictureKey(one.id, line)]).filter((each) => each !== undefined);
    const picture = known.map(({ sha256 }) => one.pictures.find((each) => each.sha256 === sha256)).find(Boolean);
    const why = known.map((each) => each.why).find(Boolean);
    const shut = picture ? shutWords(picture) : why ? withoutWords(why) : "No picture yet";
    if (!picture || shut) return html`<span class="dep-alarm-picture hint">${shut}</span>`;
    const at = alarmPictureUrl(one.id, picture.sha256);
    return html`<a class="dep-alarm-picture" href=${at} target="_blank" rel="noopener"><img src=${at} alt="The last picture of unit ${one.unit}"></a>`;
  }

  /** One unit, whatever happened to it: a theft is a knock, a move and an open case at once. @param {Deployment} one */
  #one(one) {
    const at = Math.min(...one.unseen.map(({ since }) => Date.parse(since)));
    const once = one.unseen.length === 1 && one.unseen[0]?.count === 1;
    const told = once ? one.unseen[0]?.told : null;
    const late = told ? `, told at ${clock(Date.parse(told))}` : one.unseen.some((each) => each.told) ? ", told late" : "";
    const camera = one.cameras.map((id) => cameraById(id)).find(Boolean);
    const live = () => camera && callUp(camera);
    const before = () => {
      if (!camera) return;
      callUp(camera);
      replay(at - BEFORE_MS);
    };
    return html`<section class="notice alarm dep-alarm" data-unit=${one.unit} role="alert">
      ${this.#picture(one)}
      <div class="dep-alarm-words"><h2>${unitWords(one.unit)} ${together(one)}${stood(one)} <small>${once ? "at" : "since"} ${clock(at)}, ${day(at)}${late}</small></h2>
        <p>${one.street || one.title}. ${camera ? recordingWords(one, camera.number, recordingKnown(camera.state) ? camera.state.recording : null) : "You may not see its camera."}</p></div>
      <span class="notice-acts">
        ${camera ? html`<button @click=${live}>Live</button>${may("view_recorded") ? html`<button @click=${before}>Before it</button>` : nothing}` : nothing}
        <button @click=${() => openDeployment(one.id)}>Open</button>
        <button class="primary" @click=${() => void this.#acknowledge(one)}>I see to it</button></span>
    </section>`;
  }

  /** @override */
  render() {
    if (this.state.lock !== "open") return nothing;
    const raised = deployments.raised;
    const more = raised.length - SHOWN;
    return html`${raised.slice(0, SHOWN).map((one) => this.#one(one))}
      ${more > 0 ? html`<section class="notice alarm" role="status"><p>${more} more ${more === 1 ? "unit is" : "units are"} in alarm: see Deployments.</p></section>` : nothing}`;
  }
}

customElements.define("sl-unit-alarms", UnitAlarms);
