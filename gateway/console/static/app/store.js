/**
 * The page's state, in one place. Components read it and are told when it changes; only the functions here and in
 * actions.js change it.
 * @module
 */

import { hostAway } from "./hosts.js";
import { Observable } from "./observable.js";
import { NOTHING_SHARED } from "./shares-model.js";
import { ServerClock } from "./time.js";

/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").Slot} Slot */
/** @typedef {import("./types.js").Problem} Problem */

/**
 * @typedef {object} State
 * @property {"starting" | "setup" | "signed-out" | "second" | "enrol" | "signed-in" | "unreachable" | "astray"} session astray: somebody whom this page is not for
 * @property {boolean} leaving somebody signed out on this device, and the gateway does not know yet
 * @property {import("./types.js").SecondDue | null} second what completes the sign-in that was begun
 * @property {"open" | "locked" | "wall"} lock
 * @property {number} lockAfterS 0: never
 * @property {{methods: string[], settle: (ok: boolean) => void} | null} confirming who is asked to prove again who they are
 * @property {import("./types.js").User | null} user
 * @property {"loading" | "ready" | "failed" | "forbidden"} list how the list of cameras stands
 * @property {Problem | null} listProblem
 * @property {Camera[]} cameras by number
 * @property {Record<string, number>} away by camera whose host is away: since when, on the page's own clock
 * @property {"up" | "down"} link the event socket
 * @property {import("./types.js").Layout} layout
 * @property {Slot[]} slots always nine; the layout shows the first of them
 * @property {number} selected index of a slot
 * @property {import("./types.js").PanelName} panel
 * @property {string} unit label of the unit that the units panel is to open; empty once it has
 * @property {boolean} panelOpen on a narrow screen: whether the panel is shown in place of the map
 * @property {string} typed digits of a call-up in progress
 * @property {{text: string, kind: "news" | "attention" | "alarm", at: number} | null} notice
 * @property {Record<string, import("./freshness.js").Verdict>} freshness by camera: the picture on the glass
 * @property {Record<string, number>} replayClock by camera: what time the replayed picture is from
 * @property {boolean} paused whether the selected replay stands
 * @property {{from: number} | {armed: true} | null} exporting
 * @property {{mine: boolean, moving: boolean, problem: Problem | null, socket: "none" | "opening" | "open" | "lost"}} steering
 * @property {{latitude: number, longitude: number} | null} picked a place clicked on the map for the enrolment form
 * @property {boolean} placing whether a click on the map says a place, for a form about a deployment
 * @property {{corners: import("./directory.js").Corner[], drawing: boolean, box?: boolean} | null} outline an area that is shown, or drawn, on the map; box: a rectangle can be dragged, too
 * @property {boolean} sound whether the selected picture is heard
 * @property {string} reference the incident or request that one said one is at work on
 * @property {boolean} presetArmed P was pressed; a digit recalls
 * @property {import("./types.js").Asking[]} askings acts of one's own that take a second person
 * @property {import("./types.js").WaitingAct[]} waiting acts of everybody that wait for one, for who may be it
 * @property {import("./types.js").OwnGlass | null} glass what one may break and has broken oneself
 * @property {import("./types.js").BrokenGlass[]} broken where the glass is broken, for who supervises
 * @property {import("./types.js").BrokenGlass[]} unseenGlass where it is or was broken and nobody acknowledged it, for the same
 * @property {import("./types.js").Holding | null} holding the hold that is about to be placed
 * @property {number} holdsTurn rises when holds were placed or let go of
 * @property {number} holdsDue how many are to be looked at again
 * @property {import("./health-types.js").Health | null} health what of the cameras needs a person; null until it was told
 * @property {import("./shares-types.js").Sharing} sharing what is shared with partners, and who watches
 */

/** @returns {Slot[]} */
const emptySlots = () => Array.from({ length: 9 }, () => ({ cameraId: null, replayAt: null }));

/** @type {State} */
const initial = {
  session: "starting",
  leaving: false,
  second: null,
  lock: "open",
  lockAfterS: 0,
  confirming: null,
  user: null,
  list: "loading",
  listProblem: null,
  cameras: [],
  away: {},
  link: "down",
  layout: 4,
  slots: emptySlots(),
  selected: 0,
  panel: "steer",
  unit: "",
  panelOpen: false,
  typed: "",
  notice: null,
  freshness: {},
  replayClock: {},
  paused: false,
  exporting: null,
  steering: { mine: false, moving: false, problem: null, socket: "none" },
  picked: null,
  placing: false,
  outline: null,
  sound: false,
  presetArmed: false,
  reference: "",
  askings: [],
  waiting: [],
  glass: null,
  broken: [],
  unseenGlass: [],
  holding: null,
  holdsTurn: 0,
  holdsDue: 0,
  health: null,
  sharing: NOTHING_SHARED,
};

/** @extends {Observable<State>} */
class Store extends Observable {
  serverClock = new ServerClock();

  constructor() {
    super({ ...initial });
  }

  /** Forget everything that belongs to somebody. @param {State["session"]} session */
  reset(session) {
    this.set({ ...initial, slots: emptySlots(), session });
  }
}

export const store = new Store();

/** @param {string | null | undefined} id @returns {Camera | undefined} */
export const cameraById = (id) => (id ? store.state.cameras.find((camera) => camera.id === id) : undefined);

/** @returns {Slot} */
export const selectedSlot = () => /** @type {Slot} */ (store.state.slots[store.state.selected]);

/** @returns {Camera | undefined} */
export const selectedCamera = () => cameraById(selectedSlot().cameraId);

/**
 * Keep the cameras as they are now, and since when those are away whose hosts are.
 * @param {Camera[]} cameras by number @param {number} [now]
 */
export function keepCameras(cameras, now = performance.now()) {
  /** @type {Record<string, number>} */
  const away = {};
  for (const { id, state } of cameras) if (hostAway(state)) away[id] = store.state.away[id] ?? now;
  store.set({ cameras, away });
}

/** @param {string} permission @returns {boolean} */
export const may = (permission) => store.state.user?.permissions.includes(permission) ?? false;

/** @param {string} text @param {"news" | "attention" | "alarm"} [kind] */
export function tell(text, kind = "news") {
  store.set({ notice: { text, kind, at: Date.now() } });
}
