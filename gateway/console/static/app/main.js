/**
 * Starts the page.
 * @module
 */

import "./parts/app.js";
import { watchHands } from "./activity.js";
import { watchGlass } from "./glass.js";
import { watchDeployments } from "./deployments.js";
import { watchHealth } from "./health.js";
import { watchHolds } from "./holds.js";
import { listen } from "./keys.js";
import { room } from "./room.js";
import { watchSecondPerson } from "./second-person.js";
import { begin, wear } from "./session.js";

wear(room);
listen();
watchHands();
watchSecondPerson();
watchGlass();
watchHolds();
watchDeployments();
watchHealth();
void begin();
