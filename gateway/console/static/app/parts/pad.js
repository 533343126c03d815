/**
 * A pad for those without keys: each button turns or zooms for as long as it is held.
 * @module
 */

import { html } from "lit";
import { STILL } from "../steer-inputs.js";
import { steering } from "../steering.js";

/** @type {[label: string, name: string, pan: number, tilt: number, zoom: number][]} */
const PAD = [
  ["↖", "Left and up", -0.6, 0.6, 0],
  ["↑", "Up", 0, 0.6, 0],
  ["↗", "Right and up", 0.6, 0.6, 0],
  ["←", "Left", -0.6, 0, 0],
  ["■", "Stop", 0, 0, 0],
  ["→", "Right", 0.6, 0, 0],
  ["↙", "Left and down", -0.6, -0.6, 0],
  ["↓", "Down", 0, -0.6, 0],
  ["↘", "Right and down", 0.6, -0.6, 0],
];

/** @param {string} label @param {string} name @param {number} pan @param {number} tilt @param {number} zoom */
function button(label, name, pan, tilt, zoom) {
  const stop = label === "■";
  const press = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    if (stop) steering().stop();
    else steering().hold("pad", { pan, tilt, zoom });
  };
  const lift = () => steering().hold("pad", STILL);
  return html`<button class=${stop ? "stop" : ""} aria-label=${name} title=${stop ? "Stop (Esc)" : name} @pointerdown=${press}
    @pointerup=${lift} @pointercancel=${lift} @lostpointercapture=${lift} @contextmenu=${(/** @type {Event} */ event) => event.preventDefault()}>${label}</button>`;
}

export const pad = () => html`
  <div class="pad" role="group" aria-label="Steer">
    <div class="pad-turn">${PAD.map(([label, name, pan, tilt, zoom]) => button(label, name, pan, tilt, zoom))}</div>
    <div class="pad-zoom">${button("+", "Zoom in", 0, 0, 0.6)}<span>zoom</span>${button("−", "Zoom out", 0, 0, -0.6)}</div>
  </div>
`;
