/**
 * What this page says when there is no picture, for somebody who cannot look behind it: what is wrong, and whom to ask.
 * @module
 */

import { oldWords } from "../app/freshness.js";
import { age } from "../app/time.js";
import { say } from "../app/words.js";

/** @typedef {import("../app/live.js").LiveReport} LiveReport */
/** @typedef {"live" | "connecting" | "still" | "late" | "frozen" | "none" | "tampered"} Standing */
/** @typedef {{standing: Standing, word: string, title: string, detail: string, over: boolean}} Shown over: it lies over a picture */

/** @param {Standing} standing @param {string} word @param {string} title @param {string} detail @param {boolean} over @returns {Shown} */
const shown = (standing, word, title, detail, over) => ({ standing, word, title, detail, over });

const HIDDEN = shown(
  "tampered", "no picture", "Your name must stand over the picture.",
  "Something in this browser takes it away, perhaps an extension. Switch that off and load the page again.", false,
);

/** @type {Record<string, (host: string, detail: string | undefined) => [title: string, detail: string]>} */
const CAUSES = {
  "live.unreached": (host, tried) => [
    "No picture gets through.",
    `Nothing comes between this device and ${host}${tried ? ` (tried: ${tried})` : ""}. Ask the control room's administrator and your own network's; another network, such as a phone's, may do. It is tried again.`,
  ],
  "network.unreachable": (host) => ["The control room's server does not answer.", `Nothing comes back from ${host}. Check your network. It is tried again by itself.`],
  "live.silent": () => ["No picture comes any more.", "It is asked for again."],
  "live.lost": () => ["The picture was lost.", "It is asked for again."],
  "live.codec": () => ["This browser cannot show the picture.", "Use a current Chrome, Edge, Firefox or Safari."],
  "live.browser": () => ["This browser could not start the picture.", "Load the page again, or use a current Chrome, Edge, Firefox or Safari."],
};

/**
 * @param {LiveReport | null} report @param {{live: boolean}} camera @param {{tampered: boolean, host: string}} facts
 * @returns {Shown}
 */
export function shownOf(report, camera, { tampered, host }) {
  if (tampered) return HIDDEN;
  const verdict = report?.verdict ?? { state: /** @type {const} */ ("none"), ageMs: null, basis: null };
  const old = oldWords(verdict);
  switch (verdict.state) {
    case "live":
      return shown("live", "live", "", "", false);
    case "still":
      return shown("still", "still", `This picture stands still: it is ${old} old.`, camera.live ? "No new one comes. It is asked for again." : "The camera does not answer.", true);
    case "late":
      return shown("late", "late", `This picture is late: it is ${old} old.`, "It comes, but not in time.", true);
    case "frozen":
      return shown("frozen", "frozen", `The camera has sent the same picture for ${age(verdict.ageMs ?? 0)}.`, "It may be stuck. Tell the control room.", true);
    default:
      return none(report, camera, host);
  }
}

/** @param {LiveReport | null} report @param {{live: boolean}} camera @param {string} host @returns {Shown} */
function none(report, camera, host) {
  const problem = report?.problem;
  if (problem && report.state === "forbidden" && problem.type.startsWith("access.")) {
    return shown("none", "not shared", "This camera is not shared with you any more.", "The control room ended it.", false);
  }
  if (!camera.live && report?.state !== "forbidden") {
    return shown("none", "no picture", "The camera does not answer.", "The control room sees nothing of it either. It comes back by itself.", false);
  }
  if (!report || !problem) return shown("connecting", "connecting", "Connecting…", "", false);
  const known = CAUSES[problem.type];
  const [title, detail] = known ? known(host, problem.detail) : [say(problem).title, say(problem).cure];
  return shown("none", "no picture", title, detail, false);
}
