/**
 * The stick of the selected camera: one WebSocket, the latest wish, beats while moving, and a stop that always goes.
 *
 * The server stops the head by itself when beats cease for 400 ms; this side stops it at once when the page is hidden,
 * loses focus or its camera is changed.
 * @module
 */

import { handMoved } from "./activity.js";
import { socketUrl } from "./api.js";
import { STILL, fromGamepad, fromKeys, isStill, mix } from "./steer-inputs.js";
import { store, tell } from "./store.js";
import { barred, line } from "./words.js";

/** @typedef {import("./steer-inputs.js").Velocity} Velocity */

const BEAT_MS = 150;
const TICK_MS = 40;
const WHEEL_MS = 260;

class Steering {
  /** @type {WebSocket | null} */
  #socket = null;
  #cameraId = /** @type {string | null} */ (null);
  #sequence = 0;
  #sent = STILL;
  #sentAt = 0;
  #wantsStick = false;
  #keys = /** @type {Map<string, number>} */ (new Map());
  #fast = false;
  #held = /** @type {Map<string, Velocity>} */ (new Map());
  #wheelUntil = 0;
  #ticker = 0;
  #retry = 0;
  #padLive = false;
  #stopDue = false;

  constructor() {
    addEventListener("blur", () => this.letGo());
    document.addEventListener("visibilitychange", () => document.visibilityState !== "visible" && this.letGo());
    addEventListener("pagehide", () => this.aim(null));
    addEventListener("gamepadconnected", (event) => {
      tell(`Stick connected: ${event.gamepad.id.replace(/\s*\(.*\)/, "")}.`);
      this.#padLive = true;
      this.#run();
    });
    addEventListener("gamepaddisconnected", () => {
      this.#padLive = navigator.getGamepads().some(Boolean);
      this.hold("gamepad", STILL);
      tell("The stick was unplugged. The head is stopped.", "attention");
    });
  }

  /** Steer this camera from now on; null for none. @param {string | null} cameraId */
  aim(cameraId) {
    if (cameraId === this.#cameraId) return;
    this.letGo();
    clearTimeout(this.#retry);
    const old = this.#socket;
    this.#socket = null;
    this.#cameraId = cameraId;
    this.#wantsStick = false;
    this.#stopDue = false;
    // The server lets go of the stick, and so stops the head, when its socket closes.
    old?.close();
    this.#tell({ mine: false, moving: false, problem: null, socket: cameraId ? "opening" : "none" });
    if (cameraId) this.#open(cameraId);
  }

  take() {
    this.#wantsStick = true;
    this.#send({ t: "take" });
  }

  release() {
    this.letGo();
    this.#wantsStick = false;
    this.#send({ t: "release" });
  }

  /** Esc: everything let go and the head told to stop, whoever's the stick is. */
  stop() {
    this.#clear();
    this.#sent = STILL;
    this.#sequence += 1;
    // A stop that finds no connection goes as the first thing on the next one.
    this.#stopDue = this.#socket?.readyState !== WebSocket.OPEN;
    this.#send({ t: "stop", n: this.#sequence });
    this.#tell({ moving: false });
  }

  /** A stop, if anything of ours moves. */
  letGo() {
    if (!isStill(this.#sent) || !isStill(this.#wish())) this.stop();
    else this.#clear();
  }

  /** @param {string} key @param {boolean} fast */
  keyDown(key, fast) {
    this.#fast = fast;
    if (!this.#keys.has(key)) this.#keys.set(key, performance.now());
    this.#run();
    this.#push();
  }

  /** @param {string} key @param {boolean} fast */
  keyUp(key, fast) {
    this.#fast = fast;
    this.#keys.delete(key);
    this.#push();
  }

  /** Shift went up or down while keys are held. @param {boolean} fast */
  shift(fast) {
    this.#fast = fast;
  }

  /** One source's wish, until it says otherwise. @param {string} source @param {Velocity} velocity */
  hold(source, velocity) {
    if (isStill(velocity)) this.#held.delete(source);
    else this.#held.set(source, velocity);
    this.#run();
    this.#push();
  }

  /** @param {Velocity} velocity */
  wheel(velocity) {
    this.#held.set("wheel", velocity);
    this.#wheelUntil = performance.now() + WHEEL_MS;
    this.#run();
    this.#push();
  }

  /** A single move: view, box, preset, home, aux. @param {Record<string, unknown>} wish */
  once(wish) {
    this.#ensureStick();
    this.#send(wish);
  }

  #clear() {
    this.#keys.clear();
    this.#held.clear();
  }

  #wish() {
    const now = performance.now();
    return mix([fromKeys(this.#keys, now, this.#fast), ...this.#held.values()]);
  }

  #run() {
    if (this.#ticker === 0) this.#ticker = setInterval(() => this.#turn(), TICK_MS);
  }

  #turn() {
    if (this.#held.has("wheel") && performance.now() > this.#wheelUntil) this.#held.delete("wheel");
    if (this.#padLive && document.hasFocus()) {
      const pad = navigator.getGamepads().find(Boolean);
      const wish = pad ? fromGamepad(pad) : STILL;
      if (isStill(wish)) this.#held.delete("gamepad");
      else {
        this.#held.set("gamepad", wish);
        handMoved();
      }
    }
    this.#push();
    if (!isStill(this.#sent) && performance.now() - this.#sentAt >= BEAT_MS - TICK_MS / 2) this.#send({ t: "beat" });
    if (isStill(this.#sent) && this.#keys.size === 0 && this.#held.size === 0 && !this.#padLive) {
      clearInterval(this.#ticker);
      this.#ticker = 0;
    }
  }

  /** Send the wish if it differs from the last one sent. */
  #push() {
    const wish = this.#wish();
    const last = this.#sent;
    if (wish.pan === last.pan && wish.tilt === last.tilt && wish.zoom === last.zoom) return;
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      this.#sent = STILL;
      return;
    }
    if (!isStill(wish)) this.#ensureStick();
    this.#sequence += 1;
    this.#sent = wish;
    this.#send(isStill(wish) ? { t: "stop", n: this.#sequence } : { t: "move", ...wish, n: this.#sequence });
    this.#tell({ moving: !isStill(wish) });
  }

  #ensureStick() {
    if (store.state.steering.mine || this.#wantsStick) return;
    this.#wantsStick = true;
    this.#send({ t: "take" });
  }

  /** @param {Record<string, unknown>} message */
  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(message));
    this.#sentAt = performance.now();
  }

  /** @param {string} cameraId */
  #open(cameraId) {
    const socket = new WebSocket(socketUrl(`/cameras/${cameraId}/steer`));
    this.#socket = socket;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#tell({ socket: "open", problem: null });
      if (this.#stopDue) this.stop();
    };
    socket.onmessage = (event) => socket === this.#socket && this.#heard(JSON.parse(event.data));
    socket.onclose = () => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#clear();
      this.#sent = STILL;
      this.#wantsStick = false;
      this.#tell({ mine: false, moving: false, socket: "lost" });
      this.#retry = setTimeout(() => this.#cameraId === cameraId && this.#open(cameraId), 1000 + Math.random() * 2000);
    };
  }

  /** @param {any} message */
  #heard(message) {
    if (message.t === "stick") {
      if (!message.mine) this.#wantsStick = false;
      this.#tell({ mine: Boolean(message.mine), problem: null });
      this.#patchCamera({ stick: message.holder ? { ...message.holder, mine: Boolean(message.mine) } : null });
    } else if (message.t === "head") {
      const { t: _, ...head } = message;
      this.#patchCamera({ head });
    } else if (message.t === "bound") {
      if (message.bound && store.state.steering.mine) tell(barred(message.bound), "attention");
    } else if (message.t === "error") {
      this.#wantsStick = false;
      this.#clear();
      this.#sent = STILL;
      this.#tell({ problem: message, moving: false });
      tell(line(message), "attention");
    }
  }

  /** @param {Partial<import("./types.js").CameraState>} patch */
  #patchCamera(patch) {
    const id = this.#cameraId;
    store.set({
      cameras: store.state.cameras.map((camera) =>
        camera.id === id ? { ...camera, state: { ...camera.state, ...patch } } : camera,
      ),
    });
  }

  /** @param {Partial<import("./store.js").State["steering"]>} patch */
  #tell(patch) {
    store.set({ steering: { ...store.state.steering, ...patch } });
  }
}

/** @type {Steering | null} */
let made = null;

/** The one stick of this page. */
export const steering = () => (made ??= new Steering());
