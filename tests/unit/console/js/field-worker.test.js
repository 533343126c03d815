import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const CODE = readFileSync(new URL("../../../../gateway/console/static/field/worker.js", import.meta.url), "utf-8");
const HERE = "https://gateway.example";

/** The worker as a browser starts it; returns how often it took over once it was told something. */
function told(event) {
  const heard = {};
  let taken = 0;
  const self = {
    importScripts: () => (self.SHELL = { version: "1", files: ["/field"], later: [] }),
    addEventListener: (name, listener) => (heard[name] = listener),
    skipWaiting: async () => void (taken += 1),
  };
  vm.runInNewContext(CODE, { self, location: new URL(`${HERE}/field/worker.js`), URL, Set });
  heard.message(event);
  return taken;
}

const PAGE = { type: "window", url: `${HERE}/field` };
const ASKED = { data: "take over", origin: HERE, source: PAGE };

test("the field page may have its worker take over", () => {
  assert.equal(told(ASKED), 1);
  assert.equal(told({ ...ASKED, source: { ...PAGE, url: `${HERE}/field?from=home#list` } }), 1);
});

test("nobody else may", () => {
  assert.equal(told({ ...ASKED, origin: "https://elsewhere.example" }), 0);
  assert.equal(told({ ...ASKED, origin: "" }), 0);
  assert.equal(told({ ...ASKED, source: { ...PAGE, url: "https://elsewhere.example/field" } }), 0);
  assert.equal(told({ ...ASKED, source: { ...PAGE, url: `${HERE}/watch` } }), 0);
  assert.equal(told({ ...ASKED, source: { type: "worker", url: `${HERE}/field/worker.js` } }), 0);
  assert.equal(told({ ...ASKED, source: null }), 0);
});

test("another word is none", () => {
  for (const data of ["take", "", null, undefined, { take: "over" }, ["take over"]]) assert.equal(told({ ...ASKED, data }), 0);
});
