/**
 * Starts the page.
 * @module
 */

import "./parts/app.js";
import { watchHands } from "./activity.js";
import { watchGlass } from "./glass.js";
import { watchHolds } from "./holds.js";
import { listen } from "./keys.js";
import { watchSecondPerson } from "./second-person.js";
import { begin } from "./session.js";

listen();
watchHands();
watchSecondPerson();
watchGlass();
watchHolds();
void begin();
