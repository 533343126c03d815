/**
 * A review on the spot: whether the unit is still needed there, and when somebody looks again.
 * @module
 */

import { html } from "lit";
import { fields } from "../app/element.js";
import { FieldElement, opened } from "./state.js";
import { take } from "./work.js";

const DAY_MS = 86_400_000;

class FieldReview extends FieldElement {
  /** @param {Event} event */
  #said(event) {
    const one = opened();
    const { found = "", needed = "" } = fields(event);
    if (!one) return;
    // A quarter of an hour less: a phone whose clock is a little ahead must not ask for more days than are allowed.
    const next = new Date(Date.now() + (this.field.rules?.review_days ?? 1) * DAY_MS - 900_000).toISOString();
    void take(one.id, [{ step: "reviews", said: { found, needed: needed === "yes", next }, words: "review" }]);
  }

  /** @override */
  render() {
    return html`<form class="typed" @submit=${(/** @type {Event} */ event) => this.#said(event)}>
      <label for="review-found">What you found</label>
      <input id="review-found" name="found" required minlength="3" maxlength="500" autocomplete="off" placeholder="Two vans since the last review">
      <fieldset class="choice"><legend>Is it still needed here?</legend>
        <label class="check large"><input type="radio" name="needed" value="yes" required> Yes</label>
        <label class="check large"><input type="radio" name="needed" value="no"> No: it can come down</label></fieldset>
      <button class="primary" id="review">Write the review</button></form>`;
  }
}

customElements.define("field-review", FieldReview);
