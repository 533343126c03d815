import assert from "node:assert/strict";
import test from "node:test";
import { endedWords, left, lost, merged, ownLoan, pageOf, running, stillSelected, streamOf, viewsOf } from "../../../../gateway/console/static/watch/shares.js";

const camera = (number, more = {}) => ({ id: `c${number}`, number, name: `Camera ${number}`, street: "", live: true, sub: true, steerable: true, lent: null, ...more });
const share = (id, cameras, more = {}) => ({
  id, kind: "incident", title: id, made_by: "Anne", reference: "", reason: "", stream: "line", may_ask_for_stick: false, stills: false,
  start: "2026-11-28T08:00:00Z", end: "2026-11-28T09:00:00Z", cameras, asked: null, ...more,
});
const mine = (...shares) => ({ name: "PC 1234", organisation: "Force", room: "the control room", terms_due: false, shares });
const at = (time) => Date.parse(`2026-11-28T${time}Z`);

test("a share is over by the clock, whatever was heard", () => {
  const known = mine(share("one", [camera(1)]));
  assert.equal(running(known, at("08:59:59")).length, 1);
  assert.equal(running(known, at("09:00:00")).length, 0);
});

test("before the terms are accepted nothing is shared", () => {
  assert.deepEqual(running({ ...mine(share("one", [camera(1)])), terms_due: true }, at("08:30:00")), []);
});

test("a camera of two shares is one picture, given by both", () => {
  const views = viewsOf([share("one", [camera(1), camera(2)]), share("two", [camera(1)])]);
  assert.deepEqual(views.map((view) => [view.camera.number, view.shares.map(({ id }) => id)]), [[1, ["one", "two"]], [2, ["one"]]]);
});

test("where the line decides a large picture is main and a small one sub", () => {
  const [view] = viewsOf([share("one", [camera(1)])]);
  assert.deepEqual(streamOf(view, true), { stream: "main", hasSub: true });
  assert.deepEqual(streamOf(view, false), { stream: "sub", hasSub: true });
});

test("a share of one stream is asked for that one, and a camera without sub for main", () => {
  const of = (stream, more = {}) => streamOf(viewsOf([share("one", [camera(1, more)], { stream })])[0], false);
  assert.deepEqual(of("main"), { stream: "main", hasSub: false });
  assert.deepEqual(of("sub"), { stream: "sub", hasSub: false });
  assert.deepEqual(of("line", { sub: false }), { stream: "main", hasSub: false });
});

test("a stick that is lent to a colleague is not one's own", () => {
  const loan = { share: "one", camera: "c1", user_id: "me", name: "PC 1234", by: "Anne", since: "", until: "" };
  const [view] = viewsOf([share("one", [camera(1, { lent: loan })])]);
  assert.equal(ownLoan(view, "me"), loan);
  assert.equal(ownLoan(view, "somebody"), null);
});

test("what was taken out of a share is said", () => {
  const before = mine(share("one", [camera(1), camera(2)]), share("two", [camera(3)]));
  assert.deepEqual(lost(before, mine(share("one", [camera(1)]))), [
    "Camera 2, Camera 2, is not shared with you any more.",
    "“two” is not shared with you any more.",
  ]);
});

test("a share that goes on to another camera has lost nothing", () => {
  assert.deepEqual(lost(mine(share("one", [camera(1)])), mine(share("one", [camera(2)]))), []);
});

test("the selection goes on with its share", () => {
  const before = mine(share("one", [camera(1)]), share("two", [camera(2)]));
  const after = viewsOf([share("one", [camera(1)]), share("two", [camera(3)])]);
  assert.equal(stillSelected(after, "c2", before), "c3");
  assert.equal(stillSelected(after, "c1", before), "c1");
  assert.equal(stillSelected(after, "c9", before), "c1");
  assert.equal(stillSelected([], "c1", before), null);
});

test("time left counts down to nothing and not below", () => {
  assert.equal(left(252_000), "4:12");
  assert.equal(left(3_852_000), "1:04:12");
  assert.equal(left(400), "0:01");
  assert.equal(left(-5), "0:00");
  assert.equal(left(2 * 86_400_000), "2 d");
});

test("the pictures that are seen are those around the selected one", () => {
  assert.deepEqual(pageOf(3, 2, 9), [0, 1, 2]);
  assert.deepEqual(pageOf(10, 9, 4), [8, 9]);
  assert.deepEqual(pageOf(10, 5, 4), [4, 5, 6, 7]);
  assert.deepEqual(pageOf(10, 5, 1), [5]);
});

test("an end says whose it was", () => {
  assert.match(endedWords(share("Match day", []), "the control room", "Anne", at("08:30:00")), /^The control room \(Anne\) ended “Match day” at \d\d:30\.$/);
  assert.match(endedWords(share("Match day", []), "the control room", null, at("08:30:00")), /has ended: its time was up at \d\d:30\.$/);
});

test("of notes that are found those were missed that nobody here had heard of, and what was heard meanwhile stays", () => {
  const note = (id) => ({ id, share: "s", at: "", name: "Root", outside: false, text: id });
  const { notes, missed } = merged([note("a"), note("c")], [note("a"), note("b")]);
  assert.deepEqual([notes.map(({ id }) => id), missed.map(({ id }) => id)], [["a", "b", "c"], ["b"]]);
});
