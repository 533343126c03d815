/**
 * Mobile cameras on the map: where each stands and may be, where one is to go, and where one says that it is after it left.
 * @module
 */

import * as L from "leaflet";
import { deployments, openDeployment } from "./deployments.js";
import { happened, lasting } from "./deployments-words.js";
import { escapeText } from "./map-ground.js";

/** @typedef {import("./deployments-words.js").Deployment} Deployment */

export class UnitsOnMap {
  #map;
  /** @type {L.LayerGroup | null} */
  #drawn = null;
  #key = "";
  #leave;

  /** @param {L.Map} map @param {() => void} changed */
  constructor(map, changed) {
    this.#map = map;
    this.#leave = deployments.subscribe(changed);
  }

  draw() {
    const { standing, reported, rules, shown } = deployments.state;
    const asked = shown?.stage === "referred" ? [shown] : [];
    const key = JSON.stringify([rules?.fence_m, standing.map((one) => [one.id, one.stage, one.place, one.alarms, one.unseen.length, one.valid, one.alarms.includes("left") ? reported[one.unit] : null]), asked.map((one) => [one.id, one.place])]);
    if (key === this.#key) return;
    this.#key = key;
    this.#drawn?.remove();
    this.#drawn = L.layerGroup([...standing, ...asked].flatMap((one) => (one.stage === "deployed" ? this.#stands(one, rules?.fence_m ?? 0) : this.#planned(one)))).addTo(this.#map);
  }

  /** Its fence, and where it says that it is, once it has left. @param {Deployment} one @param {number} fence @returns {L.Layer[]} */
  #stands(one, fence) {
    const { latitude, longitude } = one.place;
    const wrong = one.alarms.length > 0 || one.unseen.length > 0;
    const kind = wrong ? "alarm" : one.valid ? "valid" : "over";
    const ring = L.circle([latitude, longitude], { radius: fence, interactive: false, className: `fence fence-${kind}` });
    const reported = deployments.state.reported[one.unit];
    if (!one.alarms.includes("left") || !reported) return [ring];
    const there = /** @type {[number, number]} */ ([reported.latitude, reported.longitude]);
    const way = L.polyline([[latitude, longitude], there], { interactive: false, className: "unit-way" });
    return [ring, way, this.#mark(one, there, "unit-away", one.unit, `Unit ${one.unit} ${happened("left")}, and says that it is here`)];
  }

  /** Where one is to go. @param {Deployment} one @returns {L.Layer[]} */
  #planned(one) {
    const { latitude, longitude } = one.place;
    const what = { planned: `Unit ${one.unit} is planned here`, granted: "A mobile camera is approved here" }[/** @type {string} */ (one.stage)] ?? "A mobile camera is asked for here";
    return [this.#mark(one, [latitude, longitude], "unit-planned", { planned: one.unit, granted: "✓" }[/** @type {string} */ (one.stage)] ?? "?", `${what}: ${one.title}`)];
  }

  /** @param {Deployment} one @param {[number, number]} at @param {string} className @param {string} text @param {string} words */
  #mark(one, at, className, text, words) {
    const badge = document.createElement("span");
    badge.textContent = text;
    const mark = L.marker(at, { icon: L.divIcon({ className, html: badge, iconSize: [40, 20] }), keyboard: true, alt: words });
    mark.on("click keypress", () => openDeployment(one.id));
    mark.bindTooltip(escapeText(`${words}${one.alarms.length > 0 ? ` (${one.alarms.map(lasting).join(", ")})` : ""}`), { direction: "top", offset: [0, -10] });
    return mark;
  }

  end() {
    this.#leave();
  }
}
