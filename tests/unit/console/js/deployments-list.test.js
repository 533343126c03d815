import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { deployments, loadDeployments } from "../../../../gateway/console/static/app/deployments.js";
import { PAGE } from "../../../../gateway/console/static/app/pages.js";
import { store } from "../../../../gateway/console/static/app/store.js";

const real = globalThis.fetch;

/** A gateway with so many deployments that stand, the newest first. @param {number} count */
function stand(count) {
  const all = Array.from({ length: count }, (_, index) => ({ id: `d${String(count - index).padStart(5, "0")}`, stage: "deployed", cameras: [] }));
  globalThis.fetch = async (path) => {
    const { pathname, searchParams } = new URL(path, "http://gateway");
    const before = searchParams.get("before");
    const older = all.filter(({ id, stage }) => stage === searchParams.get("stage") && (before === null || id < before));
    return Response.json(pathname === "/api/v1/deployments" ? older.slice(0, PAGE) : pathname.endsWith("/rules") ? {} : []);
  };
  return all;
}

beforeEach(() => store.set({ lock: "open", user: /** @type {any} */ ({ id: "u", permissions: ["deploy"] }) }));

afterEach(() => {
  globalThis.fetch = real;
  deployments.forget();
  store.reset("starting");
});

test("the room knows the oldest that stands, however many stand", async () => {
  const all = stand(2 * PAGE + 1);
  await loadDeployments();
  assert.deepEqual(deployments.state.standing, all);
  assert.equal(deployments.cutWords, "");
});

test("what is too much to be shown is said to be", async () => {
  stand(21 * PAGE);
  await loadDeployments();
  assert.equal(deployments.state.standing.length, 20 * PAGE);
  assert.match(deployments.cutWords, /^Only the newest 2000 /);
});
