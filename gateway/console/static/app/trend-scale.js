/**
 * A trend's arithmetic: which values its axis shows, where its line breaks, and what is left of more points than pixels.
 * @module
 */

/** @typedef {{at: number, value: number}} TrendPoint  ms since 1970 UTC. */

/**
 * Round values that an axis shows: the last is at or above everything, the first at or below.
 * @param {number} least @param {number} most @param {number} [count] about so many steps @returns {number[]}
 */
export function valueMarks(least, most, count = 5) {
  const span = most - least || Math.max(1, Math.abs(most) * 0.1);
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = /** @type {number} */ ([1, 2, 5, 10].find((each) => span / (each * power) <= count)) * power;
  const [first, last] = [Math.floor(least / step + 1e-9), Math.ceil((least + span) / step - 1e-9)];
  // A multiple of a tenth is none in binary: what is shown is what was meant.
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * Points as unbroken stretches: between two that are further apart nothing is known, so no line is drawn.
 * @param {readonly TrendPoint[]} points in order @param {number} gapMs @returns {TrendPoint[][]}
 */
export function runs(points, gapMs) {
  /** @type {TrendPoint[][]} */
  const found = [];
  for (const point of points) {
    const before = found.at(-1)?.at(-1);
    if (before === undefined || point.at - before.at > gapMs) found.push([]);
    found.at(-1)?.push(point);
  }
  return found;
}

/**
 * At most four points to a column: its first, least, greatest and last. No dip and no peak is lost to that.
 * @param {readonly TrendPoint[]} points in order @param {number} columnMs @returns {TrendPoint[]}
 */
export function thinned(points, columnMs) {
  /** @type {TrendPoint[]} */
  const kept = [];
  for (let from = 0; from < points.length; ) {
    const column = Math.floor(/** @type {TrendPoint} */ (points[from]).at / columnMs);
    let until = from;
    let [least, most] = [from, from];
    const value = (/** @type {number} */ index) => /** @type {TrendPoint} */ (points[index]).value;
    for (; until < points.length && Math.floor(/** @type {TrendPoint} */ (points[until]).at / columnMs) === column; until += 1) {
      if (value(until) < value(least)) least = until;
      if (value(until) > value(most)) most = until;
    }
    const indices = [...new Set([from, least, most, until - 1])].sort((one, other) => one - other);
    kept.push(...indices.map((index) => /** @type {TrendPoint} */ (points[index])));
    from = until;
  }
  return kept;
}

/** Which point is nearest to an instant; -1 where there are none. @param {readonly TrendPoint[]} points in order @param {number} at */
export function nearest(points, at) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {TrendPoint} */ (points[middle]).at < at) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [points[low - 1], points[low]];
  return before && after && at - before.at <= after.at - at ? low - 1 : high < 0 ? -1 : low;
}

/** The lowest and the highest of them, and when. @param {readonly TrendPoint[]} points at least one */
export function extremes(points) {
  let [least, most] = [/** @type {TrendPoint} */ (points[0]), /** @type {TrendPoint} */ (points[0])];
  for (const point of points) {
    if (point.value < least.value) least = point;
    if (point.value > most.value) most = point;
  }
  return { least, most };
}
