/**
 * Whom a share is for: who has accepted the terms, and who watches, since when and how well.
 * @module
 */

import { html, nothing } from "lit";
import { organisationById, takeOutPerson } from "../shares.js";
import { howWell, since, suffers } from "../shares-words.js";
import { cameraById, store } from "../store.js";

/** @typedef {import("../shares-types.js").Share} Share */
/** @typedef {import("../shares-types.js").Watcher} Watcher */
/** @typedef {import("../shares-types.js").Recipient} Recipient */

/** Of a whole force nobody reads the list: those that watch come first, and so many are shown. */
const SHOWN = 8;

/** @param {Share} share @returns {Watcher[]} the views that are open by it */
export const watchersOf = (share) => Object.values(store.state.sharing.watching).flat().filter((one) => one.share === share.id);

/** @param {Watcher[]} views */
function watching(views) {
  return views.map(
    (one) => html`<small class="watches ${suffers(one) ? "attention" : ""}">watches <span class="number">${cameraById(one.camera)?.number ?? "?"}</span>
      for ${since(one.seconds)} · ${howWell(one)}</small>`,
  );
}

/** @param {Recipient} one */
const terms = (one) => (one.terms ? "has accepted the terms" : "has not accepted the terms: sees nothing yet");

/**
 * @param {Share} share
 * @param {boolean} removable whether somebody can be taken out of it here
 */
export function people(share, removable) {
  const organisation = organisationById(share.organisation);
  const views = watchersOf(share);
  const all = (organisation?.people ?? []).filter((one) => share.recipients === null || share.recipients.includes(one.user_id));
  const watches = (/** @type {Recipient} */ one) => views.some((view) => view.user_id === one.user_id);
  const sorted = [...all.filter(watches), ...all.filter((one) => !watches(one))];
  const named = share.recipients === null ? `Everybody at ${share.organisation_name}` : sorted.length === 1 ? "One person" : `${sorted.length} people`;
  return html`
    <p class="hint">${named}${all.length === 0 ? ": none of them has enrolled yet" : ""}</p>
    <ul class="share-people">
      ${sorted.slice(0, SHOWN).map((one) => {
        const own = views.filter((view) => view.user_id === one.user_id);
        return html`<li data-person=${one.user_id} data-watches=${own.length}>
          <span class="camera-name">${one.name}${own.length ? watching(own) : html`<small class=${one.terms ? "" : "attention"}>${terms(one)}</small>`}</span>
          ${removable && all.length > 1
            ? html`<button class="plain" data-act="remove-person" aria-label="Take ${one.name} out of this share"
                @click=${() => void takeOutPerson(share, one)}>Take out</button>`
            : nothing}
        </li>`;
      })}
      ${sorted.length > SHOWN ? html`<li class="hint">and ${sorted.length - SHOWN} more</li>` : nothing}
    </ul>
  `;
}
