/**
 * Angles and the ground: what a camera sees, as a shape on the map. Bearings are degrees clockwise from north.
 * @module
 */

const METRES_PER_DEGREE = 111_320;

/** @param {number} degrees @returns {number} 0 <= bearing < 360 */
export function wrap(degrees) {
  const rest = degrees % 360;
  return rest < 0 ? (rest + 360) % 360 : rest;
}

/**
 * The point at a distance and bearing, on a borough's scale.
 * @param {number} latitude @param {number} longitude @param {number} bearingDeg @param {number} metres
 * @returns {[number, number]} latitude, longitude
 */
export function destination(latitude, longitude, bearingDeg, metres) {
  const angle = (bearingDeg * Math.PI) / 180;
  const north = (Math.cos(angle) * metres) / METRES_PER_DEGREE;
  const east = (Math.sin(angle) * metres) / (METRES_PER_DEGREE * Math.cos((latitude * Math.PI) / 180));
  return [latitude + north, longitude + east];
}

/**
 * A cone: the camera, then an arc. A narrow lens looks further, so that its cone stays to be seen.
 * @param {number} latitude @param {number} longitude @param {number} bearingDeg @param {number} hfovDeg
 * @returns {[number, number][]}
 */
export function cone(latitude, longitude, bearingDeg, hfovDeg) {
  const angle = Math.min(350, Math.max(1, hfovDeg));
  const reach = reachOf(angle);
  const steps = Math.max(2, Math.ceil(angle / 8));
  /** @type {[number, number][]} */
  const points = [[latitude, longitude]];
  for (let step = 0; step <= steps; step += 1) {
    points.push(destination(latitude, longitude, bearingDeg - angle / 2 + (angle * step) / steps, reach));
  }
  return points;
}

/** How far a cone of this angle is drawn, metres. @param {number} hfovDeg @returns {number} */
export const reachOf = (hfovDeg) => Math.min(300, Math.max(40, 75 * Math.sqrt(60 / hfovDeg)));

const WINDS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

/** North-east in letters: NE. @param {number} bearingDeg @returns {string} */
export const wind = (bearingDeg) => /** @type {string} */ (WINDS[Math.round(wrap(bearingDeg) / 45) % 8]);

/**
 * Where a camera looks and how wide, from its head where it has told, else as it was mounted.
 * @param {import("./types.js").Camera} camera
 * @returns {{bearing: number, hfov: number} | null}
 */
export function sight(camera) {
  const head = camera.state.head;
  const bearing = head?.bearing_deg ?? camera.bearing_deg;
  if (bearing === null || bearing === undefined) return null;
  return { bearing: wrap(bearing), hfov: head?.hfov_deg ?? camera.hfov_deg ?? camera.head?.hfov_deg?.[0] ?? 60 };
}
