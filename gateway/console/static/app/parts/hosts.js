/**
 * Camera hosts: whether each is up, what it carries, how that went in the last minutes, and who watches through it.
 * @module
 */

import { html, nothing, svg } from "lit";
import { callUp } from "../actions.js";
import { SlElement } from "../element.js";
import { HostWatch, historyOf } from "../host-watch.js";
import { bytes, concerns, downFirst, hostAway, hostDead, percent, poor, some, total, whole, worstFirst } from "../hosts.js";
import { store } from "../store.js";
import { clock, duration, fromIso } from "../time.js";
import { say } from "../words.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").HostLoad} HostLoad */
/** @typedef {import("../types.js").HostViewer} HostViewer */

const WIDTH = 300;
const HEIGHT = 26;
const SHOWN_CAMERAS = 24;
const SHOWN_VIEWERS = 40;
const STALE_MS = 6000;
const SEEN_MS = 2000;

/** @type {[key: "cpu_percent" | "mbit_s" | "loop_lag_p99_ms", label: string, title: string, least: number, shown: (value: number) => string][]} */
const TRENDS = [
  ["cpu_percent", "CPU", "Of one core: 100 % is a whole one", 100, (value) => `${Math.round(value)} %`],
  ["mbit_s", "In", "What comes from cameras", 10, (value) => `${whole(value)} Mbit/s`],
  ["loop_lag_p99_ms", "Lag", "How late it comes to its work: 99 of 100 times less than this, over a minute", 50, (value) => `${Math.round(value)} ms`],
];

class Hosts extends SlElement {
  /** @type {HostWatch | null} */
  #watch = null;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#watch = new HostWatch(() => this.requestUpdate());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#watch?.end();
    this.#watch = null;
  }

  /** @param {import("../types.js").Camera} camera */
  #choose(camera) {
    callUp(camera);
    store.set({ panelOpen: matchMedia("(min-width: 860px)").matches });
  }

  /** @param {Host[]} hosts */
  #total(hosts) {
    const all = total(hosts);
    const down = hosts.length - all.up;
    return html`<p class="hosts-total">
      <b role="status" class=${down ? "attention" : ""}>${down ? `${down} of ${hosts.length} not up` : some(all.up, "host, up", "hosts, all up")}</b>
      <span>${whole(all.live)} of ${some(all.cameras, "camera", "cameras")} live</span>
      <span>${whole(all.mbit)} Mbit/s</span>
      <span>${whole(all.frames)} pictures/s</span>
      <span>${some(all.viewers, "viewer", "viewers")}</span>
    </p>`;
  }

  /** Why it is not up. @param {Host} host @param {number} at */
  #down(host, at) {
    if (host.up) return nothing;
    if (!host.problem) return html`<p class="said attention" role="status">It is starting: no answer from it yet.</p>`;
    const { title, cure = "" } = host.problem;
    const since = historyOf(host).downSince ?? at;
    return html`<div class="said ${hostDead(host.problem) ? "alarm" : "attention"}">
      <span role="alert"><strong>${title}</strong> ${cure}</span>
      <p class="hosts-by-hand">${at - since < SEEN_MS ? nothing : `Seen so for ${duration(at - since)}. `}${cure.includes(host.restart)
        ? nothing
        : html`By hand: <code>${host.restart}</code>`}</p>
    </div>`;
  }

  /** @param {Host} host @param {number} at */
  #trends(host, at) {
    const history = historyOf(host);
    if (!host.load && !history.samples.some((sample) => sample.load)) return nothing;
    const span = history.span(at);
    return html`<div class="trends">${TRENDS.map(([key, label, title, least, shown]) => {
      const ceiling = Math.max(least, history.peak(key) * 1.1);
      return html`<div class="trend" title="${title}. Drawn: the last ${duration(span)}.">
        <span class="trend-label">${label}</span><b>${host.load ? shown(host.load[key]) : "—"}</b>
        <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
          ${history.lines(key, at, { width: WIDTH, height: HEIGHT, ceiling }).map((points) => svg`<polyline points=${points}></polyline>`)}
        </svg></div>`;
    })}</div>`;
  }

  /** @param {HostLoad} load */
  #facts(load) {
    /** @type {[string, string, string][]} */
    const facts = [
      ["Pictures in", `${whole(load.frames_s)}/s`, "From cameras, all streams together"],
      ["Streams", `${whole(load.streams_live)} live, ${whole(load.recording)} written`, ""],
      ["Memory", bytes(load.memory_bytes), "Resident"],
      ["Worst lag", `${whole(load.loop_lag_max_ms)} ms`, "Over the last minute"],
      ["To be written", `${bytes(load.record_lane_bytes)}, fullest ${percent(load.record_lane_max_bytes / Math.max(1, load.record_lane_limit_bytes))}`, "What waits for the disks, and how full the fullest recording's lane is"],
      ["Broken off", some(load.gaps, "recording", "recordings"), "Recordings that this host had to end, since its start; each is a gap"],
      ["Lost on the way in", some(load.packets_lost, "packet", "packets"), "From cameras, since the host's start"],
      ["To be shown", some(load.live_lane_pictures, "picture", "pictures"), "What waits for viewers"],
      ["Left out", some(load.pictures_dropped, "picture", "pictures"), "For viewers whose lines are slow, since the host's start"],
      ["Converted", load.transcodes_max ? `${load.transcodes} of ${load.transcodes_max}` : "not allowed", "H.265 for browsers without it"],
    ];
    return html`<dl class="host-facts">${facts.map(([term, value, title]) => html`<div title=${title}><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
  }

  /** Those of its cameras that are not as they should be; each is called up by a click. @param {Host} host */
  #troubled(host) {
    if (!host.up) return nothing;
    const wrong = this.state.cameras.filter(({ host: owner, recording, state }) =>
      owner === host.index && !hostAway(state) && (state.live !== "live" || (recording !== false && !state.recording?.main)));
    if (wrong.length === 0) return nothing;
    const more = wrong.length - SHOWN_CAMERAS;
    return html`<div class="host-cameras"><span class="hint">Not live or not recorded:</span>
      ${wrong.slice(0, SHOWN_CAMERAS).map((camera) => html`<button class="number" title="${camera.name}: call it up" @click=${() => this.#choose(camera)}>${camera.number}</button>`)}
      ${more > 0 ? html`<span class="hint">and ${more} more</span>` : nothing}</div>`;
  }

  /** @param {HostViewer} viewer */
  #viewer(viewer) {
    const wrong = poor(viewer);
    return html`<li>
      <span class="number" title="Camera">${viewer.number ?? "—"}</span>
      <span class="viewer-who"><b>${viewer.who}</b>
        <small>${viewer.address} · since <time datetime=${viewer.since}>${clock(fromIso(viewer.since))}</time></small></span>
      <span class="viewer-how">${viewer.stream}${viewer.transcoded ? ", converted" : ""}
        ${viewer.kind === "rtsp" ? html`<small>a partner’s own system, over RTSPS</small>` : nothing}
        ${wrong.length ? html`<b class="attention">${wrong.join(", ")}</b>` : viewer.kind === "rtsp" ? nothing : html`<small>${viewer.loss_percent.toFixed(1)} % lost${viewer.rtt_ms === null ? "" : `, ${Math.round(viewer.rtt_ms)} ms`}</small>`}</span>
    </li>`;
  }

  /** @param {Host} host */
  #viewers(host) {
    const watch = /** @type {HostWatch} */ (this.#watch);
    const open = watch.opened === host.index;
    if (!host.up && !open) return nothing;
    const count = host.load?.viewers ?? 0;
    const list = worstFirst(watch.viewers ?? []);
    const said = watch.viewersProblem ? say(watch.viewersProblem) : null;
    return html`
      <button class="viewers-open" aria-expanded=${open} aria-controls="viewers-${host.index}"
        @click=${() => watch.open(open ? null : host.index)}>${some(count, "viewer", "viewers")}${host.load ? ` of ${whole(host.load.viewers_max)} at most` : ""}</button>
      <div id="viewers-${host.index}" ?hidden=${!open}>${!open
        ? nothing
        : said
          ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>`
          : watch.viewers === null
            ? html`<p class="hint">Loading…</p>`
            : list.length === 0
              ? html`<p class="hint">Nobody watches through this host now.</p>`
              : html`<ul class="viewers">${list.slice(0, SHOWN_VIEWERS).map((viewer) => this.#viewer(viewer))}</ul>
                  ${list.length > SHOWN_VIEWERS ? html`<p class="hint">and ${list.length - SHOWN_VIEWERS} more, none worse than these.</p>` : nothing}`}</div>
    `;
  }

  /** @param {Host} host @param {number} at */
  #card(host, at) {
    const { assigned, live, recording } = host.cameras;
    const found = concerns(host, historyOf(host), at);
    const level = !host.up || found.length ? (found.some((each) => each.level === "alarm") ? "alarm" : "attention") : "good";
    const standing = host.up ? "up" : host.problem ? "down" : "starting";
    return html`<li class="host" data-host=${host.index} data-standing=${standing} data-level=${level}>
      <header><h3>${host.name}</h3><span class="host-standing">${standing}</span>
        <small class="quiet">${host.version ? `version ${host.version}` : ""}</small></header>
      ${this.#down(host, at)}
      ${found.map((each) => html`<p class="host-concern ${each.level}">${each.text}</p>`)}
      <p class="host-counts"><span><b>${whole(assigned)}</b> ${assigned === 1 ? "camera" : "cameras"}</span>
        <span><b>${whole(live)}</b> live</span><span><b>${recording === null ? "?" : whole(recording)}</b> recorded</span></p>
      ${this.#trends(host, at)}
      ${host.load ? this.#facts(host.load) : nothing}
      ${this.#troubled(host)} ${this.#viewers(host)}
    </li>`;
  }

  /** @override */
  render() {
    const watch = this.#watch;
    if (!watch) return nothing;
    const said = watch.problem ? say(watch.problem) : null;
    const stale = watch.hosts && performance.now() - watch.heardAt > STALE_MS;
    return html`
      <h2>Camera hosts</h2>
      ${said ? html`<div class="said attention hosts-said"><span role="alert"><strong>${said.title}</strong> ${said.cure}</span>
        ${stale ? html` What is shown below is ${duration(performance.now() - watch.heardAt)} old.` : nothing}
        <div class="buttons"><button @click=${() => void watch.ask()}>Try again</button></div></div>` : nothing}
      ${watch.hosts
        ? html`${watch.hosts.length > 1 ? this.#total(watch.hosts) : nothing}
            <ul class="hosts" data-stale=${Boolean(stale)}>${downFirst(watch.hosts).map((host) => this.#card(host, watch.heardAt))}</ul>`
        : said ? nothing : html`<p class="hint" role="status">Asking the gateway…</p>`}
    `;
  }
}

customElements.define("sl-hosts", Hosts);
