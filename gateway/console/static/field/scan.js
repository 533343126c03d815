/**
 * Which unit is here: its printed code by the phone's camera where the browser reads codes, typed, or from those calling in.
 * @module
 */

import { html, nothing } from "lit";
import { fields } from "../app/element.js";
import { labelIn, said } from "./progress.js";
import { FieldElement, opened } from "./state.js";

const LOOK_MS = 150;
const FORMATS = ["qr_code", "code_128", "code_39", "data_matrix"];

/** @typedef {{detect: (from: HTMLVideoElement) => Promise<{rawValue: string}[]>}} Detector */

/** @returns {Promise<Detector | null>} */
async function detector() {
  const Known = /** @type {any} */ (globalThis).BarcodeDetector;
  if (!Known || !navigator.mediaDevices) return null;
  const formats = await Known.getSupportedFormats().catch(() => []);
  const ours = FORMATS.filter((one) => formats.includes(one));
  return ours.length ? new Known({ formats: ours }) : null;
}

class FieldScan extends FieldElement {
  /** @override */
  static properties = { found: { attribute: false } };

  /** @type {MediaStream | null} */
  #camera = null;
  #timer = 0;
  #scanning = false;
  #readsCodes = false;
  #said = "";

  constructor() {
    super();
    /** @type {(label: string, how: "scanned" | "typed" | "chosen") => void} */
    this.found = () => {};
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void detector().then((one) => {
      this.#readsCodes = one !== null;
      this.requestUpdate();
      // Whoever let the page see before is not asked again, and needs no tap.
      return one && navigator.permissions?.query({ name: /** @type {any} */ ("camera") }).then(({ state }) => {
        if (state === "granted" && this.isConnected) void this.#scan();
      }, () => {});
    });
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#stop();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#scanning = false;
    for (const track of this.#camera?.getTracks() ?? []) track.stop();
    this.#camera = null;
  }

  async #scan() {
    if (this.#scanning) return;
    this.#scanning = true;
    this.#said = "";
    this.requestUpdate();
    const reader = await detector();
    try {
      this.#camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      this.#scanning = false;
      this.#said = "The phone does not let this page use its camera. Type the label.";
      this.requestUpdate();
      return;
    }
    await this.updateComplete;
    const video = this.querySelector("video");
    if (!video || !reader || !this.isConnected) return this.#stop();
    video.srcObject = this.#camera;
    this.#timer = setInterval(() => void this.#look(video, reader), LOOK_MS);
  }

  /** @param {HTMLVideoElement} video @param {Detector} reader */
  async #look(video, reader) {
    if (video.readyState < 2) return;
    const codes = await reader.detect(video).catch(() => []);
    const label = codes.map(({ rawValue }) => labelIn(rawValue)).find(Boolean);
    if (!label || !this.#scanning) return;
    navigator.vibrate?.(60);
    this.#stop();
    this.requestUpdate();
    this.found(label, "scanned");
  }

  /** @param {Event} event */
  #typed(event) {
    const label = labelIn(fields(event).label ?? "");
    this.#said = label ? "" : "A label is letters and digits, as printed on the unit.";
    this.requestUpdate();
    if (label) this.found(label, "typed");
  }

  #calling() {
    const planned = opened()?.unit;
    const units = (this.field.units ?? []).filter(({ retired, link }) => retired === null && link === "online");
    units.sort((one, other) => Number(other.label === planned) - Number(one.label === planned) || one.label.localeCompare(other.label));
    if (units.length === 0) return nothing;
    return html`<h3>Calling in now</h3><ul class="works">${units.slice(0, 8).map((unit) => {
      const battery = said(unit, "battery");
      return html`<li><button class="work" data-unit=${unit.label} @click=${() => this.found(unit.label, "chosen")}>
        <strong>${unit.label}</strong><span>${[unit.label === planned ? "planned here" : "", unit.model,
          typeof battery?.percent === "number" ? `battery ${Math.round(battery.percent)} %` : ""].filter(Boolean).join(" · ")}</span></button></li>`;
    })}</ul>`;
  }

  /** @override */
  render() {
    return html`
      ${this.#scanning ? html`<video class="scan" autoplay playsinline muted aria-label="What the phone's camera sees"></video><p class="hint">Hold the unit's code into the picture.</p>` : nothing}
      ${this.#readsCodes && !this.#scanning ? html`<button class="primary" id="scan" @click=${() => void this.#scan()}>Scan the unit's code</button>` : nothing}
      ${this.#calling()}
      <form class="typed" @submit=${this.#typed}><label for="unit-label">Or type the label</label>
        <div class="row"><input id="unit-label" name="label" required maxlength="64" autocapitalize="characters" autocomplete="off" spellcheck="false" enterkeyhint="done"><button>This one</button></div></form>
      ${this.#said ? html`<p class="said attention" role="alert">${this.#said}</p>` : nothing}`;
  }
}

customElements.define("field-scan", FieldScan);
