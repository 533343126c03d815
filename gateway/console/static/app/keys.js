/**
 * The keyboard: one table of keys, what they do, and how help names them.
 * @module
 */

import { armExport, back30, callUpNumber, goLive, select, setLayout, still } from "./actions.js";
import { armHold, closeEmptyHold } from "./holds.js";
import { barKey } from "./shares-keys.js";
import { closeBar, lendHere, openBar, refuseHere, takeBackHere } from "./shares.js";
import { isSteeringKey } from "./steer-inputs.js";
import { steering } from "./steering.js";
import { selectedCamera, selectedSlot, store, tell } from "./store.js";

/** @type {[group: string, rows: [keys: string[], does: string][]][]} */
export const KEY_HELP = [
  [
    "Cameras",
    [
      [["0–9", "Enter"], "call up a camera by its number"],
      [["/"], "search by name, street or group"],
      [["Tab"], "next control"],
      [["[", "]"], "select the tile before or after"],
      [["M"], "sound of the selected picture on or off"],
      [["Alt", "1 4 9"], "one, four or nine tiles"],
    ],
  ],
  [
    "Steering",
    [
      [["← ↑ → ↓"], "turn; a tap nudges, holding runs, Shift is full speed"],
      [["+", "−"], "zoom in and out"],
      [["Esc"], "stop, always"],
      [["P", "1–9"], "go to a preset"],
      [["Home"], "home position"],
      [["T"], "take or release the stick"],
    ],
  ],
  [
    "With the mouse, on the selected picture",
    [
      [["click"], "bring that point to the middle"],
      [["drag"], "turn; further is faster"],
      [["Shift", "drag"], "draw a box to zoom into it"],
      [["wheel"], "zoom"],
    ],
  ],
  [
    "Recordings",
    [
      [["R"], "back 30 seconds"],
      [["L"], "live"],
      [["Space"], "pause and go on"],
      [[",", "."], "one frame back or on"],
      [["S"], "save a still"],
      [["E"], "export: then two clicks on the timeline"],
      [["H"], "hold what the timeline shows beyond its time"],
    ],
  ],
  [
    "Sharing",
    [
      [["W"], "share the selected camera, or see how it is shared"],
      [["1–9", "← →", "Enter"], "in the share bar: with whom, for how long, share"],
      [["F", "S"], "in the share bar: follow what is selected; the stick may be asked for"],
      [["X", "C", "Del"], "of a camera that is shared, after W: 30 minutes more, take it out, end"],
      [["G", "N"], "lend the stick to who asks for this camera, or say no"],
      [["B"], "take back the stick that is lent"],
    ],
  ],
  [
    "This page",
    [
      [["I"], "say which incident or request you are at work on"],
      [["?"], "these keys"],
    ],
  ],
];

/** Sent as events, so that whoever shows the picture answers. @type {EventTarget} */
export const wishes = new EventTarget();

/** @param {string} name @param {unknown} [detail] */
const wish = (name, detail) => wishes.dispatchEvent(new CustomEvent(name, { detail }));

/** @type {Record<string, () => void>} */
const PLAIN = {
  r: back30,
  l: goLive,
  s: () => void still(),
  e: armExport,
  h: armHold,
  " ": () => wish("pause"),
  ",": () => wish("step", -1),
  ".": () => wish("step", 1),
  "/": () => wish("search"),
  i: () => wish("reference"),
  "?": () => store.set({ panel: store.state.panel === "keys" ? "steer" : "keys", panelOpen: true }),
  "[": () => select(store.state.selected - 1),
  "]": () => select(store.state.selected + 1),
  m: () => {
    store.set({ sound: !store.state.sound });
    tell(store.state.sound ? "Sound of the selected picture is on, where the camera sends any." : "Sound is off.");
  },
  w: openBar,
  b: takeBackHere,
  g: lendHere,
  n: refuseHere,
  t: () => (store.state.steering.mine ? steering().release() : steering().take()),
  Home: () => selectedCamera()?.head?.home && steering().once({ t: "home" }),
};

/** @param {EventTarget | null} target */
const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Arrows inside a list or a slider belong to it. @param {EventTarget | null} target */
const ownsArrows = (target) => target instanceof Element && target.closest("[data-own-arrows], .leaflet-container") !== null;

let typedTimer = 0;

/** @param {string} typed */
function type(typed) {
  clearTimeout(typedTimer);
  store.set({ typed });
  if (typed !== "") typedTimer = setTimeout(() => store.set({ typed: "" }), 6000);
}

function escape() {
  steering().stop();
  type("");
  closeBar();
  closeEmptyHold();
  store.set({ exporting: null, presetArmed: false });
}

/** @param {string} digit */
function digit(digit) {
  if (store.state.presetArmed) {
    store.set({ presetArmed: false });
    wish("preset", Number(digit));
  } else type((store.state.typed + digit).slice(-5));
}

/** @param {KeyboardEvent} event */
function down(event) {
  const { session, lock, confirming } = store.state;
  if (session !== "signed-in" || lock !== "open" || confirming) return;
  const { key } = event;
  if (key === "Escape") {
    escape();
    if (isTyping(event.target)) /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  if (isTyping(event.target) || event.ctrlKey || event.metaKey) return;
  if (event.altKey) {
    if (["1", "4", "9"].includes(key)) {
      event.preventDefault();
      setLayout(/** @type {1 | 4 | 9} */ (Number(key)));
    }
    return;
  }
  if (store.state.typed === "" && !store.state.presetArmed && barKey(event)) return;
  if (isSteeringKey(key) && !ownsArrows(event.target)) {
    event.preventDefault();
    if (!event.repeat && selectedSlot().replayAt === null) steering().keyDown(key, event.shiftKey);
    return;
  }
  if (/^[0-9]$/.test(key)) return digit(key);
  if (key === "Enter" && store.state.typed !== "") {
    event.preventDefault();
    clearTimeout(typedTimer);
    return callUpNumber(store.state.typed);
  }
  if (key === "Backspace" && store.state.typed !== "") return type(store.state.typed.slice(0, -1));
  if (key === "p" || key === "P") return store.set({ presetArmed: !store.state.presetArmed });
  if (key === " " && event.target instanceof Element && event.target.closest("button, summary, a")) return undefined;
  const act = PLAIN[key.length === 1 ? key.toLowerCase() : key];
  if (act && !event.repeat) {
    event.preventDefault();
    act();
  }
}

/** Listen for as long as the page lives. */
export function listen() {
  addEventListener("keydown", down);
  addEventListener("keyup", (event) => {
    if (isSteeringKey(event.key)) steering().keyUp(event.key, event.shiftKey);
    else if (event.key === "Shift") steering().shift(false);
  });
}
