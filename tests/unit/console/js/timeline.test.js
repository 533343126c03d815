import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "../../../../gateway/console/static/app/footage.js";
import { placeIn } from "../../../../gateway/console/static/app/placing.js";
import { LONGEST_MS, SHORTEST_MS, around, clip, marks, nearestRecorded, shift, toShare, toTime, zoom } from "../../../../gateway/console/static/app/timescale.js";

const VIEW = { start: 1_000_000, end: 1_600_000 };

test("a place on the timeline and its time are each other's inverse", () => {
  for (const share of [-0.5, 0, 0.25, 1, 3]) assert.ok(Math.abs(toShare(VIEW, toTime(VIEW, share)) - share) < 1e-12);
});

test("zooming keeps the time under the pointer under it", () => {
  for (const share of [0, 0.3, 0.92, 1]) {
    for (const factor of [0.5, 1.3, 4]) {
      const at = toTime(VIEW, share);
      assert.ok(Math.abs(toTime(zoom(VIEW, share, factor), share) - at) < 1e-6);
    }
  }
});

test("zooming stops at ten seconds and at a month", () => {
  const narrow = zoom(VIEW, 0.5, 1e-9);
  const wide = zoom(VIEW, 0.5, 1e9);
  assert.ok(Math.abs(narrow.end - narrow.start - SHORTEST_MS) < 1);
  assert.ok(Math.abs(wide.end - wide.start - LONGEST_MS) < 1);
});

test("moving and centring keep the width", () => {
  assert.deepEqual(shift(VIEW, 5), { start: 1_000_005, end: 1_600_005 });
  assert.deepEqual(around(VIEW, 2_000_000, 0.5), { start: 1_700_000, end: 2_300_000 });
});

test("marks stand at round local times and are not too many", () => {
  const { step, at } = marks({ start: 0, end: 1_800_000 }, 10, 1_800_000);
  assert.equal(step, 300_000);
  assert.ok(at.length <= 10 && at.every((mark) => (mark + 1_800_000) % step === 0));
});

test("a span is cut to the view, and one outside it is not drawn", () => {
  assert.deepEqual(clip(VIEW, { start: 0, end: 1_300_000 }), { left: 0, width: 0.5 });
  assert.equal(clip(VIEW, { start: 0, end: 1000 }), null);
});

test("a click into a gap goes to where footage begins again", () => {
  const spans = [{ start: 10_000, end: 20_000 }, { start: 30_000, end: 40_000 }];
  assert.equal(nearestRecorded(spans, 15_000), 15_000);
  assert.equal(nearestRecorded(spans, 25_000), 30_000);
  assert.equal(nearestRecorded(spans, 50_000), 39_000);
  assert.equal(nearestRecorded([], 5), null);
});

test("the API's times become numbers", () => {
  const said = { spans: [{ start: "2026-11-24T00:00:00.000Z", end: "2026-11-24T00:00:01.000Z" }], gaps: [], newest: null };
  const { spans, newest } = read(said);
  assert.equal(spans[0].end - spans[0].start, 1000);
  assert.equal(newest, null);
});

const FRAGMENTS = [
  { start: 0, duration: 2, programDateTime: 100_000 },
  { start: 2, duration: 2, programDateTime: 102_000 },
  { start: 4, duration: 2, programDateTime: 160_000 },
];

test("a time is found in its fragment", () => {
  assert.equal(placeIn(FRAGMENTS, 103_500), 3.5);
});

test("a time in a gap plays from the next fragment, or is not there", () => {
  assert.equal(placeIn(FRAGMENTS, 130_000), 4);
  assert.equal(placeIn(FRAGMENTS, 130_000, false), null);
  assert.equal(placeIn(FRAGMENTS, 200_000), null);
});
