/**
 * From a time of day to a place in a playlist.
 * @module
 */

/**
 * Where on the player's own time line an instant lies: in its fragment, else at the start of the next one.
 * @param {{start: number, duration: number, programDateTime: number | null}[]} fragments @param {number} at
 * @param {boolean} [next] whether the next fragment will do @returns {number | null}
 */
export function placeIn(fragments, at, next = true) {
  for (const fragment of fragments) {
    if (fragment.programDateTime === null) continue;
    const into = (at - fragment.programDateTime) / 1000;
    if (into < 0) return next ? fragment.start : null;
    if (into < fragment.duration) return fragment.start + into;
  }
  return null;
}
