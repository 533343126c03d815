/**
 * Putting a unit up: one thing after another, what is done above, what comes next below the thumb.
 * @module
 */

import { html, nothing } from "lit";
import { cameraById } from "../app/store.js";
import { clockShort, toIso } from "../app/time.js";
import "./look.js";
import { shoot } from "./photo.js";
import "./place.js";
import { brought, putUp, spoken } from "./progress.js";
import "./scan.js";
import { FieldElement, opened, ours } from "./state.js";
import { close, draw, take } from "./work.js";

/** @typedef {import("./progress.js").Deployment} Deployment */
/** @typedef {import("./progress.js").Draft} Draft */
/** @typedef {import("./progress.js").Part} Part */
/** @typedef {Draft["how"]} How */

class FieldUp extends FieldElement {
  /** Another unit than the planned one is here, and how that is known. @type {{label: string, how: How} | null} */
  #other = null;
  #signing = false;
  /** What was asked last, of which deployment. */
  #asked = "";

  /** What comes next is brought before the eyes: nobody looks for it in the rain. @override */
  updated() {
    const now = /** @type {HTMLElement | null} */ (this.querySelector("[data-now=true]"));
    const asked = `${this.field.open} ${now?.dataset.part ?? ""}`;
    if (asked === this.#asked) return;
    const began = this.#asked.startsWith(`${this.field.open} `);
    this.#asked = asked;
    // What is in it is drawn by then. The picture stays where it is while it is signed off.
    if (began && now && now.dataset.part !== "off") requestAnimationFrame(() => now.scrollIntoView({ block: "start", behavior: "instant" }));
  }

  /** @param {string} label @param {"scanned" | "typed" | "chosen"} how */
  #found = (label, how) => {
    const one = opened();
    if (!one) return;
    this.#other = label === one.unit ? null : { label, how };
    if (this.#other) this.requestUpdate();
    else void draw({ seen: label, how });
  };

  /** The plan is said anew with the unit that is here. @param {Deployment} one @param {string} other @param {How} how */
  async #replan(one, other, how) {
    const unit = this.field.units?.find(({ label }) => label === other);
    const camera = unit?.cameras[0];
    if (!camera) return;
    const days = one.review_days && Math.min(one.review_days, this.field.rules?.review_days ?? one.review_days);
    const taken = await take(one.id, [{ step: "plan", said: { camera, responsible: one.responsible, mount: one.mount, review_days: days }, words: `unit ${other} goes`, unit: other }]);
    if (!taken) return;
    await draw({ seen: other, how });
    this.#other = null;
    this.requestUpdate();
  }

  /** @param {Deployment} one @param {Draft} draft */
  #unit(one, draft) {
    // What was found before may have been planned no more since, or was brought along from another place.
    const before = draft.seen && draft.seen !== one.unit ? { label: draft.seen, how: draft.how } : null;
    const found = this.#other ?? before;
    if (found) {
      const { label: other, how } = found;
      const there = this.field.units?.some(({ label, cameras }) => label === other && cameras.length > 0);
      const again = () => {
        this.#other = null;
        if (before) void draw({ seen: "", how: "" });
        this.requestUpdate();
      };
      return html`<p class="said attention" role="alert"><strong>This is ${other}; ${one.unit} is planned.</strong></p>
        ${there ? html`<button class="primary" id="replan" @click=${() => void this.#replan(one, other, how)}>Put up ${other} instead</button>`
          : html`<p>${other} is not among the units that you may see. Bring ${one.unit}, or ask the control room.</p>`}
        <button @click=${again}>Look again</button>`;
    }
    return html`<p>Planned: <b>${one.unit}</b></p><field-scan .found=${this.#found}></field-scan>`;
  }

  /** @param {Deployment} one */
  #signs(one) {
    return html`<p>Signs first: they are up before the camera is. One photo says so.</p>
      ${shoot("sign-photo", "Photograph the sign", true, (photo) => take(one.id, [
        { step: "photos", said: { kind: "sign-up" }, words: "photo of the sign", photo },
        { step: "signs-up", said: { text: "The signs are up, as in the photo." }, words: "signs are up" },
      ]))}`;
  }

  /** @param {Deployment} one @param {Draft} draft */
  #stands(one, { seen, spot, bearing_deg }) {
    if (!spot || !seen) return;
    const { latitude, longitude, accuracy_m, moved } = spot;
    void take(one.id, [
      { step: "installation", said: { unit: seen, place: { latitude, longitude, height_m: one.place.height_m ?? null }, bearing_deg, accuracy_m }, words: "the unit is up" },
      { step: "notes", said: { text: moved ? "Placed by a pin on the map." : "Placed by the phone." }, words: "how it was placed" },
    ]);
  }

  /** @param {Deployment} one */
  #photo(one) {
    return shoot("unit-photo", "Photograph the unit on its post", true, (photo) => take(one.id, [{ step: "photos", said: { kind: "unit" }, words: "photo of the unit", photo }]));
  }

  /** @param {Deployment} one @param {Draft} draft */
  #picture(one, draft) {
    const id = one.cameras[0];
    const known = cameraById(id);
    if (!id || !known) return html`<p class="said attention">Its picture is shown once the gateway can be reached.</p>`;
    if (ours().some((each) => each.deployment === one.id && each.step === "installation")) {
      return html`<p class="said attention">The picture is shown once the installation is sent.</p>`;
    }
    const seen = () => draft.live === null && void draw({ live: toIso(Date.now()) });
    const left = (/** @type {number} */ presets) => this.field.draft?.presets !== presets && void draw({ presets });
    return html`<field-look .camera=${id} .deployment=${one.id} .live=${seen} .left=${left}></field-look>`;
  }

  /** @param {Deployment} one @param {Draft} draft @param {Record<Part, boolean>} done @param {ReturnType<typeof brought>} left */
  #off(one, draft, done, left) {
    const ticks = /** @type {[string, boolean, string][]} */ ([
      ["unit", done.unit, `Unit ${draft.seen}${draft.how === "scanned" ? ", scanned" : draft.how === "carried" ? ", brought from where it stood" : ""}`],
      ["signs", done.signs, "Signs are up, photographed"],
      ["place", done.place, "Place and bearing"],
      ["photo", done.photo, "The unit is photographed"],
      ["live", draft.live !== null, draft.live ? `Seen live at ${clockShort(Date.parse(draft.live))}` : "Seen live"],
      ["bounds", !left.bounds, "Zones and limits hold here"],
      ["presets", !left.presets, "No preset of another place is left"],
    ]);
    const all = draft.fast && ticks.every(([, is]) => is);
    const sign = async () => {
      if (this.#signing) return;
      this.#signing = true;
      const said = { unit: draft.seen, found: draft.how, live: draft.live, ticks: [...ticks.map(([tick]) => tick), "fast"] };
      // By this phone's clock, as the time of the step is. What was seen is signed once: refused, it is looked at again.
      const taken = await take(one.id, [{ step: "sign-off", words: "signed off", said }]).finally(() => (this.#signing = false));
      if (!taken) return;
      await draw({ live: null, fast: false });
      close();
    };
    return html`<ul class="ticks">${ticks.map(([tick, is, words]) => html`<li data-tick=${tick} data-is=${is}><span aria-hidden="true">${is ? "✓" : "○"}</span> ${words}<span class="away">${is ? ": done" : ": not done"}</span></li>`)}</ul>
      <label class="check large"><input type="checkbox" id="fast" .checked=${draft.fast} @change=${(/** @type {Event} */ event) => void draw({ fast: /** @type {HTMLInputElement} */ (event.target).checked })}> It is fastened and locked, and nothing hangs loose</label>
      <button class="primary" id="sign-off" ?disabled=${!all} @click=${() => void sign()}>Sign off</button>`;
  }

  /** @override */
  render() {
    const one = opened();
    const { draft } = this.field;
    if (!one || !draft) return nothing;
    const known = cameraById(one.cameras[0]);
    const left = brought(draft, known);
    const done = putUp(one, draft, left);
    const parts = /** @type {[Part, string, () => unknown][]} */ ([
      ["unit", "The unit", () => this.#unit(one, draft)],
      ["signs", "The signs", () => this.#signs(one)],
      ["place", "Place and bearing", () => html`<field-place .confirmed=${() => this.#stands(one, /** @type {Draft} */ (this.field.draft))}></field-place>`],
      ["photo", "Photo of the unit", () => this.#photo(one)],
      ["picture", "The picture", () => this.#picture(one, draft)],
      ["off", "Sign off", () => this.#off(one, draft, done, left)],
    ]);
    const now = parts.findIndex(([part]) => !done[part]);
    return html`<section class="card head"><h1>${spoken(one)}</h1>
        <p>${one.title}</p><p class="quiet">${one.purpose} · answers for it: ${one.responsible} · granted by ${one.decided_by}${one.max_days ? ` for ${one.max_days} days` : ""}</p></section>
      ${parts.map(([part, title, body], index) => {
        // The picture stays while it is signed off: it is what is signed.
        const shown = index === now || (part === "picture" && parts[now]?.[0] === "off");
        return html`<section class="card part" data-part=${part} data-done=${done[part]} data-now=${index === now}>
          <h2><span aria-hidden="true">${done[part] ? "✓" : index + 1}</span> ${title}<span class="away">${done[part] ? ": done" : ""}</span></h2>${shown ? body() : nothing}</section>`;
      })}
      ${one.stage === "deployed" ? html`<button class="plain" id="down-instead" @click=${() => void draw({ down: true })}>Take it down instead</button>` : nothing}`;
  }
}

customElements.define("field-up", FieldUp);
