import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock, age, day, dayAndTime, dayInYear, duration, fileTime, fromIso, toIso } from "../../../../gateway/console/static/app/time.js";

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
