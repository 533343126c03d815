/**
 * What a map is drawn on: tiles, or the town's own ground where none are configured.
 * @module
 */

import * as L from "leaflet";

/** @typedef {Record<string, L.PathOptions>} Palette by kind; ``plain`` is for every other */

/** @type {Palette} */
export const DARK = {
  street: { color: "#4a545c", weight: 7, opacity: 1, fillColor: "#4a545c", fillOpacity: 1 },
  road: { color: "#4a545c", weight: 7, opacity: 1, fillColor: "#4a545c", fillOpacity: 1 },
  building: { color: "#46505a", weight: 0.5, fillColor: "#333b42", fillOpacity: 1 },
  park: { stroke: false, fillColor: "#294034", fillOpacity: 1 },
  square: { stroke: false, fillColor: "#3b4248", fillOpacity: 1 },
  water: { stroke: false, fillColor: "#21323d", fillOpacity: 1 },
  plain: { color: "#3a4249", weight: 1, fillColor: "#262c31", fillOpacity: 1 },
};

/** For daylight. @type {Palette} */
export const LIGHT = {
  street: { color: "#ffffff", weight: 7, opacity: 1, fillColor: "#ffffff", fillOpacity: 1 },
  road: { color: "#ffffff", weight: 7, opacity: 1, fillColor: "#ffffff", fillOpacity: 1 },
  building: { color: "#b9c0c5", weight: 0.5, fillColor: "#d2d8dc", fillOpacity: 1 },
  park: { stroke: false, fillColor: "#cfe3cf", fillOpacity: 1 },
  square: { stroke: false, fillColor: "#e8e4da", fillOpacity: 1 },
  water: { stroke: false, fillColor: "#bfd7e6", fillOpacity: 1 },
  plain: { color: "#c4cbd0", weight: 1, fillColor: "#e4e8ea", fillOpacity: 1 },
};

/** @param {L.Map} map @param {{tiles_url: string, attribution?: string}} settings @returns {L.TileLayer} */
export function layTiles(map, settings) {
  return L.tileLayer(settings.tiles_url, { maxZoom: 20, attribution: escapeText(settings.attribution ?? "") }).addTo(map);
}

/** Draw the town's own ground. @param {L.Map} map @param {any} ground GeoJSON @param {Palette} palette @returns {L.LatLngBounds} */
export function layGround(map, ground, palette) {
  const order = ["park", "water", "square", "road", "street", "building"];
  const rank = (/** @type {any} */ feature) => order.indexOf(feature.properties?.kind);
  ground.features.sort((/** @type {any} */ one, /** @type {any} */ other) => rank(one) - rank(other));
  /** @type {[L.Polyline, number][]} */
  const streets = [];
  /** @type {[string, L.Layer][]} */
  const names = [];
  // Thousands of houses are one drawing, not thousands of elements.
  const renderer = L.canvas({ padding: 0.5 });
  const drawn = L.geoJSON(ground, {
    interactive: false,
    style: (feature) => ({ ...(palette[feature?.properties?.kind] ?? palette.plain), renderer }),
    pointToLayer: (_, at) => L.circleMarker(at, { radius: 2, stroke: false, fillColor: palette.park?.fillColor ?? "#2f4237", fillOpacity: 1, interactive: false }),
    onEachFeature: (feature, layer) => {
      const name = feature.properties?.name;
      if (!/street|road/.test(feature.properties?.kind)) return;
      if (name) names.push([name, layer]);
      if (layer instanceof L.Polyline && !(layer instanceof L.Polygon)) streets.push([layer, feature.properties.width_m ?? 7]);
    },
  }).addTo(map).bringToBack();
  for (const [name, layer] of names) nameStreet(map, name, layer);
  const widen = () => streets.forEach(([layer, metres]) => layer.setStyle({ weight: Math.max(2, metres / metresPerPixel(map)) }));
  map.on("zoomend", widen);
  widen();
  return drawn.getBounds();
}

/** @param {L.Map} map */
const metresPerPixel = (map) => (40_075_016 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / 2 ** (map.getZoom() + 8);

/** Write a street's name near one of its ends, where fewer names meet. @param {L.Map} map @param {string} name @param {L.Layer} layer */
function nameStreet(map, name, layer) {
  if (!(layer instanceof L.Polyline)) return;
  const points = /** @type {L.LatLng[]} */ (layer.getLatLngs().flat(3));
  const [first, last] = [points[0], points.at(layer instanceof L.Polygon ? points.length >> 1 : -1)];
  if (!first || !last) return;
  // Streets that run north are named higher up, so that names do not meet at crossings.
  const share = Math.abs(last.lat - first.lat) > Math.abs(last.lng - first.lng) ? 0.62 : 0.4;
  const at = L.latLng(first.lat + (last.lat - first.lat) * share, first.lng + (last.lng - first.lng) * share);
  // Cameras and units stand before the names of streets, where they meet.
  const pane = map.getPane("names") ?? map.createPane("names");
  Object.assign(pane.style, { zIndex: "550", pointerEvents: "none" });
  L.tooltip({ pane: "names", permanent: true, direction: "center", className: "street-name", interactive: false }).setLatLng(at).setContent(escapeText(name)).addTo(map);
}

/** @param {string} text */
export function escapeText(text) {
  const holder = document.createElement("span");
  holder.textContent = text;
  return holder.innerHTML;
}
