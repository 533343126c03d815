import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ApiError, get, send } from "../../../../gateway/console/static/app/api.js";

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

const unreachable = (error) => error instanceof ApiError && error.status === 0;

test("a network that breaks within an answer is a network that is away", async () => {
  const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError("network error")) });
  globalThis.fetch = async () => new Response(broken, { headers: { "Content-Type": "application/json" } });
  await assert.rejects(get("/deployments"), unreachable);
});

test("a sign-in page of somebody's WiFi is no answer", async () => {
  globalThis.fetch = async () => new Response("<html>Welcome</html>");
  await assert.rejects(send("POST", "/deployments", {}), unreachable);
});

test("what takes too long is away, what nobody wants any more is not", async () => {
  globalThis.fetch = (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const slow = new AbortController();
  const asked = get("/deployments", slow.signal);
  slow.abort(new DOMException("too long", "TimeoutError"));
  await assert.rejects(asked, unreachable);
  const left = new AbortController();
  const unwanted = get("/deployments", left.signal);
  left.abort();
  await assert.rejects(unwanted, { name: "AbortError" });
});
