/**
 * Bearings and angles in the field: the phone's compass, lining up the picture with the map, a finger's rectangle on the
 * picture as a sector of the head, and a sector as it lies on the picture. Degrees; bearings clockwise from north.
 * @module
 */

import { wrap } from "../app/geo.js";

const RAD = Math.PI / 180;
const METRES_PER_DEGREE = 111_320;
/** A head that is read twice stands if it is found so near: half a degree is a quarter of what a zone is given all round. */
const STANDS_DEG = 0.5;

/** @typedef {{latitude: number, longitude: number}} Point */

/** @param {Point} from @param {Point} to @returns {{east: number, north: number}} metres, on a borough's scale */
function offset(from, to) {
  return {
    east: (to.longitude - from.longitude) * METRES_PER_DEGREE * Math.cos(from.latitude * RAD),
    north: (to.latitude - from.latitude) * METRES_PER_DEGREE,
  };
}

/** @param {Point} from @param {Point} to */
export function distanceM(from, to) {
  const { east, north } = offset(from, to);
  return Math.hypot(east, north);
}

/** A pin is set by a finger as thick as this, and no better than maps are. */
const FINGER_PX = 22;
const PIN_M = 10;

/** How far off a pin may be that a finger set. @param {number} latitude @param {number} zoom of the map, as its tiles have it */
export const pinAccuracyM = (latitude, zoom) =>
  Math.max(PIN_M, Math.round((FINGER_PX * 360 * METRES_PER_DEGREE * Math.cos(latitude * RAD)) / (256 * 2 ** zoom)));

/** @param {Point} from @param {Point} to */
export function bearingTo(from, to) {
  const { east, north } = offset(from, to);
  return wrap(Math.atan2(east, north) / RAD);
}

/** A compass that may be further off than this says nothing of where a unit looks. */
const COMPASS_DEG = 30;

/**
 * Where the phone points: its upper edge while it lies, its back while it stands (W3C Device Orientation: Z-X'-Y'' angles).
 * @param {{alpha: number | null, beta: number | null, gamma: number | null, webkitCompassHeading?: number, webkitCompassAccuracy?: number}} event
 * @returns {number | null} null also where the compass says that it is not sure (WebKit: degrees to either side; below 0: not
 * calibrated)
 */
export function headingOf({ alpha, beta, gamma, webkitCompassHeading: said, webkitCompassAccuracy: sure = 0 }) {
  if (typeof said === "number") return sure < 0 || sure > COMPASS_DEG ? null : wrap(said);
  if (alpha === null || beta === null || gamma === null) return null;
  const [a, b, c] = [alpha * RAD, beta * RAD, gamma * RAD];
  const edge = { east: -Math.sin(a) * Math.cos(b), north: Math.cos(a) * Math.cos(b) };
  const back = {
    east: -Math.cos(a) * Math.sin(c) - Math.sin(a) * Math.sin(b) * Math.cos(c),
    north: -Math.sin(a) * Math.sin(c) + Math.cos(a) * Math.sin(b) * Math.cos(c),
  };
  const { east, north } = Math.hypot(edge.east, edge.north) >= Math.hypot(back.east, back.north) ? edge : back;
  return wrap(Math.atan2(east, north) / RAD);
}

/**
 * The bearing of a head's zero: what stands in the middle of the picture was pointed at on the map.
 * @param {Point} from @param {Point} seen @param {number} panDeg
 */
export const linedUp = (from, seen, panDeg) => wrap(bearingTo(from, seen) - panDeg);

/** @param {number} value */
const turned = (value) => Math.round((wrap(value + 180) - 180) * 10) / 10;
/** @param {number} value */
const tenth = (value) => Math.round(value * 10) / 10;

/** @typedef {{pan_deg: number, tilt_deg: number, hfov_deg: number}} Pose */

/**
 * Where a head looked while something was drawn on its picture.
 * @param {import("../app/types.js").HeadState | null | undefined} before as the finger came down
 * @param {import("../app/types.js").HeadState | null | undefined} after as it was lifted
 * @returns {Pose | null} null where it turned meanwhile, or does not tell
 */
export function stood(before, after) {
  const [one, other] = [poseOf(before), poseOf(after)];
  if (!one || !other) return null;
  const turns = [wrap(other.pan_deg - one.pan_deg + 180) - 180, other.tilt_deg - one.tilt_deg, other.hfov_deg - one.hfov_deg];
  return turns.every((turn) => Math.abs(turn) <= STANDS_DEG) ? other : null;
}

/** @param {import("../app/types.js").HeadState | null | undefined} head @returns {Pose | null} */
function poseOf(head) {
  const { pan_deg: pan, tilt_deg: tilt, hfov_deg: hfov, moving } = head ?? {};
  if (moving || typeof pan !== "number" || typeof tilt !== "number" || typeof hfov !== "number") return null;
  return { pan_deg: pan, tilt_deg: tilt, hfov_deg: hfov };
}

/**
 * The sector of a head that a rectangle on its picture hides, with every direction in it.
 * @param {{pan_deg: number, tilt_deg: number, hfov_deg: number}} head
 * @param {{left: number, top: number, right: number, bottom: number}} box parts of the picture, 0 to 1 from its upper left
 * @param {number} marginDeg
 * @param {number} aspect of the picture: its width by its height
 */
export function sectorOf(head, box, marginDeg, aspect) {
  const half = Math.tan((head.hfov_deg / 2) * RAD);
  const tilt = head.tilt_deg * RAD;
  const pans = [];
  const tilts = [];
  let over = false;
  const STEPS = 8;
  for (let row = 0; row <= STEPS; row += 1) {
    for (let column = 0; column <= STEPS; column += 1) {
      const x = ((box.left + ((box.right - box.left) * column) / STEPS) * 2 - 1) * half;
      const y = (1 - (box.top + ((box.bottom - box.top) * row) / STEPS) * 2) * (half / aspect);
      const ahead = Math.cos(tilt) - y * Math.sin(tilt);
      const up = Math.sin(tilt) + y * Math.cos(tilt);
      over ||= ahead <= 0;
      pans.push(Math.atan2(x, ahead) / RAD);
      tilts.push(Math.atan2(up, Math.hypot(x, ahead)) / RAD);
    }
  }
  if (over) {
    // It reaches past straight down (or up), where every direction meets: equal pans are the whole circle.
    const pan = turned(head.pan_deg);
    const [lowest, highest] = head.tilt_deg < 0 ? [-90, Math.max(...tilts) + marginDeg] : [Math.min(...tilts) - marginDeg, 90];
    return { pan_from_deg: pan, pan_to_deg: pan, tilt_from_deg: tenth(lowest), tilt_to_deg: tenth(highest) };
  }
  return {
    pan_from_deg: turned(head.pan_deg + Math.min(...pans) - marginDeg),
    pan_to_deg: turned(head.pan_deg + Math.max(...pans) + marginDeg),
    tilt_from_deg: tenth(Math.max(-90, Math.min(...tilts) - marginDeg)),
    tilt_to_deg: tenth(Math.min(90, Math.max(...tilts) + marginDeg)),
  };
}

/** @typedef {ReturnType<typeof sectorOf>} Sector */
/** @typedef {{ahead: number, right: number, up: number}} Ray as the picture has it: along its middle, to its right, up */

/** What lies at less than this before the lens is beside or behind it. */
const NEAR = 0.02;
const CELL_DEG = 5;

/** From one end to the other in steps that are small enough to be straight. @param {number} from @param {number} to */
function steps(from, to) {
  const count = Math.max(1, Math.ceil((to - from) / CELL_DEG));
  return Array.from({ length: count + 1 }, (_, index) => from + ((to - from) * index) / count);
}

/** @param {Ray} ray */
const isBefore = ({ ahead }) => ahead >= NEAR;

/** Where the line from one ray to another comes before the lens, or leaves it. @param {Ray} one @param {Ray} other @returns {Ray} */
function cut(one, other) {
  const part = (NEAR - one.ahead) / (other.ahead - one.ahead);
  return { ahead: NEAR, right: one.right + (other.right - one.right) * part, up: one.up + (other.up - one.up) * part };
}

/** What of a surface is before the lens. @param {Ray[]} corners @returns {Ray[]} */
const surface = (corners) =>
  corners.flatMap((ray, index) => {
    const last = /** @type {Ray} */ (corners.at(index - 1));
    return [...(isBefore(last) === isBefore(ray) ? [] : [cut(last, ray)]), ...(isBefore(ray) ? [ray] : [])];
  });

/** What of a line is before the lens: a line that goes round comes back as another. @param {Ray[]} rays @returns {Ray[][]} */
function runs(rays) {
  /** @type {Ray[]} */
  let run = [];
  const found = [run];
  rays.forEach((ray, index) => {
    const last = rays[index - 1];
    if (last && isBefore(last) !== isBefore(ray)) {
      if (isBefore(ray)) found.push((run = []));
      run.push(cut(last, ray));
    }
    if (isBefore(ray)) run.push(ray);
  });
  return found.filter((one) => one.length > 1);
}

/**
 * Where a sector of the head lies on its picture: what it fills, and its edges, as lines of points. Parts of the picture, 0
 * to 1 from its upper left; they may run out of it. What is not before the lens is left out.
 * @param {{pan_deg: number, tilt_deg: number, hfov_deg: number}} head @param {Sector} sector @param {number} aspect of the picture
 * @returns {{cells: [x: number, y: number][][], edges: [x: number, y: number][][]}}
 */
export function shapeOf(head, sector, aspect) {
  const half = Math.tan((head.hfov_deg / 2) * RAD);
  const tilt = head.tilt_deg * RAD;
  const from = sector.pan_from_deg - head.pan_deg;
  // Equal pans are the whole circle.
  const width = wrap(sector.pan_to_deg - sector.pan_from_deg) || 360;
  const pans = steps(from, from + width);
  const tilts = steps(sector.tilt_from_deg, sector.tilt_to_deg);
  /** @param {number} panDeg @param {number} tiltDeg @returns {Ray} */
  const ray = (panDeg, tiltDeg) => {
    const level = Math.cos(tiltDeg * RAD);
    const [north, east, up] = [level * Math.cos(panDeg * RAD), level * Math.sin(panDeg * RAD), Math.sin(tiltDeg * RAD)];
    return { ahead: north * Math.cos(tilt) + up * Math.sin(tilt), right: east, up: up * Math.cos(tilt) - north * Math.sin(tilt) };
  };
  /** @param {Ray} of @returns {[x: number, y: number]} */
  const point = ({ ahead, right, up }) => [0.5 + right / ahead / half / 2, 0.5 - up / ahead / (half / aspect) / 2];
  const cells = pans.slice(1).flatMap((right, column) => tilts.slice(1).map((top, row) => {
    const [left, low] = [/** @type {number} */ (pans[column]), /** @type {number} */ (tilts[row])];
    return surface([ray(left, low), ray(right, low), ray(right, top), ray(left, top)]);
  }));
  const sides = width < 360 ? [from, from + width].map((pan) => tilts.map((each) => ray(pan, each))) : [];
  const ends = [sector.tilt_from_deg, sector.tilt_to_deg].map((end) => pans.map((pan) => ray(pan, end)));
  return { cells: cells.filter((one) => one.length > 2).map((one) => one.map(point)), edges: [...sides, ...ends].flatMap(runs).map((one) => one.map(point)) };
}
