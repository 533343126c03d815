/**
 * The line of a tile that says who outside sees the camera, and who outside steers it. It stands above the picture.
 * @module
 */

import { html, nothing } from "lit";
import { SlTicking } from "../element.js";
import { follow } from "../shares-following.js";
import { openBar, organisationOf, takeBack } from "../shares.js";
import { sharesOf } from "../shares-model.js";
import { left, suffers, until, watcherLine } from "../shares-words.js";
import { may, store } from "../store.js";

/** @typedef {import("../types.js").Camera} Camera */
/** @typedef {import("../shares-types.js").Share} Share */
/** @typedef {import("../shares-types.js").Watcher} Watcher */

const EYE = html`<svg class="eye" viewBox="0 0 24 14" aria-hidden="true"><path d="M1 7C5 1.6 8.6 1 12 1s7 .6 11 6c-4 5.4-7.6 6-11 6S5 12.4 1 7Z"/><circle cx="12" cy="7" r="3.4"/></svg>`;

class ShareStrip extends SlTicking {
  /** @override */
  static properties = { camera: { attribute: false } };

  constructor() {
    super();
    this.camera = /** @type {Camera | null} */ (null);
  }

  /** @param {Camera} camera */
  #loan(camera) {
    const { lent } = camera.state;
    if (!lent) return nothing;
    const of = organisationOf(lent.share);
    return html`<span class="lent" data-lent=${lent.user_id}><span class="lent-name">✛ <span class="lent-word">lent to </span><b>${lent.name}</b>${of ? html`<span class="lent-of">, ${of}</span>` : nothing}</span> ·
      <time>${left(Date.parse(lent.until) - store.serverClock.now())}</time> left
      ${may("steer") ? html`<button class="take-back" @click=${() => void takeBack(lent)}>Take back <kbd>B</kbd></button>` : nothing}</span>`;
  }

  /** @param {Watcher[]} watchers @param {Share[]} shares */
  #words(watchers, shares) {
    if (this.state.link === "down") return html`<span class="attention">who watches from outside is not known</span>`;
    if (watchers.length > 0) {
      return watchers.map(
        (one, index) => html`<span class="watcher ${suffers(one) ? "attention" : ""}" data-watcher=${one.user_id}>${index ? "; " : ""}${watcherLine(one)}</span>`,
      );
    }
    const [first] = shares;
    return first ? `${[...new Set(shares.map((share) => share.organisation_name))].join(", ")} · nobody watches yet` : "";
  }

  /** @param {Share[]} shares */
  #kind(shares) {
    const following = shares.find((share) => share.follow);
    if (shares.some((share) => share.kind === "test")) return html`<b class="shared-word">Link test</b>`;
    if (!following) return html`<b class="shared-word">Shared</b>`;
    const here = this.state.sharing.following === following.id;
    const own = following.made_by_id === this.state.user?.id;
    return html`<b class="following">Shared: follow-me</b>${own && !here
      ? html` <button class="plain follow-here" title="Another console of yours decides what is shown" @click=${() => follow(following.id)}>Follow here</button>`
      : nothing}`;
  }

  /** @override */
  render() {
    const { camera } = this;
    if (!camera) return nothing;
    const { sharing } = this.state;
    const watchers = sharing.watching[camera.id] ?? [];
    const shares = sharesOf(sharing, camera.id);
    if (shares.length === 0 && watchers.length === 0 && !camera.state.lent) return nothing;
    const last = shares.reduce((end, share) => (share.end > end ? share.end : end), "");
    const now = store.serverClock.now();
    const lines = watchers.map(watcherLine).join("\n");
    return html`
      <div class="outside" data-watchers=${watchers.length} data-shared=${shares.length}>
        ${this.#loan(camera)}
        ${shares.length || watchers.length
          ? html`${this.#kind(shares)}
              <button class="outside-who" title="${lines ? `${lines}\n` : ""}How this camera is shared (W)" aria-label="${watchers.length} watching from outside. How this camera is shared"
                aria-expanded=${sharing.bar?.camera === camera.id} ?disabled=${!may("share")} @click=${() => this.#open()}>
                ${EYE}<b class="count">${watchers.length}</b><span class="outside-names">${this.#words(watchers, shares)}</span></button>
              ${last ? html`<span class="outside-end" title="Until ${until(last, now)}">${left(Date.parse(last) - now)} left</span>` : nothing}`
          : nothing}
      </div>
    `;
  }

  /** The tile that was touched is the selected one by now. */
  #open() {
    if (this.state.sharing.bar?.camera !== this.camera?.id) openBar();
    else store.set({ sharing: { ...this.state.sharing, bar: null } });
  }
}

customElements.define("sl-share-strip", ShareStrip);
