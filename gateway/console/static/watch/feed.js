/**
 * What the control room tells, as it happens: shares, notes, the stick, the time. Reconnects for as long as one is in.
 * @module
 */

import { ApiError, get, socketUrl } from "../app/api.js";
import { Backoff } from "../app/backoff.js";
import { look } from "../app/session.js";
import { store } from "../app/store.js";
import { clockShort } from "../app/time.js";
import { UNREACHABLE } from "../app/words.js";
import { SOON_MS, begun, endedWords, lost, merged, ofRoom } from "./shares.js";
import { drop, keep, room, say, watching } from "./state.js";

/** @type {Feed | null} */
let current = null;

/** A picture was refused: what is shared may be another than we think. */
export const askAnew = () => current?.ask();

/** The server tells the time each second. */
const SILENCE_MS = 5000;
const CLOCK_MS = 200;
const ASK_MS = 2000;

export class Feed {
  /** @type {WebSocket | null} */
  #socket = null;
  #backoff = new Backoff({ capMs: 5000 });
  #timer = 0;
  #clock = 0;
  #ended = false;
  /** Shares whose end was said: the clock and the server may both tell it. @type {Set<string>} */
  #over = new Set();
  /** Shares whose last minutes were told. @type {Set<string>} */
  #warned = new Set();
  #askedAt = -Infinity;
  /** How often the socket told what is shared: an answer by HTTP that was on its way meanwhile is older. */
  #toldOf = 0;
  /** Whether this connection has told nothing yet: what was written before it was told to nobody here. */
  #anew = true;

  constructor() {
    current = this;
    this.#open();
    this.#clock = setInterval(() => this.#expire(), CLOCK_MS);
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearInterval(this.#clock);
    this.#socket?.close();
    if (current === this) current = null;
  }

  ask() {
    const now = performance.now();
    if (now - this.#askedAt < ASK_MS) return;
    this.#askedAt = now;
    void this.#why();
  }

  #open() {
    const socket = new WebSocket(socketUrl("/shares/events"));
    this.#socket = socket;
    this.#anew = true;
    this.#watch();
    socket.onmessage = (event) => {
      if (socket !== this.#socket || this.#ended) return;
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
    watching.set({ link: "down" });
    void this.#why();
    this.#timer = setTimeout(() => !this.#ended && this.#open(), 200 + this.#backoff.failed(performance.now()));
  }

  /** A socket that is refused does not say why; the same question by HTTP does. */
  async #why() {
    const before = this.#toldOf;
    try {
      const mine = await get("/shares/mine");
      if (!this.#ended && this.#toldOf === before) this.#keep(mine, false);
    } catch (error) {
      if (this.#ended) return;
      const known = error instanceof ApiError ? error : null;
      if (known?.status === 403 || known?.status === 404) watching.set({ mine: null, barred: known.problem });
      else if (watching.state.mine === null) watching.set({ barred: known?.problem ?? UNREACHABLE });
    }
  }

  /** @param {import("./shares.js").Mine} mine @param {boolean} anew ask for all notes once more */
  #keep(mine, anew) {
    const before = watching.state.mine;
    for (const text of lost(before, mine)) say(text, "attention");
    keep(mine);
    for (const { id } of mine.terms_due ? [] : mine.shares) if (anew || !(id in watching.state.notes)) void this.#notes(id);
  }

  /** @param {string} share */
  async #notes(share) {
    const first = !(share in watching.state.notes);
    if (first) watching.set({ notes: { ...watching.state.notes, [share]: [] } });
    try {
      const found = await get(`/shares/${share}/notes`);
      if (!this.#ended) this.#learn(share, found, first);
    } catch (error) {
      const { [share]: heard, ...others } = watching.state.notes;
      if (first && heard?.length === 0) watching.set({ notes: others });
      const passes = error instanceof ApiError && (error.status === 0 || error.status >= 500);
      if (passes && !this.#ended) setTimeout(() => this.#again(share), ASK_MS);
    }
  }

  /** @param {string} share whose notes could not be had */
  #again(share) {
    const open = watching.state.mine?.shares.some(({ id }) => id === share) ?? false;
    if (open && !this.#ended && watching.state.link === "up") void this.#notes(share);
  }

  /** @param {string} share @param {import("./shares.js").Note[]} found @param {boolean} first whether nothing was known before */
  #learn(share, found, first) {
    const { notes, missed } = merged(watching.state.notes[share] ?? [], found);
    watching.set({ notes: { ...watching.state.notes, [share]: notes } });
    if (!first) for (const note of missed) this.#tell(note);
  }

  /** By our own reckoning too: a page that is cut off shows nothing longer than it was given. */
  #expire() {
    const { mine } = watching.state;
    const now = store.serverClock.now();
    for (const { id, title, kind, end } of mine && !mine.terms_due ? mine.shares : []) {
      const remains = Date.parse(end) - now;
      if (remains <= 0) this.#end(id, null);
      else if (remains <= SOON_MS && kind !== "test" && !this.#warned.has(id)) {
        this.#warned.add(id);
        say(`“${title}” ends at ${clockShort(Date.parse(end))}.`, "attention");
      }
    }
  }

  /** @param {string} id @param {string | null} by @param {{title: string, kind: string} | null} [told] */
  #end(id, by, told = null) {
    const share = drop(id);
    if (this.#over.has(id)) return;
    this.#over.add(id);
    const now = store.serverClock.now();
    if ((share ?? told)?.kind === "test") {
      if (watching.state.test?.result !== "passed" || now - watching.state.test.at > 600_000) {
        watching.set({ test: { room: room(), at: now, result: "failed" } });
      }
    } else if (share ?? told) say(endedWords(share ?? /** @type {{title: string}} */ (told), room(), by, now), "attention");
  }

  /** @param {any} message */
  #heard(message) {
    switch (message.t) {
      case "time":
        store.serverClock.heard(Date.parse(message.server), Date.now());
        this.#backoff.healthy(performance.now());
        if (watching.state.link !== "up") watching.set({ link: "up" });
        break;
      case "mine":
        this.#toldOf += 1;
        this.#keep(message, this.#anew);
        this.#anew = false;
        break;
      case "began":
        if (message.kind !== "test") say(`“${message.title}” is shared with you now.`);
        break;
      case "ended":
        this.#toldOf += 1;
        this.#end(message.share, message.by, message);
        break;
      case "note":
        this.#note(message);
        break;
      case "stick-lent":
        say(`${begun(ofRoom(room(), message.by))} lends you the stick until ${clockShort(Date.parse(message.until))}.`);
        watching.set({ selected: message.camera, open: true });
        break;
      case "stick-back":
        say(backWords(message, room()), "attention");
        break;
      case "stick-refused":
        say(refusedWords(message, store.serverClock.now()), "attention");
        break;
      case "session":
        void look();
        break;
      default:
        break;
    }
  }

  /** @param {import("./shares.js").Note & {t: string}} note */
  #note(note) {
    const known = watching.state.notes[note.share] ?? [];
    if (known.some(({ id }) => id === note.id)) return;
    watching.set({ notes: { ...watching.state.notes, [note.share]: [...known, note].slice(-200) } });
    this.#tell(note);
  }

  /** One that came from the room is read out, and counted, where nobody looks at the notes. @param {import("./shares.js").Note} note */
  #tell(note) {
    if (watching.state.open || note.outside) return;
    say(`${begun(ofRoom(room(), note.name))}: “${note.text}”`);
    watching.set({ unread: watching.state.unread + 1 });
  }
}

const WAIT_MS = 119_000;

/** @param {{at: string}} request @param {number} now @returns {string} */
export const refusedWords = ({ at }, now) =>
  now - Date.parse(at) >= WAIT_MS ? "Nobody in the control room answered: the stick was not lent." : "The control room does not lend the stick now.";

/** @param {{back_by: string | null, given: boolean, until: string}} loan @param {string} room @returns {string} */
export function backWords({ back_by: by, given }, room) {
  if (given) return "You gave the stick back.";
  return by === null ? "The stick is back with the control room: its time was up." : `${begun(ofRoom(room, by))} took the stick back. The camera has stopped.`;
}
