/**
 * Hands to velocities: keys, a drag on the picture, a wheel, a gamepad. Pure; -1..+1 on each axis, right, up and in
 * are positive. How fast that is for this lens is the controller's business, not ours.
 * @module
 */

/** @typedef {{pan: number, tilt: number, zoom: number}} Velocity */

/** @type {Velocity} */
export const STILL = Object.freeze({ pan: 0, tilt: 0, zoom: 0 });

/** @param {number} value */
const clamp = (value) => Math.min(1, Math.max(-1, value));

/** @param {Velocity} velocity */
export const isStill = (velocity) => velocity.pan === 0 && velocity.tilt === 0 && velocity.zoom === 0;

/** @param {Iterable<Velocity>} velocities @returns {Velocity} their sum, clamped */
export function mix(velocities) {
  let [pan, tilt, zoom] = [0, 0, 0];
  for (const each of velocities) {
    pan += each.pan;
    tilt += each.tilt;
    zoom += each.zoom;
  }
  return { pan: clamp(pan), tilt: clamp(tilt), zoom: clamp(zoom) };
}

/** Axis and sign of each steering key. */
const KEYS = /** @type {Record<string, [keyof Velocity, number]>} */ ({
  ArrowLeft: ["pan", -1],
  ArrowRight: ["pan", 1],
  ArrowUp: ["tilt", 1],
  ArrowDown: ["tilt", -1],
  "+": ["zoom", 1],
  "=": ["zoom", 1],
  "-": ["zoom", -1],
  _: ["zoom", -1],
});

/** @param {string} key */
export const isSteeringKey = (key) => key in KEYS;

/** A tap nudges, a held key runs: from a quarter to full speed in eight tenths of a second. @param {number} heldMs */
export const ramp = (heldMs) => Math.min(1, 0.25 + (0.75 * Math.max(0, heldMs)) / 800);

/**
 * @param {Map<string, number>} heldSince key to the time it went down @param {number} now @param {boolean} fast
 * @returns {Velocity}
 */
export function fromKeys(heldSince, now, fast = false) {
  const sum = { pan: 0, tilt: 0, zoom: 0 };
  for (const [key, since] of heldSince) {
    const [axis, sign] = KEYS[key] ?? ["pan", 0];
    sum[axis] += sign * (fast ? 1 : ramp(now - since));
  }
  return mix([sum]);
}

/** Nothing near the middle, gentle at first, everything at the rim. @param {number} value @param {number} deadzone */
export function shape(value, deadzone) {
  const size = Math.abs(value);
  if (size <= deadzone) return 0;
  const share = Math.min(1, (size - deadzone) / (1 - deadzone));
  return Math.sign(value) * (0.35 * share + 0.65 * share ** 3);
}

/**
 * A rubber band from where the pointer went down; a third of the picture's height away is full speed.
 * @param {number} right pixels @param {number} down pixels @param {number} height pixels @returns {Velocity}
 */
export function fromDrag(right, down, height) {
  const rim = Math.max(1, height / 3);
  return { pan: shape(clamp(right / rim), 0.06), tilt: shape(clamp(-down / rim), 0.06), zoom: 0 };
}

/** One notch of a wheel, as a short zoom. @param {number} deltaY @returns {Velocity} */
export const fromWheel = (deltaY) => ({ pan: 0, tilt: 0, zoom: deltaY === 0 ? 0 : clamp(-Math.sign(deltaY) * 0.6) });

/**
 * Left stick pans and tilts; the right stick's vertical axis, or the triggers, zoom. A joystick without the standard
 * mapping twists (axis 2) to zoom.
 * @param {{mapping: string, axes: readonly number[], buttons: readonly {value: number}[]}} pad @returns {Velocity}
 */
export function fromGamepad(pad) {
  const axis = (/** @type {number} */ index) => pad.axes[index] ?? 0;
  const deadzone = 0.12;
  const standard = pad.mapping === "standard";
  const triggers = standard ? (pad.buttons[7]?.value ?? 0) - (pad.buttons[6]?.value ?? 0) : 0;
  const zoom = triggers !== 0 ? triggers : standard ? -axis(3) : axis(2);
  return {
    pan: shape(clamp(axis(0)), deadzone),
    tilt: shape(clamp(-axis(1)), deadzone),
    zoom: shape(clamp(zoom), deadzone),
  };
}

/**
 * Where a click lies, as the view move that brings it to the middle: -1..+1, right and up positive; 1 is the edge.
 * @param {number} x share of the picture's width @param {number} y share of its height, down
 */
export const toView = (x, y) => ({ right: clamp(2 * x - 1), up: clamp(1 - 2 * y) });

/**
 * Where in the picture a point of its element lies, letterboxing taken off; null on the bars.
 * @param {{left: number, top: number, width: number, height: number}} box the element on the page
 * @param {number} aspect width over height of the picture @param {number} clientX @param {number} clientY
 * @returns {{x: number, y: number} | null}
 */
export function inPicture(box, aspect, clientX, clientY) {
  const width = Math.min(box.width, box.height * aspect);
  const height = width / aspect;
  const x = (clientX - box.left - (box.width - width) / 2) / width;
  const y = (clientY - box.top - (box.height - height) / 2) / height;
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : null;
}
