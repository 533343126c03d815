import assert from "node:assert/strict";
import { test } from "node:test";
import { exifOf, upright, withExif } from "../../../../gateway/console/static/field/exif.js";

const text = (word) => [...new TextEncoder().encode(word)];
/** A TIFF structure with a camera and which way up it is. */
const tiff = (little) => {
  const data = new DataView(new ArrayBuffer(38));
  new Uint8Array(data.buffer).set(little ? [0x49, 0x49, 0x2a, 0] : [0x4d, 0x4d, 0, 0x2a]);
  data.setUint32(4, 8, little);
  data.setUint16(8, 2, little);
  [[0x0110, 2, 4, 0x41424300], [0x0112, 3, 1, 0]].forEach(([tag, kind, count, value], entry) => {
    const at = 10 + 12 * entry;
    data.setUint16(at, tag, little);
    data.setUint16(at + 2, kind, little);
    data.setUint32(at + 4, count, little);
    data.setUint32(at + 8, value, little);
  });
  data.setUint16(30, 6, little);
  return new Uint8Array(data.buffer);
};
const segment = (marker, body) => [0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body];
const JFIF = segment(0xe0, text("JFIF\0"));
const SCAN = [...segment(0xda, [1, 2]), 7, 7, 7, 0xff, 0xd9];
const jpeg = (...segments) => new Uint8Array([0xff, 0xd8, ...segments.flat(), ...SCAN]);
const app1 = (exif) => segment(0xe1, [...text("Exif\0\0"), ...exif]);

test("what a photo says of itself is found in it, behind what else is there", () => {
  assert.deepEqual(exifOf(jpeg(JFIF, segment(0xe1, text("http://ns.adobe.com/xap/1.0/\0")), app1(tiff(true)))), tiff(true));
  assert.equal(exifOf(jpeg(JFIF)), null);
});

test("a PNG says it in a chunk of its own", () => {
  const chunk = (kind, body) => [0, 0, 0, body.length, ...text(kind), ...body, 0, 0, 0, 0];
  const png = (...chunks) => new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...chunks.flat()]);
  assert.deepEqual(exifOf(png(chunk("IHDR", [1, 2, 3]), chunk("eXIf", [...tiff(false)]))), tiff(false));
  assert.equal(exifOf(png(chunk("IHDR", [1, 2, 3]))), null);
});

test("whatever is no photo, or ends too soon, says nothing", () => {
  const whole = jpeg(app1(tiff(true)));
  for (let length = 0; length < 40; length += 1) assert.equal(exifOf(whole.slice(0, length)), null, String(length));
  assert.equal(exifOf(new Uint8Array(text("<script>"))), null);
});

test("a copy that stands upright says so, and all else as it was", () => {
  for (const little of [true, false]) {
    const said = tiff(little);
    const turned = upright(said);
    const differing = [...said].flatMap((byte, at) => (byte === turned[at] ? [] : [at]));
    assert.deepEqual(differing, [little ? 30 : 31]);
    assert.equal(turned[little ? 30 : 31], 1);
  }
});

test("a structure that leads out of itself is left alone", () => {
  const wild = tiff(true);
  wild.set([0xff, 0xff, 0xff, 0x7f], 4);
  assert.deepEqual(upright(wild), wild);
  assert.deepEqual(upright(new Uint8Array([0x49, 0x49, 0x2a, 0])), new Uint8Array([0x49, 0x49, 0x2a, 0]));
});

test("a smaller copy says what the photo said, first of all", () => {
  const copy = withExif(jpeg(JFIF), tiff(true));
  assert.deepEqual(copy, jpeg(app1(tiff(true)), JFIF));
  assert.deepEqual(exifOf(copy), tiff(true));
});

test("what does not fit into a segment, or is not there, is left out", () => {
  assert.deepEqual(withExif(jpeg(), new Uint8Array(65_528)), jpeg());
  assert.deepEqual(withExif(jpeg(), null), jpeg());
  assert.equal(withExif(jpeg(), new Uint8Array(65_527)).length, jpeg().length + 65_537);
});
