/**
 * What the gateway tells of cameras' health (its own words: docs/design/health.md).
 * @module
 */

/** @typedef {"now" | "today" | "soon"} Urgency */
/** @typedef {{by: string, at: string, until: string | null, reason: string}} PutOff */
/**
 * One thing that a person has to see to.
 * @typedef {object} Need
 * @property {string | null} camera of a unit the first that it carries; null where it carries none @property {number | null} number
 * @property {string} name @property {string | null} unit neither camera, unit nor deployment: it is about the units' broker
 * @property {{id: string, title: string} | null} deployment that asks for it, where one may see those: seen to there, not put off
 * @property {string} kind @property {Urgency} urgency @property {string} cause @property {string} since @property {string} cure
 * @property {PutOff | null} put_off
 */
/** @typedef {{looked: string | null, needs: Need[], problem: import("./types.js").Problem | null}} Health  looked: null before the gateway ever looked */
/**
 * @typedef {object} UnitHealth
 * @property {string} label @property {boolean} missed @property {string | null} heard @property {number | null} battery_h
 * @property {number | null} disk_free_share @property {boolean} disk_fault @property {string | null} certificate_ends
 */
/**
 * @typedef {object} CheckUp
 * @property {string} camera @property {string | null} looked @property {boolean} missed @property {boolean} live
 * @property {string | null} last_picture @property {boolean | null} recording null: its camera host does not say @property {string} recording_cause why not
 * @property {string | null} picture @property {string | null} picture_looked null: not since pictures come @property {string | null} reference
 * @property {boolean} head @property {number | null} clock_offset_s how far its clock is ahead
 * @property {number | null} clock_off_s how far the times that we keep may be off for that @property {string} manufacturer @property {string} model
 * @property {string} firmware @property {string} newest_firmware @property {string | null} certificate_ends @property {UnitHealth | null} unit @property {Need[]} needs
 */
/** @typedef {{camera: string, number: number, name: string, removed: string | null}} CameraTold  removed: when; null where it is there */
/**
 * @typedef {object} CameraMonth
 * @property {string} camera @property {number} number @property {string} name @property {string | null} removed @property {number | null} availability
 * @property {number} recorded_s @property {Record<string, number>} lost_s @property {number} withheld_s @property {number} off_s @property {number} unknown_s
 */
/**
 * A day (UTC) of a camera: null where it is not over, or nothing was told of it.
 * @typedef {object} CameraDay
 * @property {string} day @property {number | null} availability @property {number | null} recorded_s @property {Record<string, number> | null} lost_s
 * @property {number | null} withheld_s @property {number | null} off_s @property {number | null} unknown_s
 * @property {number | null} clock_offset_s the furthest that it was off
 */
/** @typedef {{month: string, start: string, end: string, cameras: CameraMonth[], unreached: CameraTold[]}} Availability */

export {};
