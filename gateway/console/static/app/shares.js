/**
 * What the room does with shares, whatever key or button asks for it.
 * @module
 */

import { get, problemOf, send } from "./api.js";
import { follow, goOnFollowing, showSelected } from "./shares-following.js";
import { heard, dropShare, keepAnswer, keepShares, keepTest, lengths, nextLength, partners, sharesOf, without } from "./shares-model.js";
import { madeWords, named, overWords, until } from "./shares-words.js";
import { cameraById, may, selectedCamera, store, tell } from "./store.js";
import { line } from "./words.js";

/** @typedef {import("./shares-types.js").Sharing} Sharing */
/** @typedef {import("./shares-types.js").Share} Share */
/** @typedef {import("./shares-types.js").Ask} Ask */
/** @typedef {import("./shares-types.js").Bar} Bar */
/** @typedef {import("./shares-types.js").Loan} Loan */
/** @typedef {import("./shares-types.js").Organisation} Organisation */

const MINUTE_MS = 60_000;
const MINUTES = 60;

/** @param {Partial<Sharing>} patch */
const set = (patch) => store.set({ sharing: { ...store.state.sharing, ...patch } });

/** @param {(was: Sharing) => Sharing} turn */
export const turn = (turn) => store.set({ sharing: turn(store.state.sharing) });

/** @param {() => Promise<unknown>} work @returns {Promise<boolean>} whether it went well; else it is said */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    tell(line(problemOf(error)), "attention");
    return false;
  }
}

/** How much was told of shares: an answer that was on its way meanwhile is older than that. */
let heardSoFar = 0;
const ASKED_MOST = 3;

async function askForShares() {
  for (let asked = 1; ; asked += 1) {
    const before = heardSoFar;
    const found = await Promise.all([get("/shares"), get("/shares/usual"), get("/organisations")]);
    if (heardSoFar === before || asked === ASKED_MOST) return found;
  }
}

export async function loadShares() {
  if (!may("share")) return;
  try {
    const [shares, usual, organisations] = await askForShares();
    turn((was) => ({ ...keepShares(was, shares), usual, organisations, standing: "ready", problem: null }));
    completeBar();
    goOnFollowing(shares);
  } catch (error) {
    if (store.state.sharing.standing !== "ready") set({ standing: "failed", problem: problemOf(error) });
  }
}

export async function loadPartners() {
  set({ organisations: await get("/organisations") });
  completeBar();
}

/** Said of a share that ended by itself or by somebody else. @param {Share} share */
function sayOver(share) {
  if (share.kind === "test") return;
  tell(overWords(share));
}

/** What the events socket told of shares. @param {any} message */
export function heardOfShares(message) {
  if (message.t !== "watching") heardSoFar += 1;
  const { sharing } = store.state;
  const over = message.t === "share" && message.what === "ended" && sharing.shares.find((share) => share.id === message.share.id);
  turn((was) => heard(was, message));
  if (over) sayOver(message.share);
  if (message.t === "share") closeBarOfNothing();
}

/** The bar told of a share that is over. */
function closeBarOfNothing() {
  const { sharing } = store.state;
  if (sharing.bar?.mode === "shown" && sharesOf(sharing, sharing.bar.camera).length === 0) set({ bar: null });
}

/** @param {string} share @returns {string} the name of the organisation it is with */
export const organisationOf = (share) => store.state.sharing.shares.find((one) => one.id === share)?.organisation_name ?? "";

/** @param {string} id @returns {Organisation | undefined} */
export const organisationById = (id) => store.state.sharing.organisations.find((one) => one.id === id);

// --- the bar

/** @param {Partial<Bar>} patch */
function setBar(patch) {
  const { bar } = store.state.sharing;
  if (bar) set({ bar: { ...bar, ...patch } });
}

/** @param {string} camera @returns {Bar} */
function newBar(camera) {
  const { sharing } = store.state;
  const [first] = partners(sharing);
  const minutes = sharing.usual?.minutes ?? MINUTES;
  return { mode: "make", camera, organisation: first?.id ?? null, minutes, follow: false, stick: true, busy: false, problem: null };
}

/** As W opens it: how the camera is shared, where it is. @param {string} camera @returns {Bar} */
function openedBar(camera) {
  const shared = sharesOf(store.state.sharing, camera).length > 0;
  return { ...newBar(camera), mode: shared ? "shown" : "make" };
}

/** A bar that was opened before it was known with whom one shares: it takes what it would have opened with. */
function completeBar() {
  const { bar } = store.state.sharing;
  if (bar?.organisation !== null) return;
  const { mode, organisation, minutes } = openedBar(bar.camera);
  setBar({ mode, organisation, minutes: bar.minutes === MINUTES ? minutes : bar.minutes });
}

/** Whether somebody chose something in it that is lost with it. @param {Bar} bar */
function chosen(bar) {
  if (bar.mode !== "make" || bar.busy) return false;
  const usual = newBar(bar.camera);
  return (bar.organisation !== null && bar.organisation !== usual.organisation) || bar.minutes !== usual.minutes || bar.follow !== usual.follow || bar.stick !== usual.stick;
}

/** W: share the selected camera; where it is shared, show how, and once more to share it with somebody else too. */
export function openBar() {
  const camera = selectedCamera();
  if (!camera) return;
  const allowed = camera.may ? camera.may.includes("share") : may("share");
  if (!allowed) {
    tell(`You may not share camera ${camera.number}.`, "attention");
    return;
  }
  const { sharing } = store.state;
  // Who has enrolled, and who has accepted the terms, is not told: it is asked for when it is looked at.
  if (sharing.standing === "ready") void loadPartners().catch(() => {});
  else void loadShares();
  if (store.state.exporting) {
    // Its clicks go to the timeline, in whose place the bar stands.
    store.set({ exporting: null });
    tell("The export is cancelled.");
  }
  const open = sharing.bar?.camera === camera.id ? sharing.bar.mode : null;
  if (open === "make") set({ bar: null });
  else set({ bar: open === "shown" ? newBar(camera.id) : openedBar(camera.id) });
}

export const closeBar = () => set({ bar: null });

/** @param {string} organisation */
export const chooseOrganisation = (organisation) => setBar({ organisation });
/** @param {number} minutes */
export const chooseMinutes = (minutes) => setBar({ minutes });
export const turnFollow = () => setBar({ follow: !store.state.sharing.bar?.follow });
export const turnStick = () => setBar({ stick: !store.state.sharing.bar?.stick });

/** The lengths that the bar offers. @returns {number[]} */
export function barLengths() {
  const { usual } = store.state.sharing;
  return lengths(usual?.minutes ?? MINUTES, usual?.max_minutes ?? Infinity);
}

/** @param {1 | -1} step */
export const stepMinutes = (step) => {
  const { bar } = store.state.sharing;
  if (bar) setBar({ minutes: nextLength(barLengths(), bar.minutes, step) });
};

/** Enter: share as the bar says. */
export async function shareFromBar() {
  const { bar } = store.state.sharing;
  if (!bar || bar.busy || bar.organisation === null) return;
  setBar({ busy: true, problem: null });
  try {
    const { camera, organisation, minutes, follow } = bar;
    const share = await send("POST", "/shares/quick", { camera, organisation, minutes, follow, may_ask_for_stick: bar.stick });
    made(share);
    // Another picture may have been selected meanwhile, and its own bar opened.
    if (store.state.sharing.bar?.camera === bar.camera) closeBar();
  } catch (error) {
    const problem = problemOf(error);
    if (store.state.sharing.bar?.camera === bar.camera) setBar({ busy: false, problem });
    else tell(`Camera ${numberOf(bar.camera)} is not shared. ${line(problem)}`, "attention");
  }
}

/** @param {Share} share one that was made at this console */
export function made(share) {
  turn((was) => keepAnswer(was, share));
  if (share.follow) follow(share.id);
  tell(madeWords(share, store.serverClock.now()));
}

// --- changing and ending

/** @param {Share} share @returns {string} */
const inWords = (share) => (share.title === share.organisation_name ? `The share with ${share.organisation_name}` : `The share “${share.title}”`);

/** @param {Share} share @returns {string} */
const untilWhen = (share) => `${inWords(share)} now runs until ${until(share.end, store.serverClock.now())}.`;

/** @param {Share} share @param {object} change @param {(now: Share) => string} done what is said of it then */
const change = (share, change, done) =>
  attempt(async () => {
    const now = /** @type {Share} */ (await send("PATCH", `/shares/${share.id}`, change));
    turn((was) => keepAnswer(was, now));
    tell(done(now));
  });

/** @param {Share} share @param {object} wish its terms, as the form has them */
export const changeTerms = (share, wish) => change(share, wish, (now) => `${inWords(now)} is changed.`);

/** @param {Share} share @param {number} [minutes] */
export const extend = (share, minutes = 30) =>
  change(share, { end: new Date(Date.parse(share.end) + minutes * MINUTE_MS).toISOString() }, untilWhen);

/** @param {Share} share @param {number} minutes from now */
export const endSoon = (share, minutes) => change(share, { minutes }, untilWhen);

/** Take a camera out of a share; the last one ends it. @param {Share} share @param {string} camera */
export function takeOut(share, camera) {
  const cameras = share.cameras.filter((one) => one !== camera);
  if (cameras.length === 0) return endShare(share);
  const done = `Camera ${numberOf(camera)} is no longer shared with ${share.organisation_name} here. To show it again, share it again with W.`;
  return change(share, { cameras }, () => done);
}

/** Take somebody out of a share; the others keep it. @param {Share} share @param {import("./shares-types.js").Recipient} one */
export function takeOutPerson(share, one) {
  const recipients = without(share, organisationById(share.organisation), one.user_id);
  const done = `${one.name} no longer sees this share. To let them see it again, make a new share for them: Sharing, New.`;
  return change(share, { recipients }, () => done);
}

/** End it now, without a question: what was ended too early is shared again by two keys. @param {Share} share */
export async function endShare(share) {
  const done = await attempt(() => send("DELETE", `/shares/${share.id}`));
  if (!done) return;
  turn((was) => dropShare(was, share.id));
  closeBarOfNothing();
  tell(`“${share.title}” is no longer shared with ${share.organisation_name}.`);
}

/** Delete: end what the bar shows, the newest first. */
export function endShown() {
  const { sharing } = store.state;
  const [share] = sharing.bar ? sharesOf(sharing, sharing.bar.camera) : [];
  if (share) void endShare(share);
}

export const endAll = () =>
  attempt(async () => {
    const ended = /** @type {Share[]} */ (await send("DELETE", "/shares"));
    turn((was) => ended.reduce((kept, share) => dropShare(kept, share.id), was));
    closeBarOfNothing();
    tell(`${ended.length} ${ended.length === 1 ? "share has" : "shares have"} ended.`);
  });

// --- the stick

/** Who asks for the stick of the selected camera, the longest waiting first. @returns {Ask | undefined} */
const askedHere = () => store.state.sharing.asks.find((ask) => ask.camera === selectedCamera()?.id);

/** @param {Ask} ask @param {number} [minutes] */
export const lend = (ask, minutes) =>
  attempt(async () => {
    const body = { camera: ask.camera, user: ask.user_id, ...(minutes === undefined ? {} : { minutes }) };
    const loan = await send("POST", `/shares/${ask.share}/lend`, body);
    heardOfShares({ t: "stick-lent", ...loan });
    // Its tile says so, where there is one.
    const { slots, layout } = store.state;
    if (slots.slice(0, layout).some((slot) => slot.cameraId === loan.camera)) return;
    tell(`The stick of camera ${numberOf(ask.camera)} is lent to ${named(ask.name, organisationOf(ask.share))}.`);
  });

/** @param {Ask} ask */
export const refuse = (ask) =>
  attempt(async () => {
    await send("DELETE", `/shares/${ask.share}/stick-request?user=${encodeURIComponent(ask.user_id)}`);
    heardOfShares({ t: "stick-refused", ...ask });
  });

/** @param {Loan} loan */
export const takeBack = (loan) =>
  attempt(async () => {
    await send("DELETE", `/shares/${loan.share}/lend?camera=${encodeURIComponent(loan.camera)}`);
    heardOfShares({ t: "stick-back", ...loan });
    tell(`The room has the stick of camera ${numberOf(loan.camera)} back.`);
  });

/** @param {string} camera */
const numberOf = (camera) => cameraById(camera)?.number ?? "";

/** G: lend to who asks for the selected camera. */
export function lendHere() {
  const ask = askedHere();
  if (ask) void lend(ask);
  else tell("Nobody asks for the stick of this camera.", "attention");
}

/** N: say no to them. */
export function refuseHere() {
  const ask = askedHere();
  if (ask) void refuse(ask);
  else tell("Nobody asks for the stick of this camera.", "attention");
}

/** B: take back the stick of the selected camera; or the only one that is lent. */
export function takeBackHere() {
  const loans = store.state.cameras.flatMap((camera) => camera.state.lent ?? []);
  const here = loans.find((loan) => loan.camera === selectedCamera()?.id) ?? (loans.length === 1 ? loans[0] : undefined);
  if (here) void takeBack(here);
  else tell(loans.length ? "The stick of this camera is not lent. Select one whose stick is." : "No stick is lent.", "attention");
}

// --- tests of links

/** @param {string} organisation @param {string | null} camera null: the room's own test picture */
export const testLink = (organisation, camera) =>
  attempt(async () => {
    const test = await send("POST", `/organisations/${organisation}/room-test`, { camera });
    turn((was) => keepTest(was, test));
  });

/** @param {string} organisation */
export async function loadTests(organisation) {
  const tests = await get(`/organisations/${organisation}/room-tests`);
  set({ tests: { ...store.state.sharing.tests, [organisation]: tests } });
}

store.subscribe(() => {
  const { bar } = store.state.sharing;
  // What it said of one camera is not to be said, or done, of another.
  if (!bar || bar.camera === selectedCamera()?.id) showSelected();
  else {
    closeBar();
    if (chosen(bar) && selectedCamera()) tell(`Camera ${numberOf(bar.camera)} was not shared: another picture was selected.`, "attention");
  }
});
