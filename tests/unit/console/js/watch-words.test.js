import assert from "node:assert/strict";
import test from "node:test";
import { shownOf } from "../../../../gateway/console/static/watch/words.js";

const FACTS = { tampered: false, host: "cctv.example.org" };
const report = (more) => ({
  state: "playing", problem: null, stream: "main", asked: "main", convertedFrom: null, verdict: { state: "none", ageMs: null, basis: null }, ...more,
});

test("where nothing gets through, what is known is said and nobody's network is blamed", () => {
  const problem = { type: "live.unreached", title: "No picture.", detail: "UDP, TCP, a relay" };
  const { title, detail } = shownOf(report({ state: "waiting", problem }), { live: true }, FACTS);
  assert.equal(title, "No picture gets through.");
  assert.match(detail, /^Nothing comes between this device and cctv\.example\.org \(tried: UDP, TCP, a relay\)\. Ask the control room's administrator and your own network's;/);
});

test("a picture that stands is at least as old as it is here, where its capture is not known", () => {
  const verdict = { state: "still", ageMs: 4200, basis: "arrival" };
  assert.equal(shownOf(report({ verdict }), { live: true }, FACTS).title, "This picture stands still: it is at least 4.2 s old.");
});
