/**
 * What a page loads later: when it is wanted, once, and again only when somebody asks.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Later } from "../../../../gateway/console/static/app/later.js";

const quiet = (/** @type {import("node:test").TestContext} */ t) => t.mock.method(console, "warn", () => {});

/** @param {Record<string, () => Promise<unknown>>} loads */
function later(loads) {
  const told = { times: 0 };
  return { parts: new Later(loads, () => (told.times += 1)), told };
}

test("what is not named is here, and what is named is coming until it has come", async () => {
  let loaded = 0;
  const { parts, told } = later({ people: async () => (loaded += 1) });
  assert.equal(parts.is("steer"), "here");
  assert.equal(parts.is("people"), "coming");
  assert.equal(loaded, 0);
  await Promise.all([parts.need("people"), parts.need("people"), parts.need("steer")]);
  await parts.need("people");
  assert.deepEqual([parts.is("people"), loaded, told.times], ["here", 1, 1]);
});

test("what did not come is tried again when somebody asks, and not before", async (t) => {
  quiet(t);
  const answers = [new TypeError("Failed to fetch"), null];
  let loaded = 0;
  const { parts } = later({
    async people() {
      loaded += 1;
      const answer = answers.shift();
      if (answer) throw answer;
    },
  });
  await parts.need("people");
  await parts.need("people");
  await parts.rest();
  assert.deepEqual([parts.is("people"), loaded], ["failed", 1]);
  const again = parts.again("people");
  assert.equal(parts.is("people"), "coming");
  await again;
  await parts.again("people");
  assert.deepEqual([parts.is("people"), loaded], ["here", 2]);
});

test("the rest comes one after the other, also past one that does not come", async (t) => {
  quiet(t);
  /** @type {string[]} */
  const order = [];
  const load = (/** @type {string} */ name) => async () => {
    order.push(`${name} asked`);
    await Promise.resolve();
    order.push(`${name} came`);
    if (name === "audit") throw new TypeError("Failed to fetch");
  };
  const { parts } = later({ audit: load("audit"), people: load("people") });
  await parts.rest();
  assert.deepEqual(order, ["audit asked", "audit came", "people asked", "people came"]);
  assert.deepEqual([parts.is("audit"), parts.is("people")], ["failed", "here"]);
});
