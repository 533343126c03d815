import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { h265, judged } from "../../../../gateway/console/static/app/live.js";
import { shownOf, withoutH265 } from "../../../../gateway/console/static/app/whep.js";
import { shownInstead } from "../../../../gateway/console/static/app/words.js";

const PLAIN = readFileSync(new URL("../../live/offers/chromium.sdp", import.meta.url), "utf8");
const CLAIMING = PLAIN.replaceAll("AV1/90000", "H265/90000");

const typesOf = (sdp) => sdp.match(/^m=video \S+ \S+ (.*?)\r?$/m)[1].split(" ");
const mapsOf = (sdp, name) => [...sdp.matchAll(new RegExp(`^a=rtpmap:(\\d+) ${name}/`, "gm"))].map(([, type]) => type);
const repairing = (sdp, types) => [...sdp.matchAll(/^a=fmtp:(\d+) apt=(\d+)/gm)].filter(([, , of]) => types.includes(of)).map(([, type]) => type);

test("an offer without H.265 is left as it is", () => {
  assert.equal(withoutH265(PLAIN), PLAIN);
});

test("H.265 and its retransmissions leave the offer, and nothing else does", () => {
  const own = mapsOf(CLAIMING, "H265");
  const gone = [...own, ...repairing(CLAIMING, own)];
  assert.equal(own.length, 2);
  assert.equal(gone.length, 4);
  const left = withoutH265(CLAIMING);
  assert.deepEqual(typesOf(left), typesOf(CLAIMING).filter((type) => !gone.includes(type)));
  const lines = (sdp) => sdp.split("\r\n").filter((line) => !line.startsWith("m=video"));
  assert.deepEqual(lines(left), lines(CLAIMING).filter((line) => !gone.some((type) => new RegExp(`^a=(rtpmap|fmtp|rtcp-fb):${type} `).test(line))));
  assert.equal(mapsOf(left, "H265").length, 0);
  assert.ok(mapsOf(left, "H264").length > 0);
});

test("a payload type of sound that bears the same number stays", () => {
  const sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 45\r\na=rtpmap:45 PCMU/8000\r\nm=video 9 UDP/TLS/RTP/SAVPF 45 96\r\na=rtpmap:45 h265/90000\r\na=rtpmap:96 VP8/90000\r\n";
  assert.equal(withoutH265(sdp), "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 45\r\na=rtpmap:45 PCMU/8000\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n");
});

test("the answer says what is shown", () => {
  const answer = "v=0\r\nm=audio 9 X 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 9 X 45 46\r\na=rtpmap:45 h265/90000\r\na=rtpmap:46 rtx/90000\r\n";
  assert.deepEqual(shownOf(new Headers({ "Sightline-Stream": "sub", "Sightline-Converted-From": "h265" }), answer), { stream: "sub", codec: "H265", convertedFrom: "h265" });
  assert.deepEqual(shownOf(new Headers({ "Sightline-Stream": "other" }), "v=0\r\n"), { stream: null, codec: "", convertedFrom: null });
});

const seen = { decoded: 0, received: 60, packets: 500, codec: "H265", forMs: 3500, sinceProgressMs: 3500 };

test("H.265 that comes and is not decoded is found out within seconds", () => {
  assert.equal(judged(seen), "undecoded");
  assert.equal(judged({ ...seen, forMs: 2900 }), "well");
});

test("H.265 that does not come whole is given longer: it may be the network", () => {
  assert.equal(judged({ ...seen, received: 2 }), "well");
  assert.equal(judged({ ...seen, received: 0, forMs: 5100 }), "undecoded");
});

test("H.265 that decodes, however little, is believed", () => {
  assert.equal(judged({ ...seen, decoded: 1 }), "well");
});

test("what does not come is silence, not a decoder that fails", () => {
  assert.equal(judged({ ...seen, received: 0, packets: 3, forMs: 7000, sinceProgressMs: 7000 }), "silent");
  assert.equal(judged({ ...seen, received: 0, packets: 0 }), "well");
});

test("other codings are given longer", () => {
  assert.equal(judged({ ...seen, codec: "H264" }), "well");
  assert.equal(judged({ ...seen, codec: "H264", forMs: 5100 }), "undecoded");
});

test("a picture that decoded and stopped is silent", () => {
  assert.equal(judged({ ...seen, decoded: 100, forMs: 60_000, sinceProgressMs: 6100 }), "silent");
});

test("a doubted browser stays doubted in this tab", () => {
  const kept = new Map();
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, value: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) } });
  assert.equal(h265.believed, true);
  h265.doubt();
  assert.equal(h265.believed, false);
});

test("a tab without storage believes, and doubts without complaint", () => {
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get: () => { throw new Error("denied"); } });
  h265.doubt();
  assert.equal(h265.believed, true);
});

test("a tile says what is shown in place of what was asked for", () => {
  assert.equal(shownInstead({ asked: "main", stream: "main", convertedFrom: null }), null);
  assert.equal(shownInstead({ asked: "main", stream: "sub", convertedFrom: null }).word, "sub stream");
  assert.match(shownInstead({ asked: "main", stream: "sub", convertedFrom: null }).why, /does not show the camera’s main stream/);
  const converted = shownInstead({ asked: "main", stream: "main", convertedFrom: "h265" });
  assert.equal(converted.word + converted.from, "converted from H.265");
  assert.match(converted.why, /server converts it/);
  assert.match(shownInstead({ asked: "sub", stream: "main", convertedFrom: "h265" }).why, /its main stream/);
});
