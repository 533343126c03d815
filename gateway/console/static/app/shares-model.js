/**
 * What is known of shares, and how it changes by what the gateway tells. Without the page: nothing here asks or draws.
 * @module
 */

/** @typedef {import("./shares-types.js").Sharing} Sharing */
/** @typedef {import("./shares-types.js").Share} Share */
/** @typedef {import("./shares-types.js").Ask} Ask */
/** @typedef {import("./shares-types.js").Note} Note */
/** @typedef {import("./shares-types.js").Organisation} Organisation */
/** @typedef {import("./shares-types.js").RoomTest} RoomTest */

/** @type {Sharing} */
export const NOTHING_SHARED = Object.freeze({
  standing: "unasked",
  problem: null,
  shares: [],
  usual: null,
  organisations: [],
  asks: [],
  watching: {},
  notes: {},
  unread: [],
  tests: {},
  bar: null,
  answering: null,
  following: null,
});

/** How many organisations a digit reaches. */
export const DIGITS = 9;

const TOLD = new Set(["share", "watching", "note", "stick-asked", "stick-refused", "stick-withdrawn", "stick-lent", "stick-back", "room-test"]);

/** @param {{t: string}} message @returns {boolean} whether a message of the events socket is about shares */
export const hears = (message) => TOLD.has(message.t);

/** @param {Ask} one @param {{share: string, user_id: string}} other */
const sameAsk = (one, other) => one.share === other.share && one.user_id === other.user_id;

/** @param {Ask[]} asks the longest waiting first */
const byWaiting = (asks) => [...asks].sort((one, other) => one.at.localeCompare(other.at));

/** @param {Share[]} shares @param {Share} share @returns {Share[]} the newest first */
const withShare = (shares, share) =>
  [share, ...shares.filter((one) => one.id !== share.id)].sort((one, other) => other.made.localeCompare(one.made));

/** What was told of a share replaces what was known of it. @param {Sharing} was @param {Share} share @returns {Sharing} */
export function keepShare(was, share) {
  const asks = byWaiting([...was.asks.filter((ask) => ask.share !== share.id), ...share.requests]);
  return { ...was, shares: withShare(was.shares, share), asks };
}

/**
 * What a request of this page was answered of a share. Who asks for its stick, and who has it, is told by the socket in its
 * order; an answer that was on its way meanwhile is older.
 * @param {Sharing} was @param {Share} share @returns {Sharing}
 */
export function keepAnswer(was, share) {
  const known = was.shares.find((one) => one.id === share.id);
  return known ? { ...was, shares: withShare(was.shares, { ...share, lent: known.lent }) } : keepShare(was, share);
}

/** A share is over, and all that hung on it. @param {Sharing} was @param {string} id @returns {Sharing} */
export function dropShare(was, id) {
  const { [id]: _, ...notes } = was.notes;
  return {
    ...was,
    notes,
    shares: was.shares.filter((share) => share.id !== id),
    asks: was.asks.filter((ask) => ask.share !== id),
    unread: was.unread.filter((note) => note.share !== id),
    following: was.following === id ? null : was.following,
    answering: was.answering === id ? null : was.answering,
  };
}

/** All shares anew, as after a connection that was lost. @param {Sharing} was @param {Share[]} shares @returns {Sharing} */
export function keepShares(was, shares) {
  const open = new Set(shares.map((share) => share.id));
  return {
    ...was,
    shares: [...shares].sort((one, other) => other.made.localeCompare(one.made)),
    asks: byWaiting(shares.flatMap((share) => share.requests)),
    unread: was.unread.filter((note) => open.has(note.share)),
    following: was.following !== null && open.has(was.following) ? was.following : null,
  };
}

/** Nothing of a share waits to be read. @param {Sharing} was @param {string} share @returns {Sharing} */
export const dropUnread = (was, share) => ({ ...was, unread: was.unread.filter((note) => note.share !== share) });

/** One that was written now. The room's own answers what came before it. @param {Sharing} was @param {Note} note @returns {Sharing} */
export function keepNote(was, note) {
  const known = was.notes[note.share] ?? [];
  if (known.some((one) => one.id === note.id)) return was;
  const notes = { ...was.notes, [note.share]: [...known, note] };
  return note.outside ? { ...was, notes, unread: [...was.unread, note] } : dropUnread({ ...was, notes }, note.share);
}

/**
 * All notes of a share, the oldest first: those from outside wait to be read that nobody answered and nobody saw here.
 * @param {Sharing} was @param {string} share @param {Note[]} told @param {(note: Note) => boolean} seen @returns {Sharing}
 */
export function keepNotes(was, share, told, seen) {
  // What was heard while the question was on its way is newer than the answer.
  const newest = told.at(-1)?.at ?? "";
  const heard = (was.notes[share] ?? []).filter((note) => note.at > newest && !told.some((one) => one.id === note.id));
  const notes = [...told, ...heard];
  const answered = notes.findLastIndex((note) => !note.outside);
  const waiting = notes.slice(answered + 1).filter((note) => !seen(note));
  const unread = [...was.unread.filter((note) => note.share !== share), ...waiting].sort((one, other) => one.at.localeCompare(other.at));
  return { ...was, notes: { ...was.notes, [share]: notes }, unread };
}

/** @param {Sharing} was @param {RoomTest} test @returns {Sharing} */
export function keepTest(was, test) {
  const others = (was.tests[test.organisation] ?? []).filter((one) => one.id !== test.id);
  const tests = [test, ...others].sort((one, other) => other.at.localeCompare(one.at));
  return { ...was, tests: { ...was.tests, [test.organisation]: tests } };
}

/** The loans of a share without one of a camera, and with another. @param {Sharing} was @param {any} loan @param {boolean} lent */
function keepLoan(was, loan, lent) {
  const shares = was.shares.map((share) => {
    const others = share.lent.filter((one) => one.camera !== loan.camera);
    return share.id === loan.share ? { ...share, lent: lent ? [...others, loan] : others } : share;
  });
  return { ...was, shares };
}

/** What the gateway told. @param {Sharing} was @param {any} message @returns {Sharing} */
export function heard(was, message) {
  switch (message.t) {
    case "share":
      return message.what === "ended" || message.what === "left" ? dropShare(was, message.share.id) : keepShare(was, message.share);
    case "watching":
      return { ...was, watching: message.cameras };
    case "note":
      return keepNote(was, message);
    case "room-test":
      return keepTest(was, message);
    case "stick-asked":
      return { ...was, asks: byWaiting([...was.asks.filter((ask) => !sameAsk(ask, message)), message]) };
    case "stick-refused":
    case "stick-withdrawn":
      return { ...was, asks: was.asks.filter((ask) => !sameAsk(ask, message)) };
    case "stick-lent":
      return keepLoan({ ...was, asks: was.asks.filter((ask) => !sameAsk(ask, message)) }, message, true);
    case "stick-back":
      return keepLoan(was, message, false);
    default:
      return was;
  }
}

/** The shares that show a camera now. @param {Sharing} sharing @param {string} camera @returns {Share[]} */
export const sharesOf = (sharing, camera) => sharing.shares.filter((share) => share.running && share.cameras.includes(camera));

/** With whom one may share: the room's usual partner first. @param {Sharing} sharing @returns {Organisation[]} */
export function partners({ organisations, usual }) {
  const open = organisations.filter((one) => !one.disabled);
  return [...open.filter((one) => one.id === usual?.organisation), ...open.filter((one) => one.id !== usual?.organisation)];
}

/** The lengths a share is offered for. @param {number} usual minutes @param {number} most minutes @returns {number[]} */
export function lengths(usual, most) {
  const offered = new Set([15, 30, 60, 120, usual].filter((minutes) => minutes <= most));
  return [...offered].sort((one, other) => one - other);
}

/** The next length in that direction; the ends stay. @param {number[]} offered @param {number} now @param {1 | -1} step */
export function nextLength(offered, now, step) {
  const index = offered.indexOf(now);
  return offered[Math.min(offered.length - 1, Math.max(0, index + step))] ?? now;
}

/**
 * For whom a share is when somebody is left out of it.
 * @param {Share} share @param {Organisation | undefined} organisation @param {string} user @returns {string[]}
 */
export function without(share, organisation, user) {
  const everybody = share.recipients ?? (organisation?.people ?? []).map((one) => one.user_id);
  return everybody.filter((one) => one !== user);
}
