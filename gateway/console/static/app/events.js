/**
 * The event socket: camera states and the server's time, as they change. Reconnects for as long as one is signed in.
 * @module
 */

import { socketUrl } from "./api.js";
import { hears } from "./shares-model.js";
import { heardOfShares } from "./shares.js";
import { keepCameras, store } from "./store.js";

const SILENCE_MS = 5000;
/** Nine hundred cameras tell their states each second: what comes together is drawn together. */
const GATHER_MS = 50;

/** What the gateway tells, for whoever wants it: an event of the message's kind, and ``open`` on each connection. */
export const news = new EventTarget();

export class Events {
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #timer = 0;
  #ended = false;
  #reload;
  #turned;
  /** What cameras told and is not drawn yet. @type {Map<string, import("./types.js").CameraState>} */
  #news = new Map();
  #drawing = 0;

  /**
   * @param {() => Promise<void>} reload gets cameras, shares and notes anew; at each connection
   * @param {() => Promise<void>} turned the session was locked, or opened again
   */
  constructor(reload, turned) {
    this.#reload = reload;
    this.#turned = turned;
    this.#open();
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#drawing);
    this.#socket?.close();
  }

  #open() {
    const socket = new WebSocket(socketUrl("/events"));
    this.#socket = socket;
    this.#watch();
    socket.onopen = () => {
      this.#attempt = 0;
      store.set({ link: "up" });
      news.dispatchEvent(new Event("open"));
      // The first time as well: what happened between the page's own look and now was told to nobody here.
      void this.#reload().catch(() => {});
    };
    socket.onmessage = (event) => {
      this.#watch();
      this.#heard(JSON.parse(event.data));
    };
    socket.onclose = () => this.#lost(socket);
  }

  #watch() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#timer = setTimeout(() => {
      socket?.close();
      if (socket) this.#lost(socket);
    }, SILENCE_MS);
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (this.#ended || socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#timer);
    store.set({ link: "down" });
    const wait = Math.random() * Math.min(8000, 500 * 2 ** this.#attempt);
    this.#attempt += 1;
    this.#timer = setTimeout(() => {
      void this.#reload().catch(() => {});
      if (!this.#ended) this.#open();
    }, 200 + wait);
  }

  /** @param {any} message */
  #heard(message) {
    if (message.t === "time") store.serverClock.heard(Date.parse(message.server), Date.now());
    else if (message.t === "session") void this.#turned();
    else if (message.t === "cameras") void this.#reload();
    else if (message.t === "rights") void this.#turned().then(this.#reload);
    else if (hears(message)) heardOfShares(message);
    else if (message.t === "camera") {
      this.#news.set(message.id, message.state);
      if (this.#drawing === 0) this.#drawing = setTimeout(() => this.#draw(), GATHER_MS);
      return;
    }
    news.dispatchEvent(new CustomEvent(message.t, { detail: message }));
  }

  #draw() {
    this.#drawing = 0;
    const news = this.#news;
    this.#news = new Map();
    keepCameras(store.state.cameras.map((camera) => {
      const state = news.get(camera.id);
      return state === undefined ? camera : { ...camera, state };
    }));
  }
}
