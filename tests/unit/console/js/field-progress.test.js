import assert from "node:assert/strict";
import { test } from "node:test";
import { labelAmong } from "../../../../gateway/console/static/field/codes.js";
import { signalWords } from "../../../../gateway/console/static/app/units.js";
import { alarmed, dueOf, foreseen, health, isBegun, isOf, newDraft, spoken, standing, takenDown } from "../../../../gateway/console/static/field/progress.js";

const NOW = Date.parse("2026-05-01T12:00:00Z");
const STANDS = { id: "d1", stage: "deployed", unit: "D017", valid: true, review: "2026-05-02T12:00:00Z", photos: [] };
const unit = (link, states = {}) => ({
  label: "D017", link, heard: "2026-05-01T11:58:00Z",
  states: Object.entries(states).map(([kind, values]) => ({ kind, time: "", values })),
});
const clock = (iso) => iso.slice(11, 16);

test("what a unit says of itself is said in words, and what needs somebody stands out", () => {
  const well = health(unit("online", { battery: { percent: 64.4, charging: true }, signal: { rsrp_dbm: -97, operator: "EE" } }), clock);
  assert.deepEqual(well, { words: ["online", "battery 64\u00a0%, charging", "signal fair (−97\u00a0dBm, EE)"], poor: false });
  assert.deepEqual(health(unit("lost"), clock), { words: ["not heard since 11:58"], poor: true });
  assert.deepEqual(health(unit("never"), clock).words, ["has not called in yet"]);
});

test("a battery is low unless it charges", () => {
  assert.ok(health(unit("online", { battery: { percent: 20, charging: false } }), clock).poor);
  assert.ok(!health(unit("online", { battery: { percent: 20, charging: true } }), clock).poor);
  assert.ok(!health(unit("online", { battery: { percent: 21, charging: false } }), clock).poor);
});

test("what has happened to a unit is said in words", () => {
  assert.equal(alarmed({ ...STANDS, alarms: ["left", "opened"] }), "it is away from its place, open");
  assert.equal(alarmed({ ...STANDS, alarms: [] }), "");
});

test("the street has the same word for a signal as the room", () => {
  for (const [dbm, word] of [[-90, "good"], [-100, "fair"], [-103, "weak"], [-110, "weak"], [-111, "poor"]]) {
    const one = unit("online", { "state/signal": { rsrp_dbm: dbm } });
    assert.match(health(one, clock).words[1], new RegExp(`^signal ${word} `), String(dbm));
    assert.match(signalWords(one), new RegExp(`^signal ${word}, `), String(dbm));
  }
});

test("an end that is past goes before a review, and only what stands is due", () => {
  assert.equal(dueOf(STANDS, NOW), "");
  assert.equal(dueOf({ ...STANDS, review: "2026-05-01T12:00:00Z" }, NOW), "review");
  assert.equal(dueOf({ ...STANDS, review: "2026-05-01T12:00:00Z", valid: false }, NOW), "over");
  assert.equal(dueOf({ ...STANDS, stage: "removed", valid: false }, NOW), "");
});

test("a review that waits on the phone is due no more", () => {
  const late = { ...STANDS, review: "2026-04-30T12:00:00Z", review_days: 7 };
  const then = foreseen(late, [{ deployment: "d1", step: "reviews", said: { needed: true }, key: "k", at: NOW }]);
  assert.equal(dueOf(then, NOW), "");
  assert.equal(then.review, "2026-05-08T12:00:00.000Z");
});

test("signs that hang for no unit any more are listed until they are down", () => {
  const one = (/** @type {object} */ said) => /** @type {any} */ ({ signs_up: "then", signs_down: null, removed: null, ...said });
  const hanging = [one({ stage: "deployed" }), one({ stage: "removed" }), one({ stage: "withdrawn" })];
  assert.deepEqual(standing([...hanging, one({ stage: "withdrawn", signs_up: null }), one({ stage: "withdrawn", signs_down: "now" })]), hanging);
  assert.deepEqual(takenDown(one({ stage: "withdrawn" })), { unit: true, signs: false });
});

test("of several codes in one picture the first that is a label counts", () => {
  assert.equal(labelAmong(["two words", "https://sightline.example/u/d017", "D018"]), "d017");
  assert.equal(labelAmong([]), "");
});

test("a place is its street and its post, each said once", () => {
  assert.equal(spoken({ street: "Mill Lane", title: "Fly-tipping", mount: "LP 14" }), "Mill Lane, LP 14");
  assert.equal(spoken({ street: "Mill Lane", title: "Fly-tipping", mount: "Mill Lane" }), "Mill Lane");
  assert.equal(spoken({ street: "", title: "Fly-tipping", mount: "" }), "Fly-tipping");
});

test("what was begun and is in no step yet stays on the phone; what is signed off, over or nothing does not", () => {
  const begun = { ...newDraft("d1", "anne"), seen: "D017" };
  assert.ok(isBegun(begun, [{ ...STANDS, signed_off: null }]));
  assert.ok(isBegun(begun, null));
  assert.ok(!isBegun(newDraft("d1", "anne"), [{ ...STANDS, signed_off: null }]));
  assert.ok(!isBegun(begun, [{ ...STANDS, signed_off: "2026-05-01T12:00:00Z" }]));
  assert.ok(!isBegun(begun, [{ ...STANDS, stage: "removed" }]));
  assert.ok(!isBegun(begun, []));
});

test("what was begun before a unit was taken down is not of how it was put up again", () => {
  const begun = { ...newDraft("d1", "anne"), seen: "D017", fast: true };
  const first = { ...STANDS, signed_off: null, again: null };
  const again = { ...first, again: "2026-05-01T14:00:00.000Z" };
  assert.ok(isOf(begun, first));
  assert.ok(!isOf(begun, again));
  assert.ok(!isBegun(begun, [again]));
  assert.ok(isOf(newDraft("d1", "anne", again.again), again));
});

test("what was refused is not done, nor what a refused photo was to show", () => {
  const planned = { id: "d1", stage: "planned", unit: "D017", photos: [], signs_up: null };
  const one = (step, at, refused, said = {}) => ({ deployment: "d1", step, said, key: `${step}${at}`, at, refused });
  const no = { type: "deployments.step", title: "No." };
  assert.equal(foreseen(planned, [one("signs-up", NOW, no)]).signs_up, null);
  const unproved = foreseen(planned, [one("photos", NOW, no, { kind: "sign-up" }), one("signs-up", NOW, null), one("installation", NOW + 1, null)]);
  assert.deepEqual([unproved.photos, unproved.signs_up, unproved.stage], [[], null, "deployed"]);
});
