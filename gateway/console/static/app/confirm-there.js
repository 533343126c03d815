/**
 * Proving again who one is at the provider that keeps one's account, in a window of its own.
 * @module
 */

import { ApiError, get, once, send } from "./api.js";

/** @typedef {{id: string, name: string}} Provider */

const LOOK_MS = 1000;
const LONGEST_MS = 600_000;

/** The providers at which one can confirm. @returns {Promise<Provider[]>} */
export async function confirmingProviders() {
  const [accounts, providers] = await Promise.all([get("/session/accounts"), get("/oidc/providers")]);
  const own = new Set(accounts.map((/** @type {{provider: string | null}} */ account) => account.provider));
  return providers.filter((/** @type {Provider} */ provider) => own.has(provider.id));
}

/** A window must be opened by the very click. @returns {Window | null} */
export const openedWindow = () => window.open("about:blank", "sightline-confirm", "popup,width=520,height=720");

/**
 * Send the window to the provider, and return once the gateway knows that it was them.
 * @param {string} provider @param {Window | null} page @param {() => boolean} wanted whether anybody still waits for it
 */
export async function confirmThere(provider, page, wanted) {
  if (!page) {
    const problem = { type: "page.window", title: "This browser keeps windows from opening.", cure: "Allow them for this address, and try again." };
    throw new ApiError(problem, 0);
  }
  let url;
  try {
    ({ url } = await send("POST", `/oidc/${provider}/confirm`));
  } catch (error) {
    page.close();
    throw error;
  }
  page.location.replace(url);
  const until = performance.now() + LONGEST_MS;
  while (wanted() && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    try {
      await once("/api/v1/session/confirm");
      page.close();
      return;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) throw error;
    }
  }
  throw new ApiError({ type: "page.window", title: "That was not confirmed.", cure: "Begin again, or use another way." }, 0);
}
