/**
 * No-look zones as they lie on the live picture, while the head stands: what is kept, under the finger that draws another.
 * @module
 */

import { nothing, svg } from "lit";
import { shapeOf } from "./aim.js";

/** @typedef {import("../app/types.js").Zone} Zone */
/** @typedef {import("../app/types.js").HeadState} HeadState */

const WIDTH = 160;

/** @param {[x: number, y: number][]} points @param {number} height @param {string} end */
const path = (points, height, end) => `M${points.map(([x, y]) => `${(x * WIDTH).toFixed(2)} ${(y * height).toFixed(2)}`).join("L")}${end}`;

/** @param {[x: number, y: number]} point */
const seen = ([x, y]) => x >= 0 && x <= 1 && y >= 0 && y <= 1;

/** The middle of what is seen of it, for its name. @param {[x: number, y: number][][]} cells @param {number} height */
function middle(cells, height) {
  const points = cells.flat().filter(seen);
  const mean = (/** @type {0 | 1} */ axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  return points.length ? { x: Math.min(0.8, Math.max(0.2, mean(0))) * WIDTH, y: Math.min(0.94, Math.max(0.08, mean(1))) * height } : null;
}

/** @param {Zone} zone @param {{pan_deg: number, tilt_deg: number, hfov_deg: number}} head @param {number} aspect */
function drawn(zone, head, aspect) {
  const height = WIDTH / aspect;
  const { cells, edges } = shapeOf(head, zone, aspect);
  const name = middle(cells, height);
  return svg`<g data-kept-zone=${zone.name}><path class="zone-fill" d=${cells.map((one) => path(one, height, "Z")).join("")}></path>
    <path class="zone-edge" d=${edges.map((one) => path(one, height, "")).join("")}></path>
    ${name ? svg`<text x=${name.x} y=${name.y}>${zone.name}</text>` : nothing}</g>`;
}

/**
 * Drawn for a head that stands and says where it looks; while it turns they would lag behind.
 * @param {readonly Zone[]} zones @param {HeadState | null | undefined} head @param {number} aspect of the picture: bars may be beside it
 */
export function zonesOn(zones, head, aspect) {
  const { pan_deg: pan, tilt_deg: tilt, hfov_deg: hfov, moving } = head ?? {};
  if (!zones.length || moving || typeof pan !== "number" || typeof tilt !== "number" || typeof hfov !== "number") return nothing;
  return svg`<svg class="zones-kept" viewBox="0 0 ${WIDTH} ${WIDTH / aspect}" aria-hidden="true">${zones.map((zone) => drawn(zone, { pan_deg: pan, tilt_deg: tilt, hfov_deg: hfov }, aspect))}</svg>`;
}
