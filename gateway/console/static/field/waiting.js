/**
 * What waits to be sent, where it needs somebody: the gateway refused a step, and what follows it is held back.
 * @module
 */

import { html, nothing } from "lit";
import { clock } from "../app/time.js";
import { line } from "../app/words.js";
import { FieldElement, ours } from "./state.js";
import { look, outbox } from "./work.js";

class FieldWaiting extends FieldElement {
  /** What is about to be left out: its key. */
  #sure = "";

  /** @param {import("./outbox.js").Waiting} one */
  async #leaveOut(one) {
    if (this.#sure !== one.key) {
      this.#sure = one.key;
      this.requestUpdate();
      return;
    }
    this.#sure = "";
    await outbox.leaveOut(one);
    void look();
  }

  /** @param {import("./outbox.js").Waiting} one */
  async #retry(one) {
    await outbox.retry(one);
    void look();
  }

  /** @override */
  render() {
    const refused = ours().filter((one) => one.refused);
    if (refused.length === 0) return nothing;
    return refused.map((one) => html`<section class="card said alarm" role="alert" data-refused=${one.step}>
      <h2>Refused: ${one.words} (${clock(one.at)})</h2>
      <p>${line(one.refused)}</p>
      <p class="hint">What you did after it at this place waits on this phone.</p>
      <div class="row"><button class="primary" @click=${() => void this.#retry(one)}>Try again</button>
        <button @click=${() => void this.#leaveOut(one)}>${this.#sure === one.key ? "Really leave it out?" : "Leave it out"}</button></div>
    </section>`);
  }
}

customElements.define("field-waiting", FieldWaiting);
