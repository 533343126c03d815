/**
 * Starts the field page, from this phone where there is no network.
 * @module
 */

import "./app.js";
import { watchHands } from "../app/activity.js";
import { hooks } from "../app/api.js";
import { owed } from "../app/leaving.js";
import { begin, wear } from "../app/session.js";
import { steering } from "../app/steering.js";
import { store } from "../app/store.js";
import { reader } from "./codes.js";
import { field } from "./state.js";
import { came, close, gone, listen, shut, wake } from "./work.js";

wear({
  astray(user) {
    if (user.role !== "partner") return false;
    store.set({ session: "astray", user });
    return true;
  },
  came,
  leaving: () => steering().aim(null),
  gone() {
    steering().aim(null);
    close();
    void gone();
  },
  shut() {
    steering().aim(null);
    void shut();
  },
  opened: came,
});
// A phone's page sleeps for hours, and wakes with the session of whoever came after.
hooks.shown = () => (store.state.user ?? field.state.user)?.id ?? null;
listen();
watchHands();
void start();
void keepShell();

/** What this phone has is shown at once; but nothing of whoever signed out here. */
async function start() {
  try {
    if ((await owed()) !== undefined) await gone();
    await wake();
  } finally {
    void begin();
  }
}

/** Have the page's own files kept. Over plain HTTP, and where the browser keeps nothing, the page needs its network. */
async function keepShell() {
  if (!("serviceWorker" in navigator)) return;
  const kept = await navigator.serviceWorker.register("/field/worker.js", { scope: "/field" }).catch(() => null);
  if (!kept) return;
  const takeOver = () => kept.waiting?.postMessage("take over");
  takeOver();
  kept.addEventListener("updatefound", () => kept.installing?.addEventListener("statechange", takeOver));
  // What reads codes is large where the browser cannot: it is fetched while there is a network, through the worker that keeps it.
  if (navigator.serviceWorker.controller) await reader();
  else navigator.serviceWorker.addEventListener("controllerchange", () => void reader(), { once: true });
}
