/**
 * What the field page knows beside who is here: deployments as they were last read, what was begun, and what waits to be sent.
 * @module
 */

import { SlElement } from "../app/element.js";
import { Observable } from "../app/observable.js";
import { foreseen } from "./progress.js";

/** @typedef {import("./progress.js").Deployment} Deployment */
/** @typedef {import("./progress.js").Draft} Draft */
/** @typedef {import("./progress.js").Unit} Unit */
/** @typedef {import("./outbox.js").Waiting} Waiting */
/** @typedef {{id: string, name: string}} Somebody */
/** @typedef {{spread_m: number, sign_photos: boolean, review_days: number}} Rules */
/**
 * @typedef {object} Field
 * @property {Somebody | null} user who works here, also while the gateway cannot be asked
 * @property {number | null} readAt when the list was read, ms since 1970
 * @property {Deployment[]} deployments as the gateway last showed them
 * @property {Unit[] | null} units null where none call in here
 * @property {Rules | null} rules
 * @property {string | null} open
 * @property {Draft | null} draft of what is open
 * @property {Waiting[]} outbox
 * @property {"up" | "down"} reach whether the gateway answered last
 * @property {import("../app/types.js").Problem | null} barred why nothing is shown
 * @property {Somebody | null} shut whose page was locked on this phone: nothing of it is shown until the gateway opens it
 * @property {boolean} lasting whether this browser promised not to clear what is kept
 */

/** @returns {Field} */
const initial = () => ({
  user: null, readAt: null, deployments: [], units: null, rules: null, open: null, draft: null, outbox: [], reach: "down", barred: null, shut: null, lasting: false,
});

/** @type {Observable<Field>} */
export const field = new Observable(initial());

/** Forget what belongs to somebody; what waits to be sent stays theirs. */
export const forget = () => field.set({ ...initial(), outbox: field.state.outbox, lasting: field.state.lasting });

/** @returns {Waiting[]} what waits of whoever works here */
export const ours = () => field.state.outbox.filter((one) => one.user === field.state.user?.id);

/** Deployments as they are once everything is sent. @returns {Deployment[]} */
export const deployments = () => field.state.deployments.map((one) => foreseen(one, ours()));

/** @returns {Deployment | null} what is open */
export const opened = () => deployments().find(({ id }) => id === field.state.open) ?? null;

export class FieldElement extends SlElement {
  /** @type {() => void} */
  #part = () => {};

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#part = field.subscribe(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#part();
  }

  get field() {
    return field.state;
  }
}
