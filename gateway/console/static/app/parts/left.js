/**
 * Said to whoever signed out while the gateway could not be told.
 * @module
 */

import { html } from "lit";
import { begin } from "../session.js";

export const leftWords = () => html`
  <h1>You are signed out on this device</h1>
  <p class="said attention" role="alert" id="left">Nothing came back from <strong>${location.host}</strong>, so it does not know yet. It is told as soon as
    it answers, before anybody comes in here: open this page again where there is a network. It is tried every two seconds.</p>
  <button @click=${() => void begin()}>Try now</button>`;
