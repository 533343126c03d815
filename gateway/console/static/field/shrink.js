/**
 * A photo as it is sent: scaled down, so that no step waits for megabytes over 3G, with all that the original says of itself.
 * @module
 */

import { exifOf, upright, withExif } from "./exif.js";

/** @typedef {import("./photo.js").Photo} Photo */

/** Five seconds of a poor 3G link. A sign can be read in it. */
const ENOUGH_BYTES = 250_000;
/** Longest side and JPEG quality, tried in this order: gravel and leaves need more than a wall. */
const TRIES = /** @type {const} */ ([[1600, 0.8], [1600, 0.6], [1600, 0.4], [1280, 0.4], [1024, 0.4]]);

/** What a browser reads it as, the way up that it says. @param {Photo} photo @returns {Promise<HTMLImageElement>} */
async function decoded({ bytes, type }) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** @param {HTMLImageElement} image @param {number} side @param {number} quality @returns {Promise<Uint8Array | null>} */
async function coded(image, side, quality) {
  const scale = Math.min(1, side / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) return null;
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  // A phone's memory is given back at once.
  canvas.width = canvas.height = 0;
  return blob && new Uint8Array(await blob.arrayBuffer());
}

/**
 * The photo, small enough to be sent on a poor link. What this browser cannot scale goes as it was made.
 * @param {Photo} photo @returns {Promise<Photo>}
 */
export async function shrunk(photo) {
  if (photo.bytes.byteLength <= ENOUGH_BYTES) return photo;
  const said = exifOf(new Uint8Array(photo.bytes));
  const image = await decoded(photo).catch(() => null);
  if (!image) return photo;
  /** @type {Uint8Array | null} */
  let small = null;
  for (const [side, quality] of TRIES) {
    small = await coded(image, side, quality);
    if (!small || small.length <= ENOUGH_BYTES) break;
  }
  if (!small || small.length >= photo.bytes.byteLength) return photo;
  const whole = withExif(small, said && upright(said));
  return { bytes: /** @type {ArrayBuffer} */ (whole.slice().buffer), type: "image/jpeg" };
}
