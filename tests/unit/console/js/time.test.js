import assert from "node:assert/strict";
import { test } from "node:test";

// Read when the module is, as a browser's is.
process.env["TZ"] = "Europe/London";
const { ServerClock, age, clockSure, day, dayAndTime, dayInYear, duration, fileTime, fromIso, instants, localField, toIso, zone } = await import("../../../../gateway/console/static/app/time.js");

test("an age is said in the unit that a person would choose", () => {
  assert.deepEqual([0, 44, 46, 87, 994, 996, 1440, 12_000, 200_000].map(age), ["< 50 ms", "< 50 ms", "50 ms", "90 ms", "990 ms", "1.0 s", "1.4 s", "12 s", "3 min 20 s"]);
});

test("a length of time is said in its two largest units", () => {
  assert.deepEqual([0, 52_000, 60_000, 3_600_000, 7_500_000, 86_400_000, 90_000_000].map(duration), ["0 s", "52 s", "1 min", "1 h", "2 h 5 min", "1 d", "1 d 1 h"]);
});

test("a day of another year says which, and one of this year does not", () => {
  const now = new Date();
  const year = now.getFullYear();
  assert.equal(day(now.getTime()).includes(String(year)), false);
  assert.ok(day(new Date(year - 1, 10, 24, 14, 3).getTime()).endsWith(` 24 Nov ${year - 1}`));
  assert.ok(dayAndTime(new Date(year - 1, 10, 24, 14, 3).getTime()).endsWith(` 24 Nov ${year - 1} 14:03`));
  assert.ok(dayInYear(new Date(year - 1, 10, 24, 14, 3).getTime()).endsWith(" 24 Nov"));
});

test("a time goes to text and back unchanged", () => {
  assert.equal(fromIso(toIso(1_764_000_000_123)), 1_764_000_000_123);
});

test("a file's name carries the time in UTC without signs that file systems refuse", () => {
  assert.equal(fileTime(Date.UTC(2026, 10, 24, 2, 3, 4)), "2026-11-24T02-03-04Z");
});

test("the server's clock is taken from the message that was least delayed", () => {
  const clock = new ServerClock();
  clock.heard(10_000, 9_400);
  clock.heard(11_000, 10_150);
  clock.heard(12_000, 11_900);
  assert.equal(clock.offset, 850);
  assert.equal(clock.now(20_000), 20_850);
});

test("a server clock that was never heard is our own", () => {
  assert.equal(new ServerClock().now(5), 5);
});

test("a local time is one instant, on any day and beside the hour that comes twice", () => {
  const each = ["2026-11-24T14:03", "2026-07-01T00:00:30", "2026-10-25T00:59:59", "2026-10-25T02:00", "2026-03-29T00:59", "2026-03-29T02:00"];
  assert.deepEqual(each.map((local) => instants(local).map(toIso)), [
    ["2026-11-24T14:03:00.000Z"], ["2026-06-30T23:00:30.000Z"], ["2026-10-24T23:59:59.000Z"], ["2026-10-25T02:00:00.000Z"], ["2026-03-29T00:59:00.000Z"], ["2026-03-29T01:00:00.000Z"],
  ]);
});

test("an hour that comes twice is two instants, each by its own clock", () => {
  for (const [local, first, second] of [["2026-10-25T01:00", "T00:00", "T01:00"], ["2026-10-25T01:59", "T00:59", "T01:59"]]) {
    const both = instants(local ?? "");
    assert.deepEqual(both.map(toIso), [`2026-10-25${first}:00.000Z`, `2026-10-25${second}:00.000Z`]);
    assert.deepEqual(both.map(zone), ["BST", "GMT"]);
    assert.deepEqual(both.map(localField), [local, local]);
  }
});

test("an hour that clocks go forward over is no instant, nor is what is no time", () => {
  assert.deepEqual(["2026-03-29T01:00", "2026-03-29T01:59:59", "", "soon"].map(instants), [[], [], [], []]);
});

test("a time of day says by which clock it is where it comes twice, and nowhere else", () => {
  const times = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z", "2026-07-01T00:30:00Z"];
  assert.deepEqual(times.map(fromIso).map(clockSure), ["01:30:00 BST", "01:30:00 GMT", "02:00:00", "01:30:00"]);
});
