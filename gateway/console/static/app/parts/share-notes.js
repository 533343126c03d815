/**
 * One line to the other side of a share, and what came from there.
 * @module
 */

import { problemOf } from "../api.js";
import { html, nothing } from "lit";
import { SlElement, fields } from "../element.js";
import { answered, loadNotes, writeNote } from "../shares-notes.js";
import { clockShort } from "../time.js";
import { say } from "../words.js";

/** @typedef {import("../shares-types.js").Share} Share */

const SHOWN = 4;
const CHARS = 200;

class ShareNotes extends SlElement {
  /** @override */
  static properties = { share: { attribute: false } };
  #all = false;
  #asked = "";
  /** @type {import("../types.js").Problem | null} */
  #problem = null;

  constructor() {
    super();
    this.share = /** @type {Share | null} */ (null);
  }

  /** @override */
  willUpdate() {
    if (this.share && this.share.id !== this.#asked) {
      this.#asked = this.share.id;
      void loadNotes(this.share.id).catch((error) => {
        this.#problem = problemOf(error);
        this.requestUpdate();
      });
    }
  }

  /** @override */
  updated() {
    if (!this.share || this.state.sharing.answering !== this.share.id) return;
    const field = /** @type {HTMLElement | null} */ (this.querySelector(`#note-${this.share.id}`));
    field?.scrollIntoView({ block: "nearest" });
    field?.focus();
    answered();
  }

  /** @param {Event} event @param {Share} share */
  async #write(event, share) {
    const { text = "" } = fields(event);
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (text && (await writeNote(share.id, text))) form.reset();
  }

  /** @override */
  render() {
    const { share } = this;
    if (!share) return nothing;
    const { notes, unread } = this.state.sharing;
    const known = notes[share.id] ?? [];
    const shown = this.#all ? known : known.slice(-SHOWN);
    const said = this.#problem ? say(this.#problem) : null;
    const fresh = new Set(unread.map((note) => note.id));
    return html`
      <div class="notes">
        ${said ? html`<p class="said attention" role="alert"><strong>${said.title}</strong> ${said.cure}</p>` : nothing}
        ${known.length > shown.length ? html`<button class="plain" @click=${() => { this.#all = true; this.requestUpdate(); }}>${known.length - shown.length} earlier</button>` : nothing}
        ${shown.length
          ? html`<ol aria-label="Notes">${shown.map(
              (note) => html`<li class=${note.outside ? "from-outside" : ""} data-unread=${fresh.has(note.id)}><time datetime=${note.at}>${clockShort(Date.parse(note.at))}</time>
                <span><b>${note.name}</b> ${note.text}</span></li>`,
            )}</ol>`
          : nothing}
        <form class="inline" @submit=${(/** @type {Event} */ event) => void this.#write(event, share)}>
          <label class="away" for="note-${share.id}">A line to ${share.organisation_name}</label>
          <input id="note-${share.id}" name="text" maxlength=${CHARS} autocomplete="off" placeholder="A line to ${share.organisation_name}">
          <button>Send</button>
        </form>
      </div>
    `;
  }
}

customElements.define("sl-share-notes", ShareNotes);
