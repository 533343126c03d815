/**
 * How good a unit's 4G signal is, in one word for the room and the street alike.
 * @module
 */

/** Below this a 4G modem loses its link now and then. */
export const POOR_DBM = -110;

/** @param {number} dbm RSRP */
export const strength = (dbm) => (dbm >= -90 ? "good" : dbm >= -100 ? "fair" : dbm >= POOR_DBM ? "weak" : "poor");
