/**
 * Starts the page.
 * @module
 */

import "./parts/app.js";
import { begin } from "./actions.js";
import { listen } from "./keys.js";

listen();
void begin();
