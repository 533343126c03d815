/**
 * What a photo says of itself, taken over into a smaller copy of it: its Exif data (CIPA DC-008), byte for byte but for which
 * way up it is. No decoding, no browser.
 * @module
 */

const HEAD = [0x45, 0x78, 0x69, 0x66, 0, 0];
const PNG = [0x89, 0x50, 0x4e, 0x47];
const ORIENTATION = 0x0112;
/** A segment of a JPEG says its own length in two bytes. */
const SEGMENT_MAX = 65_535;

/** @param {Uint8Array} bytes @param {number} at @param {readonly number[]} word */
const begins = (bytes, at, word) => word.every((byte, index) => bytes[at + index] === byte);

/** @param {Uint8Array} bytes @returns {DataView} */
const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * The Exif data of a JPEG or PNG: a TIFF structure.
 * @param {Uint8Array} photo @returns {Uint8Array | null} null where it has none that can be read
 */
export function exifOf(photo) {
  return begins(photo, 0, PNG) ? ofPng(photo) : begins(photo, 0, [0xff, 0xd8]) ? ofJpeg(photo) : null;
}

/** @param {Uint8Array} photo */
function ofJpeg(photo) {
  const data = view(photo);
  for (let at = 2; at + 4 <= photo.length && photo[at] === 0xff; ) {
    const marker = photo[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = data.getUint16(at + 2);
    const end = at + 2 + length;
    if (marker === 0xda || length < 2 || end > photo.length) return null;
    if (marker === 0xe1 && begins(photo, at + 4, HEAD)) return photo.slice(at + 4 + HEAD.length, end);
    at = end;
  }
  return null;
}

/** @param {Uint8Array} photo */
function ofPng(photo) {
  const data = view(photo);
  for (let at = 8; at + 12 <= photo.length; ) {
    const length = data.getUint32(at);
    if (at + 12 + length > photo.length) return null;
    if (begins(photo, at + 4, [0x65, 0x58, 0x49, 0x66])) return photo.slice(at + 8, at + 8 + length);
    at += 12 + length;
  }
  return null;
}

/**
 * The same of a picture that stands upright by itself: who reads it must not turn it once more.
 * @param {Uint8Array} exif @returns {Uint8Array}
 */
export function upright(exif) {
  const found = exif.slice();
  const little = begins(found, 0, [0x49, 0x49, 0x2a, 0]);
  if (!little && !begins(found, 0, [0x4d, 0x4d, 0, 0x2a])) return found;
  const data = view(found);
  const first = found.length >= 8 ? data.getUint32(4, little) : found.length;
  const count = first + 2 <= found.length ? data.getUint16(first, little) : 0;
  for (let entry = 0; entry < count; entry += 1) {
    const at = first + 2 + 12 * entry;
    if (at + 12 > found.length) break;
    if (data.getUint16(at, little) === ORIENTATION) data.setUint16(at + 8, 1, little);
  }
  return found;
}

/**
 * A JPEG that says of itself what another photo does; as it is where that does not fit.
 * @param {Uint8Array} jpeg @param {Uint8Array | null} exif @returns {Uint8Array}
 */
export function withExif(jpeg, exif) {
  const length = 2 + HEAD.length + (exif?.length ?? 0);
  if (exif === null || length > SEGMENT_MAX) return jpeg;
  const whole = new Uint8Array(jpeg.length + 2 + length);
  whole.set(jpeg.subarray(0, 2));
  whole.set([0xff, 0xe1, length >> 8, length & 0xff, ...HEAD], 2);
  whole.set(exif, 6 + HEAD.length);
  whole.set(jpeg.subarray(2), 4 + length);
  return whole;
}
