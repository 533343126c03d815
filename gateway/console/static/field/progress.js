/**
 * How far a deployment is: what the gateway has, with what waits on this phone done already. No network, no clock.
 * @module
 */

import { lasting, signsHang } from "../app/deployments-words.js";
import { strength } from "../app/signal.js";

/** @typedef {import("./outbox.js").Waiting} Waiting */
/** @typedef {{latitude: number, longitude: number, height_m?: number | null}} Place */
/**
 * @typedef {object} Deployment as the API shows it; what this page reads of it
 * @property {string} id @property {string} stage @property {string} title @property {string} purpose @property {Place} place
 * @property {string} street @property {string} decided_by @property {string} unit @property {string[]} cameras
 * @property {string} responsible @property {string} mount @property {string | null} signs_up @property {string | null} deployed
 * @property {number | null} bearing_deg @property {string | null} review @property {string | null} until
 * @property {number | null} review_days it is reviewed once in so many @property {string | null} again when it was put up again after a removal that was none
 * @property {string | null} removed @property {string | null} signs_down @property {{sha256: string, kind: string}[]} photos
 * @property {string | null} signed_off
 * @property {string[]} documents @property {number | null} max_days @property {string[]} alarms @property {boolean} valid
 */
/** @typedef {{label: string, link: string, model: string, cameras: string[], heard: string | null, retired: string | null, states: {kind: string, time: string, values: Record<string, any>}[]}} Unit */
/** @typedef {{latitude: number, longitude: number, accuracy_m: number, moved: boolean}} Spot moved: corrected by hand */
/**
 * @typedef {object} Draft what was begun and is no step yet
 * @property {string} deployment @property {string} user
 * @property {string} seen label of the unit that is here
 * @property {"scanned" | "typed" | "chosen" | "carried" | ""} how carried: taken down elsewhere just now
 * @property {Spot | null} spot @property {number | null} bearing_deg
 * @property {boolean} fast fastened and locked
 * @property {string | null} live when its picture was seen live
 * @property {number | null} presets how many of another place are left on its head; null: not read yet
 * @property {string | null} [again] of which standing it is: when the unit was put up again there, if it was
 * @property {boolean} [up] it stands already, and is gone on with
 * @property {boolean} [down] it is taken down before it was signed off
 */

const DAY_MS = 86_400_000;

/** @param {string} deployment @param {string} user @param {string | null} [again] @returns {Draft} */
export const newDraft = (deployment, user, again = null) => ({
  deployment, user, again, seen: "", how: "", spot: null, bearing_deg: null, fast: false, live: null, presets: null,
});

/**
 * Whether what was begun is of this standing of the unit: what was seen before it was taken down says nothing of how it
 * hangs since it was put up again.
 * @param {Draft} draft @param {Deployment} one
 */
export const isOf = (draft, one) => (draft.again ?? null) === (one.again ?? null);

/** Whether nothing is left to be begun there: it is signed off, or down. @param {Deployment} one */
export const isOver = ({ stage, signed_off: off }) => off !== null || (stage !== "planned" && stage !== "deployed");

/**
 * Whether what was begun is in no step yet: it stays on the phone when its owner leaves.
 * @param {Draft} draft @param {readonly Deployment[] | null} known null where they were not read
 */
export function isBegun(draft, known) {
  if (draft.seen === "") return false;
  return known === null || known.some((one) => one.id === draft.deployment && !isOver(one) && isOf(draft, one));
}

/**
 * The deployment as it is once everything is sent that is not refused. A refused photo of signs says nothing of them.
 * @param {Deployment} known @param {Waiting[]} waiting @returns {Deployment}
 */
export function foreseen(known, waiting) {
  let then = known;
  const there = waiting.filter(({ deployment }) => deployment === known.id);
  const unproved = there.filter(({ refused, step, said }) => refused && step === "photos" && said.kind !== "unit").map(({ at }) => at);
  for (const { step, said, key, at, unit, refused } of there) {
    if (refused || (step.startsWith("signs-") && unproved.includes(at))) continue;
    const when = new Date(at).toISOString();
    if (step === "photos") then = { ...then, photos: [...then.photos, { sha256: key, kind: String(said.kind) }] };
    else if (step === "plan") then = { ...then, unit: unit ?? then.unit, cameras: [String(said.camera)] };
    else if (step === "signs-up") then = { ...then, signs_up: then.signs_up ?? when };
    else if (step === "installation") {
      then = { ...then, stage: "deployed", deployed: when, place: /** @type {Place} */ (said.place), bearing_deg: /** @type {number | null} */ (said.bearing_deg ?? null) };
    } else if (step === "sign-off") then = { ...then, signed_off: when };
    else if (step === "reviews") then = { ...then, review: new Date(at + (then.review_days ?? 1) * DAY_MS).toISOString() };
    else if (step === "removal") then = { ...then, stage: "removed", removed: when };
    else if (step === "signs-down") then = { ...then, signs_down: when };
  }
  return then;
}

/** Where it is, as people say it. @param {Deployment} one */
export const spoken = ({ street, title, mount }) => [street || title, mount === street ? "" : mount].filter(Boolean).join(", ");

/** What a field team is asked, in its order. @typedef {"unit" | "signs" | "place" | "photo" | "picture" | "off"} Part */

/**
 * What of another place is still on a unit's camera.
 * @param {Draft} draft @param {{bounds?: string, head?: object | null} | undefined} camera undefined: not known yet
 */
export const brought = (draft, camera) => ({
  bounds: camera?.bounds === "unconfirmed",
  presets: camera && !camera.head ? false : draft.presets !== 0,
});

/**
 * @param {Deployment} then @param {Draft} draft @param {ReturnType<typeof brought>} left what of another place still has to be
 * confirmed or removed
 * @returns {Record<Part, boolean>} what is done of putting it up
 */
export const putUp = (then, draft, left) => ({
  unit: draft.seen !== "" && draft.seen === then.unit,
  signs: then.signs_up !== null,
  place: then.deployed !== null,
  photo: then.photos.some(({ kind }) => kind === "unit"),
  picture: draft.live !== null && !left.bounds && !left.presets,
  off: then.signed_off !== null,
});

/** @param {Deployment} then @returns {{unit: boolean, signs: boolean}} what is done of taking it down */
export const takenDown = (then) => ({ unit: then.removed !== null || then.stage === "withdrawn", signs: then.signs_down !== null });

/**
 * The label in what was scanned or typed, as it stands there: a printed label is its text, or the end of an address.
 * @param {string} text @returns {string} empty where there is none
 */
export function labelIn(text) {
  const last = text.trim().replace(/\/+$/, "").split(/[/=#?]/).at(-1) ?? "";
  return /^[A-Za-z0-9_-]{1,32}$/.test(last) ? last : "";
}

/**
 * A label as the unit bears it: it is found in capitals or not, and known as it is printed.
 * @param {string} label @param {readonly string[]} known @returns {string} itself where none of those is it
 */
export const asPrinted = (label, known) => known.find((one) => one.toLowerCase() === label.toLowerCase()) ?? label;

/** A battery's charge from here on down needs somebody who climbs up to it. */
const LOW_PERCENT = 20;

/**
 * What a unit says of itself, in words, for who has to climb up to it.
 * @param {Unit} unit @param {(iso: string) => string} clock @returns {{words: string[], poor: boolean}}
 */
export function health(unit, clock) {
  const battery = said(unit, "battery");
  const signal = said(unit, "signal");
  const charge = typeof battery?.percent === "number" ? battery.percent : null;
  const online = unit.link === "online";
  const low = charge !== null && charge <= LOW_PERCENT && !battery?.charging;
  const words = [
    online ? "online" : unit.link === "never" ? "has not called in yet" : `not heard since ${unit.heard ? clock(unit.heard) : "a while"}`,
    charge === null ? "" : `battery ${low ? "low, " : ""}${Math.round(charge)}\u00a0%${battery?.charging ? ", charging" : ""}`,
    typeof signal?.rsrp_dbm === "number" ? `signal ${strength(signal.rsrp_dbm)} (${`${Math.round(signal.rsrp_dbm)}`.replace("-", "−")}\u00a0dBm${signal.operator ? `, ${signal.operator}` : ""})` : "",
  ];
  return { words: words.filter(Boolean), poor: !online || low };
}

/** The newest of one kind that a unit said. @param {Unit} unit @param {string} kind @returns {Record<string, any> | null} */
export const said = (unit, kind) => unit.states.find((state) => state.kind === kind || state.kind === `state/${kind}`)?.values ?? null;

/** Which one may put up or take down now. @param {Deployment[]} deployments */
export const toPutUp = (deployments) => deployments.filter(({ stage }) => stage === "planned");

/** What is wrong with a unit for as long as it lasts. @param {Deployment} one @returns {string} empty where nothing is */
export const alarmed = ({ alarms }) => (alarms.length ? `it is ${alarms.map(lasting).join(", ")}` : "");

/** What needs somebody at a place: an end that is past, or a review. @param {Deployment} one @param {number} now ms since 1970 @returns {"over" | "review" | ""} */
export const dueOf = (one, now) =>
  one.stage !== "deployed" ? "" : !one.valid ? "over" : one.review !== null && Date.parse(one.review) <= now ? "review" : "";

/** What stands, or has left its signs behind. @param {Deployment[]} deployments */
export const standing = (deployments) => deployments.filter((one) => one.stage === "deployed" || signsHang(one));
