/**
 * Units that move: which cameras are marked so, and where each stands. Who enrols cameras marks them.
 * @module
 */

import { html, nothing } from "lit";
import { ApiError, send } from "../api.js";
import { deployments, loadDeployments, openDeployment } from "../deployments.js";
import { fields } from "../element.js";
import { may, store } from "../store.js";
import { Deploying } from "./deployment-asking.js";
import { cameraChips } from "./people-asking.js";

/** @typedef {import("../deployments-words.js").DeployableUnit} DeployableUnit */

class Deployables extends Deploying {
  /** @param {Event} event */
  #mark(event) {
    const { number = "", unit = "" } = fields(event);
    const form = /** @type {HTMLFormElement} */ (event.target);
    const camera = store.state.cameras.find((one) => String(one.number) === number);
    void this.attempt("mark", async () => {
      if (!camera) throw new ApiError({ type: "page", title: `There is no camera ${number}.`, cure: "Type the number of one that you see." }, 0);
      await send("PUT", `/cameras/${camera.id}/deployable`, { unit });
      form.reset();
      await loadDeployments();
    }, `Camera ${number} is of unit ${unit}: it records only where a deployment says why.`);
  }

  /** @param {DeployableUnit} one */
  #unmark(one) {
    return this.attempt(`unmark-${one.unit}`, async () => {
      await send("DELETE", `/cameras/${one.cameras[0]}/deployable`);
      await loadDeployments();
    }, `Unit ${one.unit} counts as fixed now, and records.`);
  }

  /** @param {DeployableUnit} one */
  #row(one) {
    const standing = deployments.state.standing.find(({ id }) => id === one.deployment);
    return html`<li data-unit=${one.unit}><div class="row-line"><span class="row-name"><b>${one.unit}</b>
        <small>${standing ? `Stands in ${standing.street || standing.title}` : one.cameras.length ? "Stands nowhere, and records nothing" : "Its camera is not enrolled"}</small></span>
        ${cameraChips(one.cameras)}
        ${standing ? html`<button @click=${() => openDeployment(standing.id)}>Open</button>` : nothing}
        ${may("enrol") && !one.deployment && one.cameras.length ? this.twice({ key: `unmark-${one.unit}`, label: "Fixed now", sure: "Really a fixed one", act: () => this.#unmark(one), name: `Unit ${one.unit} is a fixed one now` }) : nothing}</div>
      ${this.said(`unmark-${one.unit}`)}</li>`;
  }

  /** @override */
  render() {
    const { units, due } = deployments.state;
    return html`
      ${deployments.cutWords ? html`<p class="hint" role="status">${deployments.cutWords}</p>` : nothing}
      ${due === null ? html`<p class="hint">Loading…</p>` : units.length === 0 ? html`<p class="hint" role="status">No camera is marked as one that moves.</p>` : html`<ul class="rows" id="deployables">${units.map((one) => this.#row(one))}</ul>`}
      ${may("enrol") ? html`<form id="mark-unit" data-blames="number" @submit=${(/** @type {Event} */ event) => this.#mark(event)}>
        <h3>Mark a camera's unit as one that moves</h3>
        <div class="pair narrow-first"><div><label for="mark-number">Camera</label><input id="mark-number" name="number" inputmode="numeric" required autocomplete="off"></div>
          <div><label for="mark-label">Label printed on the unit</label><input id="mark-label" name="unit" required maxlength="64" autocomplete="off" placeholder="D017"></div></div>
        ${this.said("mark")}
        <div class="buttons"><button class="primary">Mark it</button></div></form>` : nothing}
    `;
  }
}

customElements.define("sl-deployables", Deployables);
