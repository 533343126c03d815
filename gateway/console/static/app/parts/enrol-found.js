/**
 * What discovery and a first look at a device brought, as people read it.
 * @module
 */

import { html, nothing } from "lit";
import { clockWords } from "./steer.js";

/** @param {any[]} devices @param {string} chosen address @param {(device: any) => void} use */
export function discovered(devices, chosen, use) {
  if (devices.length === 0) {
    return html`<p class="hint" role="status">Nobody answered. Cameras behind a router do not hear the question: give the address instead.</p>`;
  }
  return html`
    <ul class="camera-list" aria-label="Found on the network">
      ${devices.map(
        (device) => html`<li><button class="camera-row" aria-current=${device.addresses.includes(chosen)} ?disabled=${device.enrolled} @click=${() => use(device)}>
          <span class="camera-name">${device.name || device.hardware || "Camera"}<small>${device.addresses[0] ?? "gave no address"}</small></span>
          <span class="camera-facts quiet">${device.enrolled ? "enrolled" : (device.hardware ?? "")}</span></button></li>`,
      )}
    </ul>
  `;
}

/** @param {any} stream */
const streamWords = (stream) =>
  `${String(stream.codec ?? "").toUpperCase()} ${stream.width}×${stream.height}, ${Number((stream.frame_rate ?? 0).toFixed(1))}/s`;

/** What the head can do, in words. @param {any} head @returns {string} */
export function headWords(head) {
  if (!head) return "fixed";
  if (head.presets_only) return "moves by presets only: nothing stops it";
  const axes = ["pan", "tilt", "zoom"].filter((axis) => head.axes?.includes(axis)).join(", ");
  const moves = [
    head.fov_relative ? "click to centre" : "",
    head.presets_max > 0 ? `${head.presets_max} presets` : "",
    head.home ? "home" : "",
  ].filter(Boolean);
  return [axes, ...moves].join(" · ");
}

/** @param {any} probe */
export function found(probe) {
  const views = probe.views ?? [probe];
  const rows = /** @type {[string, unknown][]} */ ([
    ["Device", [probe.identity?.manufacturer, probe.identity?.model].filter(Boolean).join(" ") || "not told"],
    ["Firmware", probe.identity?.firmware || "not told"],
    ["Serial", probe.identity?.serial || "not told"],
    ...views.flatMap((/** @type {any} */ view, /** @type {number} */ index) => {
      const mark = views.length > 1 ? ` ${index + 1}` : "";
      const streams = view.streams ?? view;
      return [
        [`Main${mark}`, streams.main ? streamWords(streams.main) : "none"],
        ...(streams.sub ? [[`Sub${mark}`, streamWords(streams.sub)]] : []),
        [`Head${mark}`, headWords(view.head)],
      ];
    }),
    ["Sign-in", probe.authentication || "none asked"],
    ["Events", probe.events ? "it tells of them" : "none"],
    ...(typeof probe.clock_offset_s === "number" ? [["Clock", clockWords(probe.clock_offset_s)]] : []),
  ]);
  return html`
    ${probe.enrolled ? html`<p class="said attention">This device is enrolled already. Enrolling it again is refused.</p>` : nothing}
    <figure class="snapshot">
      ${probe.snapshot
        ? html`<img src=${probe.snapshot} alt="Picture from the camera, taken now">`
        : html`<p class="hint">It gave no snapshot; the picture comes once it is enrolled.</p>`}
    </figure>
    <dl class="facts-list">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${probe.remarks?.length
      ? html`<details class="remarks" open><summary>Worth knowing</summary><ul>${probe.remarks.map((/** @type {{text: string}} */ remark) => html`<li>${remark.text}</li>`)}</ul></details>`
      : nothing}
  `;
}
