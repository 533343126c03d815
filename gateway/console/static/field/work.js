/**
 * The field's work: reads what is planned and stands, keeps what is done, and sends it whenever the gateway can be reached.
 * @module
 */

import { ApiError, IN_NAME_OF, get as ask, problemOf, request, saidBy } from "../app/api.js";
import { Backoff } from "../app/backoff.js";
import { everyOf } from "../app/pages.js";
import { keepCameras, may, store, tell } from "../app/store.js";
import { line } from "../app/words.js";
import { Kept } from "./kept.js";
import { Outbox, newKey } from "./outbox.js";
import { isBegun, isOf, isOver, newDraft, spoken } from "./progress.js";
import { deployments, field, forget, opened, ours } from "./state.js";

/** @typedef {import("./progress.js").Draft} Draft */
/** @typedef {import("./progress.js").Deployment} Deployment */
/** @typedef {import("./outbox.js").Waiting} Waiting */

const LOOK_MS = 15_000;
/** The whole list is read this often: a phone's data are somebody's money. */
const LIST_MS = 60_000;
/** What was read is shown without the gateway for so long: whoever finds the phone later finds nothing. */
const SHOWN_MS = 24 * 3_600_000;
const SHOWN_STAGES = ["planned", "deployed", "removed"];

/** A town does not move: its ground is read once a day, where no tiles are drawn. */
const GROUND_MS = 24 * 3_600_000;
/** What is somebody's of what the gateway said last. The ground is the town's. */
const THEIRS = ["list", "user"];

export const kept = new Kept();
const backoff = new Backoff({ firstMs: 1000, capMs: 20_000 });
/** A network that takes everything and brings nothing is none: it must not hold up what waits. */
const ANSWER_MS = 30_000;
/** The slowest link that is worth waiting for carries so much in a second. */
const SLOWEST_BYTES_S = 4_000;
let timer = 0;

/** @param {string} path @returns {Promise<any>} */
const get = (path) => ask(path, AbortSignal.timeout(ANSWER_MS));

/** In the name of whoever took it, whoever is signed in by now. @param {Waiting} one @returns {Promise<Deployment>} */
async function post({ user, deployment, where, step, said, key, photo, at }) {
  // Both by this phone's clock: how long lies between them is right also where that clock is not.
  const when = { done_at: new Date(at).toISOString(), sent_at: new Date().toISOString() };
  const headers = { [IN_NAME_OF]: user, "Content-Type": photo?.type ?? "application/json" };
  const path = `/api/v1/deployments/${encodeURIComponent(deployment)}/${step}`;
  const signal = AbortSignal.timeout(ANSWER_MS + ((photo?.bytes.byteLength ?? 0) / SLOWEST_BYTES_S) * 1000);
  const sent = photo
    ? await request(`${path}?${new URLSearchParams({ kind: String(said.kind), key, ...when })}`, { method: "POST", body: photo.bytes, headers, signal })
    : await request(path, { method: "POST", body: JSON.stringify({ ...said, key, ...when }), headers, signal });
  const then = await saidBy(sent, signal);
  if (photo) void remarked(deployment, where);
  return then;
}

/** What the gateway finds odd about the last photo is said while its taker stands there. @param {string} deployment @param {string} [where] */
async function remarked(deployment, where) {
  const lines = await get(`/deployments/${encodeURIComponent(deployment)}/log`).catch(() => []);
  const photos = lines.filter((/** @type {{step: string}} */ { step }) => step === "photo");
  // Many phones keep place and time to themselves: that is no news.
  const odd = /** @type {string[]} */ (photos.at(-1)?.said.remarks ?? []).filter((remark) => !remark.startsWith("it says no"));
  if (odd.length) tell(`The last photo${where ? ` at ${where}` : ""}: ${odd.join("; ")}. Take another if it is the wrong one.`, "attention");
}

/** Two pages on one phone take turns. @param {() => Promise<void>} work */
const alone = (work) => (navigator.locks ? navigator.locks.request("sightline-field-outbox", work) : work());

export const outbox = new Outbox({
  shelves: kept,
  post,
  async heard(deployment) {
    const others = field.state.deployments.filter(({ id }) => id !== deployment.id);
    field.set({ deployments: [...others, deployment], reach: "up" });
    // A phone that is full keeps no list; what waits on it is sent all the same.
    await remember().catch(() => {});
    // Done with: it must not tick what is put up there another time.
    const { user } = field.state;
    if (user && isOver(deployment)) await kept.drop("drafts", [[deployment.id, user.id]]);
  },
  changed: () => field.set({ outbox: outbox.waiting }),
  alone,
});

/** Show what this phone has of before; the gateway may be out of reach for as long as it likes. */
export async function wake() {
  await outbox.load();
  const [list, user, lock] = await Promise.all(["list", "user", "lock"].map((name) => kept.one("known", name)));
  // A phone that was locked stays locked without a network, however often it is started.
  if (lock) {
    field.set({ shut: lock.value });
    return;
  }
  const fresh = list && Date.now() - list.at < SHOWN_MS;
  if (list && !fresh) await kept.drop("known", THEIRS);
  if (fresh && user && field.state.user === null) {
    store.set({ cameras: list.cameras });
    field.set({ user: user.value, readAt: list.at, deployments: list.deployments, units: list.units, rules: list.rules });
  }
  field.set({ lasting: (await navigator.storage?.persisted?.().catch(() => false)) ?? false });
}

/** Keep what is shown, for when the gateway cannot be asked. */
async function remember() {
  const { deployments, units, rules, user, readAt } = field.state;
  if (!user || readAt === null || store.state.lock !== "open") return;
  // Of the borough's cameras only those that this is about stay on a phone.
  const ids = new Set([...deployments, ...(units ?? [])].flatMap((one) => one.cameras));
  const cameras = store.state.cameras.filter(({ id }) => ids.has(id));
  await kept.put("known", [
    { name: "list", at: readAt, deployments, units, rules, cameras },
    { name: "user", value: user },
  ]);
}

/** Somebody is in. */
export async function came() {
  const user = store.state.user;
  if (!user) return;
  const before = await kept.one("known", "user");
  if ((before && before.value.id !== user.id) || (field.state.user && field.state.user.id !== user.id)) {
    forget();
    await kept.empty("known");
  }
  worker = { id: user.id, name: user.name || user.username };
  field.set({ user: worker });
  if (store.state.lock !== "open") {
    await shut();
    // Somebody may open it beside this page.
    await look();
    return;
  }
  await kept.drop("known", ["lock"]);
  field.set({ shut: null });
  if (!may("deploy")) {
    field.set({ barred: { type: "field.deploy", title: "You may not deploy cameras.", cure: "Ask an administrator for the permission “Deploy”." } });
    return;
  }
  field.set({ barred: null });
  field.set({ lasting: (await navigator.storage?.persist?.().catch(() => false)) ?? false });
  await look();
}

/** It was locked: what was read is not left on the phone, but for whose it is. What was begun and done stays, unseen. */
export async function shut() {
  const { user } = field.state;
  await kept.drop("known", THEIRS);
  await kept.put("known", [{ name: "lock", value: user }]);
  field.set({ shut: user });
}

/** What whoever works here has begun that is in no step yet. @returns {Promise<Deployment[]>} where */
export async function unsent() {
  const known = deployments();
  const theirs = await draftsOf(field.state.user);
  const begun = new Set(theirs.filter((draft) => isBegun(draft, known)).map(({ deployment }) => deployment));
  return known.filter(({ id }) => begun.has(id));
}

/** @param {import("./state.js").Somebody | null} user @returns {Promise<Draft[]>} */
const draftsOf = async (user) => (await kept.all("drafts")).filter((draft) => draft.user === user?.id);

/** They signed out, or were: what was shown to them is forgotten, and what is sent. What they did and began is not. */
export async function gone() {
  clearTimeout(timer);
  const { user, readAt } = field.state;
  const known = readAt === null ? null : deployments();
  forget();
  await kept.empty("known");
  const over = (await draftsOf(user)).filter((draft) => !isBegun(draft, known));
  await kept.drop("drafts", over.map(({ deployment, user: whose }) => [deployment, whose]));
}

/** @type {Promise<void> | null} */
let looking = null;
let more = false;
let whole = false;

/**
 * Send what waits, then read how things stand; and again before long. One at a time: a list that was read before a step was
 * sent must not be shown after it.
 * @param {{whole?: boolean}} [wish] whole: the list too, however new it is
 * @returns {Promise<void>}
 */
export function look(wish = {}) {
  more = true;
  whole ||= wish.whole ?? false;
  looking ??= (async () => {
    try {
      while (more) {
        more = false;
        await sendAndRead();
      }
    } finally {
      looking = null;
    }
  })();
  return looking;
}

async function sendAndRead() {
  clearTimeout(timer);
  const { user, barred } = field.state;
  if (store.state.session !== "signed-in" || !user || barred) return;
  let wait = LOOK_MS;
  try {
    const again = await outbox.send(user.id);
    if (again) wait = Math.max((again.retryAfterS ?? 0) * 1000, backoff.failed(performance.now()));
    await read();
    if (!again) backoff.healthy(performance.now());
    field.set({ reach: "up" });
  } catch (error) {
    if (!(error instanceof ApiError)) tell(line(notKept(error)), "attention");
    else if (error.status === 0) field.set({ reach: "down" });
    if (ours().length > 0) wait = backoff.failed(performance.now());
  }
  // Whatever went wrong: what waits is tried again.
  timer = setTimeout(() => void look(), wait);
}

/** What is said where this phone cannot keep, or read, what it is to keep. @param {unknown} error */
const notKept = (error) =>
  error instanceof DOMException && error.name === "QuotaExceededError"
    ? { type: "page", title: "This phone is full, and nothing more is kept on it.", cure: "Make room on it (its own photos and apps), and do that once more." }
    : problemOf(error);

/** @returns {Promise<Partial<import("./state.js").Field>>} */
async function list() {
  const [lists, rules, units] = await Promise.all([
    // Of what was withdrawn only where somebody has to go: all of it would be a phone's data for nothing.
    Promise.all([...SHOWN_STAGES, "withdrawn&signs_hang=true"].map((stage) => everyOf(get, stage))),
    get("/deployments/rules"),
    readUnits(),
  ]);
  return { deployments: lists.flat(), rules, units, readAt: Date.now() };
}

/** The map is needed where there is no network: its ground is on the phone before anybody drives there. */
async function keepGround() {
  const known = await kept.one("known", "ground");
  if (known && Date.now() - known.at < GROUND_MS) return;
  const { tiles_url: tiles } = await get("/map");
  if (tiles) await kept.drop("known", ["ground"]);
  else await kept.put("known", [{ name: "ground", at: Date.now(), ground: await get("/map/ground") }]);
}

/** A site without units that call in has no list of them. @returns {Promise<import("./progress.js").Unit[] | null>} */
const readUnits = () =>
  get("/units").then(({ units }) => units, (error) => {
    if (error instanceof ApiError && error.status !== 0 && error.status !== 401) return null;
    throw error;
  });

/** @template T @param {Promise<T>} asked @returns {Promise<T | null>} null where it is gone, or not for this user */
const orNone = (asked) =>
  asked.catch((error) => {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return null;
    throw error;
  });

async function read() {
  const { readAt, draft } = field.state;
  const old = whole || readAt === null || Date.now() - readAt >= LIST_MS;
  whole = false;
  if (old) {
    field.set(await list());
    // Where there is none, or a phone without room for it, the map says so.
    void keepGround().catch(() => {});
  }
  if (!old && field.state.open !== null) {
    const [one, units] = await Promise.all([
      orNone(get(`/deployments/${field.state.open}`)),
      draft?.seen === "" ? readUnits() : field.state.units,
    ]);
    if (one) field.set({ deployments: [...field.state.deployments.filter(({ id }) => id !== one.id), one], units });
  }
  const one = opened();
  const { draft: begun } = field.state;
  if (one && begun && !isOf(begun, one)) field.set({ draft: newDraft(one.id, begun.user, one.again) });
  // Of the borough's cameras only those of what is open: a phone needs no others, and pays for them.
  const ids = opened()?.cameras ?? [];
  const known = await Promise.all(ids.map((id) => orNone(get(`/cameras/${id}`))));
  const fresh = known.filter((one) => one !== null);
  keepCameras([...store.state.cameras.filter(({ id }) => !ids.includes(id)), ...fresh]);
  await remember();
}

/** Take what is planned or stands in hand. @param {string} id @param {string} [carried] label of the unit that is in the hand already */
export async function open(id, carried = "") {
  const user = field.state.user;
  if (!user) return;
  const begun = await kept.one("drafts", [id, user.id]);
  const one = deployments().find((each) => each.id === id);
  store.set({ notice: null });
  field.set({ open: id, draft: begun && (!one || isOf(begun, one)) ? begun : newDraft(id, user.id, one?.again) });
  if (carried) await draw({ seen: carried, how: "carried" });
  scrollTo(0, 0);
  void look();
}

export function close() {
  store.set({ notice: null });
  field.set({ open: null, draft: null });
  scrollTo(0, 0);
}

/** @type {Promise<void> | null} */
let writing = null;
/** @type {Draft | null} */
let newest = null;

/** Keep what was begun: it is on the disk when this returns. A compass turns faster than disks write. @param {Partial<Draft>} patch */
export async function draw(patch) {
  const { draft } = field.state;
  if (!draft) return;
  newest = { ...draft, ...patch };
  field.set({ draft: newest });
  writing ??= (async () => {
    try {
      for (let now = null; now !== newest; ) {
        now = /** @type {Draft} */ (newest);
        await kept.put("drafts", [now]);
      }
    } catch (error) {
      // This page has it still; who goes on is told that the phone has not.
      tell(line(notKept(error)), "attention");
    } finally {
      writing = null;
    }
  })();
  await writing;
}

/** Who works on this phone: their session may end while they stand before its camera. @type {import("./state.js").Somebody | null} */
let worker = null;

/**
 * Keep steps that were taken, in their order, and send them if the gateway can be reached.
 * @param {string} deployment
 * @param {{step: string, said: Record<string, unknown>, words: string, photo?: {bytes: ArrayBuffer, type: string}, unit?: string}[]} steps
 * @returns {Promise<boolean>} whether they are kept; else it is said
 */
export async function take(deployment, steps) {
  const user = field.state.user ?? worker;
  if (!user) return false;
  const at = Date.now();
  const place = deployments().find(({ id }) => id === deployment);
  const where = place ? spoken(place) : "";
  try {
    await outbox.put(steps.map(({ photo, ...one }) => ({ ...one, photo: photo ?? null, deployment, where, user: user.id, name: user.name, key: newKey(), at })));
  } catch (error) {
    tell(line(notKept(error)), "attention");
    return false;
  }
  void look();
  return true;
}

export function listen() {
  addEventListener("online", () => void look());
  addEventListener("offline", () => field.set({ reach: "down" }));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void look());
}
