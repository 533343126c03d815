import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../../gateway/console/static/app/backoff.js";
import { refusal } from "../../../../gateway/console/static/app/api.js";
import { iceServers, serversNamed, serversOf } from "../../../../gateway/console/static/app/ice.js";
import { fragmentOf, restartedAnswer, soundApart, waysOf, withReferenceTimes } from "../../../../gateway/console/static/app/whep.js";
import { forStatus, gapCause, line, linkState, say } from "../../../../gateway/console/static/app/words.js";

test("waits grow, are capped, and spread by full jitter", () => {
  const backoff = new Backoff({ firstMs: 100, capMs: 500, random: () => 1 });
  assert.deepEqual([0, 0, 0, 0].map((now) => backoff.failed(now)), [100, 200, 400, 500]);
  assert.equal(new Backoff({ random: () => 0 }).failed(0), 0);
});

test("a healthy minute starts the waits anew, a healthy moment does not", () => {
  const backoff = new Backoff({ firstMs: 100, capMs: 10_000, random: () => 1 });
  backoff.failed(0);
  backoff.healthy(1000);
  assert.equal(backoff.failed(2000), 200);
  backoff.healthy(3000);
  assert.equal(backoff.failed(63_000), 100);
});

test("a refusal carries the server's own words and when to come again", async () => {
  const body = JSON.stringify({ type: "live.full", title: "The host is full.", detail: "Close a picture." });
  const error = await refusal(new Response(body, { status: 503, headers: { "Content-Type": "application/problem+json", "Retry-After": "2" } }));
  assert.equal(line(error.problem), "The host is full. Close a picture.");
  assert.equal(error.retryAfterS, 2);
});

test("a refusal without words gets ours", async () => {
  const error = await refusal(new Response("oops", { status: 502 }));
  assert.match(error.problem.title, /502/);
  assert.equal(error.retryAfterS, null);
});

test("what is not a problem is still said in a sentence", () => {
  assert.equal(say(new Error("boom")).cure, "boom");
  assert.match(say(null).title, /went wrong/);
  assert.equal(forStatus(403).title, "You may not do this.");
  assert.equal(gapCause("network"), "the network lost it");
  assert.equal(gapCause("meteor"), "meteor");
  assert.equal(linkState("parked"), "needs attention");
});

test("trickled candidates go under their own media section with our credentials", () => {
  const sdp = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:abc\r\na=ice-pwd:secret\r\na=mid:0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n";
  const fragment = fragmentOf(sdp, [{ candidate: "candidate:1 1 udp 1 127.0.0.1 5 typ host", sdpMid: "0" }], true);
  assert.equal(
    fragment,
    "a=ice-ufrag:abc\r\na=ice-pwd:secret\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 5 typ host\r\na=end-of-candidates\r\n",
  );
});

test("a restart names the section that carries the bundle, though nothing is gathered yet", () => {
  const sdp = "v=0\r\nm=video 9 X 96\r\na=mid:0\r\na=ice-ufrag:abc\r\na=ice-pwd:secret\r\nm=audio 9 X 0\r\na=mid:1\r\n";
  assert.equal(fragmentOf(sdp, [], false), "a=ice-ufrag:abc\r\na=ice-pwd:secret\r\nm=video 9 X 96\r\na=mid:0\r\n");
});

test("after a restart the answer has new credentials and candidates, and is the same otherwise", () => {
  const old = "a=ice-ufrag:old\r\na=ice-pwd:gone\r\n";
  const answer = `v=0\r\nm=video 9 X 96\r\n${old}a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=candidate:2 1 tcp 1 192.0.2.1 1 typ host\r\na=sendonly\r\nm=audio 9 X 0\r\n${old}`;
  const fragment = "m=video 9 X 96\r\na=ice-ufrag:new\r\na=ice-pwd:here\r\na=candidate:3 1 udp 1 192.0.2.2 2 typ host\r\na=end-of-candidates\r\n";
  const fresh = "a=ice-ufrag:new\r\na=ice-pwd:here\r\n";
  assert.equal(restartedAnswer(answer, fragment), `v=0\r\nm=video 9 X 96\r\n${fresh}a=candidate:3 1 udp 1 192.0.2.2 2 typ host\r\na=sendonly\r\nm=audio 9 X 0\r\n${fresh}`);
});

test("an answer to a restart without credentials is none", () => {
  for (const fragment of ["", "a=ice-ufrag:new\r\n"]) assert.throws(() => restartedAnswer("v=0\r\n", fragment), { status: 422 });
});

test("ICE servers are read from the Link header", () => {
  const header = '<stun:stun.example:3478>; rel="ice-server", <turn:turn.example?transport=udp>; rel="ice-server"; username="u"; credential="p, q"; credential-type="password", </x>; rel="next"';
  assert.deepEqual(serversOf(header), [
    { urls: "stun:stun.example:3478" },
    { urls: "turn:turn.example?transport=udp", username: "u", credential: "p, q" },
  ]);
  assert.deepEqual(serversOf(""), []);
  assert.equal(serversOf('<turn:a>; rel="ice-server"; username="a \\"b\\", c"')[0].username, 'a "b", c');
});

test("ICE servers are asked for once for tiles that open together, and only where there are any", async () => {
  const asked = [];
  const link = '<turn:relay.example>; rel="ice-server"; username="1:x"; credential="y="; credential-type="password"';
  const before = globalThis.fetch;
  globalThis.fetch = async (url, { method }) => {
    asked.push(`${method} ${url}`);
    if (url === "/whep/b/sub") return new Response(null, { status: 204, headers: { Link: link } });
    throw new TypeError("no network");
  };
  try {
    assert.deepEqual(await iceServers("/whep/b/sub"), []);
    assert.deepEqual(asked, []);
    serversNamed(true);
    assert.deepEqual(await iceServers("/whep/a/main"), []);
    const both = await Promise.all([iceServers("/whep/b/sub"), iceServers("/whep/c/sub")]);
    const told = [{ urls: "turn:relay.example", username: "1:x", credential: "y=" }];
    assert.deepEqual(both, [told, told]);
    assert.deepEqual(asked, ["OPTIONS /whep/a/main", "OPTIONS /whep/b/sub"]);
  } finally {
    serversNamed(false);
    globalThis.fetch = before;
  }
});

test("an offer asks for reference times once for each coding", () => {
  const sdp = "m=video 9 X 96 98\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:98 nack pli\r\n";
  const asked = withReferenceTimes(sdp);
  assert.deepEqual(asked.match(/rtcp-fb:\d+ rrtr/g), ["rtcp-fb:96 rrtr", "rtcp-fb:98 rrtr"]);
  assert.equal(withReferenceTimes(asked), asked);
});

test("sound is put into a stream of its own and video keeps its", () => {
  const sdp = "v=0\r\nm=video 9 X 96\r\na=msid:s v\r\nm=audio 9 X 0\r\na=msid:s a\r\na=ssrc:5 msid:s a\r\n";
  assert.equal(soundApart(sdp), "v=0\r\nm=video 9 X 96\r\na=msid:s v\r\nm=audio 9 X 0\r\na=msid:sound a\r\na=ssrc:5 msid:sound a\r\n");
});

test("what was tried is what the server and the relays offered", () => {
  const udp = "a=candidate:1 1 udp 2130706431 192.0.2.1 8444 typ host\r\n";
  const tcp = "a=candidate:2 1 TCP 1671430143 192.0.2.1 8444 typ host tcptype passive\r\n";
  assert.deepEqual(waysOf(`v=0\r\n${udp}`, [{ urls: "stun:stun.example.org" }]), ["UDP"]);
  assert.deepEqual(waysOf(`v=0\r\n${udp}${tcp}`, [{ urls: ["turns:turn.example.org:443?transport=tcp"] }]), ["UDP", "TCP", "a relay"]);
  assert.deepEqual(waysOf("", []), []);
});
