/**
 * The stick: whose it is, a pad for those without keys, presets, what the head can do besides.
 * @module
 */

import { html, nothing } from "lit";
import "./bounds.js";
import "./camera-events.js";
import "./health-reference.js";
import "./main-stream.js";
import { get, problemOf, send } from "../api.js";
import { SlElement, fields } from "../element.js";
import { sight, wind } from "../geo.js";
import { deployments, openDeployment } from "../deployments.js";
import { hostAway } from "../hosts.js";
import { wishes } from "../keys.js";
import { takeBack } from "../shares.js";
import { steering } from "../steering.js";
import { may, selectedCamera, selectedSlot, store, tell } from "../store.js";
import { dayAndTime, duration } from "../time.js";
import { barred, line, say, standing } from "../words.js";
import { pad } from "./pad.js";
import "./unit-camera.js";

/** @typedef {import("../types.js").Camera} Camera */
/** @typedef {import("../types.js").Preset} Preset */

class Steer extends SlElement {
  /** @type {Preset[]} */
  #presets = [];
  #presetsOf = "";
  #presetsAt = "";
  #presetsSaid = "";
  #adding = false;
  #removing = "";

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    wishes.addEventListener("preset", this.#byNumber);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    wishes.removeEventListener("preset", this.#byNumber);
  }

  /** @param {Event} event */
  #byNumber = (event) => {
    const number = /** @type {CustomEvent<number>} */ (event).detail;
    const preset = this.#presets[number - 1];
    if (preset?.confirmed === false) tell(`Preset ${number} is not confirmed at this place: aim, and store it anew.`, "attention");
    else if (preset) this.#recall(preset);
    else tell(`There is no preset ${number} here.`, "attention");
  };

  /** @override */
  willUpdate() {
    const camera = selectedCamera();
    const id = camera?.head ? camera.id : "";
    // A camera that stands elsewhere by now has its presets to confirm.
    const at = `${id} ${camera?.place?.latitude} ${camera?.place?.longitude}`;
    if (id === this.#presetsOf && at === this.#presetsAt) return;
    [this.#presetsOf, this.#presetsAt] = [id, at];
    this.#presets = [];
    this.#adding = false;
    this.#removing = "";
    this.#presetsSaid = id ? "Loading the presets…" : "";
    if (id) void this.#load(id);
  }

  /** @param {string} id */
  async #load(id) {
    try {
      const said = await get(`/cameras/${id}/presets`);
      if (id !== this.#presetsOf) return;
      this.#presets = Array.isArray(said) ? said : said.presets;
      this.#presetsSaid = this.#presets.length === 0 ? "None is stored on this camera." : "";
    } catch (error) {
      if (id !== this.#presetsOf) return;
      this.#presetsSaid = line(problemOf(error));
    }
    this.requestUpdate();
  }

  /** @param {Preset} preset */
  #recall(preset) {
    steering().once({ t: "preset", token: preset.token });
    tell(`Camera ${selectedCamera()?.number} goes to ${preset.name}.`);
  }

  /** @param {Event} event */
  async #store(event) {
    const { name = "" } = fields(event);
    const id = this.#presetsOf;
    try {
      await send("POST", `/cameras/${id}/presets`, { name });
      tell(`Preset “${name}” is stored on the camera.`);
      this.#adding = false;
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
    await this.#load(id);
  }

  /** Store where the head points now under a preset of another place: it is confirmed for this one. @param {Preset} preset */
  async #confirm(preset) {
    const id = this.#presetsOf;
    try {
      await send("POST", `/cameras/${id}/presets`, { name: preset.name, token: preset.token });
      tell(`Preset “${preset.name}” is stored for this place.`);
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
    await this.#load(id);
  }

  /** @param {Preset} preset */
  async #remove(preset) {
    if (this.#removing !== preset.token) {
      this.#removing = preset.token;
      this.requestUpdate();
      return;
    }
    const id = this.#presetsOf;
    this.#removing = "";
    try {
      await send("DELETE", `/cameras/${id}/presets/${encodeURIComponent(preset.token)}`);
      tell(`Preset “${preset.name}” is removed.`);
    } catch (error) {
      tell(line(problemOf(error)), "attention");
    }
    await this.#load(id);
  }

  /** @param {Camera} camera */
  #whose(camera) {
    const { mine, socket, problem } = this.state.steering;
    const { stick, lent } = camera.state;
    if (selectedSlot().replayAt !== null) {
      return this.#stick("none", "You are looking at a recording.", html`Press <kbd>L</kbd> for live to steer.`, null);
    }
    if (socket === "lost") return this.#stick("lost", "The stick has no connection.", "The head was stopped. Trying again…", null);
    if (mine) {
      const bound = camera.state.head?.bound;
      return this.#stick("mine", "The stick is yours.", bound ? barred(bound) : this.state.steering.moving ? "Steering." : "Idle. Esc stops, T lets go.",
        html`<button id="release-stick" @click=${() => steering().release()}>Release</button>`);
    }
    if (stick) {
      const idle = stick.idle_s ? html`<span role="timer" aria-live="off">Idle for ${duration(stick.idle_s * 1000)}.</span>` : "Steering now.";
      return this.#stick("theirs", `${stick.holder} has the stick.`, problem ? line(problem) : idle,
        html`<button id="take-stick" @click=${() => steering().take()}>Take</button>`);
    }
    if (lent) {
      return this.#stick("theirs", `The stick is lent to ${lent.name}.`, problem ? line(problem) : "Steer, and the head is yours; B takes it back.",
        html`<button @click=${() => void takeBack(lent)}>Take back</button>`);
    }
    return this.#stick("idle", "Nobody has the stick.", problem ? line(problem) : "Steer, and it is yours.",
      html`<button id="take-stick" class="primary" @click=${() => steering().take()}>Take</button>`);
  }

  /** @param {string} state @param {unknown} title @param {unknown} detail @param {unknown} button */
  #stick(state, title, detail, button) {
    return html`<div class="stick-card" data-stick=${state} role="status"><div><strong>${title}</strong><span>${detail}</span></div>${button ?? nothing}</div>`;
  }

  /** @param {Camera} camera */
  #presetList(camera) {
    const steerable = may("steer");
    return html`
      <section class="presets" aria-labelledby="presets-title">
        <h3 id="presets-title">Presets ${camera.head?.home
          ? html`<button class="plain" id="go-home" ?disabled=${!steerable} @click=${() => steering().once({ t: "home" })}>Home</button>` : nothing}</h3>
        <ol>${this.#presets.map(
          (preset, index) => html`<li data-preset=${preset.token}>
            <button class="preset" ?disabled=${!steerable || preset.confirmed === false} @click=${() => this.#recall(preset)}>
              <kbd>${index < 9 ? index + 1 : "·"}</kbd><span>${preset.name || preset.token}${preset.confirmed === false ? html`<small class="attention">not confirmed at this place</small>` : nothing}</span></button>
            ${steerable && preset.confirmed === false ? html`<button class="plain" data-act="confirm-preset" title="Store where the head points now under this name" @click=${() => void this.#confirm(preset)}>Store here</button>` : nothing}
            ${steerable ? html`<button class="plain remove ${this.#removing === preset.token ? "sure" : ""}" aria-label="Remove preset ${preset.name}"
              @blur=${() => { this.#removing = ""; this.requestUpdate(); }}
              @click=${() => void this.#remove(preset)}>${this.#removing === preset.token ? "Really?" : "Remove"}</button>` : nothing}
          </li>`,
        )}</ol>
        ${this.#presetsSaid ? html`<p class="hint" role="status">${this.#presetsSaid}</p>` : nothing}
        ${!steerable || camera.head?.presets_max === 0 ? nothing : this.#adding
          ? html`<form class="inline" @submit=${(/** @type {Event} */ event) => void this.#store(event)}>
              <label for="preset-name" class="away">Name of the preset</label>
              <input id="preset-name" name="name" required maxlength="64" placeholder="Name for where it points now" autocomplete="off">
              <button class="primary">Store</button>
              <button type="button" class="plain" @click=${() => { this.#adding = false; this.requestUpdate(); }}>Cancel</button></form>`
          : html`<button id="add-preset" @click=${async () => { this.#adding = true; this.requestUpdate(); await this.updateComplete;
              /** @type {HTMLElement | null} */ (this.querySelector("#preset-name"))?.focus(); }}>Store this view as a preset</button>`}
      </section>
    `;
  }

  /** @param {Camera} camera */
  #auxiliary(camera) {
    const commands = camera.head?.auxiliary ?? [];
    if (commands.length === 0 || !may("steer")) return nothing;
    const label = (/** @type {string} */ command) => command.replace(/^tt:/, "").replace("|", " ").replace(/([a-z])([A-Z])/g, "$1 $2");
    return html`<section class="aux"><h3>Also</h3><div class="aux-row">${commands.map(
      (command) => html`<button @click=${() => steering().once({ t: "aux", command })}>${label(command)}</button>`,
    )}</div></section>`;
  }

  /** @param {Camera} camera */
  #facts(camera) {
    const seen = sight(camera);
    const by = deployments.of(camera.id);
    const unknown = by ? "bearing not confirmed at this place" : "bearing not known";
    const head = camera.state.head;
    const { main, sub } = camera.streams;
    const stream = (/** @type {import("../types.js").StreamFacts} */ each) => `${each.codec.toUpperCase()} ${each.width}×${each.height}, ${Number(each.frame_rate.toFixed(1))}/s`;
    const rows = /** @type {[string, unknown][]} */ ([
      ["Looking", seen ? `${wind(seen.bearing)} ${Math.round(seen.bearing)}°, ${seen.hfov < 10 ? seen.hfov.toFixed(1) : Math.round(seen.hfov)}° wide${
        typeof head?.tilt_deg === "number" ? `, ${Math.abs(Math.round(head.tilt_deg))}° ${head.tilt_deg < 0 ? "down" : "up"}` : ""}` : unknown],
      ...(by ? [["Deployed", html`unit ${by.unit}, until ${by.until ? dayAndTime(Date.parse(by.until)) : "?"} <button class="link" @click=${() => openDeployment(by.id)}>Open</button>`]] : deployments.moves(camera.id) ? [["Deployed", "nowhere: it records nothing"]] : []),
      ["Link", hostAway(camera.state) ? standing(camera.state) : camera.state.problem ? line(camera.state.problem) : standing(camera.state)],
      ["Main", camera.thin_link ? html`${stream(main)}, <sl-main-stream .camera=${camera}></sl-main-stream>` : stream(main)],
      ...(sub ? [["Sub", stream(sub)]] : []),
      ...(camera.identity?.model ? [["Make", [camera.identity.manufacturer, camera.identity.model].filter(Boolean).join(" ")]] : []),
      ...(typeof camera.clock_offset_s === "number" ? [["Clock", clockWords(camera.clock_offset_s)]] : []),
    ]);
    return html`
      <dl class="facts-list">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${camera.remarks?.length ? html`<details class="remarks"><summary>${camera.remarks.length} remarks from enrolment</summary>
        <ul>${camera.remarks.map((remark) => html`<li>${remark.text}</li>`)}</ul></details>` : nothing}
      <sl-camera-password .camera=${camera.id}></sl-camera-password><sl-events-of-camera .camera=${camera.id}></sl-events-of-camera>
    `;
  }

  /** @param {Camera} camera */
  #head(camera) {
    if (!camera.head) return html`<p class="hint">This camera is fixed: it has no head to steer.</p>`;
    if (!may("steer")) return html`<p class="hint">${camera.state.stick ? `${camera.state.stick.holder} has the stick. ` : ""}You may watch this camera, not steer it.</p>${this.#presetList(camera)}`;
    return html`
      ${this.#whose(camera)}
      ${camera.head.presets_only
        ? html`<p class="said attention">Nothing stops this head once it moves, so it is steered by presets only.</p>`
        : selectedSlot().replayAt === null ? pad() : nothing}
      ${this.#presetList(camera)} ${this.#auxiliary(camera)} <sl-bounds></sl-bounds>
    `;
  }

  /** @override */
  render() {
    const camera = selectedCamera();
    if (!camera) {
      const { list, listProblem } = store.state;
      return html`<h2>No camera selected</h2><p class="hint">${list === "ready" || list === "loading"
        ? "Type a number and press Enter, choose one from the list, or click on one on the map."
        : say(listProblem).title}</p>`;
    }
    return html`
      <h2 class="panel-camera"><span class="number">${camera.number}</span> ${camera.name}</h2>
      ${this.#head(camera)} ${this.#facts(camera)} <sl-reference-view .camera=${camera}></sl-reference-view>
    `;
  }
}

/** @param {number} offset seconds, camera minus ours */
export function clockWords(offset) {
  const size = Math.abs(offset);
  if (size < 0.5) return "right to half a second";
  return `${size < 10 ? `${size.toFixed(1)} s` : duration(size * 1000)} ${offset > 0 ? "ahead" : "behind"}; recordings are corrected`;
}

customElements.define("sl-steer", Steer);
