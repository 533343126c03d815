/**
 * What forms sent and no answer came to.
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../../gateway/console/static/app/api.js";
import { Unanswered } from "../../../../gateway/console/static/app/unanswered.js";

const APPROVE = '["yes","Serious."]';
const REFUSE = '["no","Serious."]';

/** One whose keys are counted. */
const forms = () => {
  let made = 0;
  return new Unanswered(() => `key-${(made += 1)}`);
};

/** Send, and have it fail so. @param {Unanswered} unanswered @param {string} given @param {number} status @param {object} said */
async function fails(unanswered, given, status, said = {}) {
  /** @type {unknown} */
  let sent;
  await assert.rejects(unanswered.send("decision", given, { ...said }, (it) => {
    sent = it;
    return Promise.reject(new ApiError({ type: "page", title: "No.", cure: "" }, status));
  }), ApiError);
  return sent;
}

test("without an answer it is sent again as it was, whatever follows from the form by now", async () => {
  const unanswered = forms();
  for (const status of [0, 502]) {
    assert.deepEqual(await fails(unanswered, APPROVE, status, { until: status }), { until: 0, key: "key-1" });
  }
});

test("once the form says otherwise it is another, and what it said before is itself again", async () => {
  const unanswered = forms();
  assert.deepEqual(await fails(unanswered, APPROVE, 0, { granted: true }), { granted: true, key: "key-1" });
  assert.deepEqual(await fails(unanswered, REFUSE, 0, { granted: false }), { granted: false, key: "key-2" });
  assert.deepEqual(await fails(unanswered, APPROVE, 0, { granted: true }), { granted: true, key: "key-1" });
});

test("an answer ends it, be it a refusal", async () => {
  const unanswered = forms();
  await fails(unanswered, APPROVE, 0);
  assert.equal(await unanswered.send("decision", APPROVE, {}, ({ key }) => Promise.resolve(key)), "key-1");
  assert.deepEqual(await fails(unanswered, APPROVE, 409), { key: "key-2" });
  assert.deepEqual(await fails(unanswered, APPROVE, 409), { key: "key-3" });
});

test("each form has its own", async () => {
  const unanswered = forms();
  assert.equal(unanswered.of("decision", APPROVE, {}).key, "key-1");
  assert.equal(unanswered.of("note", APPROVE, {}).key, "key-2");
});
