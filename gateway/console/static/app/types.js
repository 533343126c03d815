/**
 * The shapes that the API gives and the page keeps; nothing at run time.
 * @module
 */

/** @typedef {{id: string, username: string, name: string, role: string, permissions: string[]}} User */
/** @typedef {{type: string, title: string, cure?: string, detail?: string, status?: number, methods?: string[], approvers?: Approver[]} & Partial<Agreement>} Problem */
/** @typedef {{name: string, value: string}} Fact  Times in ISO 8601, cameras by identifier, all else as people say it. */
/** @typedef {{reason: string, authority: string, reference: string, review: string}} HoldWords  What is typed into the form of a hold. */
/** @typedef {{camera: string, start: number, end: number, words: HoldWords}} Holding  A hold that is about to be placed, of one camera whatever is selected. */
/** @typedef {{name: string, here: boolean}} Approver */
/** @typedef {{approval: string | null, act: string, facts: Fact[], standing: string, until: string}} Agreement  What an act waits for that takes two people. */
/** @typedef {{id: string, act: string, facts: Fact[], reason: string, asked_by: string, asked: string, until: string, mine: boolean}} WaitingAct */
/**
 * An act of one's own that takes a second person.
 * @typedef {object} Asking
 * @property {number} key
 * @property {string} act
 * @property {Fact[]} facts
 * @property {Approver[]} approvers
 * @property {"reason" | "waiting" | "over"} stage
 * @property {number} until ms since 1970
 * @property {string} approval its number, once it waits
 * @property {string} said what came of it
 * @property {(reason: string) => void} ask
 * @property {() => void} leave
 */
/** @typedef {{id: string, user: string, name: string, reason: string, start: string, end: string}} BrokenGlass */
/** @typedef {{broken: BrokenGlass[], minutes_max: number, reason_min: number}} OwnGlass */
/**
 * @typedef {{id: string, camera: string, start: string, end: string, reason: string, authority: string, placed_by: string,
 *   placed: string, review: string | null, due: boolean}} Hold
 */
/** @typedef {{user: User, ice_servers?: boolean, state?: "open" | "locked" | "wall", enrol_due?: boolean, lock_after_s?: number, reference?: string, server_time?: string}} SessionFacts */
/** @typedef {{ticket: string, methods: string[], passkey: object | null}} SecondDue  A password was right; one more proof is due. */
/** @typedef {{latitude: number, longitude: number, height_m?: number | null}} Place */
/** @typedef {{codec: string, width: number, height: number, frame_rate: number}} StreamFacts */
/** @typedef {"main" | "sub"} StreamName */
/**
 * @typedef {object} HeadAbilities
 * @property {string[]} axes
 * @property {boolean} presets_only
 * @property {[number, number] | null} [pan_deg]
 * @property {[number, number] | null} [tilt_deg]
 * @property {[number, number] | null} [hfov_deg]
 * @property {boolean} [fov_relative]
 * @property {number} [presets_max]
 * @property {boolean} [home]
 * @property {string[]} [auxiliary]
 */
/**
 * @typedef {object} HeadState
 * @property {number | null} [pan]
 * @property {number | null} [tilt]
 * @property {number | null} [zoom]
 * @property {number | null} [pan_deg]
 * @property {number | null} [tilt_deg]
 * @property {number | null} [bearing_deg]
 * @property {number | null} [hfov_deg]
 * @property {boolean | null} [moving]
 * @property {string | null} [at]
 * @property {Bar | null} [bound] what holds it back
 */
/** @typedef {{kind: "zone" | "limit", name: string, does: "stopped" | "returned"}} Bar */
/**
 * @typedef {{binds: "everybody" | "guests", left_deg?: number | null, right_deg?: number | null, lower_deg?: number | null,
 *   upper_deg?: number | null, narrowest_deg?: number | null}} Limits
 */
/**
 * @typedef {{id?: string, name: string, pan_from_deg: number, pan_to_deg: number, tilt_from_deg: number, tilt_to_deg: number,
 *   binds: "everybody" | "guests", narrower_than_deg?: number | null}} Zone
 */
/** @typedef {{limits: Limits[], zones: Zone[], confirmed: boolean, told: boolean}} Bounds */
/** @typedef {{holder: string, user_id?: string, since?: string, idle_s?: number, mine?: boolean}} Stick */
/** Of each stream, whether it is known when a picture was taken; null before its first. @typedef {{main: boolean | null, sub: boolean | null}} Timed */
/**
 * @typedef {object} CameraState
 * @property {string} live
 * @property {Problem | null} [problem]
 * @property {{main: boolean, sub: boolean | null, cause?: string | null} | null} [recording]
 * @property {string | null} [last_frame]
 * @property {Timed} [timed]
 * @property {number} [viewers]
 * @property {HeadState | null} [head]
 * @property {Stick | null} [stick]
 * @property {import("./shares-types.js").Loan | null} [lent] to whom outside its stick is lent
 */
/**
 * @typedef {object} Camera
 * @property {string} id
 * @property {number} number
 * @property {string} name
 * @property {string | null} [street]
 * @property {string | null} [group]
 * @property {Place | null} [place]
 * @property {number | null} [bearing_deg]
 * @property {number | null} [hfov_deg]
 * @property {{main: StreamFacts, sub?: StreamFacts | null}} streams
 * @property {HeadAbilities | null} [head]
 * @property {{manufacturer?: string, model?: string, firmware?: string, serial?: string}} [identity]
 * @property {number | null} [clock_offset_s]
 * @property {boolean} [recording] whether it is to be recorded
 * @property {number} [host] index of its camera host
 * @property {{text: string, quirk?: string | null}[]} [remarks]
 * @property {string[]} [may] what one may do with it
 * @property {{main_until: string | null} | null} [thin_link] its main stream is taken while somebody asks for it; null: always
 * @property {"none" | "kept" | "unconfirmed"} [bounds] limits and no-look zones of its head
 * @property {CameraState} state
 */
/** @typedef {{token: string, name: string, confirmed?: boolean}} Preset  confirmed: stored where the camera stands now */
/**
 * What a camera host carries: rates of the last five seconds, counts since its start.
 * @typedef {object} HostLoad
 * @property {number} cameras @property {number} streams_live @property {number} recording
 * @property {number} viewers @property {number} viewers_max @property {number} transcodes @property {number} transcodes_max
 * @property {number} mbit_s @property {number} frames_s @property {number} packets_lost
 * @property {number} cpu_percent of one core @property {number} memory_bytes
 * @property {number} loop_lag_p99_ms @property {number} loop_lag_max_ms
 * @property {number} record_lane_bytes @property {number} record_lane_max_bytes @property {number} record_lane_limit_bytes
 * @property {number} live_lane_pictures @property {number} pictures_dropped @property {number} gaps
 */
/**
 * @typedef {object} Host
 * @property {number} index @property {string} name @property {boolean} up @property {Problem | null} problem
 * @property {string} restart @property {string | null} version
 * @property {{assigned: number, live: number, to_record: number, recording: number | null}} cameras recording: null where it is not known
 * @property {HostLoad | null} load
 */
/**
 * @typedef {object} HostViewer
 * @property {string} id @property {string} camera @property {number | null} number @property {StreamName} stream
 * @property {boolean} transcoded @property {"webrtc" | "rtsp"} kind @property {string} who @property {string} address @property {string} since
 * @property {boolean} connected @property {number} loss_percent @property {number | null} rtt_ms @property {number} frames_dropped
 */
/** @typedef {{start: number, end: number}} Span  Milliseconds since 1970. */
/** @typedef {{start: number, end: number, cause: string, detail: string}} Gap  Milliseconds since 1970. */
/** @typedef {{spans: Span[], gaps: Gap[], newest: number | null}} Timeline */
/** @typedef {{cameraId: string | null, replayAt: number | null}} Slot  replayAt: null while live. */
/** @typedef {1 | 4 | 9} Layout */
/**
 * @typedef {object} AuditEntry
 * @property {number} seq
 * @property {string} at
 * @property {string} action
 * @property {string} outcome
 * @property {string} actor_id
 * @property {string} actor
 * @property {string} address
 * @property {string} subject
 * @property {string} rule
 * @property {string} reference
 * @property {string | null} start
 * @property {string | null} end
 * @property {Record<string, unknown>} details by name, as the act has them
 * @property {boolean} erased
 */
/** @typedef {"steer" | "find" | "deployments" | "sharing" | "enrol" | "units" | "hosts" | "health" | "people" | "audit" | "holds" | "approvals" | "keys" | "account"} PanelName */

export {};
