import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ApiError, hooks, request } from "../../../../gateway/console/static/app/api.js";

const before = { ...hooks, fetch: globalThis.fetch };
afterEach(() => {
  Object.assign(hooks, { shown: before.shown, another: before.another });
  globalThis.fetch = before.fetch;
});

/** @param {Response} answer @returns {(string | null)[]} in whose name each was asked */
function answering(answer) {
  const asked = [];
  globalThis.fetch = async (_, { headers }) => {
    asked.push(headers.get("Sightline-User"));
    return answer.clone();
  };
  return asked;
}

test("a page that may have slept says whom it shows, and a step whose it is", async () => {
  const asked = answering(Response.json({}));
  hooks.shown = () => "anne";
  await request("/api/v1/deployments");
  await request("/api/v1/deployments/1/notes", { method: "POST", headers: { "Sightline-User": "bob" } });
  assert.deepEqual(asked, ["anne", "bob"]);
});

test("who is here is asked in nobody's name", async () => {
  const asked = answering(Response.json({}));
  hooks.shown = () => "anne";
  for (const path of ["/api/v1/session", "/api/v1/session/confirm", "/api/v1/setup"]) await request(path);
  assert.deepEqual(asked, [null, null, null]);
});

test("a refusal because somebody else is in has the page find out who", async () => {
  answering(Response.json({ type: "api.another-user", title: "No." }, { status: 409 }));
  let found = 0;
  hooks.another = () => (found += 1);
  await assert.rejects(request("/api/v1/deployments"), ApiError);
  assert.equal(found, 1);
});
