/**
 * What somebody may do now, and by which rule: by group of cameras, and for one camera.
 * @module
 */

import { html, nothing } from "lit";
import { get } from "../api.js";
import { counted, directory } from "../directory.js";
import { PERMISSIONS, inOrder, labelOf } from "../permissions.js";
import { store } from "../store.js";
import { dayAndTime } from "../time.js";
import { Asking, cameraChips } from "./people-asking.js";

/** @typedef {import("../directory.js").Held} Held */

const OF_CAMERAS = Object.entries(PERMISSIONS).filter(([, { house }]) => !house).map(([name]) => name);

class PersonRights extends Asking {
  user = "";
  /** @type {Held[] | null} */
  #held = null;
  #camera = "";
  /** @type {unknown} */
  #read = null;

  /** @override */
  willUpdate() {
    // Whatever was changed on these pages may change what they may do.
    const { users, teams, groups, roles, grants } = directory;
    const seen = [users, teams, groups, roles, grants];
    if (Array.isArray(this.#read) && seen.every((one, index) => one === /** @type {unknown[]} */ (this.#read)[index])) return;
    this.#read = seen;
    void this.attempt("rights", async () => {
      this.#held = await get(`/users/${this.user}/rights`);
    });
  }

  /** By which rule, as people say it. @param {Held} held */
  #rule(held) {
    const kind = held.rule.split(":")[0];
    if (kind === "glass") return "by breaking the glass";
    if (kind === "share") return "by a share";
    if (kind === "role") return "by what they are";
    return held.team === null ? "granted to them" : `through ${directory.teamName(held.team)}`;
  }

  /** @param {Held} held */
  #over(held) {
    if (held.cameras === null) return "everywhere";
    return held.group === null ? counted(held.cameras.length, "camera") : `${directory.groupName(held.group)}, ${counted(held.cameras.length, "camera")} now`;
  }

  /** @param {Held} held */
  #row(held) {
    const some = held.cameras !== null;
    // Over a group nobody has what is of the house.
    const does = inOrder(held.permissions).filter((one) => one !== "signed_in" && !(some && PERMISSIONS[one]?.house));
    return html`<li class="held" data-rule=${held.rule.split(":")[0]}>
      <b>${held.role === null ? "Shared" : directory.roleName(held.role)}</b> <span>${this.#over(held)}</span>
      <small>${this.#rule(held)}${held.end === null ? "" : `, until ${dayAndTime(Date.parse(held.end))}`}</small>
      <span class="chips">${does.map((one) => html`<span class="chip">${labelOf(one)}</span>`)}${does.length ? nothing : html`<span class="hint">signs in, and nothing else</span>`}</span>
      ${held.cameras?.length ? cameraChips(held.cameras) : nothing}
    </li>`;
  }

  /** @param {Held[]} held */
  #one(held) {
    const camera = this.#camera === "" ? undefined : store.state.cameras.find((one) => one.number === Number(this.#camera));
    const typed = (/** @type {InputEvent} */ event) => {
      this.#camera = /** @type {HTMLInputElement} */ (event.target).value.trim();
      this.requestUpdate();
    };
    const rule = (/** @type {string} */ permission) =>
      held.find(({ permissions, cameras }) => permissions.includes(permission) && (cameras === null || (camera !== undefined && cameras.includes(camera.id))));
    return html`
      <div class="ask-camera"><label for="rights-camera">With camera</label>
        <input id="rights-camera" inputmode="numeric" autocomplete="off" placeholder="Number" .value=${this.#camera} @input=${typed}></div>
      <div role="status">${this.#camera === "" ? nothing : camera === undefined
        ? html`<p class="hint">There is no camera ${this.#camera}.</p>`
        : html`<dl class="by-rule"><div><dt>${camera.number}</dt><dd>${camera.name}</dd></div>${OF_CAMERAS.map((permission) => {
            const found = rule(permission);
            return html`<div data-may=${found !== undefined}><dt>${labelOf(permission)}</dt><dd>${found ? html`yes, ${this.#rule(found)}` : "no"}</dd></div>`;
          })}</dl>`}</div>
    `;
  }

  /** @override */
  render() {
    const teams = (directory.teams ?? []).filter((team) => team.users.includes(this.user));
    const waiting = (directory.grants ?? []).filter((grant) => Date.parse(grant.start) > Date.now() && (grant.user === this.user || teams.some(({ id }) => id === grant.team)));
    return html`
      <h3>May do now</h3>
      ${this.said("rights")}
      ${this.#held === null
        ? this.wrong ? nothing : html`<p class="hint" role="status">Loading…</p>`
        : this.#held.length === 0
          ? html`<p class="hint">Nothing, while they are disabled.</p>`
          : html`<ul class="rows">${this.#held.map((held) => this.#row(held))}</ul>
              ${waiting.length ? html`<p class="hint">${counted(waiting.length, "right")} to come.</p>` : nothing}
              ${this.#one(this.#held)}`}
      ${teams.length ? html`<p class="hint">In ${teams.map((team, index) => html`${index ? ", " : ""}<button class="link" @click=${() => directory.open("teams", team.id)}>${team.name}</button>`)}.</p>` : nothing}
      <div class="buttons"><button id="grant-to" @click=${() => directory.open("grants", `user:${this.user}`)}>Give a right…</button></div>
    `;
  }
}

customElements.define("sl-person-rights", PersonRights);
