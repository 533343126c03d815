/**
 * Lists that the gateway gives a page at a time, read to their end: what stands longest is what is due first.
 * @module
 */

/** So many deployments the gateway gives at once, the newest first. */
export const PAGE = 100;

/**
 * @param {(path: string) => Promise<{id: string}[]>} get @param {string} stage @param {number} [pages] no more than so many
 * @returns {Promise<{found: any[], cut: boolean}>} the deployments of that stage that this user may see; ``cut``: there may be older ones
 */
export async function pagesOf(get, stage, pages = Number.POSITIVE_INFINITY) {
  /** @type {{id: string}[]} */
  const found = [];
  for (let read = 0; read < pages; read += 1) {
    const oldest = found.at(-1);
    const page = await get(`/deployments?stage=${stage}${oldest ? `&before=${encodeURIComponent(oldest.id)}` : ""}`);
    found.push(...page);
    if (page.length < PAGE) return { found, cut: false };
  }
  return { found, cut: true };
}

/**
 * @param {(path: string) => Promise<{id: string}[]>} get @param {string} stage
 * @returns {Promise<any[]>} every deployment of that stage that this user may see
 */
export const everyOf = async (get, stage) => (await pagesOf(get, stage)).found;
