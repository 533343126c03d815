import assert from "node:assert/strict";
import { test } from "node:test";
import { batteryWords, concernsOf, dataForecast, dataWords, levelOf, stateWords, worstUnitsFirst } from "../../../../gateway/console/static/app/units.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const iso = (ms) => new Date(NOW + ms).toISOString();
const DAY = 86_400_000;
const state = (kind, values) => ({ kind: `state/${kind}`, time: iso(-9000), unit_time: iso(-9000), values });
const unit = (label, said = {}) => ({
  label, link: "online", states: [], cameras: [], heard: iso(-9000), clock_offset_s: 0, battery_hours: null,
  data: { used_bytes: 0, by_end_bytes: null, budget_bytes: null, exhausted: null }, certificate_ends: iso(300 * DAY), ...said,
});
const texts = (one) => concernsOf(one, NOW).map(({ text }) => text);

test("a unit that is well is of no concern", () => {
  const well = unit("D001", { states: [state("battery", { percent: 80, volts: 12, charging: false }), state("signal", { rsrp_dbm: -84 }), state("case", { open: false })] });
  assert.deepEqual(concernsOf(well, NOW), []);
  assert.equal(levelOf(well, NOW), "good");
});

test("what is an alarm stands before what wants attention", () => {
  const worn = unit("D017", { battery_hours: 5.2, clock_offset_s: -40, states: [state("battery", { percent: 14, volts: 11, charging: false }), state("case", { open: true })] });
  assert.deepEqual(concernsOf(worn, NOW).map(({ level }) => level), ["alarm", "alarm", "attention"]);
  assert.ok(texts(worn).includes("Its battery is flat in about 5 h."));
  assert.ok(texts(worn).includes("Its clock is 40 s behind."));
});

test("a battery that is low is of no concern while it is charged", () => {
  const low = (charging) => unit("D001", { states: [state("battery", { percent: 10, volts: 11, charging })] });
  assert.deepEqual(texts(low(true)), []);
  assert.deepEqual(texts(low(false)), ["Its battery is at 10 %."]);
  assert.equal(batteryWords(low(true)), "battery 10 %, charging");
});

test("a lost link says for how long", () => {
  assert.deepEqual(texts(unit("D009", { link: "gone", heard: iso(-47 * 60_000) })), ["Its link is lost. Last heard 47 min ago."]);
});

test("a unit without a certificate that is good is told of, whether it came once or never", () => {
  assert.deepEqual(texts(unit("D033", { link: "never", heard: null, certificate_ends: null })), ["It has no certificate yet: it cannot call in."]);
  assert.deepEqual(texts(unit("D033", { certificate_ends: null })), ["It has no certificate that is good: nothing is taken of it."]);
  assert.equal(texts(unit("D033", { certificate_ends: iso(59 * DAY) })).length, 1);
  assert.equal(texts(unit("D033", { certificate_ends: iso(61 * DAY) })).length, 0);
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
  const units = [unit("D010"), unit("D002"), unit("D001", { link: "retired" }), unit("D030", { link: "gone" }), unit("D020", { link: "silent" })];
  assert.deepEqual(worstUnitsFirst(units, NOW).map(({ label }) => label), ["D030", "D020", "D002", "D010", "D001"]);
});

test("a state is said as a colleague would", () => {
  assert.equal(stateWords(state("case", { open: true })), "open");
  assert.equal(stateWords(state("disk", { free_bytes: 1e9, size_bytes: 4e9, fault: true })), "1.0 GB free of 4.0 GB, with a fault");
  assert.equal(stateWords({ kind: "event/shock", time: iso(0), unit_time: iso(0), values: { peak_g: 3.14 } }), "3.1 g");
});
