import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../../gateway/console/static/app/api.js";
import { Outbox, newKey, ofOthers, passes } from "../../../../gateway/console/static/field/outbox.js";

class Shelves {
  rows = new Map();
  last = 0;
  async all() {
    return [...this.rows.values()].sort((one, other) => one.n - other.n);
  }
  async put(_, values) {
    return values.map((value) => {
      const n = value.n ?? ++this.last;
      this.rows.set(n, { ...value, n });
      return n;
    });
  }
  async drop(_, keys) {
    for (const key of keys) this.rows.delete(key);
  }
}

const refused = (status, type = "deployments.step") => new ApiError({ type, title: "No." }, status);

function box(answers = {}) {
  const sent = [];
  const shelves = new Shelves();
  const outbox = new Outbox({
    shelves,
    async post(one) {
      const answer = answers[one.step];
      if (answer) throw answer;
      sent.push(one.step);
      return { id: one.deployment };
    },
    heard: async () => {},
    changed: () => {},
    alone: (work) => work(),
  });
  const put = (...steps) => outbox.put(steps.map(([step, deployment = "d1", user = "anne"]) => ({ step, deployment, user, key: newKey(), said: {}, photo: null, words: step, at: 0 })));
  return { outbox, sent, shelves, put, answers };
}

test("steps go in the order in which they were taken", async () => {
  const { outbox, sent, put } = box();
  await put(["photos"], ["signs-up"]);
  await put(["installation"]);
  assert.equal(await outbox.send("anne"), null);
  assert.deepEqual(sent, ["photos", "signs-up", "installation"]);
  assert.deepEqual(outbox.waiting, []);
});

test("without a network everything stays, and goes later under the same keys", async () => {
  const { outbox, sent, put, answers } = box({ photos: refused(0, "network.unreachable") });
  await put(["photos"], ["signs-up"]);
  const keys = outbox.waiting.map(({ key }) => key);
  assert.deepEqual(await outbox.send("anne"), { retryAfterS: null });
  assert.deepEqual(sent, []);
  assert.deepEqual(outbox.waiting.map(({ key }) => key), keys);
  delete answers.photos;
  assert.equal(await outbox.send("anne"), null);
  assert.deepEqual(sent, ["photos", "signs-up"]);
});

test("what is refused holds back what follows it there, and nothing of other deployments", async () => {
  const { outbox, sent, put } = box({ "signs-up": refused(409) });
  await put(["signs-up"], ["installation"], ["notes", "d2"]);
  assert.equal(await outbox.send("anne"), null);
  assert.deepEqual(sent, ["notes"]);
  assert.deepEqual(outbox.waiting.map(({ step, refused: why }) => [step, why?.title ?? null]), [["signs-up", "No."], ["installation", null]]);
});

test("what was refused is tried again, or left out, when somebody says so", async () => {
  const { outbox, sent, put } = box({ "signs-up": refused(409) });
  await put(["signs-up"], ["installation"]);
  await outbox.send("anne");
  await outbox.retry(outbox.waiting[0]);
  assert.equal(outbox.waiting[0].refused, null);
  await outbox.send("anne");
  await outbox.leaveOut(outbox.waiting[0]);
  await outbox.send("anne");
  assert.deepEqual(sent, ["installation"]);
});

test("nobody sends what somebody else did", async () => {
  const { outbox, sent, put } = box();
  await put(["notes", "d1", "anne"], ["notes", "d1", "bob"]);
  await outbox.send("bob");
  assert.deepEqual(sent, ["notes"]);
  assert.deepEqual(outbox.waiting.map(({ user }) => user), ["anne"]);
});

test("a step that the gateway takes for somebody else's waits, unrefused, for whoever took it", async () => {
  const { outbox, sent, put } = box({ notes: refused(409, "api.another-user") });
  await put(["notes"], ["installation"]);
  assert.deepEqual(await outbox.send("anne"), { retryAfterS: null });
  assert.deepEqual(sent, []);
  assert.deepEqual(outbox.waiting.map(({ refused: why }) => why), [null, null]);
});

test("of others is said whose steps wait, and how many", () => {
  const waiting = [["anne", "Anne"], ["bob", "Bob"], ["anne", "Anne"]].map(([user, name]) => ({ user, name }));
  assert.deepEqual(ofOthers(waiting, "bob"), [{ name: "Anne", count: 2 }]);
  assert.deepEqual(ofOthers(waiting, undefined), [{ name: "Anne", count: 2 }, { name: "Bob", count: 1 }]);
});

test("what was taken while it sends goes too", async () => {
  const { outbox, sent, put } = box();
  let more = true;
  outbox.heard = async () => {
    if (more) await put(["installation"]);
    more = false;
  };
  await put(["signs-up"]);
  await outbox.send("anne");
  assert.deepEqual(sent, ["signs-up", "installation"]);
});

test("the network, the server's health and the session pass; a step's refusal does not", () => {
  for (const status of [0, 401, 429, 500, 503]) assert.ok(passes(refused(status)), String(status));
  assert.ok(passes(refused(403, "access.locked")));
  for (const status of [403, 404, 409, 413, 422]) assert.ok(!passes(refused(status)), String(status));
});

test("keys are as the API takes them, and differ", () => {
  assert.match(newKey(), /^[A-Za-z0-9_-]{8,64}$/);
  assert.notEqual(newKey(), newKey());
});

test("what was sent is not sent again though the phone is too full to keep the answer", async () => {
  const { outbox, sent, put } = box();
  outbox.heard = () => Promise.reject(new Error("full"));
  await put(["photos"], ["signs-up"]);
  await assert.rejects(outbox.send("anne"), /full/);
  assert.deepEqual([sent, (await outbox.shelves.all()).map(({ step }) => step)], [["photos"], ["signs-up"]]);
});

/** Steps of one deployment as they wait, under the numbers they were given. */
const steps = ({ waiting }) => waiting.map(({ step, said, refused: why }) => [step, said.kind ?? null, why !== null]);

/** Take steps at one place, at once. */
const takes = (outbox, at, ...taken) =>
  outbox.put(taken.map(([step, said = {}]) => ({ step, said, deployment: "d1", user: "anne", name: "Anne", key: newKey(), photo: null, words: step, at })));

test("what a refused step lacked goes ahead of it, and it is tried again", async () => {
  const { outbox, sent, answers } = box({ installation: refused(409) });
  await takes(outbox, 1, ["installation"], ["notes"]);
  await takes(outbox, 2, ["photos", { kind: "unit" }]);
  await outbox.send("anne");
  await takes(outbox, 3, ["photos", { kind: "sign-up" }], ["signs-up"]);
  assert.deepEqual(steps(outbox), [["photos", "sign-up", false], ["signs-up", null, false], ["installation", null, false], ["notes", null, false], ["photos", "unit", false]]);
  delete answers.installation;
  await outbox.send("anne");
  assert.deepEqual(sent, ["photos", "signs-up", "installation", "notes", "photos"]);
});

test("what is done anew goes in the place of what was refused, with its photo", async () => {
  const { outbox, answers } = box({ photos: refused(415) });
  await takes(outbox, 1, ["photos", { kind: "sign-up" }], ["signs-up"]);
  await takes(outbox, 2, ["installation"]);
  await outbox.send("anne");
  const old = outbox.waiting.slice(0, 2).map(({ key }) => key);
  await takes(outbox, 3, ["photos", { kind: "sign-up" }], ["signs-up"]);
  assert.deepEqual(steps(outbox), [["photos", "sign-up", false], ["signs-up", null, false], ["installation", null, false]]);
  assert.ok(!outbox.waiting.some(({ key }) => old.includes(key)));
  delete answers.photos;
  assert.equal(await outbox.send("anne"), null);
  assert.deepEqual(outbox.waiting, []);
});

test("what comes after a refused step in the work stays after it", async () => {
  const { outbox, sent } = box({ "sign-off": refused(409) });
  await takes(outbox, 1, ["sign-off"]);
  await outbox.send("anne");
  await takes(outbox, 2, ["removal"]);
  await takes(outbox, 3, ["reviews"]);
  await outbox.send("anne");
  assert.deepEqual([sent, outbox.waiting.map(({ step }) => step)], [[], ["sign-off", "removal", "reviews"]]);
});
