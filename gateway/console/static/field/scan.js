/**
 * Which unit is here: its printed code by the phone's camera, typed, or from those calling in.
 * @module
 */

import { html, nothing } from "lit";
import { fields } from "../app/element.js";
import { labelAmong, reader } from "./codes.js";
import { asPrinted, labelIn, said } from "./progress.js";
import { FieldElement, deployments, opened } from "./state.js";

const LOOK_MS = 150;
class FieldScan extends FieldElement {
  /** @override */
  static properties = { found: { attribute: false } };

  /** @type {MediaStream | null} */
  #camera = null;
  #timer = 0;
  #scanning = false;
  #looking = false;
  /** The phone's lamp: null where it has none that a page may light. @type {boolean | null} */
  #lamp = null;
  #said = "";

  constructor() {
    super();
    /** @type {(label: string, how: "scanned" | "typed" | "chosen") => void} */
    this.found = () => {};
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    // Whoever let the page see before is not asked again, and needs no tap.
    void navigator.permissions?.query({ name: /** @type {any} */ ("camera") }).then(({ state }) => {
      if (state === "granted" && this.isConnected) void this.#scan();
    }, () => {});
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#stop();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#scanning = false;
    this.#lamp = null;
    for (const track of this.#camera?.getTracks() ?? []) track.stop();
    this.#camera = null;
  }

  async #scan() {
    if (this.#scanning) return;
    this.#scanning = true;
    this.#said = "";
    this.requestUpdate();
    const read = await reader();
    if (!read) return this.#give("What reads codes is not on this phone yet, and there is no network to fetch it. Type the label.");
    try {
      this.#camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch {
      return this.#give("The phone does not let this page use its camera. Type the label.");
    }
    await this.updateComplete;
    const video = this.querySelector("video");
    if (!video || !this.isConnected) return this.#stop();
    video.srcObject = this.#camera;
    const able = /** @type {any} */ (this.#camera.getVideoTracks()[0]?.getCapabilities?.() ?? {});
    if (able.torch) this.#lamp = false;
    this.requestUpdate();
    this.#timer = setInterval(() => void this.#look(video, read), LOOK_MS);
  }

  /** @param {string} words why not */
  #give(words) {
    this.#stop();
    this.#said = words;
    this.requestUpdate();
  }

  async #light() {
    const on = !this.#lamp;
    const [track] = this.#camera?.getVideoTracks() ?? [];
    await track?.applyConstraints({ advanced: [/** @type {any} */ ({ torch: on })] }).then(() => (this.#lamp = on), () => (this.#lamp = null));
    this.requestUpdate();
  }

  /** @param {HTMLVideoElement} video @param {import("./codes.js").Reader} read */
  async #look(video, read) {
    // A slow phone reads one picture after the other, not several at once.
    if (video.readyState < 2 || this.#looking) return;
    this.#looking = true;
    const texts = await read(video).catch(() => /** @type {string[]} */ ([]));
    this.#looking = false;
    const label = labelAmong(texts);
    if (!label || !this.#scanning) return;
    navigator.vibrate?.(60);
    this.#stop();
    this.requestUpdate();
    this.found(this.#printed(label), "scanned");
  }

  /** @param {Event} event */
  #typed(event) {
    const label = labelIn(fields(event).label ?? "");
    this.#said = label ? "" : "A label is letters and digits, as printed on the unit.";
    this.requestUpdate();
    if (label) this.found(this.#printed(label), "typed");
  }

  /** @param {string} label */
  #printed(label) {
    return asPrinted(label, [...(this.field.units ?? []).map((unit) => unit.label), ...deployments().map(({ unit }) => unit)]);
  }

  #calling() {
    const planned = opened()?.unit;
    const units = (this.field.units ?? []).filter(({ retired, link }) => retired === null && link === "online");
    units.sort((one, other) => Number(other.label === planned) - Number(one.label === planned) || one.label.localeCompare(other.label));
    if (units.length === 0) return nothing;
    return html`<h3>Calling in now</h3><ul class="works">${units.slice(0, 8).map((unit) => {
      const battery = said(unit, "battery");
      return html`<li><button class="work" data-unit=${unit.label} @click=${() => this.found(unit.label, "chosen")}>
        <strong>${unit.label}</strong><span>${[unit.label !== planned ? "" : opened()?.stage === "planned" ? "planned here" : "stands here", unit.model,
          typeof battery?.percent === "number" ? `battery ${Math.round(battery.percent)} %` : ""].filter(Boolean).join(" · ")}</span></button></li>`;
    })}</ul>`;
  }

  /** @override */
  render() {
    return html`
      ${this.#scanning ? html`<video class="scan" autoplay playsinline muted aria-label="What the phone's camera sees"></video><p class="hint" role="status">Hold the unit's code into the picture.</p>
          <div class="row">${this.#lamp === null ? nothing : html`<button id="lamp" aria-pressed=${this.#lamp} @click=${() => void this.#light()}>Light</button>`}
            <button id="stop-scan" @click=${() => { this.#stop(); this.requestUpdate(); }}>Stop scanning</button></div>`
        : navigator.mediaDevices ? html`<button class="primary" id="scan" @click=${() => void this.#scan()}>Scan the unit's code</button>` : nothing}
      ${this.#calling()}
      <form class="typed" @submit=${this.#typed}><label for="unit-label">Or type the label</label>
        <div class="row"><input id="unit-label" name="label" required maxlength="64" autocapitalize="characters" autocomplete="off" spellcheck="false" enterkeyhint="done"><button>This one</button></div></form>
      ${this.#said ? html`<p class="said attention" role="alert">${this.#said}</p>` : nothing}`;
  }
}

customElements.define("field-scan", FieldScan);
