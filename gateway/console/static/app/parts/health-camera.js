/**
 * How the selected camera is: link, picture, clock, firmware, and the unit that carries it, with what that told lately.
 * @module
 */

import { html, nothing } from "lit";
import { get, problemOf } from "../api.js";
import { SlElement } from "../element.js";
import { clockCheck } from "../health.js";
import { may, selectedCamera, store } from "../store.js";
import { clock, dayAndTime, dayInYear, fromIso } from "../time.js";
import { line } from "../words.js";
import "./health-days.js";
import "./health-reference.js";
import "./health-trends.js";

/** @typedef {import("../health-types.js").CheckUp} CheckUp */
/** @typedef {import("../health-types.js").UnitHealth} UnitHealth */

const DAY_MS = 86_400_000;
/** @type {Record<string, string>} */
const PICTURES = { black: "black", covered: "covered", blurred: "blurred", moved: "turned away from how it should look", frozen: "standing still" };

class CheckUpOfCamera extends SlElement {
  /** @type {CheckUp | null} */
  #found = null;
  #problem = "";
  #of = "";
  /** @type {unknown} */
  #after = null;

  /** @override */
  willUpdate() {
    const id = selectedCamera()?.id ?? "";
    const { health } = this.state;
    // It is judged with all others: whenever those are told anew, so is it.
    if (id === this.#of && health === this.#after) return;
    if (id !== this.#of) [this.#found, this.#problem] = [null, ""];
    [this.#of, this.#after] = [id, health];
    if (id) void this.#load(id);
  }

  /** @param {string} id */
  async #load(id) {
    try {
      const found = await get(`/cameras/${id}/health`);
      if (id === this.#of) [this.#found, this.#problem] = [found, ""];
    } catch (error) {
      if (id === this.#of) this.#problem = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** @param {CheckUp} found @returns {[name: string, value: string, wrong: boolean][]} */
  #facts(found) {
    const { unit } = found;
    const wrong = (/** @type {string[]} */ ...kinds) => found.needs.some(({ kind }) => kinds.includes(kind));
    const wrongOfUnit = (/** @type {string[]} */ ...kinds) => found.needs.some(({ kind, unit: of }) => of && kinds.includes(kind));
    const last = found.last_picture ? `, last picture ${when(found.last_picture)}` : "";
    const unseen = wrong("unseen");
    const view = found.reference ? `compared with that of ${when(found.reference)}${found.head ? ", while its head stands as then" : ""}` : "compared with none";
    const newer = found.newest_firmware !== found.firmware ? `; another of its model has ${found.newest_firmware}` : "";
    return [
      ["Link", found.looked === null ? "not looked at yet" : found.live ? "live" : found.missed ? `no picture comes${last}` : "not expected: it stands nowhere", wrong("no-picture")],
      ["Recording", recordingWords(found), wrong("not-recorded") || (found.recording === false && wrong("no-picture"))],
      ["Picture", pictureWords(found, unseen), unseen || wrong("picture")],
      ["View", view, found.picture === "moved" && wrong("picture")],
      ["Clock", clockCheck(found), wrong("clock")],
      ...(found.certificate_ends ? [/** @type {[string, string, boolean]} */ (["Own certificate", endsWords(found.certificate_ends), found.needs.some(({ kind, unit: of }) => kind === "certificate" && !of)])] : []),
      ["Firmware", found.firmware ? `${found.firmware}${newer}` : "not told", wrong("firmware")],
      ...(unit ? ofUnit(unit, wrongOfUnit) : []),
    ];
  }

  /** @override */
  render() {
    const camera = selectedCamera();
    if (!camera) return html`<p class="hint">Select a picture, or call a camera up, to see how it is.</p>`;
    const found = this.#found;
    return html`
      <h3 class="panel-camera"><span class="number">${camera.number}</span> ${camera.name}</h3>
      ${this.#problem ? html`<p class="said attention" role="alert">${this.#problem}</p>` : nothing}
      ${found ? html`<dl class="facts-list checkup">${this.#facts(found).map(([name, value, wrong]) => html`<div data-wrong=${wrong}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
        ${found.needs.map(({ cause, cure }) => html`<p class="said attention"><strong>${cause}</strong> ${cure}</p>`)}`
        : this.#problem ? nothing : html`<p class="hint" role="status">Loading…</p>`}
      <sl-reference-view .camera=${camera}></sl-reference-view>
      ${may("view_recorded") ? html`<sl-camera-days .camera=${camera.id}></sl-camera-days>` : nothing}
      ${found?.unit ? html`<div class="buttons">${unitLink(found.unit.label)}</div><sl-unit-trends .label=${found.unit.label}></sl-unit-trends>` : nothing}
    `;
  }
}

/** To all that is known of a unit, for who may open it. @param {string | null | undefined} label */
export const unitLink = (label) =>
  label && may("deploy") ? html`<button class="to-unit" data-to-unit=${label} @click=${() => store.set({ unit: label, panel: "units", panelOpen: true })}>Unit ${label}</button>` : nothing;

/** @param {CheckUp} found */
const recordingWords = ({ recording, recording_cause: cause }) => (recording === null ? "not told by its camera host" : recording ? "going on" : `not now: ${cause}`);

/** What was seen, and when: nothing is said of a picture that nobody looked at. @param {CheckUp} found @param {boolean} unseen not looked at for too long */
function pictureWords({ live, picture, picture_looked: looked }, unseen) {
  if (looked === null) return live ? "not looked at yet" : "none to look at";
  return `${picture ? (PICTURES[picture] ?? picture) : "nothing wrong seen"}, looked at ${when(looked)}${unseen ? " and not since" : ""}`;
}

/** The time alone where it was today. @param {string} iso */
function when(iso) {
  const at = fromIso(iso);
  return store.serverClock.now() - at < DAY_MS ? clock(at) : dayAndTime(at);
}

/** @param {string} iso */
function endsWords(iso) {
  const at = fromIso(iso);
  return `${at < store.serverClock.now() ? "ended" : "ends"} ${dayInYear(at)} ${new Date(at).getFullYear()}`;
}

/** @param {UnitHealth} unit @param {(...kinds: string[]) => boolean} wrong @returns {[name: string, value: string, wrong: boolean][]} */
function ofUnit(unit, wrong) {
  const hours = unit.battery_h;
  const battery = hours === null ? "charged, or too little known to foretell" : hours < 48 ? `lasts ${Math.round(hours)} h as it goes now` : `lasts ${Math.round(hours / 24)} days as it goes now`;
  const disk = unit.disk_fault ? "says that it fails" : unit.disk_free_share === null ? "not told" : `${Math.round(unit.disk_free_share * 100)} % free`;
  return [
    ["Unit", `${unit.label}, ${unit.heard ? `heard ${when(unit.heard)}` : "never heard"}`, wrong("unit-link")],
    ["Battery", battery, wrong("battery")],
    ["Disk", disk, wrong("unit-disk")],
    ["Certificate", unit.certificate_ends ? endsWords(unit.certificate_ends) : "none is in force", wrong("certificate")],
  ];
}

customElements.define("sl-checkup", CheckUpOfCamera);
