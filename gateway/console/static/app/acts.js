/**
 * Acts that take two people, in words: what they are called, and what exactly is asked for.
 * @module
 */

import { cameraById } from "./store.js";
import { clock, day } from "./time.js";

/** @typedef {import("./types.js").Fact} Fact */

/** @type {Record<string, string>} */
const CALLED = {
  "hold.release": "Release a hold",
  "user.remove": "Remove a user",
  "user.change": "Change a user",
  "user.add": "Add a user",
  "grant.add": "Change who may do what",
  "export.clip": "Export a clip",
};

/** @param {string} act @returns {string} */
export const called = (act) => CALLED[act] ?? act;

/** @param {string} id @returns {string} */
function camera(id) {
  const known = cameraById(id);
  return known ? `${known.number} ${known.name}` : "one that you do not see";
}

/** @param {string} iso @returns {string} */
const at = (iso) => (Number.isNaN(Date.parse(iso)) ? iso : `${day(Date.parse(iso))} ${clock(Date.parse(iso))}`);

/** What is asked for, as pairs to be read. @param {Fact[]} facts @returns {[name: string, value: string][]} */
export function told(facts) {
  return facts.map(({ name, value }) => {
    if (name === "camera") return ["camera", camera(value)];
    if (name === "start") return ["from", at(value)];
    if (name === "end") return ["until", at(value)];
    return [name, value];
  });
}

/** The same in one line: which camera, from when to when, then the rest. @param {Fact[]} facts @returns {string} */
export function toldInLine(facts) {
  const { camera: number, start, end, ...rest } = Object.fromEntries(facts.map(({ name, value }) => [name, value]));
  const [from, to] = [Date.parse(start ?? ""), Date.parse(end ?? "")];
  const oneDay = !Number.isNaN(from) && !Number.isNaN(to) && day(from) === day(to);
  const parts = [
    number ? camera(number) : "",
    start && end ? `${at(start)} to ${oneDay ? clock(to) : at(end)}` : "",
    ...Object.entries(rest).map(([name, value]) => `${name} ${value}`),
  ];
  return parts.filter(Boolean).join(" · ");
}
