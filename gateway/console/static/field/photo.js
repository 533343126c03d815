/**
 * A photo by the phone's own camera, small enough for a poor link, with all that it says of itself.
 * @module
 */

import { html } from "lit";
import { tell } from "../app/store.js";
import { shrunk } from "./shrink.js";

const TYPES = ["image/jpeg", "image/png"];
/** As the gateway takes them, unless its administrator said otherwise; only what cannot be made smaller comes near. */
const LARGEST_BYTES = 12 * 2 ** 20;

/** @typedef {{bytes: ArrayBuffer, type: string}} Photo */

/** @param {Event} event @returns {Promise<Photo | null>} null, and said why, where it cannot be taken */
async function photoIn(event) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const file = input.files?.[0];
  // The same file can be chosen again.
  const taken = file ? { type: file.type, bytes: await file.arrayBuffer() } : null;
  input.value = "";
  if (!taken) return null;
  if (!TYPES.includes(taken.type)) {
    tell("A photo is a JPEG or a PNG. Set the phone's camera to “most compatible”, and take it again.", "attention");
    return null;
  }
  const photo = await shrunk(taken);
  if (photo.bytes.byteLength > LARGEST_BYTES) {
    tell(`The photo has ${Math.round(photo.bytes.byteLength / 2 ** 20)} MB; ${LARGEST_BYTES / 2 ** 20} are taken. Set the phone's camera to a smaller picture, and take it again.`, "attention");
    return null;
  }
  return photo;
}

/**
 * @param {string} id @param {string} label @param {boolean} first whether it is what comes next
 * @param {(photo: Photo) => Promise<unknown>} taken
 */
export const shoot = (id, label, first, taken) => html`<label class="shoot ${first ? "primary" : ""}" for=${id}>${label}
  <input class="away" id=${id} type="file" accept=${TYPES.join()} capture="environment" @change=${async (/** @type {Event} */ event) => {
    const photo = await photoIn(event);
    if (photo) await taken(photo);
  }}></label>`;
