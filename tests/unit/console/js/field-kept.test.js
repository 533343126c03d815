import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "../../../../gateway/console/static/field/kept.js";

/** A browser's database that tells how it was asked, and can be taken away. */
class Shelf {
  asked = [];
  opened = 0;
  gone = false;
  open() {
    this.opened += 1;
    this.gone = false;
    const request = { result: this };
    setImmediate(() => request.onsuccess());
    return request;
  }
  transaction(shelf, mode, options = {}) {
    if (this.gone) throw new DOMException("closed", "InvalidStateError");
    this.asked.push([shelf, mode, options.durability ?? null]);
    const transaction = { objectStore: () => ({ put: () => ({ result: 1 }), delete() {} }) };
    setImmediate(() => transaction.oncomplete());
    return transaction;
  }
}

function kept() {
  const shelf = new Shelf();
  globalThis.indexedDB = shelf;
  return { shelf, kept: new Kept() };
}

test("what is to outlive a flat battery is written to the disk before it is said to be kept", async () => {
  const { shelf, kept: it } = kept();
  assert.deepEqual(await it.put("outbox", [{ step: "photos" }]), [1]);
  assert.deepEqual(shelf.asked, [["outbox", "readwrite", "strict"]]);
});

test("a database that the browser took from a page out of sight is opened again", async () => {
  const { shelf, kept: it } = kept();
  await it.drop("outbox", [1]);
  shelf.gone = true;
  await it.drop("outbox", [2]);
  assert.deepEqual([shelf.opened, shelf.asked.length], [2, 2]);
  shelf.onclose();
  await it.drop("outbox", [3]);
  assert.equal(shelf.opened, 3);
});
