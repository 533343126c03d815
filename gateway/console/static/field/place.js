/**
 * Where the unit stands, and where it looks: the phone's place with its accuracy, a pin to correct, the compass, or the live
 * picture lined up with the map.
 * @module
 */

import * as L from "leaflet";
import { html, nothing } from "lit";
import { get } from "../app/api.js";
import { cone, wind } from "../app/geo.js";
import { LIGHT, layGround, layTiles } from "../app/map-ground.js";
import { cameraById } from "../app/store.js";
import { bearingTo, distanceM, headingOf, linedUp, pinAccuracyM } from "./aim.js";
import "./picture.js";
import { FieldElement, opened } from "./state.js";
import { draw, kept } from "./work.js";

/** @typedef {import("./progress.js").Spot} Spot */

const CONE_DEG = 60;
/** A place that may be further off is none that a unit is looked for at. */
const SURE_M = 25;

class FieldPlace extends FieldElement {
  /** @override */
  static properties = { confirmed: { attribute: false } };

  /** @type {L.Map | null} */
  #map = null;
  /** @type {L.Marker | null} */
  #pin = null;
  /** @type {L.Circle | null} */
  #sure = null;
  /** @type {L.Polygon | null} */
  #cone = null;
  #watch = 0;
  #said = "";
  /** The phone's compass is followed. */
  #compass = false;
  #turned = false;
  /** It says itself that it is not to be believed. */
  #unsure = false;
  /** A tap on the map says what stands in the middle of the live picture. */
  #lining = false;
  #following = true;
  /** Whether there is anything on the map that a pin could be set by. @type {"asked" | "drawn" | "none"} */
  #ground = "asked";
  /** How sure this phone was last; null: it never was. @type {number | null} */
  #phoneM = null;

  constructor() {
    super();
    /** @type {() => void} */
    this.confirmed = () => {};
  }

  /** @override */
  firstUpdated() {
    const host = /** @type {HTMLElement} */ (this.querySelector("#field-map"));
    const map = L.map(host, { zoomControl: true, attributionControl: true, minZoom: 3, maxZoom: 20, zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false });
    map.attributionControl.setPrefix(false);
    this.#map = map;
    const { latitude, longitude } = /** @type {import("./progress.js").Deployment} */ (opened()).place;
    map.setView([latitude, longitude], 18);
    const spread = this.field.rules?.spread_m;
    if (spread) L.circle([latitude, longitude], { radius: spread, interactive: false, className: "granted" }).addTo(map);
    map.on("click", ({ latlng }) => this.#tapped(latlng.lat, latlng.lng));
    void this.#lay(map);
    if (navigator.geolocation) {
      this.#watch = navigator.geolocation.watchPosition(
        ({ coords }) => this.#placed(coords),
        (error) => this.#tell(error.code === error.PERMISSION_DENIED ? "The phone does not let this page know where it is. Tap the place on the map." : "The phone does not know where it is yet. Wait, or tap the place on the map."),
        { enableHighAccuracy: true, maximumAge: 5000 },
      );
    } else this.#tell("This browser does not tell where it is. Tap the place on the map.");
    this.#following = !this.field.draft?.spot?.moved;
    this.#listenToCompass();
    this.#redraw();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    if (this.#watch) navigator.geolocation.clearWatch(this.#watch);
    removeEventListener("deviceorientationabsolute", this.#turn);
    removeEventListener("deviceorientation", this.#turn);
    this.#map?.remove();
    this.#map = null;
  }

  /** @override */
  updated() {
    this.#redraw();
  }

  /** @param {string} words */
  #tell(words) {
    this.#said = words;
    this.requestUpdate();
  }

  /** The ground as it is on this phone, else as the gateway has it. @param {L.Map} map */
  async #lay(map) {
    const known = (await kept.one("known", "ground").catch(() => null))?.ground;
    const settings = known ? null : await get("/map").catch(() => null);
    const ground = known ?? (settings && !settings.tiles_url ? await get("/map/ground").catch(() => null) : null);
    if (this.#map !== map) return;
    if (ground) layGround(map, ground, LIGHT);
    // A tile may come late, or never: it is a map from the first that is seen.
    else if (settings?.tiles_url) layTiles(map, settings).once("tileload", () => void this.#laid("drawn"));
    await this.#laid(ground ? "drawn" : "none");
  }

  /** @param {"drawn" | "none"} ground */
  async #laid(ground) {
    this.#ground = ground;
    this.requestUpdate();
    await this.updateComplete;
    // An empty map is smaller, so that the whole step is on the screen with what is said of it.
    this.#map?.invalidateSize({ animate: false });
  }

  /** @param {GeolocationCoordinates} coords */
  #placed({ latitude, longitude, accuracy }) {
    this.#phoneM = Math.round(accuracy);
    if (!this.#following) return;
    this.#said = "";
    void draw({ spot: { latitude, longitude, accuracy_m: Math.round(accuracy), moved: false } });
    this.#map?.panTo([latitude, longitude], { animate: false });
  }

  /** @param {number} latitude @param {number} longitude */
  #tapped(latitude, longitude) {
    const spot = this.field.draft?.spot;
    if (this.#lining && spot) {
      void this.#lineUp();
      void draw({ bearing_deg: Math.round(linedUp(spot, { latitude, longitude }, this.#pan())) });
      return;
    }
    this.#move(latitude, longitude);
  }

  /** @param {number} latitude @param {number} longitude */
  #move(latitude, longitude) {
    const finger = pinAccuracyM(latitude, /** @type {L.Map} */ (this.#map).getZoom());
    // On an empty map a pin is set by nothing but where the phone thinks that it is.
    const accuracy = this.#ground === "drawn" ? finger : this.#phoneM === null ? null : Math.max(finger, this.#phoneM);
    if (accuracy === null) {
      this.#tell("There is no map here, and this phone does not know where it is: a pin would be a guess. Let the page use the phone’s place, or wait for the network.");
      this.#redraw();
      return;
    }
    this.#following = false;
    void draw({ spot: { latitude, longitude, accuracy_m: accuracy, moved: true } });
  }

  #camera() {
    return cameraById(opened()?.cameras[0]);
  }

  /** How far the head is turned from its own zero. */
  #pan() {
    return this.#camera()?.state.head?.pan_deg ?? 0;
  }

  /** Map and picture are seen together, or one cannot be lined up with the other. */
  async #lineUp() {
    this.#lining = !this.#lining;
    this.#turned = true;
    this.requestUpdate();
    await this.updateComplete;
    this.#map?.invalidateSize({ animate: false });
    if (this.#lining) this.querySelector("#field-map")?.scrollIntoView({ block: "start", behavior: "instant" });
  }

  // --- the compass

  #listenToCompass() {
    // Where its owner has to be asked first, at a tap, nothing comes until then.
    addEventListener("deviceorientationabsolute", /** @type {EventListener} */ (this.#turn));
    addEventListener("deviceorientation", /** @type {EventListener} */ (this.#turn));
  }

  async #askCompass() {
    const Known = /** @type {any} */ (globalThis).DeviceOrientationEvent;
    if (typeof Known?.requestPermission === "function") {
      const answer = await Known.requestPermission().catch(() => "denied");
      if (answer !== "granted") return this.#tell("The phone does not let this page use its compass. Use the slider, or line the picture up.");
    }
    this.#turned = false;
  }

  /** @param {any} event */
  #turn = (event) => {
    // A turn from anywhere is no compass.
    if (event.type === "deviceorientation" && !event.absolute && typeof event.webkitCompassHeading !== "number") return;
    const heading = headingOf(event);
    const unsure = heading === null && typeof event.webkitCompassHeading === "number";
    if (unsure !== this.#unsure) {
      this.#unsure = unsure;
      this.requestUpdate();
    }
    if (heading === null) return;
    if (!this.#compass) {
      this.#compass = true;
      this.requestUpdate();
    }
    if (this.#turned || this.#lining) return;
    const now = Math.round(heading);
    if (now !== this.field.draft?.bearing_deg) void draw({ bearing_deg: now });
  };

  /** @param {number} bearing */
  #setBearing(bearing) {
    this.#turned = true;
    void draw({ bearing_deg: bearing });
  }

  // --- the map

  #redraw() {
    const { draft } = this.field;
    const map = this.#map;
    if (!map || !draft?.spot) return;
    const { latitude, longitude, accuracy_m: accuracy } = draft.spot;
    if (!this.#pin) {
      const icon = L.divIcon({ className: "pin", html: `<span class="pin-drop"></span>`, iconSize: [44, 44], iconAnchor: [22, 42] });
      this.#pin = L.marker([latitude, longitude], { icon, draggable: true, keyboard: true, autoPan: true, alt: "Where the unit stands" }).addTo(map);
      this.#pin.on("dragend", () => {
        const at = /** @type {L.Marker} */ (this.#pin).getLatLng();
        this.#move(at.lat, at.lng);
      });
      this.#sure = L.circle([latitude, longitude], { radius: 0, interactive: false, className: "accuracy" }).addTo(map);
      this.#cone = L.polygon([], { interactive: false, className: "cone" }).addTo(map);
    }
    this.#pin.setLatLng([latitude, longitude]);
    this.#sure?.setLatLng([latitude, longitude]).setRadius(accuracy);
    this.#cone?.setLatLngs(draft.bearing_deg === null ? [] : cone(latitude, longitude, draft.bearing_deg + this.#pan(), this.#camera()?.state.head?.hfov_deg ?? CONE_DEG));
  }

  /** @param {Spot | null} spot */
  #where(spot) {
    const one = opened();
    if (!spot || !one) return html`<p class="quiet" role="status">Looking where this phone is…</p>`;
    const off = distanceM(one.place, spot);
    const spread = this.field.rules?.spread_m ?? Infinity;
    const far = off > spread;
    return html`<p role="status" data-accuracy=${spot.accuracy_m} data-moved=${spot.moved}>${
      spot.moved ? "By your pin" : "By this phone"}, within ${spot.accuracy_m} m · ${off < 1 ? "where it was granted" : `${Math.round(off)} m ${wind(bearingTo(one.place, spot))} of what was granted`}.</p>
      ${far ? html`<p class="said alarm">That is too far: ${Math.round(spread)} m are allowed. Put it up where it was granted, or have the other place referred.</p>` : nothing}
      ${spot.accuracy_m <= SURE_M ? nothing : html`<p class="said attention">${this.#ground !== "drawn" ? `The phone is not sure: ${SURE_M} m are needed, and without a map a pin is no surer. Step away from the walls, or wait for the network.`
        : spot.moved ? "The map is too small for a pin. Zoom in, and set it again."
        : `The phone is not sure: ${SURE_M} m are needed. Drag the pin to the post, or tap the post on the map.`}</p>`}`;
  }

  /** @override */
  render() {
    const { draft, rules } = this.field;
    const one = opened();
    if (!draft || !one) return nothing;
    const { spot, bearing_deg: bearing } = draft;
    const far = spot !== null && distanceM(one.place, spot) > (rules?.spread_m ?? Infinity);
    const unsure = spot !== null && spot.accuracy_m > SURE_M;
    const camera = this.#camera();
    return html`
      <div id="field-map" class="field-map" data-lining=${this.#lining} data-ground=${this.#ground} aria-label="Map: tap or drag to correct the place"></div>
      ${this.#ground === "none" ? html`<p class="said attention" role="status" id="no-ground">No map can be drawn here: a pin is no surer than the phone.</p>` : nothing}
      ${this.#lining && camera ? html`<p class="said">Turn the picture until the cross is on something that you find on the map. Then tap that on the map.</p>
        <field-picture .camera=${camera.id} .cross=${true}></field-picture>` : nothing}
      ${this.#said ? html`<p class="said attention" role="status">${this.#said}</p>` : nothing}
      ${this.#where(spot)}
      ${this.#following ? nothing : html`<button id="by-phone" @click=${() => { this.#following = true; this.requestUpdate(); }}>Use this phone's place</button>`}
      <label for="bearing">The unit's front looks <b>${bearing === null ? "?" : `${wind(bearing)} ${bearing}°`}</b>${
        this.#compass && !this.#turned && !this.#unsure ? " · hold the phone as the unit looks" : ""}</label>
      <input id="bearing" type="range" min="0" max="359" step="1" .value=${String(bearing ?? 0)} @input=${(/** @type {Event} */ event) => this.#setBearing(Number(/** @type {HTMLInputElement} */ (event.target).value))}>
      ${this.#unsure && !this.#turned ? html`<p class="said attention" role="status" id="compass-unsure">The phone’s compass is not sure. Move the phone in an eight, away from steel; or use the slider, or the picture.</p>` : nothing}
      <div class="row">
        <button id="compass" @click=${() => void this.#askCompass()}>By the compass</button>
        ${camera?.state.live === "live" && spot ? html`<button id="line-up" aria-pressed=${this.#lining} @click=${() => void this.#lineUp()}>By the picture</button>` : nothing}
      </div>
      <button class="primary" id="stands-here" ?disabled=${spot === null || far || unsure || bearing === null} @click=${() => this.confirmed()}>It stands here and looks there</button>`;
  }
}

customElements.define("field-place", FieldPlace);
