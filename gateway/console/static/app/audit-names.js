/**
 * Whom and what the audit names by identifier: people, cameras and shares, also those that are no more.
 * @module
 */

import { get } from "./api.js";
import { cameraById, may, store } from "./store.js";

/** @typedef {import("./types.js").AuditEntry} AuditEntry */
/** @typedef {{id: string, number: number, name: string, removed: boolean}} NamedCamera */

const PAGE = 1000;
const IDENTIFIER = /^[0-9a-f]{32}$/;
/** What begins so is about the camera that is its subject. */
const OF_CAMERAS = /^(view|steer|preset|playback|export|hold|camera|deployable)\./;

/** @param {string} id @returns {string} enough of it to tell it from others */
export const tail = (id) => `…${id.slice(-6)}`;

/** @param {unknown} value @returns {value is string} */
export const isIdentifier = (value) => typeof value === "string" && IDENTIFIER.test(value);

/** @param {AuditEntry} entry */
const isDeployment = (entry) => entry.action.startsWith("deployment.");

/** Rules as an entry names them, several where somebody agreed: ``role:operator approved:ID``. @param {string} rule @returns {[kind: string, id: string][]} */
export const rulesIn = (rule) =>
  rule.split(" ").filter(Boolean).map((part) => {
    const [kind = "", ...id] = part.split(":");
    return [kind, id.join(":")];
  });

/** Lives as long as somebody looks at the audit. */
export class AuditNames {
  /** @type {{id: string, name: string}[]} */
  people = [];
  /** @type {Map<string, NamedCamera>} */
  #removed = new Map();
  /** @type {Map<string, string>} */
  #shares = new Map();
  /** @type {Map<string, string>} */
  #deployments = new Map();
  /** What was asked for already, or is being. @type {Map<string, Promise<AuditEntry[]>>} */
  #asked = new Map();

  /** @throws {import("./api.js").ApiError} */
  async learnPeople() {
    this.people = await get("/audit/people");
  }

  /** Every entry of an act: it stands there, whatever became of its subject. @param {string} action @returns {Promise<AuditEntry[]>} */
  #all(action) {
    const read = async () => {
      /** @type {AuditEntry[]} */
      const found = [];
      for (let before = ""; ; ) {
        const said = await get(`/audit?action=${action}&limit=${PAGE}${before}`);
        found.push(...said.entries);
        if (said.before === null) return found;
        before = `&before=${said.before}`;
      }
    };
    const asked = this.#asked.get(action) ?? read();
    this.#asked.set(action, asked);
    asked.catch(() => this.#asked.delete(action));
    return asked;
  }

  /** @throws {import("./api.js").ApiError} */
  async learnRemoved() {
    for (const { subject, details } of await this.#all("camera.removed")) {
      this.#removed.set(subject, { id: subject, number: Number(details["number"]), name: String(details["name"] ?? ""), removed: true });
    }
  }

  /** Learn what these entries name and is not known. @param {AuditEntry[]} entries @throws {import("./api.js").ApiError} */
  async learn(entries) {
    if (entries.some((entry) => OF_CAMERAS.test(entry.action) && isIdentifier(entry.subject) && !this.camera(entry.subject))) await this.learnRemoved();
    if (entries.some((entry) => entry.subject !== "" && isDeployment(entry) && !this.deployment(entry.subject))) await this.#learnDeployments(entries);
    const shares = entries.flatMap((entry) => [
      ...(entry.action.startsWith("share.") ? [entry.subject] : []),
      ...rulesIn(entry.rule).filter(([kind]) => kind === "share").map(([, id]) => id),
    ]);
    if (shares.every((id) => this.share(id))) return;
    for (const { subject, details } of await this.#all("share.made")) this.#shares.set(subject, String(details["title"] ?? ""));
  }

  /** Those that entries name, for who may read them. @param {AuditEntry[]} entries */
  async #learnDeployments(entries) {
    if (!may("deploy")) return;
    const missing = new Set(entries.filter((entry) => isDeployment(entry) && !this.deployment(entry.subject)).map((entry) => entry.subject));
    for (const id of missing) {
      const known = await get(`/deployments/${id}`).catch(() => null);
      this.#deployments.set(id, known ? String(known.title) : tail(id));
    }
  }

  /** @param {string} id @returns {string} its title; empty where it is not known */
  deployment(id) {
    return this.#deployments.get(id) ?? "";
  }

  /** @param {string} id @returns {NamedCamera | undefined} */
  camera(id) {
    const known = cameraById(id);
    return known ? { id, number: known.number, name: known.name, removed: false } : this.#removed.get(id);
  }

  /** Those that had a number when they were removed. @param {number} number @returns {NamedCamera[]} */
  removedAs(number) {
    return [...this.#removed.values()].filter((one) => one.number === number);
  }

  /** @param {string} id @returns {string} empty where nobody is known by it */
  person(id) {
    const known = this.people.find((one) => one.id === id);
    return known ? known.name || `person ${id.slice(-6)}` : "";
  }

  /** @param {string} id @returns {string} its title; empty where it is not known */
  share(id) {
    return store.state.sharing.shares.find((one) => one.id === id)?.title ?? this.#shares.get(id) ?? "";
  }

  /** @param {string} id @returns {string} empty where nothing is known by it */
  anything(id) {
    const camera = this.camera(id);
    if (camera) return cameraWords(camera);
    const share = this.share(id);
    const organisation = store.state.sharing.organisations.find((one) => one.id === id)?.name;
    const deployment = this.deployment(id);
    return this.person(id) || (deployment ? `“${deployment}”` : "") || (share ? `the share “${share}”` : "") || organisation || "";
  }
}

/** @param {NamedCamera} camera @returns {string} */
export const cameraWords = ({ number, name, removed }) => `${number} ${name}${removed ? " (removed)" : ""}`.trim();
