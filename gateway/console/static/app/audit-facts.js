/**
 * One entry of the audit in words: to whom or what it was done, with what, and by which rule.
 * @module
 */

import { cameraWords, isIdentifier, rulesIn, tail } from "./audit-names.js";
import { ROLES, labelOf } from "./permissions.js";
import { clock, day, duration } from "./time.js";

/** @typedef {import("./audit-names.js").AuditNames} AuditNames */
/** @typedef {import("./types.js").AuditEntry} AuditEntry */

const LONGEST = 160;
/** What an entry calls a thing, where people say it otherwise. @type {Record<string, string>} */
const CALLED = {
  asked_by: "asked by",
  csv: "as CSV",
  end: "until",
  error: "because of",
  follows: "follow-me",
  may_ask_for_stick: "may ask for the stick",
  password: "password changed",
  seconds: "lasted",
  sealed_anew: "sealed again",
  start: "from",
  urn: "device",
};
/** These say what the entry is about; they stand in its sentence. */
const NAMES = ["name", "title", "username"];

/** @param {string} value @param {AuditNames} names @returns {string} */
function word(value, names) {
  const named = names.anything(value);
  if (named) return named;
  if (isIdentifier(value)) return tail(value);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) && !Number.isNaN(Date.parse(value))) return `${day(Date.parse(value))} ${clock(Date.parse(value))}`;
  return value;
}

/** @param {string} name @param {unknown} value @param {AuditNames} names @returns {string} */
function valueWords(name, value, names) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (name === "seconds") return duration(Number(value) * 1000);
  if (name === "role" && ROLES[String(value)]) return ROLES[String(value)]?.label ?? "";
  if (name === "permission") return labelOf(String(value));
  const text = String(value);
  const words = /^[0-9a-f]{32}(, [0-9a-f]{32})*$/.test(text) ? text.split(", ").map((each) => word(each, names)).join(", ") : word(text, names);
  return words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
}

/** To whom or what it was done; empty where it is about who did it. @param {AuditEntry} entry @param {AuditNames} names @returns {string} */
export function toWhat({ subject, actor_id: actor, details }, names) {
  const camera = names.camera(subject);
  if (camera) return cameraWords(camera);
  const named = NAMES.map((name) => details[name]).find((value) => typeof value === "string" && value !== "");
  if (named) return `“${named}”`;
  if (subject === "" || subject === actor) return "";
  return word(subject, names);
}

/** What else stands in it, as pairs to be read. @param {AuditEntry} entry @param {AuditNames} names @returns {[name: string, value: string][]} */
export function factsOf(entry, names) {
  const about = toWhat(entry, names);
  return Object.entries(entry.details)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => /** @type {[string, string]} */ ([CALLED[name] ?? name.replaceAll("_", " "), valueWords(name, value, names)]))
    .filter(([name, value]) => !(NAMES.includes(name) && `“${value}”` === about) && !(name === "number" && about.startsWith(`${value} `)));
}

/** By which rule it was allowed, in words. @param {string} rule @param {AuditNames} names @returns {string} */
export const ruleWords = (rule, names) =>
  rulesIn(rule).map(([kind, id]) => {
    switch (kind) {
      case "role":
        return `by role ${(ROLES[id]?.label ?? id).toLowerCase()}`;
      case "share":
        return names.share(id) ? `by the share “${names.share(id)}”` : `by a share (${tail(id)})`;
      case "grant":
        return `by a right given to them (${tail(id)})`;
      case "glass":
        return "by breaking the glass";
      case "approved":
        return `agreed by ${names.person(id) || "a second person"}`;
      default:
        return `by ${id ? `${kind} ${isIdentifier(id) ? tail(id) : id}` : kind}`;
    }
  }).join(", ");

/** By which rule, for what, and from where. @param {AuditEntry} entry @param {AuditNames} names @returns {string} */
export const howAllowed = (entry, names) =>
  [ruleWords(entry.rule, names), entry.reference ? `for ${entry.reference}` : "", entry.address ? `from ${entry.address}` : ""].filter(Boolean).join(" · ");
