/**
 * Deployments of mobile cameras as this page knows them: what is due, what is raised, where units stand. Kept fresh by
 * what the gateway tells; alarms stay until somebody acknowledges them, at whatever console.
 * @module
 */

import { ApiError, get, request, send } from "./api.js";
import { happened, reminderWords, unitWords, waits } from "./deployments-words.js";
import { news } from "./events.js";
import { Observable } from "./observable.js";
import { PAGE, pagesOf } from "./pages.js";
import { may, store, tell } from "./store.js";
import { clock } from "./time.js";

/** @typedef {import("./deployments-words.js").Deployment} Deployment */
/** @typedef {import("./deployments-words.js").Due} Due */
/** @typedef {import("./deployments-words.js").Line} Line */
/** @typedef {import("./deployments-words.js").Rules} Rules */
/** @typedef {import("./deployments-words.js").DeployableUnit} DeployableUnit */
/** @typedef {import("./types.js").Problem} Problem */
/** @typedef {{sha256?: string, why?: string}} Found */
/** @typedef {{latitude: number, longitude: number, at: string}} Reported */

const EVERY_MS = 300_000;
const GATHER_MS = 150;
/** No borough has so many of one stage; a list without an end would hold up all else. */
const PAGES_MAX = 20;
/** The stages that the map shows. */
const SHOWN_STAGES = ["deployed", "planned", "granted"];

/**
 * @typedef {object} Known
 * @property {Due[] | null} due
 * @property {Deployment[]} standing what is granted, planned or stands: what the map shows
 * @property {boolean} cut whether there may be older ones than those
 * @property {Rules | null} rules
 * @property {DeployableUnit[]} units
 * @property {Record<string, Reported>} reported by label: where units last said that they are
 * @property {Record<string, Found>} pictures by deployment and line: what was taken for an alarm, or why nothing was
 * @property {Problem | null} problem why it could not be loaded
 * @property {number} turn rises each time that it was loaded
 * @property {"due" | "all" | "refer" | "units"} section of the panel
 * @property {string | null} open which one the panel shows
 * @property {Deployment | null} shown the same, once it is loaded
 */

/** @type {Known} */
const NOTHING = { due: null, standing: [], cut: false, rules: null, units: [], reported: {}, pictures: {}, problem: null, turn: 0, section: "due", open: null, shown: null };

/** @extends {Observable<Known>} */
class Deployments extends Observable {
  /** @type {{units: DeployableUnit[], cameras: Set<string>}} */
  #moving = { units: [], cameras: new Set() };

  /** What wants somebody: units in alarm that nobody acknowledged. @returns {Deployment[]} */
  get raised() {
    return (this.state.due ?? []).flatMap(({ why, deployment }) => (why === "alarm" && deployment.unseen.length > 0 ? [deployment] : []));
  }

  /** How many things wait. @returns {number} */
  get waiting() {
    return (this.state.due ?? []).filter(waits).length;
  }

  /** By which deployment a camera stands where it stands. @param {string} camera @returns {Deployment | undefined} */
  of(camera) {
    return this.state.standing.find((one) => one.stage === "deployed" && one.cameras.includes(camera));
  }

  /** Whether a camera's unit moves: the map asks for nine hundred at once. @param {string} camera */
  moves(camera) {
    const { units } = this.state;
    if (this.#moving.units !== units) this.#moving = { units, cameras: new Set(units.flatMap((one) => one.cameras)) };
    return this.#moving.cameras.has(camera);
  }

  /** That there is more than is shown, in words; empty where there is not. @returns {string} */
  get cutWords() {
    return this.state.cut ? `Only the newest ${PAGES_MAX * PAGE} deployments of a stage are shown here: see Deployments, All, for the older ones.` : "";
  }

  forget() {
    this.set({ ...NOTHING });
  }
}

export const deployments = new Deployments({ ...NOTHING });

/** @param {string} id @param {number} line */
export const pictureKey = (id, line) => `${id} ${line}`;

/** Load what is due and what stands. */
export async function loadDeployments() {
  if (!may("deploy") || store.state.lock !== "open") return;
  try {
    const [due, lists, units, rules] = await Promise.all([
      get("/deployments/due"), Promise.all(SHOWN_STAGES.map((stage) => pagesOf(get, stage, PAGES_MAX))),
      get("/deployments/units"), deployments.state.rules ?? get("/deployments/rules"),
    ]);
    const [standing, cut] = [lists.flatMap(({ found }) => found), lists.some((list) => list.cut)];
    deployments.set({ due, standing, cut, units, rules, problem: null, turn: deployments.state.turn + 1 });
    await Promise.all(deployments.raised.map(learnPictures));
  } catch (error) {
    if (error instanceof ApiError) deployments.set({ problem: error.problem });
    else throw error;
  }
}

/** Learn which pictures were taken for what is raised. @param {Deployment} one */
async function learnPictures(one) {
  const known = deployments.state.pictures;
  const missing = one.unseen.filter(({ line }) => !known[pictureKey(one.id, line)]);
  if (missing.length === 0) return;
  const log = /** @type {Line[]} */ (await get(`/deployments/${one.id}/log`).catch(() => []));
  /** @type {Record<string, Found>} */
  const found = {};
  for (const { kind, line } of missing) {
    const picture = log.find((each) => each.n > line && ["picture", "no-picture"].includes(each.step) && each.said["kind"] === kind);
    if (picture) found[pictureKey(one.id, line)] = { sha256: picture.said["sha256"], why: picture.said["why"] };
  }
  if (Object.keys(found).length > 0) deployments.set({ pictures: { ...deployments.state.pictures, ...found } });
}

/** Where a photo is. @param {string} id of the deployment @param {string} sha256 */
export const photoUrl = (id, sha256) => `/api/v1/deployments/${id}/photos/${sha256}`;

/** Where the picture of an alarm is. @param {string} id of the deployment @param {string} sha256 */
export const alarmPictureUrl = (id, sha256) => `/api/v1/deployments/${id}/pictures/${sha256}`;

/** A word of our own for one step: what is sent twice under it is done once. @returns {string} */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Take a step. What is known of it is kept from the answer, before the gateway tells.
 * @param {string} id @param {string} path @param {Record<string, unknown>} said @returns {Promise<Deployment>}
 */
export async function step(id, path, said) {
  return heard(await send("POST", `/deployments/${id}/${path}`, said));
}

/** @param {string} id @param {string} kind @param {File} photo @param {string} key @returns {Promise<Deployment>} */
export async function sendPhoto(id, kind, photo, key) {
  const init = { method: "POST", body: photo, headers: { "Content-Type": photo.type } };
  return heard(await (await request(`/api/v1/deployments/${id}/photos?kind=${kind}&key=${key}`, init)).json());
}

/** Open a deployment; sent again under its key, it is the same one. @param {Record<string, unknown>} said @returns {Promise<Deployment>} */
export const refer = async (said) => heard(await send("POST", "/deployments", said));

/** Say that one sees to an alarm, up to what one has seen of it. @param {Deployment} one @param {import("./deployments-words.js").Unseen} unseen */
export const acknowledge = (one, { kind, line }) => step(one.id, "acknowledgements", { kind, line, key: newKey() });

/** @param {Deployment} one @returns {Deployment} */
function heard(one) {
  const changed = (/** @type {Deployment} */ each) => (each.id === one.id ? one : each);
  deployments.set({
    due: deployments.state.due?.map((due) => ({ ...due, deployment: changed(due.deployment) })) ?? null,
    standing: deployments.state.standing.map(changed),
  });
  soon();
  return one;
}

let gathering = 0;
/** Several steps in a row are read once. */
function soon() {
  clearTimeout(gathering);
  gathering = setTimeout(() => void loadDeployments(), GATHER_MS);
}

/** Open one in its panel. @param {string} id */
export function openDeployment(id) {
  deployments.set({ open: id });
  store.set({ panel: "deployments", panelOpen: true });
}

/** @param {any} units as ``GET /units`` and the events socket tell them */
function keepReported(units) {
  const reported = { ...deployments.state.reported };
  for (const { label, states } of units) {
    const position = states.find((/** @type {any} */ one) => one.kind === "state/position");
    if (position) reported[label] = { latitude: position.values.latitude, longitude: position.values.longitude, at: position.time };
  }
  deployments.set({ reported });
}

async function learnReported() {
  const said = await get("/units").catch(() => null);
  if (said) keepReported(said.units);
}

/** Listen for as long as the page lives. */
export function watchDeployments() {
  const anew = () => {
    void loadDeployments();
    if (may("deploy")) void learnReported();
  };
  news.addEventListener("open", anew);
  news.addEventListener("unlocked", anew);
  news.addEventListener("deployment", soon);
  news.addEventListener("unit-picture", soon);
  news.addEventListener("unit-no-picture", soon);
  news.addEventListener("units", (event) => {
    if (may("deploy")) keepReported(/** @type {CustomEvent} */ (event).detail.units);
  });
  news.addEventListener("unit-alarm", (event) => {
    const { unit, kind, street, happened: at, down } = /** @type {CustomEvent} */ (event).detail;
    tell(`${unitWords(unit)} ${happened(kind)}${street ? `, ${street}` : ""}${at ? `; told late, it was at ${clock(Date.parse(at))}${down ? ", while it stood there" : ""}` : ""}.`, ["returned", "levelled", "closed"].includes(kind) ? "attention" : "alarm");
    soon();
  });
  news.addEventListener("deployment-due", (event) => {
    tell(reminderWords(/** @type {CustomEvent} */ (event).detail, store.serverClock.now()), "attention");
    soon();
  });
  news.addEventListener("unit-lapsed", (event) => {
    const { unit, street } = /** @type {CustomEvent} */ (event).detail;
    tell(`The stay of ${unitWords(unit).toLowerCase()}${street ? ` in ${street}` : ""} is over: it records nothing.`, "attention");
    soon();
  });
  setInterval(() => void loadDeployments(), EVERY_MS);
}
