import assert from "node:assert/strict";
import { test } from "node:test";
import { extremes, nearest, runs, thinned, valueMarks } from "../../../../gateway/console/static/app/trend-scale.js";

const points = (...values) => values.map((value, index) => ({ at: index * 60_000, value }));

test("an axis shows round values from below everything to above", () => {
  assert.deepEqual(valueMarks(0, 100), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(valueMarks(-112, -78), [-120, -110, -100, -90, -80, -70]);
  assert.deepEqual(valueMarks(3.1, 3.4), [3.1, 3.2, 3.3, 3.4]);
});

test("values that are all the same have an axis too", () => {
  for (const value of [0, 21, -90]) {
    const marks = valueMarks(value, value);
    assert.ok(marks.length >= 2 && marks[0] <= value && marks.at(-1) > value, `${marks}`);
  }
});

test("a line breaks where nothing was heard for too long", () => {
  const told = [...points(1, 2), { at: 3_600_000, value: 3 }];
  assert.deepEqual(runs(told, 60_000).map((run) => run.map(({ value }) => value)), [[1, 2], [3]]);
  assert.deepEqual(runs([], 60_000), []);
});

test("of more points than pixels no dip and no peak is lost", () => {
  const told = points(...Array.from({ length: 1000 }, (_, index) => (index === 501 ? -50 : index === 502 ? 90 : 10 + (index % 3))));
  const kept = thinned(told, 50 * 60_000);
  assert.ok(kept.length <= 4 * 20);
  assert.deepEqual([extremes(kept).least.value, extremes(kept).most.value], [-50, 90]);
  assert.deepEqual([kept[0], kept.at(-1)], [told[0], told.at(-1)]);
  assert.deepEqual(kept, [...kept].sort((one, other) => one.at - other.at));
});

test("the point nearest to an instant is read", () => {
  const told = points(1, 2, 3);
  const at = (ms) => nearest(told, ms);
  assert.deepEqual([at(-1), at(20_000), at(40_000), at(90_001), at(999_999)], [0, 0, 1, 2, 2]);
  assert.equal(nearest([], 0), -1);
});
