/**
 * Groups of cameras: the tree of them, and which cameras are in each now.
 * @module
 */

import { html, nothing } from "lit";
import "./group.js";
import { counted, directory, treeOf } from "../directory.js";
import { Asking, cameraChips } from "./people-asking.js";

/** @typedef {import("../directory.js").Group} Group */

class Groups extends Asking {
  #open = "";

  /** By what cameras come to be in it. @param {Group} group */
  #made(group) {
    const below = (directory.groups ?? []).filter((one) => one.parent === group.id).length;
    return [
      group.cameras.length ? `${group.cameras.length} listed` : "",
      group.label === null ? "" : `labelled “${group.label}”`,
      group.area.length ? "an area" : "",
      below ? counted(below, "group below", "groups below") : "",
    ].filter(Boolean).join(" · ") || "nothing puts cameras in it";
  }

  /** @param {Group} group @param {number} depth */
  #row(group, depth) {
    const open = this.#open === group.id;
    const toggle = () => {
      this.#open = open ? "" : group.id;
      this.requestUpdate();
    };
    return html`<li class="row-line" data-depth=${Math.min(depth, 4)} data-group=${group.name}>
      <button class="row" aria-expanded=${open} @click=${toggle}><span class="row-name">${depth ? html`<span class="away">Below: </span>` : nothing}${group.name}<small>${this.#made(group)}</small></span>
        <span class="row-facts"><span>${counted(group.holds.length, "camera")}</span></span></button>
      <button class="plain" aria-label="Change ${group.name}" @click=${() => directory.open("groups", group.id)}>Change</button>
      ${open ? html`<div class="row-more">${group.holds.length ? html`<span class="hint">In it now:</span> ${cameraChips(group.holds)}` : html`<span class="hint">No camera is in it now.</span>`}</div>` : nothing}
    </li>`;
  }

  /** @override */
  render() {
    const groups = directory.groups ?? [];
    const { id } = directory.place;
    if (id === "new" || groups.some((one) => one.id === id)) return html`<sl-group .group=${id === "new" ? null : id}></sl-group>`;
    return html`
      <h2 tabindex="-1">Camera groups</h2>
      <p class="hint">Rights are given over groups. A camera is in a group because it is listed, by its label, or because it stands inside the area: one that is moved changes its groups with its place, and rights follow at once.</p>
      ${groups.length ? nothing : html`<p class="hint">No groups yet.</p>`}
      <ul class="rows tree">${treeOf(groups).map(({ group, depth }) => this.#row(group, depth))}</ul>
      <div class="buttons"><button id="add-group" @click=${() => directory.open("groups", "new")}>New group</button></div>
    `;
  }
}

customElements.define("sl-groups", Groups);
