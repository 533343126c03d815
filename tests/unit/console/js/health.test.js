import assert from "node:assert/strict";
import { test } from "node:test";
import { clockCheck, dayPoints, due, gathered, known, lostS, monthWords, months, shareWords, sinceWords, together, waits, worstFirst } from "../../../../gateway/console/static/app/health.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const need = (number, changes = {}) => ({ camera: `c${number}`, number, name: `Camera ${number}`, unit: null, deployment: null, kind: "picture", urgency: "now", cause: "The picture is black.", since: "2026-11-28T11:00:00Z", cure: "Look.", put_off: null, ...changes });
const waiting = { by: "mary", at: "2026-11-28T11:30:00Z", until: null, reason: "Van ordered." };
const month = (number, recorded_s, lost_s = {}, changes = {}) => {
  const lost = Object.values(lost_s).reduce((sum, each) => sum + each, 0);
  return { camera: `c${number}`, number, name: "", removed: null, availability: recorded_s + lost > 0 ? recorded_s / (recorded_s + lost) : null, recorded_s, lost_s, withheld_s: 0, off_s: 0, unknown_s: 0, ...changes };
};

test("what is due today and not put off is counted", () => {
  assert.deepEqual(due([need(1), need(2, { urgency: "today" }), need(3, { urgency: "soon" }), need(4, { put_off: waiting })]).map(({ number }) => number), [1, 2]);
  assert.deepEqual(due([]), []);
});

test("needs stand by urgency, and what was put off after all others", () => {
  const sections = gathered([need(1, { put_off: waiting }), need(2), need(3, { urgency: "soon", kind: "firmware" })]);
  assert.deepEqual(sections.map(({ name, cards }) => [name, cards.flat().map(({ number }) => number)]), [["now", [2]], ["soon", [3]], ["put-off", [1]]]);
});

test("from four on, cameras that need the same are one line", () => {
  const counts = (count) => gathered(Array.from({ length: count }, (_, index) => need(index))).map(({ cards }) => cards.map((same) => same.length));
  assert.deepEqual(counts(3), [[1, 1, 1]]);
  assert.deepEqual(counts(4), [[4]]);
});

test("what is put off waits until an instant to come, or as long as it lasts", () => {
  const offered = waits(NOW);
  assert.equal(new Set(offered.map(([key]) => key)).size, offered.length);
  assert.ok(offered.every(([, , until]) => until === null || until > NOW));
  assert.equal(offered.filter(([, , until]) => until === null).length, 1);
});

test("since when says for how long as well", () => {
  assert.match(sinceWords("2026-11-28T11:00:00Z", NOW), /^since \d\d:\d\d, 1 h$/);
  assert.match(sinceWords("2026-11-20T12:00:00Z", NOW), /20 Nov.*, 8 d$/);
});

test("a clock that is off is told as such, whatever we make of it", () => {
  const words = (ahead, left) => clockCheck({ clock_offset_s: ahead, clock_off_s: left });
  assert.equal(words(3600, 0.05), "1 h ahead; the times that we keep are right to half a second");
  assert.equal(words(-2, 0.8), "2.0 s behind; the times that we keep may be off by 0.8 s");
  assert.equal(words(0.1, 3), "the times that we keep may be off by 3.0 s");
  assert.equal(words(-0.4, 0.1), "right to half a second");
  assert.equal(words(null, null), "not measured yet");
});

test("a share is never rounded up", () => {
  assert.deepEqual([1, 0.99999, 0.5, 0, null].map(shareWords), ["100.00 %", "99.99 %", "50.00 %", "0.00 %", "—"]);
});

test("the worst month stands first, one of which nothing is known last", () => {
  const cameras = [month(1, 100), month(2, 50, { network: 30, camera: 20 }), month(3, 0)];
  assert.deepEqual(worstFirst(cameras).map(({ number }) => number), [2, 1, 3]);
  assert.equal(lostS(cameras[1]), 50);
  assert.equal(together(cameras), 0.75);
  assert.equal(together([month(3, 0)]), null);
});

test("months go back over the turn of the year", () => {
  assert.deepEqual(months(Date.parse("2026-02-10T00:00:00Z"), 3), ["2026-02", "2026-01", "2025-12"]);
  assert.equal(monthWords("2025-12"), "December 2025");
});

test("a month says of how much of it anything is known", () => {
  assert.equal(known([month(1, 60, { network: 10 }, { withheld_s: 5, off_s: 0, unknown_s: 25 })]), 0.75);
  assert.equal(known([month(1, 60, {}, { off_s: 15, unknown_s: 25 })]), 0.75);
  assert.equal(known([]), null);
});

test("a day is drawn at its noon, and left out where nothing is known of it", () => {
  const days = [{ day: "2026-11-01", availability: 0.5 }, { day: "2026-11-02", availability: null }];
  assert.deepEqual(dayPoints(days, ({ availability }) => availability), [{ at: Date.parse("2026-11-01T12:00:00Z"), value: 0.5 }]);
});

test("what deployments ask for stands each by itself, however alike", () => {
  const errands = [1, 2, 3, 4].map((number) => need(null, { camera: null, kind: "decision", deployment: { id: `d${number}`, title: `Place ${number}` } }));
  assert.deepEqual(gathered(errands).map(({ cards }) => cards.map((same) => same.length)), [[1, 1, 1, 1]]);
});
