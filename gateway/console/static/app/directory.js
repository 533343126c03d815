/**
 * Who and what rights are about: people, teams, camera groups, roles and grants, for as long as somebody looks at them.
 * @module
 */

import { get } from "./api.js";
import { ROLES } from "./permissions.js";

/** @typedef {{id: string, username: string, name: string, role: string, disabled: boolean, created: string, signed_in: string | null}} Person */
/** @typedef {{id: string, name: string, users: string[]}} Team */
/** @typedef {[latitude: number, longitude: number]} Corner */
/** @typedef {{id: string, name: string, parent: string | null, label: string | null, area: Corner[], cameras: string[], holds: string[]}} Group */
/** @typedef {{id: string, name: string, permissions: string[], fixed: boolean}} Bundle */
/**
 * @typedef {object} Grant
 * @property {string} id @property {string} role @property {string | null} user @property {string | null} team
 * @property {string | null} group @property {string} start @property {string | null} end @property {string} reason
 * @property {string} granted_by @property {boolean} glass
 */
/** @typedef {{rule: string, permissions: string[], cameras: string[] | null, role: string | null, team: string | null, group: string | null, end: string | null}} Held */
/** @typedef {{what: "view" | "stick" | "playback", camera: string, user: string, who: string, since: string}} GoingOn */
/** @typedef {"people" | "teams" | "groups" | "roles" | "grants"} Section */
/** @typedef {"now" | "soon" | "to-come" | "over"} Standing */

const SOON_MS = 7 * 86_400_000;
/** How many rows of a long list are drawn at first, and with each wish for more. */
export const PAGE = 50;

class Directory {
  /** @type {Person[] | null} */
  users = null;
  /** @type {Team[] | null} */
  teams = null;
  /** @type {Group[] | null} */
  groups = null;
  /** @type {Bundle[] | null} */
  roles = null;
  /** @type {Grant[] | null} */
  grants = null;
  /** What is looked at. @type {{section: Section, id: string | null}} */
  place = { section: "people", id: null };
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {() => void} listener @returns {() => void} ends it */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell() {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Read anew what is named. @param {("users" | "teams" | "groups" | "roles" | "grants")[]} names @throws {import("./api.js").ApiError} */
  async load(...names) {
    const said = await Promise.all(names.map((name) => get(`/${name}`)));
    names.forEach((name, index) => (this[name] = said[index]));
    this.tell();
  }

  everything() {
    return this.load("users", "teams", "groups", "roles", "grants");
  }

  /** @param {Section} section @param {string | null} [id] */
  open(section, id = null) {
    this.place = { section, id };
    this.tell();
  }

  /** Nobody looks any more: what is about people does not stay in the page. */
  forget() {
    this.users = this.teams = this.groups = this.roles = this.grants = null;
    this.place = { section: "people", id: null };
  }

  /** @param {string | null} id */
  person(id) {
    return this.users?.find((one) => one.id === id);
  }

  /** @param {string} username as it was typed */
  called(username) {
    return this.users?.find((one) => one.username === username.trim().toLowerCase());
  }

  /** @param {string | null} id */
  personName(id) {
    const found = this.person(id);
    return found ? found.name || found.username : "somebody who was removed";
  }

  /** @param {string | null} id */
  teamName(id) {
    return this.teams?.find((one) => one.id === id)?.name ?? "a team that is gone";
  }

  /** @param {string | null} id null is all cameras */
  groupName(id) {
    return id === null ? "all cameras" : (this.groups?.find((one) => one.id === id)?.name ?? "a group that is gone");
  }

  /** @param {string} id */
  roleName(id) {
    return ROLES[id]?.label ?? this.roles?.find((one) => one.id === id)?.name ?? "a role that is gone";
  }

  /** To whom a grant is. @param {Grant} grant */
  holder(grant) {
    return grant.team === null ? this.personName(grant.user) : this.teamName(grant.team);
  }
}

export const directory = new Directory();

/** @param {string} text */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * Every word typed must be in the name, the user name, the role or the names of their teams.
 * @param {Person[]} users @param {string} query @param {(id: string) => string[]} [teamsOf] @returns {Person[]}
 */
export function matchingPeople(users, query, teamsOf = () => []) {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return users;
  return users.filter((user) => {
    const text = plain([user.name, user.username, ROLES[user.role]?.label ?? user.role, user.disabled ? "disabled" : "", ...teamsOf(user.id)].join(" "));
    return words.every((word) => text.includes(word));
  });
}

/** @param {Grant} grant @param {number} now ms since 1970 @returns {Standing} */
export function standingOf(grant, now) {
  const end = grant.end === null ? Infinity : Date.parse(grant.end);
  if (end <= now) return "over";
  if (Date.parse(grant.start) > now) return "to-come";
  return end - now <= SOON_MS ? "soon" : "now";
}

/**
 * Groups as a tree: each after the one it is below, by name.
 * @param {Group[]} groups @returns {{group: Group, depth: number}[]}
 */
export function treeOf(groups) {
  const known = new Set(groups.map((group) => group.id));
  /** @type {{group: Group, depth: number}[]} */
  const found = [];
  const walk = (/** @type {string | null} */ parent, /** @type {number} */ depth) => {
    const below = groups.filter((group) => (group.parent !== null && known.has(group.parent) ? group.parent : null) === parent);
    for (const group of below.sort((one, other) => one.name.localeCompare(other.name))) {
      found.push({ group, depth });
      walk(group.id, depth + 1);
    }
  };
  walk(null, 0);
  return found;
}

/** A group and all those below it. @param {Group[]} groups @param {string} id @returns {Set<string>} */
export function familyOf(groups, id) {
  const found = new Set([id]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const group of groups) if (group.parent !== null && found.has(group.parent)) found.add(group.id);
  }
  return found;
}

/** Whether a place is inside an area; its border counts as it falls. @param {Corner[]} corners @param {{latitude: number, longitude: number}} place */
export function inside(corners, { latitude, longitude }) {
  let within = false;
  corners.forEach(([lat, lon], index) => {
    const [before, beside] = /** @type {Corner} */ (corners.at(index - 1));
    if (lat > latitude !== before > latitude && longitude < ((beside - lon) * (latitude - lat)) / (before - lat) + lon) within = !within;
  });
  return within;
}

/** @param {number} count @param {string} one @param {string} [more] */
export const counted = (count, one, more = `${one}s`) => `${count.toLocaleString("en-GB")} ${count === 1 ? one : more}`;

/** What ends, in words: 1 live view and 1 stick. @param {GoingOn[]} going @returns {string} empty where nothing does */
export function goingOnWords(going) {
  const count = (/** @type {string} */ what) => going.filter((one) => one.what === what).length;
  const parts = [
    count("view") && counted(count("view"), "live view"),
    count("stick") && counted(count("stick"), "stick"),
    count("playback") && counted(count("playback"), "playback"),
  ].filter(Boolean);
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : (parts[0] || "");
}
