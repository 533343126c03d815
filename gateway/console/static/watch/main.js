/**
 * Starts the partner's page.
 * @module
 */

import "./app.js";
import { watchHands } from "../app/activity.js";
import { begin, wear } from "../app/session.js";
import { stayAwake } from "./awake.js";
import { face } from "./face.js";
import { listen } from "./keys.js";

wear(face);
listen();
watchHands();
stayAwake();
// Going back to a page that was left shows what it was, not what it is: it is made anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());
void begin();
