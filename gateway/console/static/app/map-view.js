/**
 * What other parts may ask of the map: its present view, and to show something. The map answers while it is there.
 * @module
 */

/** @typedef {import("./directory.js").Corner} Corner */

export const mapView = {
  /** The corners of what the map shows; null where it shows nothing. @type {() => Corner[] | null} */
  corners: () => null,
  /** @type {() => Corner | null} */
  middle: () => null,
  /** @type {(corners: Corner[]) => void} */
  show: () => {},
};
