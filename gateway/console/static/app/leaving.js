/**
 * Who signed out of this browser and the gateway could not be told: until it has ended their session, the cookie would let
 * them in again, whoever holds the device by then. On the disk, so that it outlives the page; and one for every page of
 * this gateway, as the cookie is.
 * @module
 */

const NAME = "sightline-leaving";
const SHELF = "owed";
const WHO = "user";
const HANGS_MS = 5000;

/** Where the browser keeps nothing: for as long as this page is open. @type {string | undefined} */
let here;

/** @param {IDBTransactionMode} mode @param {(shelf: IDBObjectStore) => IDBRequest<any>} work @returns {Promise<any>} on the disk when this returns */
async function shelved(mode, work) {
  const database = await new Promise((/** @type {(database: IDBDatabase) => void} */ resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(SHELF);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  try {
    const transaction = database.transaction(SHELF, mode, { durability: "strict" });
    const asked = work(transaction.objectStore(SHELF));
    await new Promise((/** @type {(done: void) => void} */ resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    return asked.result;
  } finally {
    database.close();
  }
}

/** Note that the gateway is to be told. @param {string} user whose session is to end; empty: whoever's it is */
export async function owe(user) {
  here = user;
  await shelved("readwrite", (shelf) => shelf.put(user, WHO)).catch(() => {});
}

/** @returns {Promise<string | undefined>} whose session is still to end; undefined where none is */
export const owed = () =>
  // A browser whose storage hangs keeps nobody out of the room.
  Promise.race([shelved("readonly", (shelf) => shelf.get(WHO)).catch(() => here), new Promise((resolve) => setTimeout(() => resolve(here), HANGS_MS))]);

/** The gateway was told, or the cookie is somebody else's by now. */
export async function settle() {
  here = undefined;
  await shelved("readwrite", (shelf) => shelf.delete(WHO)).catch(() => {});
}
