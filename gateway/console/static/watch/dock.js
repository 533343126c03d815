/**
 * Beside the pictures: what is shared and until when, the stick, the notes.
 * @module
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { fields } from "../app/element.js";
import { pad } from "../app/parts/pad.js";
import { store } from "../app/store.js";
import { clockShort } from "../app/time.js";
import { line } from "../app/words.js";
import { ask, giveBack, select, write } from "./acts.js";
import { SOON_MS, left, ownLoan, untilWords } from "./shares.js";
import { WatchElement, selectedView, shares } from "./state.js";

/** @typedef {import("./shares.js").Share} Share */
/** @typedef {import("./shares.js").View} View */

/** The room answers within this, or nobody does. */
const WAIT_MS = 120_000;

class WatchDock extends WatchElement {
  #asking = false;
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 500);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  /** Somebody wants to say why they ask. */
  async openAsking() {
    this.#asking = true;
    this.requestUpdate();
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector("#ask-note"))?.focus();
  }

  // --- what is shared

  /** @param {Share} share @param {number} now */
  #share(share, now) {
    const remains = Date.parse(share.end) - now;
    const soon = remains <= SOON_MS;
    return html`
      <li class="shared" data-share=${share.id}>
        <div class="shared-head"><strong>${share.title}</strong>
          <span class="remains ${soon ? "attention" : ""}" role="timer">${left(remains)} left</span></div>
        <p class="hint">${[share.reference, share.reason].filter(Boolean).join(" · ")}</p>
        <p class="hint">From ${share.room}, until ${untilWords(share.end, now)}${share.stills ? "" : ". No stills"}.</p>
        ${share.cameras.length === 0 ? html`<p class="hint">The control room shows nothing in it at the moment.</p>` : nothing}
        <div class="chips">${share.cameras.map(
          (camera) => html`<button class="chip" aria-pressed=${camera.id === this.watched.selected} @click=${() => select(camera.id)}>
            <b>${camera.number}</b> ${camera.name}${camera.live ? nothing : html` <span class="attention">no picture</span>`}</button>`,
        )}</div>
      </li>
    `;
  }

  // --- the stick

  /** @param {View} view @param {number} now */
  #stick(view, now) {
    const { camera } = view;
    const share = view.shares.find((each) => each.may_ask_for_stick);
    const loan = ownLoan(view, this.state.user?.id);
    const waiting = view.shares.find(({ asked }) => asked === camera.id);
    if (loan) return this.#lent(loan, now);
    if (!camera.steerable) return html`<p class="hint">Camera ${camera.number} is fixed: nobody can steer it.</p>`;
    if (waiting) return this.#waiting(waiting, now);
    if (!share) return html`<p class="hint">The control room steers camera ${camera.number}. Write a note if you need another view.</p>`;
    if (camera.lent) return html`<p class="hint">The stick of camera ${camera.number} is lent to ${camera.lent.name} until ${clockShort(Date.parse(camera.lent.until))}.</p>`;
    if (!this.#asking) return html`<button class="wide" id="ask-stick" @click=${() => void this.openAsking()}>Ask for the stick of camera ${camera.number}</button>`;
    const submit = (/** @type {Event} */ event) => {
      const { note = "" } = fields(event);
      this.#asking = false;
      void ask(share.id, camera.id, note);
    };
    return html`
      <form class="ask-stick" @submit=${submit}>
        <label for="ask-note">What for? The control room reads it.</label>
        <input id="ask-note" name="note" maxlength="200" autocomplete="off" placeholder="Follow the blue car">
        <div class="buttons"><button class="primary">Ask</button>
          <button type="button" class="plain" @click=${() => { this.#asking = false; this.requestUpdate(); }}>Leave it</button></div>
      </form>
    `;
  }

  /** @param {Share} share @param {number} now */
  #waiting(share, now) {
    const since = this.watched.askedAt[share.id];
    const remains = since === undefined ? null : WAIT_MS - (now - since);
    return html`
      <div class="stick-card" data-stick="waiting" role="status">
        <div><strong>You asked for the stick.</strong>
          <span>Waiting for the control room${remains !== null && remains > 0 ? html`, up to ${left(remains)}` : ""}.</span></div>
        <button id="withdraw" @click=${() => void giveBack(share.id)}>Withdraw</button>
      </div>
    `;
  }

  /** @param {import("./shares.js").Loan} loan @param {number} now */
  #lent(loan, now) {
    const { moving, problem, socket } = this.state.steering;
    const remains = Date.parse(loan.until) - now;
    const detail = problem ? line(problem) : socket === "lost" ? "No connection: the head was stopped. Trying again…" : moving ? "Steering." : "Hold a button, drag on the picture, or use the arrow keys. Esc stops.";
    return html`
      <div class="stick-card" data-stick="mine" role="status">
        <div><strong>The room lends you the stick until ${clockShort(Date.parse(loan.until))}.</strong>
          <span>${detail}</span></div>
        <span class="remains ${remains < 60_000 ? "attention" : ""}" role="timer">${left(remains)}</span>
      </div>
      ${pad()}
      <button id="give-back" class="wide" @click=${() => void giveBack(loan.share)}>Give the stick back</button>
    `;
  }

  // --- notes

  /** @param {Share[]} running */
  #notes(running) {
    const about = selectedView()?.shares[0] ?? running[0];
    if (!about || about.kind === "test") return nothing;
    const all = running
      .flatMap(({ id, title }) => (this.watched.notes[id] ?? []).map((note) => ({ ...note, title })))
      .sort((one, other) => one.at.localeCompare(other.at));
    const submit = (/** @type {Event} */ event) => {
      const form = /** @type {HTMLFormElement} */ (event.target);
      const { text = "" } = fields(event);
      if (text) void write(about.id, text).then((done) => done && form.reset());
    };
    return html`
      <section class="notes" aria-labelledby="notes-title">
        <h2 id="notes-title">Notes with the control room</h2>
        ${all.length === 0 ? html`<p class="hint">No messages yet.</p>` : nothing}
        <ol class="note-list" role="log" aria-live="polite" aria-label="Notes">${repeat(all, ({ id }) => id, (note) => html`
          <li class=${note.outside ? "ours" : "theirs"}><time datetime=${note.at}>${clockShort(Date.parse(note.at))}</time>
            <span><b>${note.outside ? note.name : `Control room, ${note.name}`}</b>${running.length > 1 ? html` <small class="quiet">${note.title}</small>` : nothing}<br>${note.text}</span></li>`)}</ol>
        <form class="inline note-form" @submit=${submit}>
          <label class="away" for="note-text">Note to the control room${running.length > 1 ? `, in “${about.title}”` : ""}</label>
          <input id="note-text" name="text" required maxlength="200" autocomplete="off" enterkeyhint="send" placeholder=${running.length > 1 ? `Note, in “${about.title}”` : "Note to the control room"}>
          <button>Send</button>
        </form>
      </section>
    `;
  }

  /** @override */
  updated() {
    const list = this.querySelector(".note-list");
    if (list && list.childElementCount !== Number(this.dataset.notes ?? 0)) {
      this.dataset.notes = String(list.childElementCount);
      list.scrollTop = list.scrollHeight;
    }
  }

  /** @override */
  render() {
    const now = store.serverClock.now();
    const running = shares();
    const view = selectedView();
    return html`
      ${view && this.state.lock === "open" ? html`<section class="dock-stick" aria-label="The stick">${this.#stick(view, now)}</section>` : nothing}
      ${this.state.lock === "open" ? this.#notes(running) : nothing}
      <section aria-labelledby="shared-title"><h2 id="shared-title">Shared with you</h2>
        <ul class="shared-list">${running.map((share) => this.#share(share, now))}</ul></section>
    `;
  }
}

customElements.define("watch-dock", WatchDock);
