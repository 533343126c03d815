import assert from "node:assert/strict";
import { test } from "node:test";
import { CLOCKS_APART_MS, FROZEN_AFTER_MS, Freshness, LATE_AFTER_MS, STILL_AFTER_MS, fingerprint, known, liveTitle, liveWords, oldWords } from "../../../../gateway/console/static/app/freshness.js";

test("without a frame there is no age", () => {
  assert.deepEqual(new Freshness().verdict(1000), { state: "none", ageMs: null, basis: null });
});

test("the age is reckoned from the capture where it is known", () => {
  const picture = new Freshness();
  picture.frame(1000, 990, 920);
  assert.deepEqual(picture.verdict(1010), { state: "live", ageMs: 90, basis: "capture" });
});

test("the age is reckoned from the arrival where the capture is not known, and says so", () => {
  const picture = new Freshness();
  picture.frame(1000, 990, null);
  assert.deepEqual(picture.verdict(1010), { state: "live", ageMs: 20, basis: "arrival" });
});

test("a picture without new frames stands still within three seconds, and its age goes on growing", () => {
  const picture = new Freshness();
  picture.frame(1000, 1000, 950);
  assert.ok(STILL_AFTER_MS < 2700);
  assert.equal(picture.verdict(1000 + STILL_AFTER_MS).state, "live");
  assert.deepEqual(picture.verdict(1001 + STILL_AFTER_MS), { state: "still", ageMs: 51 + STILL_AFTER_MS, basis: "capture" });
});

test("frames that come steadily but were captured long ago are late, not live", () => {
  const picture = new Freshness();
  picture.frame(10_000, 10_000, 9_990 - LATE_AFTER_MS);
  assert.equal(picture.verdict(10_000).state, "late");
});

test("frames whose pixels never change are frozen, and a changed pixel makes them live again", () => {
  const picture = new Freshness();
  const last = 1000 + FROZEN_AFTER_MS + 100;
  for (let at = 1000; at <= last; at += 100) {
    picture.frame(at, at, at - 50);
    picture.pixels(7, at);
  }
  assert.equal(picture.verdict(last).state, "frozen");
  picture.pixels(8, last);
  assert.equal(picture.verdict(last).state, "live");
});

test("a page that was hidden calls the picture live with the next frame, not before", () => {
  const picture = new Freshness();
  picture.frame(1000, 1000, null);
  picture.resume(60_000);
  assert.notEqual(picture.verdict(60_010).state, "live");
  picture.frame(60_050, 60_040, null);
  assert.equal(picture.verdict(60_060).state, "live");
});

test("an age is never below nothing, whatever the clocks say", () => {
  const picture = new Freshness();
  picture.frame(1000, 1000, 1000 + CLOCKS_APART_MS);
  assert.equal(picture.verdict(1001).ageMs, 0);
});

test("a clock that has pictures captured after they arrive says nothing of their age", () => {
  const picture = new Freshness();
  picture.frame(1000, 990, 991 + CLOCKS_APART_MS);
  assert.deepEqual(picture.verdict(1010), { state: "live", ageMs: 20, basis: "arrival" });
});

test("no age stands beside live unless it is known when the picture was captured", () => {
  const told = { state: "live", ageMs: 40, basis: "capture" };
  assert.equal(liveWords(told, 90), "90 ms");
  assert.equal(liveWords(known(told, true), 90), "90 ms");
  assert.equal(liveWords(known(told, undefined), 90), "90 ms");
  assert.equal(liveWords(known(told, false), 90), "age unknown");
  assert.equal(liveWords({ ...told, basis: "arrival" }, 90), "age unknown");
  assert.match(liveTitle({ ...told, basis: "arrival" }, 90), /^nobody knows when .* it arrived 90 ms ago$/);
});

test("a picture whose capture is not known is at least as old as it is here", () => {
  assert.equal(oldWords({ state: "still", ageMs: 4200, basis: "capture" }), "4.2 s");
  assert.equal(oldWords({ state: "still", ageMs: 4200, basis: "arrival" }), "at least 4.2 s");
});

test("one changed byte changes the fingerprint", () => {
  const pixels = new Uint8ClampedArray(64).fill(9);
  const before = fingerprint(pixels);
  pixels[40] = 10;
  assert.notEqual(fingerprint(pixels), before);
});
