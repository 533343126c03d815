/**
 * Who looks, drawn over the picture: name, force, time and share. It lies in the picture's own layer, wanders so that it
 * is in no corner that can be cut off, and is put back when the page's user takes it away or hides it. A screen can be
 * photographed; whoever does is in the photograph.
 * @module
 */

import { store } from "../app/store.js";
import { clock, day } from "../app/time.js";
import { watching } from "./state.js";

const STEP_MS = 1000;
/** For those who ask for less motion: it stands, and now and then stands elsewhere. */
const STEPS_APART = 20;
/** Once around takes this long: two times that have no common measure, so that it goes everywhere. */
const ACROSS_MS = 97_000;
const DOWN_MS = 61_000;
/** Taken away this often within a look, it is not an accident. */
const PATIENCE = 8;

/** @param {{title: string, reference: string}} share @param {number} now @returns {[string, string]} */
export function markLines(share, now) {
  const { name = "", organisation = "" } = watching.state.mine ?? {};
  return [`${name} · ${organisation}`, `${day(now)} ${clock(now)} · ${share.reference || share.title}`];
}

/** Where it is now, as shares of the room that it has. @param {number} now @returns {{across: number, down: number}} */
export const placeAt = (now) => ({
  across: 0.5 - 0.5 * Math.cos((2 * Math.PI * now) / ACROSS_MS),
  down: 0.5 - 0.5 * Math.cos((2 * Math.PI * now) / DOWN_MS + 1),
});

export class Mark {
  #host;
  #lines;
  #aspect;
  #tampered;
  #node = document.createElement("div");
  #timer = 0;
  #steps = 0;
  #offences = 0;
  #mending = false;
  #observer = new MutationObserver(() => this.#mend());
  #sizes = new ResizeObserver(() => this.#resized());

  /**
   * @param {HTMLElement} host the picture's element @param {() => string[]} lines @param {() => number} aspect of the picture
   * @param {() => void} tampered it is taken away again and again
   */
  constructor(host, lines, aspect, tampered) {
    this.#host = host;
    this.#lines = lines;
    this.#aspect = aspect;
    this.#tampered = tampered;
    this.#mend();
    this.#move();
    this.#timer = setInterval(() => this.#tick(), STEP_MS);
    this.#sizes.observe(host);
  }

  end() {
    clearInterval(this.#timer);
    this.#sizes.disconnect();
    this.#observer.disconnect();
    this.#node.remove();
  }

  /** In a picture that became smaller it would lie beyond the edge until it had wandered back: it is put there at once. */
  #resized() {
    this.#move();
    this.#observer.disconnect();
    // Taken out and put back it does not glide there; nobody else did that.
    this.#node.remove();
    this.#host.append(this.#node);
    this.#mend();
  }

  /** Nothing here is the user's to change: whatever was changed is as it was. */
  #mend() {
    if (this.#mending) return;
    this.#mending = true;
    this.#observer.disconnect();
    const whole = this.#node.isConnected && this.#node.parentNode === this.#host && this.#node.childElementCount > 0;
    if (!whole || this.#node.className !== "mark" || this.#node.hidden || this.#node.attributes.length > 2) this.#offences += 1;
    const { transform, maxWidth } = this.#node.style;
    for (const { name } of [...this.#node.attributes]) this.#node.removeAttribute(name);
    this.#node.className = "mark";
    Object.assign(this.#node.style, { transform, maxWidth });
    this.#write();
    // Last of all, over whatever video is there.
    if (this.#host.lastElementChild !== this.#node) this.#host.append(this.#node);
    this.#observer.observe(this.#host, { childList: true });
    this.#observer.observe(this.#node, { attributes: true, childList: true, subtree: true, characterData: true });
    this.#mending = false;
    if (this.#offences > PATIENCE) this.#tampered();
  }

  #write() {
    const lines = this.#lines();
    const spans = lines.map((text) => Object.assign(document.createElement("span"), { textContent: text }));
    this.#node.replaceChildren(...spans);
  }

  #tick() {
    this.#steps += 1;
    this.#offences = Math.max(0, this.#offences - 1);
    if (!this.#seen()) this.#offences += 3;
    this.#mend();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!calm || this.#steps % STEPS_APART === 1) this.#move();
  }

  /** Whether style sheets of others let it be seen. */
  #seen() {
    if (this.#host.clientWidth === 0) return true;
    const { display, visibility, opacity, clipPath } = getComputedStyle(this.#node);
    return display !== "none" && visibility === "visible" && Number(opacity) > 0.4 && clipPath === "none" && this.#node.offsetWidth > 20;
  }

  /** Over the picture, never on the bars beside it. */
  #move() {
    const [width, height] = [this.#host.clientWidth, this.#host.clientHeight];
    const aspect = this.#aspect();
    const [wide, high] = [Math.min(width, height * aspect), Math.min(height, width / aspect)];
    // What is said at the foot of the picture stays readable, and does not hide who looks.
    const foot = /** @type {HTMLElement | null} */ (this.#host.parentElement?.querySelector(".flag"))?.offsetHeight ?? 0;
    const free = Math.min(high, (height + high) / 2 - foot);
    const { across, down } = placeAt(store.serverClock.now());
    this.#observer.disconnect();
    // Before it is measured: in a picture that has just become larger or smaller it is as wide as fits there.
    this.#node.style.maxWidth = `${Math.floor(wide)}px`;
    const x = (width - wide) / 2 + across * Math.max(0, wide - this.#node.offsetWidth);
    const y = (height - high) / 2 + down * Math.max(0, free - this.#node.offsetHeight);
    this.#node.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    this.#observer.observe(this.#host, { childList: true });
    this.#observer.observe(this.#node, { attributes: true, childList: true, subtree: true, characterData: true });
  }
}

/** The same, into the pixels of a still. @param {OffscreenCanvasRenderingContext2D} context @param {string[]} lines */
export function paintMark(context, lines) {
  const { width, height } = context.canvas;
  const longest = () => Math.max(...lines.map((text) => context.measureText(text).width));
  const type = (/** @type {number} */ px) => (context.font = `600 ${px}px system-ui, sans-serif`);
  let size = Math.max(12, Math.round(width / 48));
  type(size);
  size = Math.min(size, Math.floor((size * (width - 2 * size)) / longest()));
  type(size);
  context.textBaseline = "top";
  const wide = longest();
  const high = lines.length * size * 1.3;
  const { across, down } = placeAt(store.serverClock.now());
  const [x, y] = [size + across * Math.max(0, width - wide - 2 * size), size + down * Math.max(0, height - high - 2 * size)];
  lines.forEach((text, index) => {
    const top = y + index * size * 1.3;
    context.lineWidth = Math.max(2, size / 6);
    context.strokeStyle = "rgb(0 0 0 / 75%)";
    context.strokeText(text, x, top);
    context.fillStyle = "rgb(255 255 255 / 90%)";
    context.fillText(text, x, top);
  });
}
