/**
 * The shapes of what is shared with partners; nothing at run time.
 * @module
 */

/** @typedef {import("./types.js").Problem} Problem */
/**
 * A stick that is lent to somebody outside.
 * @typedef {{share: string, camera: string, user_id: string, name: string, by: string, since: string, until: string}} Loan
 */
/**
 * Somebody outside asks for the stick of a camera.
 * @typedef {{share: string, camera: string, user_id: string, name: string, note: string, at: string}} Ask
 */
/**
 * @typedef {object} Share
 * @property {string} id
 * @property {"incident" | "standing" | "test"} kind
 * @property {string} title
 * @property {string} organisation its identifier
 * @property {string} organisation_name
 * @property {string[] | null} recipients user identifiers; null: everybody of the organisation
 * @property {string[]} cameras
 * @property {boolean} follow it shows what its maker selects
 * @property {string} reference
 * @property {string} reason
 * @property {string | null} review
 * @property {"main" | "sub" | "line"} stream
 * @property {boolean} may_ask_for_stick
 * @property {boolean} stills
 * @property {number} viewer_limit
 * @property {number} viewers
 * @property {string} start
 * @property {string} end
 * @property {string | null} ended
 * @property {boolean} running
 * @property {string} made_by
 * @property {string} made_by_id
 * @property {string} made
 * @property {Loan[]} lent
 * @property {Ask[]} requests
 */
/**
 * Somebody outside who watches now.
 * @typedef {object} Watcher
 * @property {string} user_id
 * @property {string} name
 * @property {string} organisation its name
 * @property {string} camera
 * @property {string | null} share
 * @property {number} seconds since the view was opened
 * @property {boolean} connected
 * @property {number} loss_percent
 * @property {number | null} rtt_ms
 * @property {string} [kind] by what way it goes out, where that is told
 */
/** @typedef {{id: string, share: string, at: string, name: string, outside: boolean, text: string}} Note */
/**
 * @typedef {object} RoomTest
 * @property {string} id @property {string} organisation @property {string} camera @property {string} at
 * @property {string} operator @property {"running" | "passed" | "failed"} result @property {string | null} ended
 * @property {string | null} seen_by @property {number} frames @property {number} width @property {number} height
 */
/** @typedef {{user_id: string, name: string, enrolled: string, terms: string | null}} Recipient */
/** @typedef {{id: string, username: string, name: string, expires: string}} Invitation */
/**
 * @typedef {object} Organisation
 * @property {string} id
 * @property {string} name
 * @property {string[]} networks
 * @property {string | null} certificate SHA-256 in hex
 * @property {boolean} disabled
 * @property {Recipient[]} people
 * @property {Invitation[]} invited
 */
/**
 * What a share is where nobody says otherwise, and what it may be at most.
 * @typedef {object} Usual
 * @property {string | null} organisation
 * @property {number} minutes
 * @property {number} max_minutes
 * @property {string} reason
 * @property {number} viewer_limit
 * @property {number} stick_minutes
 * @property {number} stick_max_minutes
 * @property {string | null} test_camera
 */
/**
 * The bar beside the pictures: a share that is being made, or what is shared of the selected camera.
 * @typedef {object} Bar
 * @property {"make" | "shown"} mode
 * @property {string} camera
 * @property {string | null} organisation
 * @property {number} minutes
 * @property {boolean} follow
 * @property {boolean} stick whether the stick may be asked for
 * @property {boolean} busy
 * @property {Problem | null} problem
 */
/**
 * @typedef {object} Sharing
 * @property {"unasked" | "ready" | "failed"} standing
 * @property {Problem | null} problem why it could not be asked
 * @property {Share[]} shares those that are not over, the newest first
 * @property {Usual | null} usual
 * @property {Organisation[]} organisations by name
 * @property {Ask[]} asks who asks for a stick, the longest waiting first
 * @property {Record<string, Watcher[]>} watching by camera
 * @property {Record<string, Note[]>} notes by share, those that were read or heard, oldest first
 * @property {Note[]} unread notes from outside that nobody here has seen
 * @property {Record<string, RoomTest[]>} tests by organisation, the newest first
 * @property {Bar | null} bar
 * @property {string | null} answering the share whose note field is to have the focus
 * @property {string | null} following the share that shows what is selected at this console
 */

export {};
