/**
 * Tying an account leads away to its provider's own page and back; what one was about is remembered in this tab.
 * @module
 */

const KEPT = "sightline.tying";

/** @param {string} provider */
export const begin = (provider) => sessionStorage.setItem(KEPT, provider);

export const isTying = () => sessionStorage.getItem(KEPT) !== null;

/** With which provider one was tying an account; once. @returns {string | null} */
export function tied() {
  const provider = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  return provider;
}
