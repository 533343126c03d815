/**
 * One group of cameras: listed ones, those of a label, those inside an area that is drawn on the map, and what is below.
 * @module
 */

import { html, nothing } from "lit";
import { send } from "../api.js";
import { counted, directory, familyOf, inside, standingOf, treeOf } from "../directory.js";
import { fields } from "../element.js";
import { mapView } from "../map-view.js";
import { cameraById, store } from "../store.js";
import { Asking, cameraChips } from "./people-asking.js";

/** @typedef {import("../directory.js").Group} GroupFacts */

const CORNERS_MAX = 500;

class GroupPage extends Asking {
  /** Which; null to make one. @type {string | null} */
  group = null;
  /** @type {string[]} */
  #listed = [];
  /** What was typed and names no camera. */
  #none = "";

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    const known = this.#known;
    this.#listed = [...(known?.cameras ?? [])];
    store.set({ outline: { corners: known?.area ?? [], drawing: false } });
    void this.updateComplete.then(() => requestAnimationFrame(() => mapView.show(known?.area.length ? known.area : this.#everything())));
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    store.set({ outline: null });
  }

  /** On a phone the map comes up with the outline, and has no view of its own that somebody chose. */
  #everything() {
    if (matchMedia("(min-width: 860px)").matches) return [];
    return store.state.cameras.flatMap(({ place }) => (place ? [/** @type {import("../directory.js").Corner} */ ([place.latitude, place.longitude])] : []));
  }

  get #known() {
    return directory.groups?.find((one) => one.id === this.group);
  }

  get #corners() {
    return store.state.outline?.corners ?? [];
  }

  /** @param {import("../directory.js").Corner[]} corners @param {boolean} drawing */
  #outline(corners, drawing) {
    store.set({ outline: { corners: corners.slice(0, CORNERS_MAX), drawing } });
  }

  #view() {
    const corners = mapView.corners();
    if (corners) this.#outline(corners, false);
  }

  #corner() {
    const middle = mapView.middle();
    if (middle) this.#outline([...this.#corners, middle], true);
  }

  /** @param {Event} event */
  #save(event) {
    const { name = "", parent = "", label = "" } = fields(event);
    const wish = { name, parent: parent || null, label: label || null, area: this.#corners, cameras: this.#listed };
    void this.attempt("group", async () => {
      await send(this.group ? "PUT" : "POST", this.group ? `/groups/${this.group}` : "/groups", wish);
      await directory.load("groups");
      directory.open("groups");
    }, `${name} is ${this.group ? "changed" : "there"}.`);
  }

  /** @param {GroupFacts} group @param {number} grants */
  #remove(group, grants) {
    return this.attempt("group", async () => {
      await send("DELETE", `/groups/${group.id}`);
      await directory.load("groups", "grants");
      directory.open("groups");
    }, `${group.name} is removed${grants ? `, with ${counted(grants, "right")}` : ""}.`);
  }

  /** @param {Event} event */
  #list(event) {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (this.querySelector("#group-camera"));
    const numbers = input.value.split(/[\s,;]+/).filter(Boolean);
    const found = numbers.map((number) => store.state.cameras.find((camera) => String(camera.number) === number));
    this.#none = numbers.filter((_, index) => !found[index]).join(", ");
    for (const camera of found) if (camera && !this.#listed.includes(camera.id)) this.#listed = [...this.#listed, camera.id];
    input.value = this.#none;
    this.requestUpdate();
  }

  #cameras() {
    const known = this.#listed.flatMap((id) => cameraById(id) ?? []).sort((one, other) => one.number - other.number);
    const out = (/** @type {string} */ id) => {
      this.#listed = this.#listed.filter((one) => one !== id);
      this.requestUpdate();
    };
    const enter = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") this.#list(event);
    };
    return html`<fieldset><legend>Listed</legend>
      <ul class="chips">${known.map((camera) => html`<li class="chip"><span class="number">${camera.number}</span> ${camera.name}
        <button type="button" class="plain" aria-label="Take camera ${camera.number} out" @click=${() => out(camera.id)}>×</button></li>`)}</ul>
      <label for="group-camera">Numbers of cameras</label>
      <div class="inline-fields"><input id="group-camera" inputmode="numeric" autocomplete="off" placeholder="12, 14, 15" aria-invalid=${this.#none !== ""} aria-describedby="group-camera-said" @keydown=${enter}>
        <button type="button" @click=${(/** @type {Event} */ event) => this.#list(event)}>Put in</button></div>
      <p id="group-camera-said" class="attention" role="alert">${this.#none ? `There is no camera ${this.#none}.` : ""}</p>
    </fieldset>`;
  }

  #area() {
    const corners = this.#corners;
    const drawing = store.state.outline?.drawing ?? false;
    const standing = corners.length > 2 ? store.state.cameras.filter((camera) => camera.place && inside(corners, camera.place)).map((camera) => camera.id) : [];
    return html`<fieldset class="area"><legend>Area</legend>
      <p class="hint" role="status">${drawing
        ? `Click its corners on the map: ${counted(corners.length, "corner")} so far${corners.length < 3 ? ", it needs three" : ""}.`
        : corners.length ? `${counted(corners.length, "corner")}; ${counted(standing.length, "camera")} inside now.` : "None. Cameras that stand inside it are in the group for as long as they stand there."}</p>
      ${standing.length ? cameraChips(standing) : nothing}
      <div class="buttons">
        ${drawing
          ? html`<button type="button" class="primary" ?disabled=${corners.length < 3} @click=${() => this.#outline(corners, false)}>Done</button>
              <button type="button" @click=${() => this.#corner()}>Corner at the map's middle</button>
              <button type="button" ?disabled=${corners.length === 0} @click=${() => this.#outline(corners.slice(0, -1), true)}>Back one</button>`
          : html`<button type="button" id="draw-area" @click=${() => this.#outline([], true)}>${corners.length ? "Draw again" : "Draw on the map"}</button>`}
        <button type="button" id="take-view" @click=${() => this.#view()}>What the map shows now</button>
        ${corners.length || drawing ? html`<button type="button" class="plain" @click=${() => this.#outline([], false)}>No area</button>` : nothing}
      </div>
    </fieldset>`;
  }

  /** @override */
  render() {
    const groups = directory.groups ?? [];
    const known = this.#known;
    const own = known ? familyOf(groups, known.id) : new Set();
    const labels = [...new Set(store.state.cameras.flatMap((camera) => camera.group || []))].sort();
    const now = Date.now();
    const grants = (directory.grants ?? []).filter((grant) => grant.group !== null && own.has(grant.group) && standingOf(grant, now) !== "over").length;
    const parents = treeOf(groups).filter(({ group }) => !own.has(group.id));
    return html`
      <div class="page-head"><button class="plain back" aria-label="Back to all groups" @click=${() => directory.open("groups")}>‹ Groups</button><h2 tabindex="-1">${known?.name ?? "New group"}</h2></div>
      <form @submit=${(/** @type {Event} */ event) => this.#save(event)}>
        <label for="group-name">Name</label><input id="group-name" name="name" required maxlength="120" autocomplete="off" .value=${known?.name ?? ""}>
        <label for="group-parent">Below</label>
        <select id="group-parent" name="parent" aria-describedby="parent-hint"><option value="">No other group</option>
          ${parents.map(({ group, depth }) => html`<option value=${group.id} ?selected=${known?.parent === group.id}>${"  ".repeat(depth)}${group.name}</option>`)}</select>
        <p class="hint" id="parent-hint">Who has a right over a group has it over those below it.</p>
        ${this.#cameras()}
        <label for="group-label">Every camera with the label</label>
        <input id="group-label" name="label" list="labels-known" maxlength="120" autocomplete="off" .value=${known?.label ?? ""} placeholder="As it stands with the camera">
        <datalist id="labels-known">${labels.map((label) => html`<option value=${label}></option>`)}</datalist>
        ${this.#area()}
        ${known ? html`<p class="hint">In it now, with the groups below: ${counted(known.holds.length, "camera")}.</p>${cameraChips(known.holds)}` : nothing}
        ${this.sure === "remove" ? html`<p class="said" role="status">${own.size > 1 ? `The ${counted(own.size - 1, "group")} below go with it. ` : ""}${grants ? `${counted(grants, "right")} over ${own.size > 1 ? "them" : "it"} end at once.` : "No right is given over it."}</p>` : nothing}
        ${this.said("group")}
        <div class="buttons"><button class="primary" ?disabled=${store.state.outline?.drawing ?? false}>${known ? "Save" : "Make it"}</button>
          ${known ? this.twice({ key: "remove", label: "Remove this group", sure: "Really remove it", act: () => this.#remove(known, grants) }) : nothing}</div>
      </form>
    `;
  }
}

customElements.define("sl-group", GroupPage);
