/**
 * Deployments in words.
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dayAndTime, dayInYear } from "../../../../gateway/console/static/app/time.js";
import { dueWords, happenedBy, lastOf, lineWords, mayGoUpAgain, ownDueWords, recordingWords, reminderWords, shutWords, ticks, timeWords, recordedWhenDownWords, waits } from "../../../../gateway/console/static/app/deployments-words.js";

const DAY_MS = 86_400_000;
// Of this year, whichever that is: days of another are told with it.
const NOW = Date.UTC(new Date().getFullYear(), 10, 28, 12);
const [BEFORE, TODAY, NEXT] = [dayInYear(NOW - 3 * DAY_MS), dayInYear(NOW), dayInYear(NOW + DAY_MS)];

/** @param {object} said @returns {any} */
const due = (said) => ({ why: "review", by: new Date(NOW - 3 * DAY_MS).toISOString(), overdue: true, ...said, deployment: { unit: "D017", alarms: [], unseen: [], .../** @type {any} */ (said).deployment } });

test("what is overdue says for how long, and since when", () => {
  assert.equal(dueWords(due({}), NOW), `Review overdue for 3 d, since ${BEFORE}.`);
});

test("what is not due yet says by when", () => {
  assert.equal(dueWords(due({ overdue: false, by: new Date(NOW + DAY_MS).toISOString() }), NOW), `Review due by ${NEXT}.`);
  assert.equal(dueWords(due({ why: "stay", overdue: false, by: new Date(NOW + DAY_MS).toISOString() }), NOW), `Its stay ends on ${dayAndTime(NOW + DAY_MS)}.`);
});

test("a unit that is not needed any more says by when, then since when", () => {
  const by = new Date(NOW + DAY_MS).toISOString();
  assert.match(dueWords(due({ why: "unneeded", overdue: false, by }), NOW), new RegExp(`take it down, by ${NEXT}`));
  assert.match(dueWords(due({ why: "unneeded" }), NOW), new RegExp(`take it down, since ${BEFORE}`));
});

test("a unit that stands past its time is said to record nothing", () => {
  assert.match(dueWords(due({ why: "overstayed" }), NOW), new RegExp(`records nothing: extend it or take it down, since ${BEFORE} \\d\\d:\\d\\d`));
});

test("a stay that is let last until a day lasts to the end of it, but not longer than it may", () => {
  const longest = new Date(2026, 7, 31, 14, 10).getTime();
  assert.equal(lastOf("2026-08-30", longest), new Date(2026, 7, 30, 23, 59, 59).getTime());
  assert.equal(lastOf("2026-08-31", longest), longest);
});

test("the end of a stay is told with its hour, wherever it is", () => {
  const [ms, hour] = [NOW + DAY_MS, dayAndTime(NOW + DAY_MS)];
  /** @param {string} step @param {object} said @returns {any} */
  const line = (step, said) => ({ step, said });
  assert.equal(lineWords(line("extended", { until_ns: ms * 1e6, reason: "" }))[0], `let it stay until ${hour}`);
  assert.equal(lineWords(line("due", { why: "stay", overdue: false, by_ns: ms * 1e6 }))[1], `by ${hour}`);
  assert.equal(lineWords(line("due", { why: "review", overdue: false, by_ns: ms * 1e6 }))[1], `by ${NEXT}`);
});

test("an alarm names the unit, what happened and how often, and what goes on", () => {
  const one = due({ why: "alarm", deployment: { alarms: ["left"], unseen: [{ kind: "knocked", count: 3, since: "", line: 9 }] } });
  assert.equal(dueWords(one, NOW), "Unit D017 was knocked (3 times), is still away from its place.");
});

test("an alarm that was acknowledged waits no longer, and all else does", () => {
  assert.equal(waits(due({ why: "alarm", deployment: { alarms: ["left"] } })), false);
  assert.equal(waits(due({ why: "alarm", deployment: { unseen: [{ kind: "left", count: 1, since: "", line: 9 }] } })), true);
  assert.equal(waits(due({})), true);
});

test("an alarm of a unit that was taken down since is said to be of while it stood there", () => {
  const unseen = [{ kind: "knocked", count: 1, since: "", line: 4 }];
  assert.equal(dueWords(due({ why: "alarm", deployment: { stage: "removed", unseen } }), NOW), "Unit D017 was knocked, while it stood there.");
  assert.equal(dueWords(due({ why: "alarm", deployment: { stage: "deployed", unseen } }), NOW), "Unit D017 was knocked.");
});

test("an alarm that was told late says in the log when it happened, and whether the unit was down by then", () => {
  const said = { kind: "moved", by: 0, place: null, happened_ns: NOW * 1e6 };
  const then = dayAndTime(NOW);
  assert.equal(lineWords({ ...LINE, step: "alarm", said })[1], `told late: it happened on ${then}`);
  assert.equal(lineWords({ ...LINE, step: "alarm", said: { ...said, down: true } })[1], `told late, after it was taken down: it happened on ${then}, while it stood here`);
});

test("what happened is told with its measure, where it has one", () => {
  assert.equal(happenedBy("left", 213.7), "has left its place, 214 m off");
  assert.equal(happenedBy("opened", 0), "was opened");
});

test("what is done of putting a unit up is ticked, and of taking it down once it is down", () => {
  const one = /** @type {any} */ ({ photos: [{ sha256: "a", kind: "sign-up" }], signs_up: "x", deployed: null, signed_off: null, signed_off_by: "", removed: null, signs_down: null });
  assert.deepEqual(ticks(one).map(([done]) => done), [true, true, false, false, false]);
  assert.deepEqual(ticks({ ...one, signed_off: "x", signed_off_by: "Anne" }).at(-1), [true, "Signed off by Anne"]);
  assert.deepEqual(ticks({ ...one, removed: "x" }).slice(5).map(([done]) => done), [true, false, false]);
});

test("a unit goes up again for a day, with its signs, and within its stay", () => {
  const iso = (/** @type {number} */ days) => new Date(NOW + days * DAY_MS).toISOString();
  const one = /** @type {any} */ ({ stage: "removed", removed: iso(-0.9), until: iso(3), signs_down: null });
  assert.equal(mayGoUpAgain(one, NOW), true);
  for (const other of [{ stage: "evaluated" }, { removed: iso(-1.1) }, { until: iso(-0.1) }, { signs_down: iso(-0.5) }]) {
    assert.equal(mayGoUpAgain({ ...one, ...other }, NOW), false);
  }
});

test("an alarm says that its camera records only where it does", () => {
  const one = /** @type {any} */ ({ stage: "deployed", valid: true });
  const on = { main: true, sub: null };
  const off = { main: false, sub: false };
  assert.equal(recordingWords(one, 17, on), "Camera 17 goes on recording.");
  assert.equal(recordingWords(one, 17, { main: false, sub: true }), "Camera 17 goes on recording.");
  assert.equal(recordingWords(one, 17, { ...off, cause: "The disk is full." }), "Camera 17 is not recording: The disk is full.");
  assert.equal(recordingWords({ ...one, valid: false }, 17, off), "Camera 17 records nothing: the stay is over.");
  assert.equal(recordingWords({ ...one, valid: false }, 17, on), "Camera 17 goes on recording.");
  assert.equal(recordingWords(one, 17, null), "Whether camera 17 records is not known.");
  assert.equal(recordingWords({ stage: "removed", valid: false }, 17, off), "The unit is down here, and camera 17 records nothing.");
  assert.equal(recordingWords({ stage: "removed", valid: false }, 17, on), "The unit is down here; camera 17 records where it stands now.");
});

test("a picture that is gone, or that one may not open, is said to be", () => {
  const one = { sha256: "a", camera: "c", at: "", may_open: true, deleted: /** @type {string | null} */ (null) };
  assert.equal(shutWords(one), "");
  assert.match(shutWords({ ...one, may_open: false }), /may not open/);
  assert.match(shutWords({ ...one, may_open: false, deleted: new Date(NOW).toISOString() }), /Deleted with its footage/);
});

test("who answers for a deployment is told what is due to them", () => {
  const one = { deployment: "d", title: "Fly-tipping in Mill Lane", street: "Mill Lane", unit: "D017", why: "review", by: new Date(NOW - 3 * DAY_MS).toISOString(), overdue: true };
  assert.equal(ownDueWords(one, NOW), `Review overdue for 3 d, since ${BEFORE}.`);
  assert.equal(ownDueWords({ ...one, why: "alarm" }, NOW), `An alarm of unit D017 is not acknowledged, since ${BEFORE}.`);
  assert.equal(reminderWords({ ...one, yours: true }, NOW), `Due to you: Fly-tipping in Mill Lane. Review overdue for 3 d, since ${BEFORE}.`);
  assert.equal(reminderWords({ ...one, street: "High Street", yours: false }, NOW), `Fly-tipping in Mill Lane, High Street. Review overdue for 3 d, since ${BEFORE}.`);
});

const LINE = { n: 1, at: new Date(NOW).toISOString(), done: new Date(NOW).toISOString(), clock_offset_s: null, doubt: "", step: "note", by: "", said: {}, digest: "" };

test("a unit that was recorded after it was down says for how long, and when", () => {
  const start = new Date(NOW - DAY_MS);
  const spans = [{ start: start.toISOString(), end: new Date(+start + 45 * 60_000).toISOString() }];
  assert.equal(recordedWhenDownWords(spans), `45 min from ${dayAndTime(+start)} on`);
});

test("a line that came as it was done says nothing of its time", () => {
  assert.equal(timeWords(LINE), "");
  assert.equal(timeWords({ ...LINE, done: new Date(NOW - 90_000).toISOString(), clock_offset_s: -40 }), "");
});

test("a line that came later says so, and whose clock was wrong", () => {
  assert.match(timeWords({ ...LINE, done: new Date(NOW - 7_200_000).toISOString() }), new RegExp(`^told ${TODAY} .*, 2 h later$`));
  assert.equal(timeWords({ ...LINE, clock_offset_s: 600 }), "the phone's clock was 10 min ahead");
  assert.equal(timeWords({ ...LINE, clock_offset_s: -600, doubt: "the sender said x, after it was sent" }), "the phone's clock was 10 min behind; its time is not believed: the sender said x, after it was sent");
});

test("no-look zones that a team set are named in the log", () => {
  const said = (/** @type {any} */ bounds) => lineWords({ ...LINE, step: "bounds", said: { camera: "c", bounds } })[1];
  assert.equal(said({ limits: [{}], zones: [{ name: "Windows of number 12" }, { name: "The school" }] }), "No-look zones: “Windows of number 12”, “The school”. One limit of its head.");
  assert.equal(said({ limits: [], zones: [] }), "Nothing: it may look anywhere.");
});

test("a unit that was signed off says what was ticked", () => {
  const said = { unit: "D017", found: "scanned", live_ns: NOW * 1e6, ticks: ["unit", "presets", "fast"] };
  assert.match(lineWords({ ...LINE, step: "signed-off", said })[1], new RegExp(`^Unit D017, scanned; the planned unit, no preset of another place, fastened and locked; seen live ${TODAY}`));
});

test("steps of a log say what was said", () => {
  const steps = /** @type {[string, Record<string, any>, RegExp][]} */ ([
    ["referred", {}, /referred/],
    ["checked", { criterion: "Recorded", met: false, found: "No." }, /not met: Recorded/],
    ["document", { kind: "dpia", title: "T", reference: "R", sha256: "ab".repeat(32) }, /Impact assessment/],
    ["note", { text: "x" }, /noted/],
    ["photo", { kind: "sign-up", taken: "", remarks: [] }, /Sign, put up/],
    ["granted", { max_days: 20, reason: "x" }, /20 days/],
    ["refused", { reason: "x" }, /refused/],
    ["withdrawn", { reason: "x" }, /withdrew/],
    ["planned", { unit: "D017", responsible: "K", mount: "", review_days: 7 }, /D017/],
    ["signs-up", { text: "x" }, /signs up/],
    ["installed", { unit: "D017", street: "", bearing_deg: null }, /put unit D017 up/],
    ["reviewed", { needed: true, found: "x", next_ns: NOW * 1e6 }, /still needed/],
    ["extended", { until_ns: NOW * 1e6, reason: "x" }, /stay until/],
    ["hung", { pitch_deg: 1, roll_deg: 2 }, /hangs/],
    ["alarm", { kind: "tilted", by: 30 }, /leans, by 30°/],
    ["acknowledged", { kind: "tilted", text: "" }, /acknowledged/],
    ["picture", { kind: "tilted", recorded_ns: null }, /picture/],
    ["no-picture", { kind: "tilted", why: "stay-over" }, /no picture/],
    ["picture-deleted", { sha256: "ab".repeat(32), camera: "c", seen_ns: NOW * 1e6 }, /deleted the picture/],
    ["due", { why: "review", by_ns: NOW * 1e6, overdue: false }, /due: review/],
    ["lapsed", {}, /by the clock/],
    ["removed", { reason: "x" }, /unit down/],
    ["footage-deleted", { files: 2, kept: 1 }, /deleted what was recorded after/],
    ["signs-down", { text: "x" }, /signs down/],
    ["evaluated", { effect: "less", found: "x" }, /less of it/],
  ]);
  for (const [step, said, words] of steps) assert.match(lineWords({ ...LINE, step, said })[0], words, step);
});
