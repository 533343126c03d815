// The field page's service worker: it keeps the page's own files, and nothing else. What people see and send is the page's.

const worker = /** @type {any} */ (self);
worker.importScripts("/field/shell.js");

/** @type {{version: string, files: string[], later: string[]}} */
const shell = worker.SHELL;
const PREFIX = "sightline-field-";
const NAME = `${PREFIX}${shell.version}`;
const kept = new Set(shell.files);
/** Large, and not needed by every phone: kept once it is asked for. */
const later = new Set(shell.later);

worker.addEventListener("install", (/** @type {any} */ event) => {
  // All of one version, or none of it.
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(shell.files.map((file) => new Request(file, { cache: "reload" })))));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
      await worker.clients.claim();
    })(),
  );
});

// The page asks for it once it is loaded whole, so that no page is made of two versions. Heard are windows that this gateway
// served under /field, and this one word; another worker, another page and anything else is not answered.
worker.addEventListener("message", (/** @type {any} */ event) => {
  const { data, origin, source } = event;
  if (origin !== location.origin || source?.type !== "window" || data !== "take over") return;
  const page = new URL(source.url);
  if (page.origin === location.origin && page.pathname === "/field") void worker.skipWaiting();
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !(kept.has(url.pathname) || later.has(url.pathname))) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(NAME);
      const known = await cache.match(url.pathname);
      if (known) return known;
      const fresh = await fetch(event.request);
      if (later.has(url.pathname) && fresh.status === 200) event.waitUntil(cache.put(url.pathname, fresh.clone()));
      return fresh;
    })(),
  );
});
