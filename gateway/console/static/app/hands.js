/**
 * The pointer on a picture: a drag is a rubber band, a click brings a point to the middle, Shift and a drag draws a
 * box to zoom into, the wheel zooms. A first click only selects the tile.
 * @module
 */

import { STILL, fromDrag, fromWheel, inPicture, toView } from "./steer-inputs.js";
import { steering } from "./steering.js";

const CLICK_PX = 6;

/** @typedef {{id: number, x: number, y: number, box: boolean, moved: boolean}} Press */

export class Hands {
  #allowed = false;
  /** @type {Press | null} */
  #down = null;
  #aspect;
  #ears = new AbortController();

  /** @param {HTMLElement} host @param {() => number} aspect of the picture */
  constructor(host, aspect) {
    this.host = host;
    this.#aspect = aspect;
    const { signal } = this.#ears;
    host.addEventListener("pointerdown", (event) => this.#press(event), { signal });
    host.addEventListener("pointermove", (event) => this.#move(event), { signal });
    host.addEventListener("pointerup", (event) => this.#lift(event), { signal });
    host.addEventListener("pointercancel", () => this.#abandon(), { signal });
    host.addEventListener("lostpointercapture", () => this.#abandon(), { signal });
    host.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
  }

  /** @param {boolean} allowed */
  allow(allowed) {
    if (this.#allowed && !allowed) this.#abandon();
    this.#allowed = allowed;
    this.host.classList.toggle("steerable", allowed);
  }

  end() {
    this.#abandon();
    this.#ears.abort();
    this.host.classList.remove("steerable");
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (!this.#allowed || event.button !== 0) return;
    this.#down = { id: event.pointerId, x: event.clientX, y: event.clientY, box: event.shiftKey, moved: false };
    this.host.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const down = this.#down;
    if (!down || event.pointerId !== down.id) return;
    const [right, below] = [event.clientX - down.x, event.clientY - down.y];
    if (!down.moved && Math.hypot(right, below) < CLICK_PX) return;
    down.moved = true;
    if (down.box) this.#drawBox(event);
    else {
      this.#drawBand(event);
      steering().hold("drag", fromDrag(right, below, this.host.clientHeight));
    }
  }

  /** @param {PointerEvent} event */
  #lift(event) {
    const down = this.#down;
    if (!down || event.pointerId !== down.id) return;
    this.#abandon();
    const rect = this.host.getBoundingClientRect();
    const to = inPicture(rect, this.#aspect(), event.clientX, event.clientY);
    if (!down.moved) {
      if (to) steering().once({ t: "view", ...toView(to.x, to.y) });
      return;
    }
    const from = inPicture(rect, this.#aspect(), down.x, down.y);
    if (down.box && from && to) {
      const [x0, x1] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
      const [y0, y1] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
      if (x1 - x0 > 0.02 && y1 - y0 > 0.02) steering().once({ t: "box", x0, y0, x1, y1 });
    }
  }

  #abandon() {
    if (this.#down === null) return;
    const { moved, box } = this.#down;
    this.#down = null;
    for (const mark of this.#marks()) mark.hidden = true;
    if (moved && !box) steering().hold("drag", STILL);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!this.#allowed) return;
    event.preventDefault();
    steering().wheel(fromWheel(event.deltaY));
  }

  /** @returns {HTMLElement[]} */
  #marks() {
    return [...this.host.querySelectorAll(".rubber, .box")].filter((mark) => mark instanceof HTMLElement);
  }

  /** @param {PointerEvent} event */
  #drawBand(event) {
    const down = /** @type {Press} */ (this.#down);
    const rect = this.host.getBoundingClientRect();
    const band = /** @type {HTMLElement} */ (this.host.querySelector(".rubber"));
    const [right, below] = [event.clientX - down.x, event.clientY - down.y];
    band.hidden = false;
    band.style.left = `${down.x - rect.left}px`;
    band.style.top = `${down.y - rect.top}px`;
    band.style.width = `${Math.hypot(right, below)}px`;
    band.style.rotate = `${Math.atan2(below, right)}rad`;
  }

  /** @param {PointerEvent} event */
  #drawBox(event) {
    const down = /** @type {Press} */ (this.#down);
    const rect = this.host.getBoundingClientRect();
    const box = /** @type {HTMLElement} */ (this.host.querySelector(".box"));
    box.hidden = false;
    box.style.left = `${Math.min(down.x, event.clientX) - rect.left}px`;
    box.style.top = `${Math.min(down.y, event.clientY) - rect.top}px`;
    box.style.width = `${Math.abs(event.clientX - down.x)}px`;
    box.style.height = `${Math.abs(event.clientY - down.y)}px`;
  }
}
