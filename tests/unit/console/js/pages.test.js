import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE, everyOf, pagesOf } from "../../../../gateway/console/static/app/pages.js";

/** A gateway with so many deployments that stand, the newest first. */
function gateway(count) {
  const asked = [];
  const all = Array.from({ length: count }, (_, index) => ({ id: `d${String(count - index).padStart(4, "0")}` }));
  const get = async (path) => {
    asked.push(path);
    const { searchParams } = new URL(path, "http://gateway");
    const before = searchParams.get("before");
    return all.filter(({ id }) => before === null || id < before).slice(0, PAGE);
  };
  return { get, asked, all };
}

test("the oldest that stands is read too, however many stand", async () => {
  const { get, asked, all } = gateway(2 * PAGE + 1);
  assert.deepEqual(await everyOf(get, "deployed"), all);
  assert.deepEqual(asked, ["/deployments?stage=deployed", "/deployments?stage=deployed&before=d0102", "/deployments?stage=deployed&before=d0002"]);
});

test("a list that fills its last page ends, and a short one is asked for once", async () => {
  const full = gateway(PAGE);
  assert.deepEqual([(await everyOf(full.get, "planned")).length, full.asked.length], [PAGE, 2]);
  const short = gateway(3);
  assert.deepEqual([(await everyOf(short.get, "planned")).length, short.asked.length], [3, 1]);
});

test("a list with a bound says that it was cut, and only then", async () => {
  const { get, asked, all } = gateway(3 * PAGE);
  assert.deepEqual(await pagesOf(get, "deployed", 2), { found: all.slice(0, 2 * PAGE), cut: true });
  assert.equal(asked.length, 2);
  const within = gateway(2 * PAGE - 1);
  assert.deepEqual(await pagesOf(within.get, "deployed", 2), { found: within.all, cut: false });
});
