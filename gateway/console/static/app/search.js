/**
 * Which cameras somebody means.
 * @module
 */

/** @typedef {import("./types.js").Camera} Camera */

/** Letters without accents, lower case. @param {string} text */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * Every word typed must be in the number, name, street or group; a number that is exactly it comes first, then names
 * that begin with it.
 * @param {Camera[]} cameras @param {string} query @returns {Camera[]}
 */
export function matching(cameras, query) {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...cameras];
  /** @param {Camera} camera */
  const rank = (camera) => {
    if (String(camera.number) === words.join(" ")) return 0;
    return plain(camera.name).startsWith(words.join(" ")) ? 1 : 2;
  };
  return cameras
    .filter((camera) => {
      const text = plain([camera.number, camera.name, camera.street, camera.group].filter(Boolean).join(" "));
      return words.every((word) => text.includes(word));
    })
    .sort((one, other) => rank(one) - rank(other) || one.number - other.number);
}
