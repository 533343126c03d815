/**
 * Starts the page.
 * @module
 */

import "./parts/app.js";
import { watchHands } from "./activity.js";
import { listen } from "./keys.js";
import { room } from "./room.js";
import { begin, wear } from "./session.js";

wear(room);
listen();
watchHands();
void begin();
