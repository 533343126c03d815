/**
 * A referral: what the problem is, what shows it, what else was tried. What was typed is kept in this tab until it is
 * known to have arrived, with the key under which it is sent; it is shown to nobody but whoever typed it.
 * @module
 */

import { html } from "lit";
import { ApiError } from "../api.js";
import { deployments, newKey, refer } from "../deployments.js";
import { fields } from "../element.js";
import { store } from "../store.js";
import { isAnswer } from "../unanswered.js";
import { Deploying, sentences } from "./deployment-asking.js";

const KEPT = "sightline.referral";

/** What whoever is here typed. Somebody else's is forgotten: a desk goes from hand to hand. @returns {Record<string, string>} */
function kept() {
  try {
    const draft = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    if (typeof draft === "object" && draft !== null && draft.user === store.state.user?.id) return draft;
  } catch {
    // What cannot be read is worth nothing.
  }
  sessionStorage.removeItem(KEPT);
  return {};
}

class Refer extends Deploying {
  #draft = kept();

  /** @param {Event} event */
  #keep(event) {
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    this.#draft = { user: store.state.user?.id ?? "", key: this.#draft["key"] ?? newKey(), ...Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)])) };
    sessionStorage.setItem(KEPT, JSON.stringify(this.#draft));
  }

  /** What is sent next is another: also where the one before had arrived, and these are other words. */
  #answered() {
    this.#draft = { ...this.#draft, key: newKey() };
    sessionStorage.setItem(KEPT, JSON.stringify(this.#draft));
  }

  /** @param {Event} event */
  #send(event) {
    this.#keep(event);
    const { latitude, longitude, ...said } = fields(event);
    const key = this.#draft["key"] ?? newKey();
    void this.attempt("refer", async () => {
      const one = await refer({ ...said, key, place: { latitude: Number(latitude), longitude: Number(longitude) } }).catch((error) => {
        if (error instanceof ApiError && isAnswer(error)) this.#answered();
        throw error;
      });
      sessionStorage.removeItem(KEPT);
      this.#draft = {};
      deployments.set({ open: one.id, section: "due" });
    }, "It is referred. Check the criteria next.");
  }

  /** @override */
  render() {
    const draft = this.#draft;
    const place = draft["latitude"] && draft["longitude"] ? { latitude: Number(draft["latitude"]), longitude: Number(draft["longitude"]) } : store.state.picked;
    const line = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ hint, required = true) => html`<label for="refer-${name}">${label}</label>
      <input id="refer-${name}" name=${name} ?required=${required} maxlength="120" autocomplete="off" placeholder=${hint} .defaultValue=${draft[name] ?? ""}>`;
    const text = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ hint) => sentences({ id: `refer-${name}`, name, label, hint, value: draft[name] ?? "" });
    return html`<form id="refer" @input=${this.#keep} @change=${this.#keep} @submit=${(/** @type {Event} */ event) => this.#send(event)}>
      <p class="hint">A camera goes nowhere without a reason that somebody else signs. Name problems here, not people.</p>
      ${line("title", "In a line", "Fly-tipping in Mill Lane")}
      ${text("problem", "What the problem is", "What happens, how often, since when")}
      ${text("evidence", "What shows it", "Reports, references, calls for service")}
      ${text("alternatives", "What else was tried, or why nothing else would do", "Letters, patrols, lighting")}
      ${text("purpose", "What the camera is for", "To identify the van")}
      ${line("referred_by", "Whose problem it is", "Name and organisation")}
      <sl-place .place=${place} .legend=${"Where it is to stand"}></sl-place>
      ${line("street", "Street", "As people say it", false)}
      ${this.said("refer")}
      <div class="buttons"><button class="primary">Refer it</button></div>
    </form>`;
  }
}

customElements.define("sl-refer", Refer);
