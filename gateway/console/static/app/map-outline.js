/**
 * An area on the map: as it is, and corner by corner while it is drawn.
 * @module
 */

import * as L from "leaflet";
import { mapView } from "./map-view.js";
import { store } from "./store.js";

/** @typedef {import("./directory.js").Corner} Corner */

export class Outline {
  #map;
  /** @type {L.LayerGroup | null} */
  #drawn = null;
  /** @type {unknown} */
  #last = null;

  /** @param {L.Map} map */
  constructor(map) {
    this.#map = map;
    map.on("click", (event) => this.#corner(event.latlng));
    mapView.corners = () => {
      if (map.getSize().x === 0) return null;
      const bounds = map.getBounds();
      const [south, west, north, east] = [bounds.getSouth(), bounds.getWest(), bounds.getNorth(), bounds.getEast()];
      return [[south, west], [north, west], [north, east], [south, east]];
    };
    mapView.middle = () => (map.getSize().x === 0 ? null : [map.getCenter().lat, map.getCenter().lng]);
    mapView.show = (corners) => {
      map.invalidateSize({ pan: false });
      if (corners.length > 0 && map.getSize().x > 0) map.fitBounds(L.latLngBounds(corners).pad(0.15), { animate: false, maxZoom: 18 });
    };
  }

  /** @param {L.LatLng} at */
  #corner(at) {
    const { outline } = store.state;
    if (!outline?.drawing) return;
    const point = at.wrap();
    store.set({ outline: { ...outline, corners: [...outline.corners, [point.lat, point.lng]] } });
  }

  draw() {
    const { outline } = store.state;
    if (outline === this.#last) return;
    this.#last = outline;
    this.#drawn?.remove();
    this.#drawn = null;
    if (!outline) return;
    const { corners, drawing } = outline;
    const shape = corners.length > 2
      ? L.polygon(corners, { interactive: false, className: "outline" })
      : L.polyline(corners, { interactive: false, className: "outline" });
    const dots = drawing ? corners.map((at) => L.circleMarker(at, { radius: 5, interactive: false, className: "outline-corner" })) : [];
    this.#drawn = L.layerGroup([shape, ...dots]).addTo(this.#map);
  }

  end() {
    mapView.corners = mapView.middle = () => null;
    mapView.show = () => {};
  }
}
