/**
 * The test of a link: tells the control room that its test picture was decoded here, and this page's user that it was.
 * @module
 */

import { ApiError, send } from "../app/api.js";
import { store } from "../app/store.js";
import { room, watching } from "./state.js";

/** What the room takes for a proof: a second of pictures, decoded. */
const FRAMES_MIN = 25;
const AGAIN_MS = 3000;

/** Shares whose test has passed. @type {Set<string>} */
const passed = new Set();
let askedAt = -Infinity;

/**
 * @param {import("./shares.js").Share} share @param {{decoded: number, video: HTMLVideoElement | null}} picture
 */
export async function reportDecoded(share, { decoded, video }) {
  const now = performance.now();
  if (decoded < FRAMES_MIN || !video?.videoWidth || passed.has(share.id) || now - askedAt < AGAIN_MS) return;
  askedAt = now;
  const seen = { frames: Math.min(decoded, 1_000_000), width: video.videoWidth, height: video.videoHeight };
  try {
    const { result } = await send("POST", `/shares/${share.id}/seen`, seen);
    if (result !== "passed") return;
  } catch (error) {
    // A colleague's page was quicker, which proves the same link; anything else is tried again.
    if (!(error instanceof ApiError) || error.status !== 404) return;
  }
  passed.add(share.id);
  watching.set({ test: { room: room(), at: store.serverClock.now(), result: "passed" } });
}
