/**
 * What an operator can do, whatever key, click or button asks for it.
 * @module
 */

import { ApiError, get, problemOf, request, saveBlob, saveUrl } from "./api.js";
import { cameraById, keepCameras, may, selectedCamera, selectedSlot, store, tell } from "./store.js";
import { agreedDownload } from "./second-person.js";
import { closeBar } from "./shares.js";
import { steering } from "./steering.js";
import { clock, duration, fileTime, toIso } from "./time.js";
import { line } from "./words.js";

/** @typedef {import("./types.js").Camera} Camera */

const KEPT = "sightline.wall";
export async function loadCameras() {
  try {
    const cameras = /** @type {Camera[]} */ (await get("/cameras"));
    cameras.sort((one, other) => one.number - other.number);
    keepCameras(cameras);
    const first = store.state.list !== "ready";
    store.set({ list: "ready", listProblem: null });
    fillWall(first);
    follow();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401) return;
    if (store.state.list === "ready" && error.status === 0) return;
    store.set({ list: error.status === 403 ? "forbidden" : "failed", listProblem: error.problem });
  }
}

/**
 * Put cameras into an untouched wall. What one may not see (any more) stays in its place, and says so; but a wall of
 * which nothing is there, as it was left at another gateway, is an untouched one.
 * @param {boolean} first
 */
function fillWall(first) {
  const { cameras, slots } = store.state;
  const known = slots.map((slot) => (cameraById(slot.cameraId) ? slot : { ...slot, replayAt: null }));
  if (known.every((slot) => slot.cameraId === null || (first && !cameraById(slot.cameraId)))) {
    known.fill({ cameraId: null, replayAt: null });
    cameras.slice(0, 9).forEach((camera, index) => (known[index] = { cameraId: camera.id, replayAt: null }));
    const wide = matchMedia("(min-width: 860px)").matches;
    if (localStorage.getItem(KEPT) === null) store.set({ layout: !wide || cameras.length < 2 ? 1 : cameras.length > 4 ? 9 : 4 });
  }
  store.set({ slots: known });
}

export function restoreWall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    if (kept && [1, 4, 9].includes(kept.layout) && Array.isArray(kept.cameras)) {
      const slots = Array.from({ length: 9 }, (_, index) => ({ cameraId: kept.cameras[index] ?? null, replayAt: null }));
      store.set({ layout: kept.layout, slots, selected: Math.min(kept.selected ?? 0, kept.layout - 1) });
    }
  } catch {
    localStorage.removeItem(KEPT);
  }
}

function keepWall() {
  const { layout, slots, selected } = store.state;
  localStorage.setItem(KEPT, JSON.stringify({ layout, selected, cameras: slots.map((slot) => slot.cameraId) }));
}

/** The stick follows the selected camera, while it is live and has a head. */
export function follow() {
  const camera = selectedCamera();
  const steerable = camera?.head && selectedSlot().replayAt === null && may("steer");
  steering().aim(steerable ? camera.id : null);
}

/** @param {number} index */
export function select(index) {
  if (index === store.state.selected || index < 0 || index >= store.state.layout) return;
  store.set({ selected: index, exporting: null, paused: false, presetArmed: false });
  keepWall();
  follow();
}

/** @param {import("./types.js").Layout} layout */
export function setLayout(layout) {
  const { slots, selected } = store.state;
  const next = [...slots];
  let index = selected;
  if (selected >= layout) {
    // What was being looked at stays in sight.
    [next[0], next[selected]] = [/** @type {any} */ (slots[selected]), /** @type {any} */ (slots[0])];
    index = 0;
  }
  store.set({ layout, slots: next, selected: index });
  keepWall();
  follow();
}

/** Put a camera into the selected tile, live. @param {Camera} camera */
export function callUp(camera) {
  const slots = [...store.state.slots];
  slots[store.state.selected] = { cameraId: camera.id, replayAt: null };
  store.set({ slots, exporting: null, paused: false, presetArmed: false, typed: "" });
  keepWall();
  follow();
}

/** Whether one's role is for every camera. A member's is for none; what they see they were granted, unless the glass is broken. */
function seesAll() {
  const { user, glass } = store.state;
  return user?.role !== "member" || (glass?.broken.length ?? 0) > 0;
}

/** @param {string} digits */
export function callUpNumber(digits) {
  const camera = store.state.cameras.find((each) => each.number === Number(digits));
  if (camera) callUp(camera);
  else tell(`There is no camera ${Number(digits)}${seesAll() ? "" : " among those that you may see"}.`, "attention");
  store.set({ typed: "" });
}

/** Go back in the selected tile. @param {number} at ms since 1970 */
export function replay(at) {
  const camera = selectedCamera();
  if (!camera) return;
  if (!may("view_recorded")) {
    tell("You may not see recordings.", "attention");
    return;
  }
  const now = store.serverClock.now();
  const slots = [...store.state.slots];
  slots[store.state.selected] = { cameraId: camera.id, replayAt: Math.min(at, now - 3000) };
  store.set({ slots, paused: false });
  follow();
}

export function goLive() {
  const slots = [...store.state.slots];
  slots[store.state.selected] = { ...selectedSlot(), replayAt: null };
  store.set({ slots, paused: false, exporting: null });
  follow();
}

/** No recording is played any more: in every tile what is there now. */
export function goLiveEverywhere() {
  store.set({ slots: store.state.slots.map((slot) => ({ ...slot, replayAt: null })), paused: false, exporting: null });
}

/** The time of the picture in the selected tile. @returns {number} */
function pictureTime() {
  const slot = selectedSlot();
  if (slot.replayAt !== null) return store.state.replayClock[slot.cameraId ?? ""] ?? slot.replayAt;
  const verdict = store.state.freshness[slot.cameraId ?? ""];
  return store.serverClock.now() - (verdict?.ageMs ?? 0);
}

export const back30 = () => replay(pictureTime() - 30_000);

/** The picture of this moment, out of the recording, as a file. */
export async function still() {
  const camera = selectedCamera();
  if (!camera) return;
  const at = pictureTime();
  tell(`Still of camera ${camera.number} at ${clock(at)} is being fetched.`);
  const query = new URLSearchParams({ stream: "main", at: toIso(at) });
  // What was seen a moment ago is on its way to the disk; it is asked for until it is there.
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await request(`/api/v1/cameras/${camera.id}/still?${query}`);
      const taken = Date.parse(response.headers.get("Sightline-Time") ?? "") || at;
      saveBlob(await response.blob(), `camera-${camera.number}-${fileTime(taken)}.jpg`);
      tell(`Still of camera ${camera.number} at ${clock(taken)} is saved.`);
      return;
    } catch (error) {
      const early = error instanceof ApiError && [404, 409, 425].includes(error.status) && store.serverClock.now() - at < 20_000;
      if (!early || attempt >= 12) {
        tell(line(problemOf(error)), "attention");
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}

/** E: begin an export, or give it up. */
export function armExport() {
  if (!selectedCamera()) return;
  if (!may("export")) {
    tell("You may not export footage.", "attention");
    return;
  }
  if (store.state.exporting) {
    store.set({ exporting: null });
    tell("The export is cancelled.");
    return;
  }
  closeBar();
  store.set({ exporting: { armed: true } });
  tell("Export: click on the timeline where it begins, then where it ends. Esc cancels.");
}

/** A click on the timeline while exporting. @param {number} at */
export function markExport(at) {
  const { exporting } = store.state;
  const camera = selectedCamera();
  if (!exporting || !camera) return;
  if (!("from" in exporting)) {
    store.set({ exporting: { from: at } });
    tell(`Export from ${clock(at)}: click where it ends.`);
    return;
  }
  const [start, end] = [Math.min(exporting.from, at), Math.max(exporting.from, at)];
  store.set({ exporting: null });
  if (end - start < 500) {
    tell("That is less than half a second. Press E and mark the range again.", "attention");
    return;
  }
  void exportClip(camera, start, end);
}

/** @param {Camera} camera @param {number} start @param {number} end */
async function exportClip(camera, start, end) {
  const query = new URLSearchParams({ stream: "main", start: toIso(start), end: toIso(end) });
  try {
    // A download cannot ask who is there; this can, and the download follows it.
    await request("/api/v1/session/confirm");
  } catch (error) {
    tell(line(problemOf(error)), "attention");
    return;
  }
  const path = `/api/v1/cameras/${camera.id}/clip.mp4?${query}`;
  let approval = "";
  try {
    approval = await agreedDownload(path);
  } catch (error) {
    tell(line(problemOf(error)), "attention");
    return;
  }
  tell(`Clip of camera ${camera.number}, ${clock(start)} to ${clock(end)} (${duration(end - start)}), is being saved.`);
  saveUrl(`${path}${approval}`, `camera-${camera.number}-${fileTime(start)}.mp4`);
}
