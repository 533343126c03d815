/**
 * Starts the page.
 * @module
 */

import "./parts/app.js";
import { watchHands } from "./activity.js";
import { listen } from "./keys.js";
import { begin } from "./session.js";

listen();
watchHands();
void begin();
