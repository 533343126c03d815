/**
 * Camera hosts without markup: what they did in the last minutes, what about one wants attention, and what is said of a
 * camera whose host is away.
 * @module
 */

/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").HostLoad} HostLoad */
/** @typedef {import("./types.js").HostViewer} HostViewer */
/** @typedef {{level: "attention" | "alarm", text: string}} Concern */
/** @typedef {{at: number, load: HostLoad | null}} Sample */

/** Trends reach back this far. */
export const KEPT_MS = 300_000;
/** A counter that rose within this time is news. */
const NEWS_MS = 60_000;
/** A host that is away for longer is not merely being restarted. */
export const RESTART_MS = 20_000;
const GAP_MS = 10_000;
/** A trend is drawn over at least this much time, so that its first minute is seen at all. */
const LEAST_MS = 60_000;

const CPU_PERCENT = 85;
const LAG_MS = 50;
const LANE_SHARE = 0.5;
const LOSS_PERCENT = 2;
const RTT_MS = 300;

/** The last minutes of one host, as this page saw them. */
export class HostHistory {
  /** @type {Sample[]} */
  samples = [];
  /** When it was first seen not to be up; null while it is. @type {number | null} */
  downSince = null;

  /** @param {Host} host @param {number} at ms, on any clock that only goes forward */
  note(host, at) {
    this.samples.push({ at, load: host.load });
    const first = this.samples.findIndex((sample) => sample.at >= at - KEPT_MS);
    if (first > 0) this.samples.splice(0, first);
    this.downSince = host.up ? null : (this.downSince ?? at);
  }

  /**
   * How much a counter rose lately. One that fell began anew with its host.
   * @param {"gaps" | "pictures_dropped" | "packets_lost"} key @param {number} at @param {number} [withinMs]
   */
  rise(key, at, withinMs = NEWS_MS) {
    let [risen, before] = [0, /** @type {number | null} */ (null)];
    for (const sample of this.samples) {
      if (!sample.load) continue;
      const value = sample.load[key];
      if (before !== null && sample.at >= at - withinMs) risen += value >= before ? value - before : value;
      before = value;
    }
    return risen;
  }

  /**
   * A trend as polylines, broken where the host or the page was away.
   * @param {"cpu_percent" | "mbit_s" | "loop_lag_p99_ms"} key @param {number} at right edge
   * @param {{width: number, height: number, ceiling: number}} box @returns {string[]} SVG points
   */
  lines(key, at, { width, height, ceiling }) {
    /** @type {{at: number, point: string}[][]} */
    const runs = [];
    let last = -Infinity;
    const span = this.span(at);
    for (const sample of this.samples) {
      if (!sample.load || sample.at < at - KEPT_MS) continue;
      if (sample.at - last > GAP_MS) runs.push([]);
      last = sample.at;
      const x = width * (1 - (at - sample.at) / span);
      const y = height * (1 - Math.min(1, sample.load[key] / ceiling));
      runs.at(-1)?.push({ at: sample.at, point: `${x.toFixed(1)},${y.toFixed(1)}` });
    }
    return runs.filter((run) => run.length > 1).map((run) => run.map(({ point }) => point).join(" "));
  }

  /** How much time a trend shows. @param {number} at */
  span(at) {
    return Math.min(KEPT_MS, Math.max(LEAST_MS, at - (this.samples[0]?.at ?? at)));
  }

  /** @param {"cpu_percent" | "mbit_s" | "loop_lag_p99_ms"} key @returns {number} the highest of what is kept */
  peak(key) {
    return Math.max(0, ...this.samples.map((sample) => sample.load?.[key] ?? 0));
  }
}

/**
 * What about a host wants somebody's attention, the worst first. Red is lost footage, and nothing else.
 * @param {Host} host @param {HostHistory} history @param {number} at @returns {Concern[]}
 */
export function concerns(host, history, at) {
  const { load, cameras } = host;
  /** @type {Concern[]} */
  const found = [];
  const add = (/** @type {boolean} */ wrong, /** @type {Concern["level"]} */ level, /** @type {string} */ text) => wrong && found.push({ level, text });
  const missing = cameras.recording === null ? 0 : cameras.to_record - cameras.recording;
  add(missing > 0, "alarm", `${some(missing, "camera is", "cameras are")} not being recorded.`);
  add(cameras.recording === null && cameras.to_record > 0, "attention", "Whether its cameras are recorded is not known: it does not tell.");
  if (!load) return found;
  const gaps = history.rise("gaps", at);
  add(gaps > 0, "alarm", `Footage was lost within the last minute: ${some(gaps, "recording", "recordings")} had to be broken off.`);
  const lane = load.record_lane_max_bytes / Math.max(1, load.record_lane_limit_bytes);
  add(lane >= LANE_SHARE, "attention", `The disks fall behind: the fullest recording waits with ${percent(lane)} of what may wait.`);
  add(load.cpu_percent >= CPU_PERCENT, "attention", `It needs ${Math.round(load.cpu_percent)} % of one core and has little left. Add a host.`);
  add(load.loop_lag_p99_ms >= LAG_MS, "attention", `It comes late to its work, by ${Math.round(load.loop_lag_p99_ms)} ms. Fewer cameras would help.`);
  add(load.viewers_max > 0 && load.viewers >= load.viewers_max, "attention", "It is full: further viewers are refused.");
  add(load.transcodes_max > 0 && load.transcodes >= load.transcodes_max, "attention", "It converts as many pictures as it may: further browsers without H.265 are refused.");
  return found;
}

/**
 * All hosts together; what is not told counts for nothing.
 * @param {Host[]} hosts
 */
export function total(hosts) {
  const sum = (/** @type {(host: Host) => number} */ of) => hosts.reduce((all, host) => all + of(host), 0);
  return {
    up: hosts.filter((host) => host.up).length,
    cameras: sum((host) => host.cameras.assigned),
    live: sum((host) => host.cameras.live),
    mbit: sum((host) => host.load?.mbit_s ?? 0),
    frames: sum((host) => host.load?.frames_s ?? 0),
    viewers: sum((host) => host.load?.viewers ?? 0),
  };
}

/** What is poor about a view; nothing where it is good. @param {HostViewer} viewer @returns {string[]} */
export function poor(viewer) {
  const found = [];
  if (!viewer.connected) found.push("no connection");
  if (viewer.loss_percent >= LOSS_PERCENT) found.push(`${viewer.loss_percent.toFixed(1)} % lost`);
  if (viewer.rtt_ms !== null && viewer.rtt_ms >= RTT_MS) found.push(`${Math.round(viewer.rtt_ms)} ms there and back`);
  return found;
}

/** Those that are not up before the others; else as they are numbered. @param {Host[]} hosts @returns {Host[]} */
export const downFirst = (hosts) => [...hosts].sort((one, other) => Number(one.up) - Number(other.up) || one.index - other.index);

/** Worst first, then by camera. @param {HostViewer[]} viewers @returns {HostViewer[]} */
export const worstFirst = (viewers) =>
  [...viewers].sort((one, other) => poor(other).length - poor(one).length || other.loss_percent - one.loss_percent || (one.number ?? 0) - (other.number ?? 0));

/** Whether a camera is away because its host is. @param {{live: string, problem?: {type: string} | null}} state */
export const hostAway = (state) => state.live === "off" && (state.problem?.type.startsWith("host.") ?? false);

/** Whether it is known that nothing of its cameras is recorded: its process is gone. @param {{type: string} | null | undefined} problem */
export const hostDead = (problem) => problem?.type === "host.unreachable";

/** Whether it is known if a camera is recorded: a host that is away and not dead may well record it. @param {Parameters<typeof hostAway>[0]} state */
export const recordingKnown = (state) => !hostAway(state) || hostDead(state.problem);

/**
 * What is said of a camera whose host is away, to somebody who looks at pictures.
 * @param {{type: string} | null | undefined} problem @param {number} forMs for how long this page has known
 * @returns {{title: string, cure: string}}
 */
export function awayWords(problem, forMs) {
  if (hostDead(problem) && forMs < RESTART_MS) {
    return { title: "Its camera host is being restarted.", cure: "The picture comes back by itself in a few seconds." };
  }
  const cure = "The picture comes back by itself when it does. Tell whoever looks after the system; the panel Hosts says why.";
  if (hostDead(problem)) return { title: "Its camera host has not come back yet.", cure };
  if (problem?.type === "host.silent") return { title: "Its camera host does not answer.", cure };
  return { title: "Its camera host cannot be used.", cure };
}

/**
 * One line about all cameras whose hosts are away; null where none is.
 * @param {import("./types.js").Camera[]} cameras @returns {Concern | null}
 */
export function awayLine(cameras) {
  const away = cameras.filter((camera) => hostAway(camera.state));
  if (away.length === 0) return null;
  const unrecorded = away.filter((camera) => hostDead(camera.state.problem) && camera.recording !== false).length;
  const hosts = new Set(away.map((camera) => camera.host ?? 0)).size;
  const who = hosts === 1 ? "A camera host is down" : `${hosts} camera hosts are down`;
  if (unrecorded > 0) return { level: "alarm", text: `${who}: ${some(unrecorded, "camera is", "cameras are")} not being recorded.` };
  return { level: "attention", text: `${who}: ${some(away.length, "camera is", "cameras are")} away.` };
}

/** @param {number} bytes @returns {string} */
export function bytes(bytes) {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** 20,412. @param {number} value */
export const whole = (value) => WHOLE.format(value);

/** @param {number} share @returns {string} */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** 1 camera, 7 cameras. @param {number} count @param {string} one @param {string} several */
export const some = (count, one, several) => `${whole(count)} ${count === 1 ? one : several}`;
