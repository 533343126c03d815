/**
 * Deployments in words: how far one is, what is due, what happened to its unit, and what each line of its log says.
 * @module
 */

import { day, dayAndTime, duration } from "./time.js";

/**
 * @typedef {"referred" | "granted" | "refused" | "withdrawn" | "planned" | "deployed" | "removed" | "evaluated"} Stage
 * @typedef {{kind: string, count: number, since: string, line: number, told: string | null}} Unseen
 * @typedef {{sha256: string, camera: string, at: string, may_open: boolean, deleted: string | null}} AlarmPicture
 * @typedef {object} Deployment
 * @property {string} id @property {Stage} stage @property {string} title @property {string} problem @property {string} evidence
 * @property {string} alternatives @property {string} purpose @property {string} referred_by @property {string} referred
 * @property {boolean} mine @property {import("./types.js").Place} place @property {string} street
 * @property {{criterion: string, met: boolean | null}[]} criteria @property {string[]} documents
 * @property {string} decided_by @property {string | null} decided @property {number | null} max_days
 * @property {string} unit @property {string[]} cameras @property {string} responsible @property {string} mount
 * @property {string | null} signs_up @property {string | null} deployed @property {number | null} bearing_deg @property {number | null} accuracy_m
 * @property {string | null} signed_off @property {string} signed_off_by
 * @property {boolean} needed @property {string | null} review @property {string | null} until @property {string | null} lapsed
 * @property {string | null} removed @property {{start: string, end: string}[]} recorded_when_down when it was recorded after it was down @property {string | null} signs_down @property {string | null} evaluated
 * @property {{sha256: string, kind: string}[]} photos @property {AlarmPicture[]} pictures @property {string[]} alarms @property {Unseen[]} unseen
 * @property {boolean} valid @property {number} lines
 */
/** @typedef {{deployment: Deployment, why: string, by: string, overdue: boolean, yours: boolean}} Due */
/** @typedef {{deployment: string, title: string, street: string, unit: string, why: string, by: string, overdue: boolean}} OwnDue */
/**
 * @typedef {{n: number, at: string, done: string, clock_offset_s: number | null, doubt: string, step: string, by: string,
 *   said: Record<string, any>, digest: string}} Line at: when it came; done: when it was done
 */
/**
 * @typedef {{criteria: string[], two_people: boolean, max_days: number, review_days: number, spread_m: number,
 *   sign_photos: boolean, fence_m: number}} Rules
 */
/** @typedef {{unit: string, cameras: string[], deployment: string | null}} DeployableUnit */

/** How far it is. @type {Record<string, string>} */
export const STAGES = {
  referred: "Referred, not decided",
  granted: "Approved, no unit planned",
  planned: "Planned",
  deployed: "Stands",
  removed: "Down, to be evaluated",
  evaluated: "Evaluated",
  refused: "Refused",
  withdrawn: "Withdrawn",
};

/** What is due. @type {Record<string, string>} */
export const DUE = {
  alarm: "Alarm",
  overstayed: "Stands past its time, and records nothing: extend it or take it down",
  unneeded: "Not needed any more: take it down",
  signs: "Its signs still hang",
  "sign-off": "Nobody has signed it off",
  review: "Review",
  stay: "Its stay ends",
  evaluation: "Evaluation",
  decision: "Decision",
};

/** What happened to a unit, as a sentence goes on after its name. @type {Record<string, string>} */
const HAPPENED = {
  left: "has left its place",
  returned: "is back at its place",
  tilted: "leans",
  levelled: "hangs straight again",
  knocked: "was knocked",
  opened: "was opened",
  closed: "was closed",
  moved: "says that it is being moved",
  tampered: "says that somebody is at it",
};

/** What is so while it lasts. @type {Record<string, string>} */
const LASTS = { left: "away from its place", tilted: "leaning", opened: "open" };

/** By what unit each is measured. @type {Record<string, (by: number) => string>} */
const MEASURED = {
  left: (by) => `${Math.round(by)} m off`,
  returned: (by) => `${Math.round(by)} m off`,
  tilted: (by) => `by ${Math.round(by)}°`,
  levelled: (by) => `${Math.round(by)}° off`,
  knocked: (by) => `with ${by.toFixed(1)} g`,
};

/** @type {Record<string, string>} */
export const DOCUMENTS = {
  dpia: "Impact assessment (DPIA)",
  authority: "Authority",
  surveillance: "Authorisation of directed surveillance",
  other: "Another document",
};

/** What a photo shows. @type {Record<string, string>} */
export const PHOTOS = { "sign-up": "Sign, put up", unit: "Unit", view: "What it sees", "sign-down": "Place of the sign, taken down" };

/** Why an alarm has no picture. @type {Record<string, string>} */
const WITHOUT = {
  "stay-over": "No picture: its stay is over",
  "taken-down": "No picture: the unit is down",
  "none-made": "No picture: none was made or recorded",
  "not-kept": "No picture: the disk did not take it",
  enough: "No picture: enough of this kind were kept in that hour",
};

/** @param {string} why @returns {string} */
export const withoutWords = (why) => WITHOUT[why] ?? "No picture";

/** What stands in the place of a picture that cannot be opened; empty where it can. @param {AlarmPicture} picture @returns {string} */
export function shutWords({ may_open: may, deleted }) {
  if (deleted) return `Deleted with its footage, ${day(Date.parse(deleted))}`;
  return may ? "" : "You may not open pictures of this camera";
}

/**
 * Whether an alarm's camera records, in a sentence.
 * @param {Pick<Deployment, "stage" | "valid">} one @param {number} number of the camera
 * @param {{main: boolean, sub: boolean | null, cause?: string | null} | null | undefined} recording null where it is not known
 * @returns {string}
 */
export function recordingWords({ stage, valid }, number, recording) {
  const records = recording && (recording.main || recording.sub);
  if (stage !== "deployed") return `The unit is down here${records ? `; camera ${number} records where it stands now` : `, and camera ${number} records nothing`}.`;
  if (records) return `Camera ${number} goes on recording.`;
  if (!valid) return `Camera ${number} records nothing: the stay is over.`;
  if (!recording) return `Whether camera ${number} records is not known.`;
  return `Camera ${number} is not recording${recording.cause ? `: ${recording.cause.replace(/\.$/, "")}` : ""}.`;
}

/** How a team knew the unit in its hands. @type {Record<string, string>} */
export const FOUND = { scanned: "scanned", typed: "its label typed", chosen: "chosen from those calling in", carried: "brought from where it stood" };

/** What a team ticks before it signs a unit off. @type {Record<string, string>} */
export const TICKS = {
  unit: "the planned unit", signs: "signs up", place: "place and bearing", photo: "photographed", live: "its picture seen",
  bounds: "zones and limits hold here", presets: "no preset of another place", fast: "fastened and locked",
};

/**
 * Whether a unit that was said to be down goes up again under its grant: not without its signs, nor past its stay.
 * @param {Pick<Deployment, "stage" | "removed" | "until" | "signs_down">} one @param {number} now
 */
export const mayGoUpAgain = ({ stage, removed, until, signs_down: down }, now) =>
  stage === "removed" && down === null && now - Date.parse(removed ?? "") < 86_400_000 && now < Date.parse(until ?? "");

/** @type {Record<string, string>} */
export const EFFECTS = { solved: "Solved", less: "Less of it", unchanged: "Unchanged", moved: "It moved elsewhere", worse: "Worse" };

/** @param {string} kind @returns {string} */
export const happened = (kind) => HAPPENED[kind] ?? kind;

/** For how long it was recorded after it was down, each time. @param {{start: string, end: string}[]} spans */
export const recordedWhenDownWords = (spans) => spans.map(({ start, end }) => `${duration(Date.parse(end) - Date.parse(start))} from ${dayAndTime(Date.parse(start))} on`).join(", ");

/** What is added where a unit does not stand any more where that happened to it. @param {Pick<Deployment, "stage">} one */
export const stood = ({ stage }) => (stage === "removed" || stage === "evaluated" ? ", while it stood there" : "");

/** @param {string} kind @returns {string} */
export const lasting = (kind) => LASTS[kind] ?? kind;

/** With its measure, where there is one. @param {string} kind @param {number | undefined} by @returns {string} */
export const happenedBy = (kind, by) => [happened(kind), by ? MEASURED[kind]?.(by) : ""].filter(Boolean).join(", ");

/** @param {string} unit @returns {string} */
export const unitWords = (unit) => (unit ? `Unit ${unit}` : "Its unit");

/** What ends at an hour, and not with a day: whoever takes a unit down, or watches it, is told when. */
const ENDS = new Set(["stay", "overstayed"]);

/** The last second of a day that was chosen, but not after the latest instant. @param {string} date @param {number} latest ms @returns {number} */
export const lastOf = (date, latest) => Math.min(Date.parse(`${date}T23:59:59`), latest);

/** One thing that is due, in a line. @param {Due} due @param {number} now ms @returns {string} */
export function dueWords({ deployment, why, by, overdue }, now) {
  if (why === "alarm") {
    const { unseen, alarms, unit } = deployment;
    const said = unseen.map((one) => `${happened(one.kind)}${one.count > 1 ? ` (${one.count} times)` : ""}`);
    const goesOn = alarms.filter((kind) => !unseen.some((one) => one.kind === kind)).map((kind) => `is still ${lasting(kind)}`);
    return `${unitWords(unit)} ${[...said, ...goesOn].join(", ")}${stood(deployment)}.`;
  }
  return termWords({ why, by, overdue }, now);
}

/** What is due, and by when. @param {{why: string, by: string, overdue: boolean}} due @param {number} now ms @returns {string} */
function termWords({ why, by, overdue }, now) {
  const at = Date.parse(by);
  const what = DUE[why] ?? why;
  if (why === "stay") return `${what} on ${dayAndTime(at)}.`;
  if (why === "overstayed") return `${what}, since ${dayAndTime(at)}.`;
  if (why === "unneeded" && !overdue) return `${what}, by ${day(at)}.`;
  if (why === "unneeded" || why === "signs" || why === "sign-off") return `${what}, since ${day(at)}.`;
  if (overdue) return `${what} overdue for ${duration(Math.max(0, now - at))}, since ${day(at)}.`;
  return `${what} due by ${day(at)}.`;
}

/** The same where one is told of what one answers for, without the deployment itself. @param {OwnDue} due @param {number} now ms @returns {string} */
export const ownDueWords = ({ why, by, overdue, unit }, now) => (why === "alarm" ? `An alarm of unit ${unit} is not acknowledged, since ${day(Date.parse(by))}.` : termWords({ why, by, overdue }, now));

/** What one is told as it becomes due. @param {OwnDue & {yours: boolean}} due @param {number} now ms @returns {string} */
export const reminderWords = (due, now) => `${due.yours ? "Due to you: " : ""}${due.title}${due.street && !due.title.includes(due.street) ? `, ${due.street}` : ""}. ${ownDueWords(due, now)}`;

/** Whether its signs are up where no unit of it stands any more, or ever will. @param {{stage: string, signs_up: string | null, signs_down: string | null}} one */
export const signsHang = ({ stage, signs_up: up, signs_down: down }) => (stage === "removed" || stage === "withdrawn") && up !== null && down === null;

/** What is done of putting a unit up and taking it down. @param {Deployment} one @returns {[done: boolean, words: string][]} */
export function ticks(one) {
  const photo = (/** @type {string} */ kind) => one.photos.some((each) => each.kind === kind);
  const up = /** @type {[boolean, string][]} */ ([
    [photo("sign-up"), "Sign photographed before"], [one.signs_up !== null, "Signs up"], [one.deployed !== null, "Unit up"],
    [photo("unit"), "Unit photographed"], [one.signed_off !== null, one.signed_off ? `Signed off by ${one.signed_off_by}` : "Signed off in the field"],
  ]);
  if (!one.removed) return up;
  return [...up, [true, "Unit down"], [photo("sign-down"), "Place of the sign photographed after"], [one.signs_down !== null, "Signs down"]];
}

/** Whether somebody has still to act: an alarm that was acknowledged and lasts does not count. @param {Due} due */
export const waits = ({ why, deployment }) => why !== "alarm" || deployment.unseen.length > 0;

/** @param {number} ns since 1970 */
const at = (ns) => day(ns / 1e6);

/** A line of the log, in words: what was done, and what was said. @param {Line} line @returns {[did: string, said: string]} */
export function lineWords({ step, said }) {
  switch (step) {
    case "referred":
      return ["referred it", ""];
    case "checked":
      return [`found a criterion ${said["met"] ? "met" : "not met"}: ${said["criterion"]}`, said["found"]];
    case "document":
      return [`linked: ${DOCUMENTS[said["kind"]] ?? said["kind"]}`, `${said["title"]}, ${said["reference"]} (SHA-256 ${said["sha256"].slice(0, 12)}…)`];
    case "note":
      return ["noted", said["text"]];
    case "photo":
      return [`sent a photo: ${PHOTOS[said["kind"]] ?? said["kind"]}`, [said["taken"] ? `taken ${dayOf(said["taken"])}` : "", ...(said["remarks"] ?? [])].filter(Boolean).join(" · ")];
    case "granted":
      return [`approved it for ${said["max_days"]} days`, said["reason"]];
    case "refused":
      return ["refused it", said["reason"]];
    case "withdrawn":
      return ["withdrew it", said["reason"]];
    case "planned":
      return [`planned unit ${said["unit"]}`, [`${said["responsible"]} answers for it`, said["mount"] ? `on ${said["mount"]}` : "", `reviewed every ${said["review_days"]} days`].filter(Boolean).join(", ")];
    case "signs-up":
      return ["put the signs up", said["text"]];
    case "installed":
      return [`put unit ${said["unit"]} up`, [said["street"], said["bearing_deg"] === null ? "bearing not said" : `looking ${Math.round(said["bearing_deg"])}°`, typeof said["accuracy_m"] === "number" ? `placed within ${Math.round(said["accuracy_m"])} m` : ""].filter(Boolean).join(", ")];
    case "signed-off":
      return ["signed the unit off", `Unit ${said["unit"]}, ${FOUND[said["found"]] ?? said["found"]}; ${said["ticks"].map((/** @type {string} */ tick) => TICKS[tick] ?? tick).join(", ")}; seen live ${dayAndTime(said["live_ns"] / 1e6)}.`];
    case "bounds":
      return ["said what the camera is not to look at", boundsWords(said["bounds"])];
    case "reviewed":
      return [`reviewed it: ${said["needed"] ? "still needed" : "not needed any more"}`, `${said["found"]} Next review ${at(said["next_ns"])}.`];
    case "extended":
      return [`let it stay until ${dayAndTime(said["until_ns"] / 1e6)}`, said["reason"]];
    case "hung":
      return ["learnt how the unit hangs", `${said["pitch_deg"].toFixed(1)}° pitch, ${said["roll_deg"].toFixed(1)}° roll`];
    case "alarm":
      return [`raised: the unit ${happenedBy(said["kind"], said["by"])}`, lateWords(said["happened_ns"], said["down"])];
    case "acknowledged":
      return [`acknowledged that the unit ${happened(said["kind"])}`, said["text"]];
    case "picture":
      return [`kept a picture: the unit ${happened(said["kind"])}`, said["recorded_ns"] ? `the last that was recorded, ${dayAndTime(said["recorded_ns"] / 1e6)}` : "made by its camera then"];
    case "no-picture":
      return [`kept no picture: the unit ${happened(said["kind"])}`, `${withoutWords(said["why"])}.`];
    case "picture-deleted":
      return ["deleted the picture of an alarm", `with the footage of its time, ${dayAndTime(said["seen_ns"] / 1e6)} (SHA-256 ${said["sha256"].slice(0, 12)}…)`];
    case "due":
      return [`said that it is ${said["overdue"] ? "overdue" : "due"}: ${(DUE[said["why"]] ?? said["why"]).toLowerCase()}`, `by ${(ENDS.has(said["why"]) ? dayAndTime : day)(said["by_ns"] / 1e6)}`];
    case "lapsed":
      return ["ended the stay by the clock", "It records nothing from then on."];
    case "removed":
      return ["took the unit down", said["reason"]];
    case "footage-deleted":
      return ["deleted what was recorded after the unit was down", `${said["files"]} ${said["files"] === 1 ? "file" : "files"}${said["kept"] ? `; ${said["kept"]} had to be kept: held, or being written` : ""}.`];
    case "signs-down":
      return ["took the signs down", said["text"]];
    case "evaluated":
      return [`evaluated it: ${(EFFECTS[said["effect"]] ?? said["effect"]).toLowerCase()}`, said["found"]];
    default:
      return [step.replaceAll("-", " "), ""];
  }
}

/** Of an alarm that was told late, when it happened. @param {number | null} ns since 1970 @param {boolean | undefined} down it was by then */
function lateWords(ns, down) {
  if (!ns) return "";
  const then = dayAndTime(ns / 1e6);
  return down ? `told late, after it was taken down: it happened on ${then}, while it stood here` : `told late: it happened on ${then}`;
}

/** Limits and no-look zones, by name. @param {{limits: unknown[], zones: {name: string}[]}} bounds @returns {string} */
function boundsWords({ limits, zones }) {
  if (limits.length + zones.length === 0) return "Nothing: it may look anywhere.";
  const names = zones.map(({ name }) => `“${name}”`).join(", ");
  return [names ? `No-look zones: ${names}.` : "", limits.length ? `${limits.length === 1 ? "One limit" : `${limits.length} limits`} of its head.` : ""].filter(Boolean).join(" ");
}

/** Later than this a line did not come as it was done: a phone had no network. */
const LATE_MS = 120_000;

/** What is to be said of a line's time, where it did not come as it was done. @param {Line} line @returns {string} */
export function timeWords({ at, done, clock_offset_s: offset, doubt }) {
  const [came, was] = [Date.parse(at), Date.parse(done)];
  const off = offset === null ? 0 : offset * 1000;
  return [
    came - was > LATE_MS ? `told ${dayAndTime(came)}, ${duration(came - was)} later` : "",
    Math.abs(off) > LATE_MS ? `the phone's clock was ${duration(Math.abs(off))} ${off > 0 ? "ahead" : "behind"}` : "",
    doubt ? `its time is not believed: ${doubt}` : "",
  ].filter(Boolean).join("; ");
}

/** @param {string} iso @returns {string} as it stands where it is no time that one can read */
const dayOf = (iso) => (Number.isNaN(Date.parse(iso)) ? iso : dayAndTime(Date.parse(iso)));
