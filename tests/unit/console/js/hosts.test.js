import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HostHistory, KEPT_MS, awayLine, awayWords, bytes, concerns, downFirst, hostAway, poor, recordingKnown, total, worstFirst,
} from "../../../../gateway/console/static/app/hosts.js";
import { say, standing } from "../../../../gateway/console/static/app/words.js";

const load = (changes = {}) => ({
  cameras: 450, streams_live: 900, recording: 900, viewers: 20, viewers_max: 200, transcodes: 0, transcodes_max: 2,
  mbit_s: 1800, frames_s: 22_500, packets_lost: 0, cpu_percent: 60, memory_bytes: 2e9, loop_lag_p99_ms: 8, loop_lag_max_ms: 20,
  record_lane_bytes: 4e7, record_lane_max_bytes: 1e6, record_lane_limit_bytes: 16e6, live_lane_pictures: 0,
  pictures_dropped: 0, gaps: 0, ...changes,
});
const host = (changes = {}) => ({
  index: 0, name: "sightline-host@0", up: true, problem: null, restart: "", version: "1",
  cameras: { assigned: 450, live: 450, to_record: 450, recording: 450 }, load: load(), ...changes,
});
const gone = { type: "host.unreachable", title: "The camera host at /run/h.sock does not answer.", cure: "Wait." };
const away = (problem = gone) => ({ live: "off", problem, recording: { main: false, sub: null } });
const camera = (number, state, changes = {}) => ({ id: String(number), number, host: number % 2, recording: true, state, ...changes });
const texts = (found) => found.map(({ level, text }) => `${level}: ${text}`).join("\n");

test("a host in good order raises no concern", () => {
  assert.deepEqual(concerns(host(), new HostHistory(), 0), []);
});

test("only footage that is lost is an alarm", () => {
  const cases = [
    [{ cpu_percent: 93 }, /attention: It needs 93 % of one core/],
    [{ loop_lag_p99_ms: 71 }, /attention: It comes late to its work, by 71 ms/],
    [{ record_lane_max_bytes: 9e6 }, /attention: The disks fall behind: .* 56 %/],
    [{ viewers: 200 }, /attention: It is full/],
    [{ transcodes: 2 }, /attention: It converts as many pictures as it may/],
  ];
  for (const [changes, said] of cases) {
    const found = texts(concerns(host({ load: load(changes) }), new HostHistory(), 0));
    assert.match(found, said);
    assert.doesNotMatch(found, /alarm/);
  }
});

test("a host without transcoding is not said to be full of it", () => {
  assert.deepEqual(concerns(host({ load: load({ transcodes_max: 0 }) }), new HostHistory(), 0), []);
});

test("cameras that are not recorded are an alarm and come first", () => {
  const cameras = { assigned: 450, live: 449, to_record: 450, recording: 449 };
  const found = concerns(host({ cameras, load: load({ cpu_percent: 99 }) }), new HostHistory(), 0);
  assert.match(texts(found), /^alarm: 1 camera is not being recorded\.\nattention: It needs/);
});

test("a host that is dead loses footage, one that only does not tell may not", () => {
  const cameras = { assigned: 450, live: 0, to_record: 450 };
  const dead = concerns(host({ up: false, problem: gone, load: null, cameras: { ...cameras, recording: 0 } }), new HostHistory(), 0);
  assert.equal(texts(dead), "alarm: 450 cameras are not being recorded.");
  const mute = concerns(host({ up: false, load: null, cameras: { ...cameras, recording: null } }), new HostHistory(), 0);
  assert.match(texts(mute), /^attention: Whether its cameras are recorded is not known/);
});

test("a gap is an alarm while it is news", () => {
  const history = new HostHistory();
  history.note(host({ load: load({ gaps: 3 }) }), 0);
  assert.deepEqual(concerns(host({ load: load({ gaps: 3 }) }), history, 0), []);
  history.note(host({ load: load({ gaps: 5 }) }), 2000);
  assert.match(texts(concerns(host(), history, 2000)), /alarm: Footage was lost within the last minute: 2 recordings/);
  history.note(host({ load: load({ gaps: 5 }) }), 70_000);
  assert.deepEqual(concerns(host(), history, 70_000), []);
});

test("a counter that fell began anew with its host", () => {
  const history = new HostHistory();
  history.note(host({ load: load({ gaps: 40 }) }), 0);
  history.note(host({ up: false, load: null }), 2000);
  history.note(host({ load: load({ gaps: 1 }) }), 4000);
  assert.equal(history.rise("gaps", 4000), 1);
});

test("trends keep five minutes, break where the host was away, and stay in their box", () => {
  const history = new HostHistory();
  for (let at = 0; at <= KEPT_MS + 60_000; at += 2000) {
    history.note(host({ up: at < 100_000 || at > 130_000, load: at < 100_000 || at > 130_000 ? load({ cpu_percent: at % 300 }) : null }), at);
  }
  const now = KEPT_MS + 60_000;
  assert.equal(history.samples[0]?.at, 60_000);
  const lines = history.lines("cpu_percent", now, { width: 300, height: 20, ceiling: 100 });
  assert.equal(lines.length, 2);
  for (const [x, y] of lines.join(" ").split(" ").map((point) => point.split(",").map(Number))) {
    assert.ok(x >= 0 && x <= 300 && y >= 0 && y <= 20, `${x},${y}`);
  }
  assert.equal(history.peak("cpu_percent"), 200);
});

test("the first minute of a trend is drawn over one minute", () => {
  const history = new HostHistory();
  for (const at of [0, 2000]) history.note(host(), at);
  assert.equal(history.span(2000), 60_000);
  assert.deepEqual(history.lines("cpu_percent", 2000, { width: 300, height: 10, ceiling: 60 }), ["290.0,0.0 300.0,0.0"]);
});

test("how long a host has been down is told from when it was first seen so", () => {
  const history = new HostHistory();
  history.note(host(), 0);
  assert.equal(history.downSince, null);
  for (const at of [2000, 4000]) history.note(host({ up: false, load: null }), at);
  assert.equal(history.downSince, 2000);
  history.note(host(), 6000);
  assert.equal(history.downSince, null);
});

test("hosts that are not up come before the others", () => {
  const order = downFirst([host(), host({ index: 1 }), host({ index: 2, up: false })]);
  assert.deepEqual(order.map(({ index }) => index), [2, 0, 1]);
});

test("all hosts together count what is told", () => {
  const down = host({ up: false, load: null, cameras: { assigned: 450, live: 0, to_record: 450, recording: 0 } });
  assert.deepEqual(total([host(), down]), { up: 1, cameras: 900, live: 450, mbit: 1800, frames: 22_500, viewers: 20 });
});

test("poor views are said to be so, and come first", () => {
  const view = (number, changes) => ({ number, connected: true, loss_percent: 0, rtt_ms: 1, ...changes });
  const [good, lossy, far, cut] = [view(1), view(2, { loss_percent: 6.4 }), view(3, { rtt_ms: 412 }), view(4, { connected: false, rtt_ms: null })];
  assert.deepEqual([good, lossy, far, cut].map(poor), [[], ["6.4 % lost"], ["412 ms there and back"], ["no connection"]]);
  assert.deepEqual(worstFirst([good, far, lossy]).map(({ number }) => number), [2, 3, 1]);
});

test("a camera is away with its host only where its host is the reason", () => {
  assert.equal(hostAway(away()), true);
  assert.equal(hostAway({ live: "off", problem: null }), false);
  assert.equal(hostAway({ live: "retrying", problem: { type: "camera.unreachable" } }), false);
  assert.equal(standing(away()), "host down");
  assert.equal(standing({ live: "off", problem: null }), "switched off");
});

test("a tile says that its host is being restarted, for as long as that can be so", () => {
  assert.match(awayWords(gone, 1000).title, /being restarted/);
  assert.match(awayWords(gone, 1000).cure, /comes back by itself/);
  assert.match(awayWords(gone, 60_000).title, /has not come back yet/);
  assert.match(awayWords({ type: "host.silent" }, 1000).title, /does not answer/);
  assert.match(awayWords({ type: "host.version" }, 1000).title, /cannot be used/);
});

test("recording is lost with a dead host, and not known of one that is merely not understood", () => {
  assert.equal(recordingKnown(away()), true);
  assert.equal(recordingKnown(away({ type: "host.version" })), false);
  assert.equal(recordingKnown({ live: "live", problem: null }), true);
});

test("one line says how many cameras are away with their hosts", () => {
  const well = camera(1, { live: "live", problem: null });
  assert.equal(awayLine([well]), null);
  assert.deepEqual(awayLine([well, camera(2, away()), camera(4, away(), { recording: false })]), {
    level: "alarm", text: "A camera host is down: 1 camera is not being recorded.",
  });
  const old = { type: "host.version", title: "" };
  assert.deepEqual(awayLine([camera(3, away(old)), camera(4, away(old))]), {
    level: "attention", text: "2 camera hosts are down: 2 cameras are away.",
  });
});

test("what an operator is told of a host names no socket", () => {
  assert.doesNotMatch(say(gone).title, /\//);
  assert.equal(say({ type: "host.busy", title: "Busy.", cure: "Wait." }).title, "Busy.");
});

test("amounts of memory are short", () => {
  assert.deepEqual([4500, 48e6, 2_147_483_648].map(bytes), ["5 kB", "48 MB", "2.1 GB"]);
});
