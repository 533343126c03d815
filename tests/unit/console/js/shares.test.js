import assert from "node:assert/strict";
import { test } from "node:test";
import { did } from "../../../../gateway/console/static/app/audit-words.js";
import {
  NOTHING_SHARED, dropShare, heard, hears, keepAnswer, keepNote, keepNotes, keepShares, keepTest, lengths, nextLength, partners, sharesOf, without,
} from "../../../../gateway/console/static/app/shares-model.js";
import {
  about, counted, howWell, left, madeWords, named, overWords, since, suffers, testLine, watcherLine,
} from "../../../../gateway/console/static/app/shares-words.js";

const share = (id, changes = {}) => ({
  id, kind: "incident", title: "Met", organisation: "o1", organisation_name: "Met", recipients: null, cameras: ["c1"], follow: false,
  reference: "", reason: "Live incident", review: null, stream: "line", may_ask_for_stick: true, stills: false, viewer_limit: 20, viewers: 0,
  start: "2026-01-01T10:00:00.000Z", end: "2026-01-01T11:00:00.000Z", ended: null, running: true, made_by: "Root", made_by_id: "u0",
  made: "2026-01-01T10:00:00.000Z", lent: [], requests: [], ...changes,
});
const ask = (changes = {}) => ({ share: "s1", camera: "c1", user_id: "u1", name: "PC Smith", note: "", at: "2026-01-01T10:00:00.000Z", ...changes });
const note = (id, changes = {}) => ({ id, share: "s1", at: "", name: "PC Smith", outside: true, text: "x", ...changes });
const loan = (changes = {}) => ({ share: "s1", camera: "c1", user_id: "u1", name: "PC Smith", by: "Root", since: "", until: "", ...changes });
const told = (was, ...messages) => messages.reduce(heard, was);
const with1 = told(NOTHING_SHARED, { t: "share", what: "began", share: share("s1") });

test("of the events socket only what is about shares is heard", () => {
  assert.equal(hears({ t: "stick-asked" }), true);
  assert.equal(hears({ t: "camera" }), false);
  assert.equal(heard(with1, { t: "time" }), with1);
});

test("a share that is told anew replaces what was known of it", () => {
  const now = told(with1, { t: "share", what: "changed", share: share("s1", { cameras: ["c2"] }) });
  assert.deepEqual(now.shares.map((one) => one.cameras), [["c2"]]);
});

test("an answer to this page that comes after what was told says the terms, and drops nobody who asks meanwhile or has the stick", () => {
  const now = keepAnswer(told(with1, { t: "stick-asked", ...ask() }, { t: "stick-lent", ...loan({ user_id: "u2" }) }), share("s1", { title: "Op Larch" }));
  assert.deepEqual([now.shares[0].title, now.shares[0].lent.length, now.asks.length], ["Op Larch", 1, 1]);
  const first = keepAnswer(NOTHING_SHARED, share("s1", { requests: [ask()] }));
  assert.deepEqual([first.shares.length, first.asks.length], [1, 1]);
});

test("the newest share comes first", () => {
  const now = told(with1, { t: "share", what: "began", share: share("s2", { made: "2026-01-01T10:05:00.000Z" }) });
  assert.deepEqual(now.shares.map((one) => one.id), ["s2", "s1"]);
});

test("the end of a share takes what hung on it", () => {
  const full = { ...told(with1, { t: "stick-asked", ...ask() }, { t: "note", ...note("n1") }), following: "s1" };
  const now = told(full, { t: "share", what: "ended", share: share("s1") });
  assert.deepEqual([now.shares, now.asks, now.unread, now.notes, now.following], [[], [], [], {}, null]);
});

test("a share in which one has no camera any more is known no more", () => {
  const now = told(with1, { t: "share", what: "left", share: share("s1") });
  assert.deepEqual(now.shares, []);
});

test("the end of one share leaves the other's", () => {
  const both = { ...told(with1, { t: "share", what: "began", share: share("s2") }, { t: "stick-asked", ...ask({ share: "s2" }) }), following: "s2" };
  const now = dropShare(both, "s1");
  assert.deepEqual([now.shares.map((one) => one.id), now.asks.length, now.following], [["s2"], 1, "s2"]);
});

test("somebody who asks again asks once, and the longest waiting comes first", () => {
  const later = ask({ user_id: "u2", at: "2026-01-01T10:01:00.000Z" });
  const again = ask({ note: "now", at: "2026-01-01T10:02:00.000Z" });
  const now = told(with1, { t: "stick-asked", ...ask() }, { t: "stick-asked", ...later }, { t: "stick-asked", ...again });
  assert.deepEqual(now.asks.map((one) => [one.user_id, one.note]), [["u2", ""], ["u1", "now"]]);
});

test("an answer or a withdrawal ends a request, another person's stays", () => {
  for (const t of ["stick-refused", "stick-withdrawn", "stick-lent"]) {
    const now = told(with1, { t: "stick-asked", ...ask() }, { t: "stick-asked", ...ask({ user_id: "u2" }) }, { t, ...ask() });
    assert.deepEqual(now.asks.map((one) => one.user_id), ["u2"], t);
  }
});

test("a share says which sticks are lent by it, one of each camera", () => {
  const lent = told(with1, { t: "stick-lent", ...loan() }, { t: "stick-lent", ...loan({ user_id: "u2" }) });
  assert.deepEqual(lent.shares[0].lent.map((one) => one.user_id), ["u2"]);
  assert.deepEqual(told(lent, { t: "stick-back", ...loan() }).shares[0].lent, []);
});

test("after a lost connection what is open counts, and its requests are there again", () => {
  const was = { ...keepNote(told(with1, { t: "stick-asked", ...ask({ share: "s9" }) }), note("n1")), following: "s1" };
  const now = keepShares(was, [share("s2", { requests: [ask({ share: "s2" })] })]);
  assert.deepEqual([now.shares.map((one) => one.id), now.asks.map((one) => one.share), now.unread, now.following], [["s2"], ["s2"], [], null]);
});

test("a note is kept once, and is unread only when it came from outside", () => {
  const now = told(with1, { t: "note", ...note("n1") }, { t: "note", ...note("n1") }, { t: "note", ...note("n2", { share: "s2", outside: false }) });
  assert.deepEqual([now.notes.s1.length, now.unread.map((one) => one.id)], [1, ["n1"]]);
});

test("an answer of the room, whoever gave it, is to all that was written before", () => {
  const now = told(with1, { t: "note", ...note("n1") }, { t: "note", ...note("n2", { outside: false }) }, { t: "note", ...note("n3") });
  assert.deepEqual(now.unread.map((one) => one.id), ["n3"]);
});

test("of all notes of a share those wait that nobody answered and nobody saw here", () => {
  const all = [note("n1"), note("n2", { outside: false }), note("n3"), note("n4")];
  const now = keepNotes(keepNote(with1, note("n3")), "s1", all, (one) => one.id === "n3");
  assert.deepEqual([now.notes.s1.length, now.unread.map((one) => one.id)], [4, ["n4"]]);
});

test("a note that was heard while all were asked for is not lost", () => {
  const late = note("n2", { at: "2026-01-01T10:00:05.000Z" });
  const now = keepNotes(keepNote(with1, late), "s1", [note("n1", { at: "2026-01-01T10:00:00.000Z" })], () => false);
  assert.deepEqual(now.unread.map((one) => one.id), ["n1", "n2"]);
});

test("a test's result takes the place of the test that ran", () => {
  const running = { id: "t1", organisation: "o1", at: "2026-01-01T10:00:00.000Z", result: "running" };
  const now = keepTest(keepTest(NOTHING_SHARED, running), { ...running, result: "passed" });
  assert.deepEqual(now.tests.o1.map((one) => one.result), ["passed"]);
});

test("who watches is what was told last", () => {
  const now = told(NOTHING_SHARED, { t: "watching", cameras: { c1: [1, 2] } }, { t: "watching", cameras: {} });
  assert.deepEqual(now.watching, {});
});

test("a camera is shown by the shares that run and have it", () => {
  const sharing = { ...NOTHING_SHARED, shares: [share("s1"), share("s2", { running: false }), share("s3", { cameras: ["c2"] })] };
  assert.deepEqual(sharesOf(sharing, "c1").map((one) => one.id), ["s1"]);
});

test("the room's usual partner comes first, and a disabled one not at all", () => {
  const organisations = [{ id: "a" }, { id: "b" }, { id: "c", disabled: true }];
  assert.deepEqual(partners({ ...NOTHING_SHARED, organisations, usual: { organisation: "b" } }).map((one) => one.id), ["b", "a"]);
  assert.deepEqual(partners({ ...NOTHING_SHARED, organisations }).map((one) => one.id), ["a", "b"]);
});

test("lengths are offered with the usual one, and none above the most", () => {
  assert.deepEqual(lengths(45, 100), [15, 30, 45, 60]);
});

test("an arrow stops at either end of the lengths", () => {
  const offered = [15, 30, 60];
  assert.deepEqual([nextLength(offered, 30, 1), nextLength(offered, 60, 1), nextLength(offered, 15, -1)], [60, 60, 15]);
});

test("to leave somebody out of a whole organisation names everybody else", () => {
  const organisation = { people: [{ user_id: "u1" }, { user_id: "u2" }] };
  assert.deepEqual(without(share("s1"), organisation, "u1"), ["u2"]);
  assert.deepEqual(without(share("s1", { recipients: ["u1", "u3"] }), organisation, "u1"), ["u3"]);
});

test("what is left counts down by the second within the hour", () => {
  assert.deepEqual([left(252_000), left(9_000), left(-5), left(3_900_000)], ["4:12", "0:09", "0:00", "1 h 5 min"]);
});

test("how long somebody has watched does not flicker by the second", () => {
  assert.deepEqual([since(40), since(200)], ["40 s", "3 min"]);
});

test("how well somebody sees is said with loss, delay and way", () => {
  const one = { name: "PC Smith", organisation: "Met", seconds: 200, connected: true, loss_percent: 2.5, rtt_ms: 34.4 };
  assert.equal(howWell(one), "2.5 % lost · 34 ms");
  assert.equal(howWell({ ...one, kind: "rtsps", rtt_ms: null }), "RTSPS · 2.5 % lost");
  assert.equal(howWell({ ...one, connected: false }), "no picture yet");
  assert.equal(watcherLine(one), "PC Smith, Met · 3 min · 2.5 % lost · 34 ms");
});

test("a picture suffers without a connection, by much loss or by much delay", () => {
  const well = { connected: true, loss_percent: 1, rtt_ms: 40 };
  const cases = [well, { ...well, connected: false }, { ...well, loss_percent: 5 }, { ...well, rtt_ms: 900 }, { ...well, rtt_ms: null }];
  assert.deepEqual(cases.map(suffers), [false, true, true, true, false]);
});

test("a share says what it is about", () => {
  assert.equal(about(share("s1", { reference: "CAD 12", stream: "sub", stills: true })), "CAD 12 · Live incident · small stream only · stills allowed · may ask for the stick");
  assert.equal(about(share("s1", { kind: "standing", reference: "MoU 7", may_ask_for_stick: false })), "standing, agreement MoU 7 · Live incident · no stick");
});

test("a test of a link is told as running, passed with who saw what, or failed", () => {
  const one = { at: "2026-01-01T10:00:00Z", ended: "2026-01-01T10:00:07Z", result: "running", seen_by: "PC Smith", frames: 30, width: 640, height: 360 };
  assert.match(testLine(one), /^Running since/);
  assert.match(testLine({ ...one, result: "passed" }), /seen by PC Smith, 30 pictures of 640 × 360/);
  assert.match(testLine({ ...one, result: "failed" }), /^Failed at .* nobody there saw/);
});

test("one of something is one, and an unknown organisation is left out", () => {
  assert.deepEqual([counted(1, "share", "shares"), counted(2, "share", "shares")], ["1 share", "2 shares"]);
  assert.deepEqual([named("PC Smith", "Met"), named("PC Smith", "")], ["PC Smith (Met)", "PC Smith"]);
});

test("the audit has words for all that is done with partners and shares", () => {
  const actions = [
    "partner.added", "partner.changed", "partner.removed", "partner.invited", "partner.invitation-withdrawn", "partner.enrolled",
    "partner.terms-accepted", "share.made", "share.changed", "share.reviewed", "share.ended", "share.note", "share.joined", "share.left",
    "share.room-test-started", "share.room-test", "steer.asked", "steer.refused", "steer.lent", "steer.taken-back",
  ];
  for (const action of actions) assert.notEqual(did({ action }), action.replace(".", " "), action);
});

test("what was shared and what is over is said of what is shared, to whom, and why it ended", () => {
  const one = share("s1", { title: "Camera 12, High Street", organisation_name: "Met" });
  const now = Date.parse("2026-01-01T10:00:00.000Z");
  assert.equal(madeWords(one, now), "“Camera 12, High Street” is shared with Met for 1 h.");
  assert.equal(madeWords({ ...one, follow: true }, now), "What you select is shared with Met for 1 h.");
  assert.equal(overWords({ ...one, ended: "2026-01-01T10:30:00.000Z" }), "“Camera 12, High Street” is no longer shared with Met.");
  assert.equal(overWords({ ...one, ended: one.end }), "“Camera 12, High Street” is no longer shared with Met: its time was up.");
});
