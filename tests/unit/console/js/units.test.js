import assert from "node:assert/strict";
import { test } from "node:test";
import { batteryWords, concernsOf, dataForecast, dataWords, levelOf, overallWords, sentMeanwhile, stateWords, worstUnitsFirst } from "../../../../gateway/console/static/app/units.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const iso = (ms) => new Date(NOW + ms).toISOString();
const DAY = 86_400_000;
const state = (kind, values) => ({ kind: `state/${kind}`, time: iso(-9000), unit_time: iso(-9000), values });
const unit = (label, said = {}) => ({
  label, link: "online", states: [], cameras: [], heard: iso(-9000), clock_offset_s: 0, battery_hours: null, concerns: [],
  data: { used_bytes: 0, by_end_bytes: null, budget_bytes: null, exhausted: null }, certificate_ends: iso(300 * DAY), ...said,
});
const concern = (urgency, cause, changes = {}) => ({ kind: "battery", urgency, cause, cure: "Go there.", put_off: null, ...changes });
const putOff = { by: "mary", at: iso(0), until: null, reason: "Van ordered." };

test("a unit of which the gateway says nothing is of no concern", () => {
  assert.deepEqual(concernsOf(unit("D001")), []);
  assert.equal(levelOf(unit("D001")), "good");
});

test("a unit is as bad as the gateway says, in its words", () => {
  const worn = unit("D017", { battery_hours: 10, concerns: [concern("today", "The battery of unit D017 lasts 10 h more.")] });
  assert.deepEqual(concernsOf(worn), [{ level: "attention", by: "Today", text: "The battery of unit D017 lasts 10 h more.", cure: "Go there." }]);
  assert.deepEqual(["now", "today", "soon"].map((urgency) => levelOf(unit("D017", { concerns: [concern(urgency, "So.")] }))), ["alarm", "attention", "soon"]);
});

test("what was put off stands last and alarms nobody", () => {
  const waits = unit("D017", { concerns: [concern("now", "One.", { put_off: putOff }), concern("soon", "Two.")] });
  assert.deepEqual(concernsOf(waits).map(({ text, by }) => [text, by]), [["Two.", "Soon"], ["One.", "Put off"]]);
  assert.equal(levelOf(unit("D017", { concerns: [concern("now", "One.", { put_off: putOff })] })), "good");
});

test("a battery says that it is charged", () => {
  const low = (charging) => unit("D001", { states: [state("battery", { percent: 10, volts: 11, charging })] });
  assert.equal(batteryWords(low(true)), "battery 10 %, charging");
});

test("a budget says when it is used up, was used up, or that it lasts", () => {
  const data = (said) => ({ used_bytes: 9.3e9, by_end_bytes: 13e9, budget_bytes: 10e9, exhausted: null, ...said });
  assert.equal(dataWords(data({})), "9.3 GB of 10.0 GB this month");
  assert.match(dataForecast(data({ exhausted: iso(2 * DAY) }), NOW), /^At this rate the month's data is used up on /);
  assert.match(dataForecast(data({ exhausted: iso(-DAY) }), NOW), /^The month's data was used up on /);
  assert.equal(dataForecast(data({ by_end_bytes: 8e9 }), NOW), "At this rate the month ends at 8.0 GB: within the budget.");
  assert.equal(dataForecast(data({ by_end_bytes: null, budget_bytes: null }), NOW), "Too little is known yet to say how the month will end.");
});

test("those that need somebody come first, then by label, and the retired last", () => {
  const units = [unit("D010"), unit("D002"), unit("D001", { link: "retired" }), unit("D030", { concerns: [concern("now", "So.")] }), unit("D020", { concerns: [concern("today", "So.")] })];
  assert.deepEqual(worstUnitsFirst(units).map(({ label }) => label), ["D030", "D020", "D002", "D010", "D001"]);
});

test("a state is said as a colleague would", () => {
  assert.equal(stateWords(state("case", { open: true })), "open");
  assert.equal(stateWords(state("disk", { free_bytes: 1e9, size_bytes: 4e9, fault: true })), "1.0 GB free of 4.0 GB, with a fault");
  assert.equal(stateWords({ kind: "event/shock", time: iso(0), unit_time: iso(0), values: { peak_g: 3.14 } }), "3.1 g");
});

test("all are as they should be only where no alarm stands or waits for somebody", () => {
  const calm = [unit("D001"), unit("D017")];
  assert.deepEqual(overallWords(calm, new Set()), { wrong: 0, words: "All as they should be" });
  assert.deepEqual(overallWords(calm, new Set(["D017"])), { wrong: 1, words: "1 unit needs somebody" });
  assert.equal(overallWords([unit("D001", { concerns: [concern("now", "Knocked.")] })], new Set()).wrong, 1);
  const putOff = { by: "A", reason: "b", until: "2026-11-29T12:00:00Z" };
  for (const one of [concern("soon", "So."), concern("now", "One.", { put_off: putOff })]) {
    assert.deepEqual(overallWords([unit("D001", { concerns: [one] })], new Set()), { wrong: 0, words: "Nothing is urgent" });
  }
});

test("what is drawn of data is what was sent meanwhile, whenever the counter began", () => {
  const told = (sent_bytes, since = "2026-08-01T00:00:00Z") => ({ time: iso(0), values: { sent_bytes, since } });
  const drawn = (...points) => sentMeanwhile(points).map(({ values }) => values.sent_bytes);
  assert.deepEqual(drawn(), []);
  assert.deepEqual(drawn(told(40e9), told(40e9 + 5), told(40e9 + 7)), [0, 5, 7]);
  assert.deepEqual(drawn(told(40e9), told(40e9 + 5), told(3), told(4)), [0, 5, 8, 9]);
  assert.deepEqual(drawn(told(10), told(12, "2026-11-28T00:00:00Z"), told(13, "2026-11-28T00:00:00Z")), [0, 12, 13]);
});
