/**
 * What a page loads when somebody wants it, and otherwise once it has been up for a while.
 *
 * A console that comes up has pictures to show; what most shifts never open need not come before them. It does not wait
 * until it is opened either: by then the gateway may be away, and a panel is what one opens to learn why.
 * @module
 */

/** So long a page that has come up is left to its pictures. */
export const QUIET_MS = 20_000;

/** So long one waits to type into a panel that is on its way. */
const AT_HAND_MS = 5000;

/**
 * Have the hands on a field of the panel that was just opened, once that has come; whoever has begun something else
 * meanwhile is left at it.
 * @param {string} selector
 */
export function handsOn(selector) {
  const [began, by] = [performance.now(), document.activeElement];
  const look = () => {
    const at = document.activeElement;
    if (at !== by && at !== document.body) return;
    const found = /** @type {HTMLElement | null} */ (document.querySelector(selector));
    if (found) {
      found.scrollIntoView({ block: "center" });
      found.focus();
    } else if (performance.now() - began < AT_HAND_MS) requestAnimationFrame(look);
  };
  // Drawn in the next picture, and what it draws within itself in the one after.
  requestAnimationFrame(() => requestAnimationFrame(look));
}

/** @template {string} Name */
export class Later {
  /** @type {Map<Name, Promise<void>>} */
  #coming = new Map();
  /** @type {Map<Name, "here" | "failed">} */
  #found = new Map();
  #loads;
  #changed;

  /**
   * @param {Partial<Record<Name, () => Promise<unknown>>>} loads by name; what is not named is here from the beginning
   * @param {() => void} changed is called when one has come, or has not
   */
  constructor(loads, changed) {
    this.#loads = loads;
    this.#changed = changed;
  }

  /** How it is with one of them; it is not asked for by this. @param {Name} name @returns {"coming" | "here" | "failed"} */
  is(name) {
    return this.#loads[name] ? (this.#found.get(name) ?? "coming") : "here";
  }

  /** Load one, unless that was tried. It never throws: `is` says what came of it. @param {Name} name @returns {Promise<void>} */
  need(name) {
    const load = this.#loads[name];
    if (!load) return Promise.resolve();
    const coming = this.#coming.get(name) ?? this.#load(name, load);
    this.#coming.set(name, coming);
    return coming;
  }

  /** Load one that did not come. @param {Name} name @returns {Promise<void>} */
  again(name) {
    if (this.is(name) === "failed") {
      this.#found.delete(name);
      this.#coming.delete(name);
      this.#changed();
    }
    return this.need(name);
  }

  /** Load all that nobody has wanted yet, one after the other. */
  async rest() {
    for (const name of /** @type {Name[]} */ (Object.keys(this.#loads))) await this.need(name);
  }

  /** @param {Name} name @param {() => Promise<unknown>} load */
  async #load(name, load) {
    try {
      await load();
      this.#found.set(name, "here");
    } catch (error) {
      console.warn(`${name} did not load`, error);
      this.#found.set(name, "failed");
    }
    this.#changed();
  }
}
