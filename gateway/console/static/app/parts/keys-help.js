/**
 * All keys, as help.
 * @module
 */

import { html } from "lit";
import { SlElement } from "../element.js";
import { KEY_HELP } from "../keys.js";

class KeysHelp extends SlElement {
  /** @override */
  render() {
    return html`
      <h2>Keys</h2>
      ${KEY_HELP.map(
        ([group, rows]) => html`
          <section class="key-group">
            <h3>${group}</h3>
            <dl>${rows.map(([keys, does]) => html`<div><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${does}</dd></div>`)}</dl>
          </section>
        `,
      )}
      <p class="hint">A USB joystick or gamepad steers too: left stick turns, right stick or triggers zoom.</p>
    `;
  }
}

customElements.define("sl-keys", KeysHelp);
