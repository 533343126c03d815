/**
 * A review on the spot: whether the unit is still needed there, and when somebody looks again.
 * @module
 */

import { html, nothing } from "lit";
import { fields } from "../app/element.js";
import { FieldElement, opened } from "./state.js";
import { take } from "./work.js";

class FieldReview extends FieldElement {
  /** @param {Event} event */
  #said(event) {
    const one = opened();
    const { found = "", needed = "" } = fields(event);
    if (!one) return;
    // When somebody looks again the gateway says, as it was planned: this phone's clock may be wrong by a year.
    void take(one.id, [{ step: "reviews", said: { found, needed: needed === "yes" }, words: "review" }]);
  }

  /** @override */
  render() {
    const days = opened()?.review_days;
    return html`<form class="typed" @submit=${(/** @type {Event} */ event) => this.#said(event)}>
      <label for="review-found">What you found</label>
      <input id="review-found" name="found" required minlength="3" maxlength="500" autocomplete="off" placeholder="Two vans since the last review">
      <fieldset class="choice"><legend>Is it still needed here?</legend>
        <label class="check large"><input type="radio" name="needed" value="yes" required> Yes</label>
        <label class="check large"><input type="radio" name="needed" value="no"> No: it can come down</label></fieldset>
      ${days ? html`<p class="hint">The next review is then due in ${days === 1 ? "a day" : `${days} days`}, as it was planned.</p>` : nothing}
      <button class="primary" id="review">Write the review</button></form>`;
  }
}

customElements.define("field-review", FieldReview);
