/**
 * Units that call in, in words: how each stands, what is not as it should be, and in which order that matters.
 * @module
 */

import { bytes } from "./hosts.js";
import { strength } from "./signal.js";
import { dayAndTime, fromIso } from "./time.js";

/** @typedef {Record<string, string | number | boolean | null>} Values */
/** @typedef {{kind: string, time: string, unit_time: string, values: Values}} UnitState */
/** @typedef {{used_bytes: number, by_end_bytes: number | null, budget_bytes: number | null, exhausted: string | null}} UnitData */
/** @typedef {{cause: string, label: string, count: number, last: string, said: string}} Refused */
/** @typedef {{serial: string, issued: string, expires: string, revoked: string | null}} UnitCertificate */
/**
 * @typedef {object} Unit
 * @property {string} label
 * @property {"never" | "online" | "silent" | "gone" | "retired"} link
 * @property {string} model
 * @property {string} serial
 * @property {string | null} urn
 * @property {string} firmware
 * @property {string} note
 * @property {string[]} cameras
 * @property {string | null} heard
 * @property {number | null} clock_offset_s
 * @property {string} enrolled
 * @property {string | null} retired
 * @property {UnitState[]} states
 * @property {number | null} battery_hours
 * @property {UnitData} data
 * @property {string | null} certificate_ends
 * @property {Concern[]} concerns what of it needs a person, as the gateway judges it, the most urgent first
 */
/** @typedef {Unit & {certificates: UnitCertificate[], refusals: Refused[]}} OneUnit */
/** @typedef {{id: string, stage: string, title: string, street: string, unit: string}} Deployed what this panel reads of a deployment */
/** @typedef {{kind: string, urgency: import("./health-types.js").Urgency, cause: string, cure: string, put_off: import("./health-types.js").PutOff | null}} Concern */
/** @typedef {"alarm" | "attention" | "soon" | "put-off"} Level */

const FULL = 0.9;

/** @type {Record<string, string>} */
const LINKS = { never: "has not called in yet", online: "online", silent: "silent", gone: "link lost", retired: "retired" };

/** @param {Unit} unit */
export const linkWords = ({ link }) => LINKS[link] ?? link;

/** The newest of one kind. @param {Unit} unit @param {string} kind @returns {UnitState | undefined} */
export const newest = (unit, kind) => unit.states.find((one) => one.kind === `state/${kind}`);

/** @param {Unit} unit @param {string} kind @param {string} name @returns {number | null} */
export function number(unit, kind, name) {
  const value = newest(unit, kind)?.values[name];
  return typeof value === "number" ? value : null;
}

/** 64 %, about 14 h left. @param {Unit} unit */
export function batteryWords(unit) {
  const percent = number(unit, "battery", "percent");
  if (percent === null) return "battery not told";
  const charging = newest(unit, "battery")?.values["charging"] === true;
  const hours = unit.battery_hours;
  const lasts = charging ? ", charging" : hours === null ? "" : `, about ${hours >= 48 ? `${Math.round(hours / 24)} days` : `${Math.round(hours)} h`} left`;
  return `battery ${Math.round(percent)} %${lasts}`;
}

/** @param {number} value */
const minus = (value) => String(value).replace("-", "−");

/** @param {Unit} unit */
export function signalWords(unit) {
  const dbm = number(unit, "signal", "rsrp_dbm");
  return dbm === null ? "signal not told" : `signal ${strength(dbm)}, ${minus(Math.round(dbm))} dBm`;
}

/** 1.2 GB of 5 GB this month. @param {UnitData} data */
export function dataWords({ used_bytes: used, budget_bytes: budget }) {
  return budget === null ? `${bytes(used)} this month, no budget` : `${bytes(used)} of ${bytes(budget)} this month`;
}

/** When the budget is used up as it goes now; empty where it lasts. @param {UnitData} data @param {number} now */
export function dataForecast({ exhausted, by_end_bytes: end, budget_bytes: budget }, now) {
  if (exhausted !== null) {
    const at = fromIso(exhausted);
    return at <= now ? `The month's data was used up on ${dayAndTime(at)}.` : `At this rate the month's data is used up on ${dayAndTime(at)}.`;
  }
  if (end === null) return "Too little is known yet to say how the month will end.";
  return budget === null ? `At this rate the month ends at ${bytes(end)}.` : `At this rate the month ends at ${bytes(end)}: within the budget.`;
}

/** How one thing that a unit needs is drawn. @param {Concern} concern @returns {Level} */
const levelOfConcern = ({ urgency, put_off: putOff }) => (putOff ? "put-off" : /** @type {const} */ ({ now: "alarm", today: "attention", soon: "soon" })[urgency]);

/** By when, in a word. @type {Record<Level, string>} */
const BY_WHEN = { alarm: "Now", attention: "Today", soon: "Soon", "put-off": "Put off" };

/** What a unit needs of a person, as the gateway judges it; what was put off last. @param {Unit} unit @returns {{level: Level, by: string, text: string, cure: string}[]} */
export const concernsOf = ({ concerns }) =>
  concerns
    .map((concern) => ({ level: levelOfConcern(concern), by: BY_WHEN[levelOfConcern(concern)], text: concern.cause, cure: concern.cure }))
    .sort((one, other) => Number(one.level === "put-off") - Number(other.level === "put-off"));

/** @param {Unit} unit @returns {"alarm" | "attention" | "soon" | "good" | "retired"} */
export function levelOf(unit) {
  if (unit.link === "retired") return "retired";
  const worst = concernsOf(unit)[0]?.level ?? "good";
  return worst === "put-off" ? "good" : worst;
}

/**
 * How all of them are, in a few words: as they should be only where nothing stands, waits or was put off.
 * @param {Unit[]} units @param {ReadonlySet<string>} raised labels, in capitals, of those with an alarm that nobody has acknowledged
 */
export function overallWords(units, raised) {
  const wrong = units.filter((unit) => raised.has(unit.label.toUpperCase()) || ["alarm", "attention"].includes(levelOf(unit))).length;
  if (wrong) return { wrong, words: `${wrong} ${wrong === 1 ? "unit needs" : "units need"} somebody` };
  return { wrong, words: units.some((unit) => unit.link !== "retired" && unit.concerns.length > 0) ? "Nothing is urgent" : "All as they should be" };
}

const LEVELS = ["alarm", "attention", "soon", "good", "retired"];

/** The worst first, then by label; those that are retired last. @param {readonly Unit[]} units @returns {Unit[]} */
export const worstUnitsFirst = (units) =>
  [...units].sort((one, other) => LEVELS.indexOf(levelOf(one)) - LEVELS.indexOf(levelOf(other)) || one.label.localeCompare(other.label, "en", { numeric: true }));

/** Why something was refused, for who looks after units. @type {Record<string, string>} */
const CAUSES = {
  "wrong-unit": "spoke of another unit, or with another unit's camera",
  malformed: "could not be read",
  oversized: "was too long",
  replayed: "had come before",
  "out-of-order": "came too late",
  "unknown-kind": "was of a kind that is not known",
  "retained-command": "was a command that somebody had the broker keep",
  flooding: "times it said far more in a minute than units do, and was seen out of the broker",
  "off-network": "said an address outside the networks in which units are (telemetry.networks)",
  "unknown-unit": "came from a unit that is not enrolled",
  revoked: "came after its certificate was revoked, or from a retired unit",
  missing: "never came: it wrote where it may not, or they were lost on the way",
  unasked: "answered a command that nobody waits for, or answered it twice",
  "no-certificate": "came with no certificate that is good",
};

/** Those that have words. */
export const CAUSES_KNOWN = Object.keys(CAUSES);

/** @param {string} cause */
export const causeWords = (cause) => CAUSES[cause] ?? cause;

/** @type {Record<string, string>} */
const KINDS = {
  online: "Connection", "state/battery": "Battery", "state/supply": "Runs on", "state/signal": "Signal", "state/position": "Position", "state/heading": "Looks to",
  "state/tilt": "Tilt", "state/temperature": "Inside the case", "state/case": "Case", "state/address": "Camera's address", "state/firmware": "Firmware",
  "state/disk": "Own disk", "state/data": "Data sent", "event/shock": "Knocked", "event/moved": "Moved", "event/tamper": "Tampered with",
  "event/low_battery": "Said its battery is low", "event/shutdown": "Said that it goes",
};

/** @param {string} kind */
export const kindWords = (kind) => KINDS[kind] ?? kind;

/** What a unit said, as a colleague would pass it on. @param {UnitState} state @returns {string} */
export function stateWords({ kind, values }) {
  const of = (/** @type {string} */ name) => values[name];
  const whole = (/** @type {string} */ name) => Math.round(Number(values[name]));
  switch (kind) {
    case "online": return of("online") === true ? `connected, firmware ${of("firmware") ?? "not told"}` : "gone";
    case "state/battery": return `${whole("percent")} %, ${Number(of("volts")).toFixed(1)} V${of("charging") === true ? ", charging" : ""}`;
    case "state/supply": return String(of("source"));
    case "state/signal": return `${strength(Number(of("rsrp_dbm")))}: ${minus(whole("rsrp_dbm"))} dBm, ${minus(whole("rsrq_db"))} dB, ${of("operator")} ${of("technology")}, cell ${of("cell")}`;
    case "state/position": return `${Number(of("latitude")).toFixed(5)}, ${Number(of("longitude")).toFixed(5)}, to ${whole("accuracy_m")} m, ${of("satellites")} satellites`;
    case "state/heading": return `${whole("bearing_deg")}°`;
    case "state/tilt": return `pitch ${whole("pitch_deg")}°, roll ${whole("roll_deg")}°`;
    case "state/temperature": return `${Number(of("celsius")).toFixed(1)} °C`;
    case "state/case": return of("open") === true ? "open" : "closed";
    case "state/address": return `${of("host")}, HTTP ${of("http_port")}, RTSP ${of("rtsp_port")}`;
    case "state/firmware": return String(of("version"));
    case "state/disk": return `${bytes(Number(of("free_bytes")))} free of ${bytes(Number(of("size_bytes")))}${of("fault") === true ? ", with a fault" : ""}`;
    case "state/data": return `${bytes(Number(of("sent_bytes")))} since ${dayAndTime(fromIso(String(of("since"))))}`;
    case "event/shock": return `${Number(of("peak_g")).toFixed(1)} g`;
    default: return Object.entries(values).map(([name, value]) => `${name} ${value}`).join(", ");
  }
}

/** How full a budget is, 0 to 1 and beyond; null where there is none. @param {UnitData} data */
export const filled = ({ used_bytes: used, budget_bytes: budget }) => (budget ? used / budget : null);

/** @param {UnitData} data @returns {"good" | "attention"} */
export const dataLevel = (data) => (data.exhausted !== null || (filled(data) ?? 0) > FULL ? "attention" : "good");

/** What a unit told at an instant. @typedef {{time: string, values: Record<string, unknown>}} Told */

/**
 * What was sent from the first of these points until each, over resets of the counter: as the gateway counts a month's.
 * @param {Told[]} told @returns {Told[]}
 */
export function sentMeanwhile(told) {
  let total = 0;
  return told.map((point, index) => {
    const [now, before] = [point.values, told[index - 1]?.values];
    const [sent, had] = [Number(now.sent_bytes), Number(before?.sent_bytes)];
    if (before) total += now.since !== before.since || sent < had ? sent : sent - had;
    return { ...point, values: { sent_bytes: total } };
  });
}
