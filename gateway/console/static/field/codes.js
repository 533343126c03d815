/**
 * Reads printed codes: by the browser's own detector where it has one, else by zxing-wasm, which is fetched once and kept.
 * @module
 */

import { labelIn } from "./progress.js";

/** What reads codes here: a video's picture of now in, texts out. @typedef {(video: HTMLVideoElement) => Promise<string[]>} Reader */

const NATIVE = ["qr_code", "code_128", "code_39", "data_matrix"];
const FORMATS = ["QRCode", "Code128", "Code39", "DataMatrix"];
const FOLDER = "/static/vendor/zxing-wasm";
/** A label fills a good part of what is held into the picture; more pixels only take longer. */
const LONGEST_PX = 960;

/** @returns {Promise<Reader | null>} by the browser itself */
async function native() {
  const Known = /** @type {any} */ (globalThis).BarcodeDetector;
  if (!Known) return null;
  const formats = await Known.getSupportedFormats().catch(() => []);
  const ours = NATIVE.filter((one) => formats.includes(one));
  if (!ours.includes("qr_code")) return null;
  const detector = new Known({ formats: ours });
  return async (video) => (await detector.detect(video)).map((/** @type {{rawValue: string}} */ { rawValue }) => rawValue);
}

/** @returns {Promise<Reader>} by the module that is kept here */
async function brought() {
  const zxing = await import(`${FOLDER}/es/reader/index.js`);
  // Not from where the module would fetch it: nothing here comes from elsewhere.
  await zxing.prepareZXingModule({ overrides: { locateFile: (/** @type {string} */ name) => `${FOLDER}/reader/${name}` }, fireImmediately: true });
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    if (!width || !height || !context) return [];
    const part = Math.min(1, LONGEST_PX / Math.max(width, height));
    canvas.width = Math.round(width * part);
    canvas.height = Math.round(height * part);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const found = await zxing.readBarcodes(context.getImageData(0, 0, canvas.width, canvas.height), { formats: FORMATS, maxNumberOfSymbols: 4 });
    return found.filter((/** @type {{isValid: boolean}} */ { isValid }) => isValid).map((/** @type {{text: string}} */ { text }) => text);
  };
}

/** @type {Promise<Reader | null> | null} */
let reading = null;

/** What reads codes here; asked early, it is on the phone before the network is gone. @returns {Promise<Reader | null>} null where nothing does */
export function reader() {
  reading ??= native()
    .then((one) => one ?? brought())
    .catch(() => {
      // Tried again next time: perhaps the network is back.
      reading = null;
      return null;
    });
  return reading;
}

/** The first text of a picture that is a label. @param {string[]} texts @returns {string} empty where there is none */
export const labelAmong = (texts) => texts.map(labelIn).find(Boolean) ?? "";
