/**
 * Waiting before another try: full jitter, a cap, and a fresh start after a healthy minute.
 * @module
 */

export class Backoff {
  #attempts = 0;
  #healthySince = /** @type {number | null} */ (null);

  /** @param {{firstMs?: number, capMs?: number, random?: () => number}} [options] */
  constructor({ firstMs = 400, capMs = 10_000, random = Math.random } = {}) {
    this.firstMs = firstMs;
    this.capMs = capMs;
    this.random = random;
  }

  /** It works now. @param {number} now */
  healthy(now) {
    this.#healthySince ??= now;
  }

  /** It failed. @param {number} now @returns {number} how long to wait, ms */
  failed(now) {
    if (this.#healthySince !== null && now - this.#healthySince >= 60_000) this.#attempts = 0;
    this.#healthySince = null;
    const ceiling = Math.min(this.capMs, this.firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return this.random() * ceiling;
  }
}
