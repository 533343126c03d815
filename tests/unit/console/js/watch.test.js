import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Events } from "../../../../gateway/console/static/app/events.js";
import { ASK_MS, HostWatch, forgetHosts, historyOf } from "../../../../gateway/console/static/app/host-watch.js";
import { store } from "../../../../gateway/console/static/app/store.js";

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};
const host = { index: 0, name: "sightline-host@0", up: true, problem: null, load: null, cameras: { assigned: 1, live: 1, to_record: 1, recording: 1 } };

let asked = [];
let answer = async () => Response.json([host]);
let page;
const real = { fetch: globalThis.fetch, document: globalThis.document, WebSocket: globalThis.WebSocket, location: globalThis.location };

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  asked = [];
  answer = async () => Response.json([host]);
  page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  globalThis.document = page;
  globalThis.fetch = async (path) => {
    asked.push(path);
    return answer(path);
  };
});

afterEach(() => {
  mock.timers.reset();
  forgetHosts();
  store.reset("signed-out");
  Object.assign(globalThis, real);
});

/** @param {number} ms */
async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

test("hosts are asked for every two seconds while they are looked at, and not after", async () => {
  const watch = new HostWatch(() => {});
  await settled();
  await pass(ASK_MS);
  await pass(ASK_MS);
  assert.deepEqual(asked, Array(3).fill("/api/v1/hosts"));
  assert.equal(historyOf(host).samples.length, 3);
  watch.end();
  await pass(10 * ASK_MS);
  assert.equal(asked.length, 3);
});

test("a slow gateway is asked no second question before it answers the first", async () => {
  let reply = (/** @type {Response} */ _) => {};
  answer = () => new Promise((resolve) => (reply = resolve));
  const watch = new HostWatch(() => {});
  await settled();
  await pass(10 * ASK_MS);
  void watch.ask();
  assert.equal(asked.length, 1);
  reply(Response.json([host]));
  await settled();
  await pass(ASK_MS);
  assert.equal(asked.length, 2);
  watch.end();
});

test("a refusal is not asked for again, a failure is, and what was known is kept", async () => {
  const watch = new HostWatch(() => {});
  await settled();
  answer = async () => Response.json({ type: "sightline.bug", title: "Broken." }, { status: 500 });
  await pass(ASK_MS);
  assert.equal(watch.problem?.title, "Broken.");
  assert.deepEqual(watch.hosts, [host]);
  answer = async () => Response.json({ type: "access.forbidden", title: "No." }, { status: 403 });
  await pass(ASK_MS);
  assert.equal(asked.length, 3);
  await pass(10 * ASK_MS);
  assert.equal(asked.length, 3);
  answer = async () => Response.json([host]);
  await watch.ask();
  assert.equal(watch.problem, null);
  watch.end();
});

test("a page that is not seen asks nothing, and asks at once when it is seen again", async () => {
  page.visibilityState = "hidden";
  const watch = new HostWatch(() => {});
  await settled();
  await pass(10 * ASK_MS);
  assert.equal(asked.length, 1);
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(asked.length, 2);
  watch.end();
});

test("viewers are asked for of the host that is opened, and an answer for another is passed over", async () => {
  const late = [];
  answer = async (path) => (path.endsWith("/viewers") ? new Promise((resolve) => late.push(resolve)) : Response.json([host]));
  const watch = new HostWatch(() => {});
  await settled();
  watch.open(0);
  await settled();
  assert.equal(asked.at(-1), "/api/v1/hosts/0/viewers");
  watch.open(1);
  late[0](Response.json([{ id: "v0" }]));
  await settled();
  assert.equal(watch.viewers, null);
  await pass(0);
  assert.equal(asked.at(-1), "/api/v1/hosts/1/viewers");
  late[1](Response.json([{ id: "v1" }]));
  await settled();
  assert.deepEqual(watch.viewers, [{ id: "v1" }]);
  watch.end();
});

test("what many cameras tell together is drawn once, each with its newest state", () => {
  /** @type {any} */
  let socket;
  globalThis.location = { protocol: "https:", host: "room.example" };
  globalThis.WebSocket = class {
    constructor() {
      socket = this;
    }
    close() {}
  };
  const cameras = Array.from({ length: 900 }, (_, number) => ({ id: String(number), number, state: { live: "live" } }));
  store.set({ cameras });
  const events = new Events(async () => {});
  let drawn = 0;
  const leave = store.subscribe(() => (drawn += 1));
  const tell = (id, live) => socket.onmessage({ data: JSON.stringify({ t: "camera", id, state: { live } }) });
  for (const { id } of cameras) tell(id, "off");
  tell("7", "live");
  assert.equal(drawn, 0);
  mock.timers.tick(60);
  assert.equal(drawn, 1);
  assert.equal(store.state.cameras.filter(({ state }) => state.live === "off").length, 899);
  assert.equal(store.state.cameras[7].state.live, "live");
  events.end();
  leave();
});

test("since when a camera is away with its host is kept until it is back", async () => {
  const { keepCameras } = await import("../../../../gateway/console/static/app/store.js");
  const camera = (live, problem = null) => [{ id: "a", number: 1, state: { live, problem } }];
  const gone = { type: "host.unreachable", title: "" };
  keepCameras(camera("off", gone), 1000);
  keepCameras(camera("off", gone), 5000);
  assert.deepEqual(store.state.away, { a: 1000 });
  keepCameras(camera("live"), 6000);
  assert.deepEqual(store.state.away, {});
});
