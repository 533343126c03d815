/**
 * The wall: as many tiles as the layout has, and what is said when there is nothing to show.
 * @module
 */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./tile.js";
import { loadCameras } from "../actions.js";
import { SlElement } from "../element.js";
import { may, store } from "../store.js";
import { say } from "../words.js";

class Wall extends SlElement {
  #empty() {
    const openPanel = () => store.set({ panel: "enrol", panelOpen: true });
    return html`
      <section class="wall-empty" data-wall="empty">
        <h2>No cameras yet</h2>
        ${may("enrol")
          ? html`<p>Enrol the first one: find it on the network, or give its address with the user name and password that were set
                on the camera. Its picture is shown before anything is stored, and it records from then on.</p>
              <button class="primary" id="enrol-first" @click=${openPanel}>Enrol a camera</button>`
          : html`<p>None has been enrolled, or none is shared with you. An administrator can enrol cameras and give you the right to see
              them.</p>`}
      </section>
    `;
  }

  #problem() {
    const { list, listProblem } = this.state;
    const { title, cure } = say(listProblem);
    return html`
      <section class="wall-empty" data-wall=${list} role="alert">
        <h2>${list === "forbidden" ? "You may not see cameras" : "The cameras could not be listed"}</h2>
        <p>${title} ${cure}</p>
        <button @click=${() => void loadCameras()}>Try again</button>
      </section>
    `;
  }

  /** @override */
  render() {
    const { list, cameras, layout, slots } = this.state;
    if (list === "failed" || list === "forbidden") return this.#problem();
    if (list === "loading") {
      return html`<section class="wall-empty" data-wall="loading"><p>Loading the cameras…</p></section>`;
    }
    if (cameras.length === 0) return this.#empty();
    return html`
      <div class="wall" data-wall="ready" data-layout=${layout}>
        ${repeat(
          slots.slice(0, layout).map((slot, index) => ({ slot, index })),
          ({ index }) => index,
          ({ slot, index }) => html`<sl-tile .index=${index} .content=${slot}></sl-tile>`,
        )}
      </div>
    `;
  }
}

customElements.define("sl-wall", Wall);
