/**
 * What people outside wait for: who asks for a stick, and what they wrote. It stands until somebody has answered.
 * @module
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { callUp } from "../actions.js";
import { SlTicking } from "../element.js";
import { answer, readNotes } from "../shares-notes.js";
import { lend, organisationOf, refuse } from "../shares.js";
import { named, since } from "../shares-words.js";
import { cameraById, may, selectedCamera, store } from "../store.js";
import { clockShort } from "../time.js";

/** @typedef {import("../shares-types.js").Ask} Ask */
/** @typedef {import("../shares-types.js").Note} Note */

class ShareAsks extends SlTicking {
  /** @param {Ask} ask */
  #ask(ask) {
    const camera = cameraById(ask.camera);
    const minutes = this.state.sharing.usual?.stick_minutes;
    const selected = selectedCamera()?.id === ask.camera;
    const waits = Math.max(0, Math.round((store.serverClock.now() - Date.parse(ask.at)) / 1000));
    return html`<li class="ask-line" data-ask=${ask.user_id} data-selected=${selected}>
      <p><b>${named(ask.name, organisationOf(ask.share))}</b> asks for the stick of
        ${camera ? html`<span class="number">${camera.number}</span> ${camera.name}` : "a camera that you do not see"}${ask.note ? html`: <q>${ask.note}</q>` : nothing}
        <small role="timer" aria-live="off">waiting ${since(waits)}</small></p>
      <div class="buttons">
        <button class="primary" data-act="lend" @click=${() => void lend(ask)}>Lend${minutes ? ` ${minutes} min` : ""}${selected ? html` <kbd>G</kbd>` : nothing}</button>
        <button data-act="refuse" @click=${() => void refuse(ask)}>Refuse${selected ? html` <kbd>N</kbd>` : nothing}</button>
        ${camera && !selected ? html`<button class="plain" data-act="show" @click=${() => callUp(camera)}>Show the camera</button>` : nothing}
      </div>
    </li>`;
  }

  /** @param {Note} note */
  #note(note) {
    return html`<li class="ask-line note-line" data-note=${note.id}>
      <p><b>${named(note.name, organisationOf(note.share))}</b> writes: <q>${note.text}</q> <small>${clockShort(Date.parse(note.at))}</small></p>
      <div class="buttons">
        <button data-act="answer" @click=${() => answer(note.share)}>Answer</button>
        <button class="plain" data-act="seen" @click=${() => readNotes(note.share)}>Seen</button>
      </div>
    </li>`;
  }

  /** @param {Ask} ask */
  #mayLend(ask) {
    return cameraById(ask.camera)?.may?.includes("steer") ?? may("steer");
  }

  /** @override */
  render() {
    const { asks, unread } = this.state.sharing;
    const mine = asks.filter((ask) => this.#mayLend(ask));
    if (mine.length + unread.length === 0) return html`<div role="status" aria-live="polite" aria-atomic="false"></div>`;
    return html`
      <div role="status" aria-live="polite" aria-atomic="false" aria-label="From outside">
        <ul class="asks">
          ${repeat(mine, (ask) => `${ask.share} ${ask.user_id}`, (ask) => this.#ask(ask))}
          ${repeat(unread, (note) => note.id, (note) => this.#note(note))}
        </ul>
      </div>
    `;
  }
}

customElements.define("sl-share-asks", ShareAsks);
