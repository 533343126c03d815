/**
 * Inside: the strip that says what is shared and until when, the pictures, what can be done.
 * @module
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./dock.js";
import "./tile.js";
import { signOut } from "../app/session.js";
import { store } from "../app/store.js";
import { clock, clockShort } from "../app/time.js";
import { follow, fullScreen, openPanel, show, still, turn, wallboard } from "./acts.js";
import { SOON_MS, left, ownLoan, pageOf, untilWords } from "./shares.js";
import { WatchElement, say, selectedView, shares, views } from "./state.js";

const SAID_FOR_MS = 12_000;

class WatchRoom extends WatchElement {
  #timer = 0;

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 500);
    document.addEventListener("fullscreenchange", this.#redraw);
    this.addEventListener("contextmenu", this.#noMenu);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
    document.removeEventListener("fullscreenchange", this.#redraw);
    this.removeEventListener("contextmenu", this.#noMenu);
  }

  #redraw = () => this.requestUpdate();

  /** Nothing here is to be saved by the browser's own menu. @param {Event} event */
  #noMenu = (event) => {
    if (event.target instanceof Element && event.target.closest(".view")) event.preventDefault();
  };

  /** @override */
  updated() {
    follow();
  }

  // --- the strip

  /** @param {import("./shares.js").Share[]} running @param {number} now */
  #until(running, now) {
    const first = [...running].sort((one, other) => one.end.localeCompare(other.end))[0];
    if (!first) return html`<span class="what"><strong>${this.watched.mine?.organisation ?? "Sightline"}</strong></span>`;
    const remains = Date.parse(first.end) - now;
    const soon = remains <= SOON_MS;
    const many = running.length > 1;
    return html`
      <span class="what"><strong>${many ? `${running.length} shares` : first.title}</strong>
        ${many ? nothing : html`<span class="quiet">${first.reference}</span>`}</span>
      <span class="until ${soon ? "attention" : ""}" data-soon=${soon}>${many ? "next ends" : soon ? "ends soon" : "until"} ${untilWords(first.end, now)}
        <b role="timer" aria-label="time left">${left(remains)}</b></span>
    `;
  }

  /** @param {number} now */
  #said(now) {
    const { said, link } = this.watched;
    const last = said.at(-1);
    if (last && now - last.at < SAID_FOR_MS) return html`<span class="said-line ${last.kind}">${last.text}</span>`;
    if (link === "down") return html`<span class="said-line attention">No word from the control room. Trying again…</span>`;
    return nothing;
  }

  /** @param {import("./shares.js").Share[]} running @param {number} now */
  #strip(running, now) {
    const { user } = this.state;
    return html`
      <header class="strip">
        ${this.#until(running, now)}
        <div class="said-space" role="status" aria-live="polite">${this.#said(now)}</div>
        <time class="clock" datetime=${new Date(now).toISOString()}>${clock(now)}</time>
        <span class="who"><span class="who-name" title=${user?.username ?? ""}>${this.watched.mine?.name ?? user?.name}</span>
          <button class="plain" id="sign-out" @click=${() => void signOut()}>Sign out</button></span>
      </header>
    `;
  }

  // --- the pictures

  /** @param {import("./shares.js").View[]} all */
  #stage(all) {
    const { selected, filled, layout } = this.watched;
    const at = Math.max(0, all.findIndex(({ camera }) => camera.id === selected));
    const page = pageOf(all.length, at, filled ? 1 : layout);
    const shown = page.map((index) => ({ index, view: /** @type {import("./shares.js").View} */ (all[index]) }));
    return html`
      <main class="stage" data-count=${shown.length} aria-label="Pictures">
        ${repeat(shown, ({ view }) => view.camera.id, ({ view, index }) => html`<watch-tile .view=${view} .index=${index} .large=${shown.length === 1}></watch-tile>`)}
      </main>
    `;
  }

  /** @param {import("./shares.js").Share[]} running */
  #nothing(running) {
    const { said, test } = this.watched;
    const past = said.filter(({ kind }) => kind === "attention");
    return html`
      <main class="stage none" aria-label="Pictures">
        <div class="nothing">
          <h1>${running.length > 0 ? "The control room shows nothing at the moment" : "Nothing is shared with you now"}</h1>
          <p class="quiet">Leave this page open: a picture comes as soon as the control room ${running.length > 0 ? "selects" : "shares"} one.</p>
          ${past.length ? html`<ul class="past">${past.map(({ text }) => html`<li class="said">${text}</li>`)}</ul>` : nothing}
          ${test ? html`<p class="said" data-test=${test.result}>${testWords(test)}</p>` : nothing}
        </div>
      </main>
    `;
  }

  // --- what can be done

  /** @param {number} count of pictures */
  #layouts(count) {
    const { filled, layout } = this.watched;
    const now = filled ? 1 : count > 4 ? layout : 4;
    const choices = /** @type {(1 | 4 | 9)[]} */ (count > 4 ? [1, 4, 9] : [1, 4]);
    return html`
      <div class="segments" role="group" aria-label="Pictures at once">${choices.map(
        (most) => html`<button data-layout=${most} aria-pressed=${now === most} title="${most === 1 ? "One picture" : `Up to ${most} pictures`} at once" @click=${() => show(most)}>${most}</button>`,
      )}</div>
      ${count > now
        ? html`<div class="segments" role="group" aria-label="Other pictures">
            <button id="before" title="The pictures before ([)" aria-label="Pictures before" @click=${() => turn(-1)}>‹</button>
            <button id="after" title="The next pictures (])" aria-label="Next pictures" @click=${() => turn(1)}>›</button></div>`
        : nothing}
    `;
  }

  /** @param {import("./shares.js").Share[]} running @param {import("./shares.js").View[]} all */
  #acts(running, all) {
    const view = selectedView();
    const { open, unread, test } = this.watched;
    const unlocked = this.state.lock === "open";
    const asks = view?.shares.some(({ may_ask_for_stick: may }) => may) && view.camera.steerable;
    const mine = view && ownLoan(view, this.state.user?.id);
    const askFor = async () => {
      openPanel(true);
      await this.updateComplete;
      await /** @type {any} */ (this.querySelector("watch-dock"))?.openAsking();
    };
    return html`
      <nav class="acts" aria-label="What you can do">
        ${test && all.length ? html`<span class="test-said" data-test=${test.result}>${testWords(test)}</span>` : nothing}
        <span class="acts-gap"></span>
        ${all.length > 1 ? this.#layouts(all.length) : nothing}
        ${unlocked && asks && !mine ? html`<button id="ask" class="when-closed" title="Ask for the stick (T)" @click=${() => void askFor()}>Ask for the stick</button>` : nothing}
        ${unlocked && view?.shares.some(({ stills }) => stills) ? html`<button id="still" title="Save a still (S)" @click=${() => void still()}>Still</button>` : nothing}
        ${running.length === 0 ? nothing : html`<button id="panel" class="panel-switch" aria-pressed=${open} aria-controls="dock" title="Shares, stick and notes (N)" @click=${() => openPanel(!open)}>Notes${unread ? html` <b class="unread" aria-label="${unread} new">${unread} new</b>` : nothing}</button>`}
        ${unlocked && all.length ? html`<button id="wallboard" class="wallboard" title="Pictures only, until somebody proves who they are" @click=${() => void wallboard()}>Wallboard</button>` : nothing}
        ${document.fullscreenEnabled ? html`<button id="full-screen" class="full-screen" title="Pictures only (F)" @click=${() => void fullScreen()}>Full screen</button>` : nothing}
      </nav>
    `;
  }

  /** @override */
  render() {
    const now = store.serverClock.now();
    const running = shares();
    const all = views();
    return html`
      <div class="watch" data-open=${this.watched.open} data-full=${document.fullscreenElement !== null} data-lock=${this.state.lock} data-views=${all.length}>
        ${this.#strip(running, now)}
        ${all.length ? this.#stage(all) : this.#nothing(running)}
        ${this.#acts(running, all)}
        ${running.length ? html`<aside class="dock" id="dock" aria-label="Shares, stick and notes"><watch-dock></watch-dock></aside>` : nothing}
      </div>
    `;
  }
}

/** @param {NonNullable<import("./state.js").Watching["test"]>} test */
const testWords = ({ room, at, result }) => `Link test with ${room}: ${result} ${clockShort(at)}`;

let told = 0;
/** What the modules of the console say while they work here. */
store.subscribe(() => {
  const { notice } = store.state;
  if (!notice || notice.at <= told || store.state.session !== "signed-in") return;
  told = notice.at;
  say(notice.text, notice.kind === "news" ? "news" : "attention");
});

customElements.define("watch-room", WatchRoom);
