import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { hooks } from "../../../../gateway/console/static/app/api.js";
import { settle } from "../../../../gateway/console/static/app/leaving.js";
import { begin, signIn, signOut, wear } from "../../../../gateway/console/static/app/session.js";
import { store } from "../../../../gateway/console/static/app/store.js";

const before = { ...hooks };
const real = { fetch: globalThis.fetch, location: globalThis.location, setTimeout, clearTimeout };
const SIGNED_OUT = () => Response.json({ title: "Sign in." }, { status: 401 });
const IN = (id) => () => Response.json({ user: { id, name: id, role: "operator" } });
const OUT = () => new Response(null, { status: 204 });
const lost = () => Promise.reject(new TypeError("no network"));

let asked = [];
/** What each request is answered, by its method and path; the network is away where nothing is. */
let answers = {};
let came = 0;
/** What is to be done when, by its number. Node's own mock takes out another than the one that is cleared, where that has run. @type {Map<number, {at: number, work: () => void}>} */
const timers = new Map();
let [now, last] = [0, 0];

const settled = async () => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
};
const pass = async (ms) => {
  await settled();
  now += ms;
  for (const [id, { at, work }] of [...timers]) if (at <= now && timers.delete(id)) work();
  await settled();
};

/** Sign out, as long as the page waits for what is closed before. */
async function leave() {
  const leaving = signOut();
  await pass(50);
  await leaving;
}

beforeEach(() => {
  timers.clear();
  globalThis.setTimeout = (work, ms) => (timers.set((last += 1), { at: now + ms, work }), last);
  globalThis.clearTimeout = (id) => void timers.delete(id);
  [asked, answers, came] = [[], {}, 0];
  wear({ astray: () => false, came: async () => void (came += 1), leaving() {}, gone() {}, shut() {}, opened: async () => {} });
  globalThis.location = { hash: "", assign() {} };
  globalThis.fetch = async (path, { method = "GET", headers }) => {
    const what = `${method} ${path.replace("/api/v1", "")}`;
    asked.push([what, headers.get("Sightline-User")]);
    return (answers[what] ?? lost)();
  };
});

afterEach(async () => {
  await settle();
  store.reset("starting");
  Object.assign(hooks, before);
  Object.assign(globalThis, real);
});

test("who signs out without a network does not come in again with it: their session is ended first", async () => {
  store.set({ session: "signed-in", user: { id: "anne" } });
  await leave();
  assert.deepEqual([store.state.session, store.state.user, store.state.leaving], ["unreachable", null, true]);
  await pass(2000);
  assert.deepEqual(asked, [["DELETE /session", "anne"], ["DELETE /session", "anne"]]);
  answers = { "DELETE /session": OUT, "GET /session": SIGNED_OUT, "GET /setup": () => Response.json({ needed: false }) };
  asked = [];
  await pass(2000);
  assert.deepEqual(asked.map(([what]) => what), ["DELETE /session", "GET /session", "GET /setup"]);
  assert.deepEqual([store.state.session, store.state.leaving, came], ["signed-out", false, 0]);
});

test("who signs out of a page that was begun without a network is not let in by it afterwards", async () => {
  hooks.shown = () => "anne";
  let answer;
  answers = { "GET /session": () => new Promise((resolve) => (answer = resolve)) };
  const beginning = begin();
  await settled();
  await leave();
  answer(IN("anne")());
  await beginning;
  assert.deepEqual([store.state.session, came], ["unreachable", 0]);
  answers = { "GET /session": IN("anne") };
  await pass(2000);
  assert.deepEqual([store.state.session, came], ["unreachable", 0]);
});

test("a gateway that fails does not know yet, and one by which it is over does", async () => {
  store.set({ session: "signed-in", user: { id: "anne" } });
  answers = { "DELETE /session": () => Response.json({ title: "Wait." }, { status: 503 }) };
  await leave();
  assert.ok(store.state.leaving);
  answers = { "DELETE /session": SIGNED_OUT, "GET /session": SIGNED_OUT, "GET /setup": () => Response.json({ needed: false }) };
  await pass(2000);
  assert.deepEqual([store.state.session, store.state.leaving], ["signed-out", false]);
});

test("whoever signed in beside it meanwhile is not signed out", async () => {
  store.set({ session: "signed-in", user: { id: "anne" } });
  await leave();
  answers = { "DELETE /session": () => Response.json({ type: "api.another-user", title: "No." }, { status: 409 }), "GET /session": IN("bob") };
  await pass(2000);
  assert.deepEqual([store.state.session, store.state.user.id, came], ["signed-in", "bob", 1]);
});

test("with a network it is told once, and a sign-in on another page is preceded by what is owed", async () => {
  store.set({ session: "signed-in", user: { id: "anne" } });
  answers = { "DELETE /session": OUT };
  await leave();
  assert.deepEqual([store.state.session, asked.length], ["signed-out", 1]);
  store.set({ session: "signed-in", user: { id: "anne" } });
  answers = {};
  await leave();
  asked = [];
  answers = { "DELETE /session": OUT, "POST /session": IN("bob") };
  await signIn("bob", "secret");
  assert.deepEqual(asked.map(([what]) => what), ["DELETE /session", "POST /session"]);
  assert.equal(store.state.user.id, "bob");
});
