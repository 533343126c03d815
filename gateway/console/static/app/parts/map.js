/**
 * The map: cameras as cones with their real bearing and angle, turning as they are steered. A click calls one up.
 * @module
 */

import * as L from "leaflet";
import { html } from "lit";
import { callUp } from "../actions.js";
import { ApiError, get } from "../api.js";
import { SlElement } from "../element.js";
import { cone, sight, wind } from "../geo.js";
import { DARK, escapeText, layGround, layTiles } from "../map-ground.js";
import { Outline } from "../map-outline.js";
import { UnitsOnMap } from "../map-units.js";
import { deployments } from "../deployments.js";
import { selectedCamera, store } from "../store.js";

/** @typedef {import("../types.js").Camera} Camera */
/** @typedef {{marker: L.Marker, shape: L.Polygon | null, key: string, badge: HTMLElement}} Mark */

class CameraMap extends SlElement {
  /** @type {L.Map | null} */
  #map = null;
  /** @type {Map<string, Mark>} */
  #marks = new Map();
  #fitted = false;
  #ground = "loading";
  /** @type {L.Marker | null} */
  #picked = null;
  /** @type {Outline | null} */
  #outline = null;
  /** @type {UnitsOnMap | null} */
  #units = null;
  /** @type {ResizeObserver | null} */
  #size = null;

  /** @override */
  firstUpdated() {
    const host = /** @type {HTMLElement} */ (this.querySelector("#map"));
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const map = L.map(host, {
      attributionControl: true, zoomControl: false, minZoom: 3, maxZoom: 20, zoomSnap: 0.25,
      preferCanvas: false, keyboard: true, zoomAnimation: !still, fadeAnimation: !still, markerZoomAnimation: !still,
    });
    map.attributionControl.setPrefix(false);
    L.control.zoom({ position: "bottomright" }).addTo(map);
    map.setView([51.5, 0], 5);
    map.on("click", (event) => {
      if (!this.#takesPlace) return;
      store.set({ picked: { latitude: event.latlng.lat, longitude: event.latlng.lng } });
    });
    this.#map = map;
    this.#outline = new Outline(map);
    this.#units = new UnitsOnMap(map, () => this.requestUpdate());
    this.#size = new ResizeObserver(() => {
      map.invalidateSize();
      if (this.#marks.size > 0 && host.clientWidth > 0 && !this.#fitted) this.#fit();
    });
    this.#size.observe(host);
    void this.#loadGround(map);
    this.#draw();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#size?.disconnect();
    this.#outline?.end();
    this.#units?.end();
    this.#map?.remove();
    this.#map = null;
  }

  /** Whether a click says a place, for a form. */
  get #takesPlace() {
    const { panel, placing } = store.state;
    return panel === "enrol" || (panel === "deployments" && placing);
  }

  /** @param {L.Map} map */
  async #loadGround(map) {
    const settings = await get("/map").catch(() => null);
    if (this.#map !== map) return;
    const centre = settings?.centre;
    if (centre && !this.#fitted) map.setView(Array.isArray(centre) ? [centre[0], centre[1]] : [centre.latitude, centre.longitude], 15);
    if (settings?.tiles_url) {
      layTiles(map, settings);
      this.#ground = "tiles";
      return;
    }
    try {
      const ground = await get("/map/ground");
      if (this.#map !== map) return;
      const bounds = layGround(map, ground, DARK);
      if (!this.#fitted && bounds.isValid()) map.fitBounds(bounds, { animate: false });
      this.#ground = "plain";
    } catch (error) {
      this.#ground = error instanceof ApiError && error.status === 404 ? "none" : "failed";
    }
    this.requestUpdate();
  }

  /** @override */
  updated() {
    this.#draw();
  }

  #draw() {
    const map = this.#map;
    if (!map) return;
    const placed = this.state.cameras.filter((camera) => camera.place);
    const gone = new Set(this.#marks.keys());
    for (const camera of placed) {
      gone.delete(camera.id);
      this.#drawCamera(map, camera);
    }
    for (const id of gone) {
      this.#marks.get(id)?.marker.remove();
      this.#marks.get(id)?.shape?.remove();
      this.#marks.delete(id);
    }
    if (!this.#fitted && placed.length > 0) this.#fit();
    this.#drawPicked(map);
    this.#outline?.draw();
    this.#units?.draw();
  }

  /** @param {L.Map} map @param {Camera} camera */
  #drawCamera(map, camera) {
    const { latitude, longitude } = /** @type {import("../types.js").Place} */ (camera.place);
    const seen = sight(camera);
    const selected = selectedCamera()?.id === camera.id;
    const onWall = this.state.slots.slice(0, this.state.layout).some((slot) => slot.cameraId === camera.id);
    const down = camera.state.live !== "live" && camera.state.live !== "connecting";
    const key = [latitude, longitude, seen?.bearing.toFixed(1), seen?.hfov.toFixed(1), selected, onWall, down, camera.number, deployments.moves(camera.id)].join();
    let mark = this.#marks.get(camera.id);
    if (mark?.key === key) return;
    if (!mark) {
      const badge = document.createElement("span");
      const icon = L.divIcon({ className: "camera-mark", html: badge, iconSize: [24, 24] });
      const marker = L.marker([latitude, longitude], { icon, keyboard: true, riseOnHover: true, alt: `Camera ${camera.number}` });
      marker.on("click keypress", () => {
        const now = store.state.cameras.find((each) => each.id === camera.id);
        if (now) callUp(now);
      });
      marker.bindTooltip(() => this.#label(camera.id), { direction: "top", offset: [0, -12] });
      marker.addTo(map);
      mark = { marker, shape: null, key: "", badge };
      this.#marks.set(camera.id, mark);
    }
    mark.key = key;
    mark.marker.setLatLng([latitude, longitude]);
    mark.marker.setZIndexOffset(selected ? 1000 : 0);
    mark.badge.textContent = String(camera.number);
    const element = mark.marker.getElement();
    if (element) Object.assign(element.dataset, { camera: camera.number, deployable: deployments.moves(camera.id), selected, wall: onWall, down, bearing: seen?.bearing.toFixed(1) ?? "" });
    this.#drawCone(map, mark, seen && { ...seen, latitude, longitude }, selected ? "selected" : down ? "down" : onWall ? "wall" : "other");
  }

  /**
   * @param {L.Map} map @param {Mark} mark @param {{bearing: number, hfov: number, latitude: number, longitude: number} | null} seen
   * @param {string} kind
   */
  #drawCone(map, mark, seen, kind) {
    if (!seen) {
      mark.shape?.remove();
      mark.shape = null;
      return;
    }
    const points = cone(seen.latitude, seen.longitude, seen.bearing, seen.hfov);
    mark.shape ??= L.polygon(points, { interactive: false, className: "cone" }).addTo(map);
    mark.shape.setLatLngs(points);
    /** @type {HTMLElement | undefined} */ (mark.shape.getElement())?.setAttribute("data-kind", kind);
    if (kind === "selected") mark.shape.bringToFront();
  }

  /** @param {string} id */
  #label(id) {
    const camera = store.state.cameras.find((each) => each.id === id);
    if (!camera) return "";
    const seen = sight(camera);
    const by = deployments.of(camera.id);
    return escapeText(`${camera.number} ${camera.name}${by ? ` · unit ${by.unit}` : ""}${seen ? ` · looking ${wind(seen.bearing)}, ${Math.round(seen.hfov)}°` : ""}`);
  }

  /** @param {L.Map} map */
  #drawPicked(map) {
    const picked = this.#takesPlace ? this.state.picked : null;
    if (!picked) {
      this.#picked?.remove();
      this.#picked = null;
      return;
    }
    this.#picked ??= L.marker([0, 0], { icon: L.divIcon({ className: "picked-mark", iconSize: [20, 20] }), interactive: false }).addTo(map);
    this.#picked.setLatLng([picked.latitude, picked.longitude]);
  }

  #fit() {
    const map = this.#map;
    if (!map || map.getSize().x === 0) return;
    const points = this.state.cameras.flatMap((camera) => (camera.place ? [[camera.place.latitude, camera.place.longitude]] : []));
    if (points.length === 0) return;
    this.#fitted = true;
    map.fitBounds(L.latLngBounds(/** @type {[number, number][]} */ (points)).pad(0.3), { maxZoom: 17.5, animate: false });
  }

  /** @override */
  render() {
    const without = this.state.cameras.filter((camera) => !camera.place).length;
    const notes = {
      failed: "The ground could not be loaded.",
      none: "No map ground is configured; cameras are shown on a plain field.",
    };
    const note = notes[/** @type {keyof typeof notes} */ (this.#ground)] ?? "";
    const said = [note, without > 0 ? `${without} without a place.` : "", deployments.cutWords].filter(Boolean).join(" ");
    return html`
      <section class="map-room" aria-label="Map" data-picking=${this.#takesPlace || this.state.outline?.drawing === true}>
        <div id="map"></div>
        <button class="map-fit" title="Show all cameras" @click=${() => this.#fit()}>All</button>
        ${said ? html`<p class="map-said">${said}</p>` : ""}
      </section>
    `;
  }
}

customElements.define("sl-map", CameraMap);
