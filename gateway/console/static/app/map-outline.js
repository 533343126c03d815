/**
 * An area on the map: as it is, and corner by corner while it is drawn.
 * @module
 */

import * as L from "leaflet";
import { mapView } from "./map-view.js";
import { store } from "./store.js";

/** @typedef {import("./directory.js").Corner} Corner */

/** Less is a click that shook. */
const DRAG_PX = 6;

export class Outline {
  #map;
  /** @type {L.LayerGroup | null} */
  #drawn = null;
  /** @type {unknown} */
  #last = null;
  /** Where a rectangle begins that is being drawn. @type {L.LatLng | null} */
  #from = null;
  #dragged = false;

  /** @param {L.Map} map */
  constructor(map) {
    this.#map = map;
    map.on("click", (event) => this.#corner(event.latlng));
    map.on("mousedown", (event) => this.#press(event.latlng));
    map.on("mousemove", (event) => this.#drag(event.latlng));
    map.on("mouseup", () => this.#lift());
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
    // The click that ends a rectangle is no corner.
    if (this.#dragged) {
      this.#dragged = false;
      return;
    }
    if (!outline?.drawing) return;
    const point = at.wrap();
    store.set({ outline: { ...outline, corners: [...outline.corners, [point.lat, point.lng]] } });
  }

  /** A rectangle from here, where one is asked for. @param {L.LatLng} at */
  #press(at) {
    const { outline } = store.state;
    if (!outline?.drawing || !outline.box || outline.corners.length > 0) return;
    this.#from = at.wrap();
    this.#map.dragging.disable();
  }

  /** @param {L.LatLng} at */
  #drag(at) {
    const { outline } = store.state;
    if (!this.#from || !outline) return;
    const [one, other] = [this.#from, at.wrap()];
    if (this.#map.latLngToContainerPoint(one).distanceTo(this.#map.latLngToContainerPoint(other)) < DRAG_PX) return;
    this.#dragged = true;
    store.set({ outline: { ...outline, corners: [[one.lat, one.lng], [other.lat, one.lng], [other.lat, other.lng], [one.lat, other.lng]] } });
  }

  #lift() {
    const { outline } = store.state;
    if (!this.#from) return;
    this.#from = null;
    this.#map.dragging.enable();
    if (this.#dragged && outline) store.set({ outline: { ...outline, drawing: false } });
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
