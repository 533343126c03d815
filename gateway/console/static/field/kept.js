/**
 * What this phone keeps while there is no network, and when it dies: IndexedDB, written to the disk before it is said to be kept.
 * @module
 */

/**
 * outbox: what waits to be sent, by its number; drafts: what was begun, by deployment and by whom; known: what the gateway last said.
 * @typedef {"outbox" | "drafts" | "known"} Shelf
 */

const NAME = "sightline-field";
const VERSION = 1;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const asked = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Kept {
  /** @type {Promise<IDBDatabase> | null} */
  #opened = null;

  /** @returns {Promise<IDBDatabase>} */
  #open() {
    this.#opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        const database = request.result;
        database.createObjectStore("outbox", { keyPath: "n", autoIncrement: true });
        database.createObjectStore("drafts", { keyPath: ["deployment", "user"] });
        database.createObjectStore("known", { keyPath: "name" });
      };
      request.onsuccess = () => {
        // A newer page wants to change it, or the browser took it from a page out of sight: it is opened again when it is needed.
        request.result.onversionchange = () => {
          request.result.close();
          this.#opened = null;
        };
        request.result.onclose = () => {
          this.#opened = null;
        };
        resolve(request.result);
      };
      request.onerror = () => {
        this.#opened = null;
        reject(request.error);
      };
    });
    return this.#opened;
  }

  /** @param {Shelf} shelf @param {IDBTransactionMode} mode @param {IDBTransactionOptions} [options] @returns {Promise<IDBTransaction>} */
  async #transaction(shelf, mode, options = {}) {
    try {
      return (await this.#open()).transaction(shelf, mode, options);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "InvalidStateError") throw error;
      // It was closed under us, and nobody has told yet.
      this.#opened = null;
      return (await this.#open()).transaction(shelf, mode, options);
    }
  }

  /** @param {Shelf} shelf @returns {Promise<any[]>} in order of their keys */
  async all(shelf) {
    return asked((await this.#transaction(shelf, "readonly")).objectStore(shelf).getAll());
  }

  /** @param {Shelf} shelf @param {IDBValidKey} key @returns {Promise<any>} undefined where there is none */
  async one(shelf, key) {
    return asked((await this.#transaction(shelf, "readonly")).objectStore(shelf).get(key));
  }

  /**
   * All of them or none; they are on the disk when this returns.
   * @param {Shelf} shelf @param {object[]} values @returns {Promise<IDBValidKey[]>} their keys
   */
  async put(shelf, values) {
    const transaction = await this.#transaction(shelf, "readwrite", { durability: "strict" });
    const requests = values.map((value) => transaction.objectStore(shelf).put(value));
    await done(transaction);
    return requests.map((request) => request.result);
  }

  /** @param {Shelf} shelf @param {IDBValidKey[]} keys */
  async drop(shelf, keys) {
    const transaction = await this.#transaction(shelf, "readwrite");
    for (const key of keys) transaction.objectStore(shelf).delete(key);
    await done(transaction);
  }

  /** @param {Shelf} shelf */
  async empty(shelf) {
    const transaction = await this.#transaction(shelf, "readwrite");
    transaction.objectStore(shelf).clear();
    await done(transaction);
  }
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const done = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
