/**
 * Lists that the gateway gives a page at a time, read to their end: what stands longest is what is due first.
 * @module
 */

/** So many deployments the gateway gives at once, the newest first. */
export const PAGE = 100;

/**
 * @param {(path: string) => Promise<{id: string}[]>} get @param {string} stage
 * @returns {Promise<any[]>} every deployment of that stage that this user may see
 */
export async function everyOf(get, stage) {
  const found = [];
  for (let page = null; page === null || page.length >= PAGE; ) {
    const oldest = found.at(-1);
    page = await get(`/deployments?stage=${stage}${oldest ? `&before=${encodeURIComponent(oldest.id)}` : ""}`);
    found.push(...page);
  }
  return found;
}
