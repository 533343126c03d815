/**
 * What the audit calls what somebody did, as people say it.
 * @module
 */

import { clock, day, duration } from "./time.js";

/** As a sentence goes on after a name. @type {Record<string, string>} */
const DID = {
  "access.set-up": "set up this gateway",
  "access.sign-in": "signed in",
  "access.sign-out": "signed out",
  "access.session-ended": "was signed out",
  "access.refused": "was refused",
  "access.worked-on": "said what the work is for",
  "access.confirmed": "confirmed who they are",
  "access.locked": "locked the console",
  "access.unlocked": "unlocked the console",
  "access.glass-broken": "broke the glass",
  "access.glass-closed": "ended emergency access",
  "access.glass-acknowledged": "acknowledged that the glass was broken",
  "approval.asked": "asked for a second person",
  "approval.given": "approved as second person",
  "approval.refused": "refused as second person",
  "approval.withdrawn": "withdrew a request for a second person",
  "account.tied": "tied an account of a provider",
  "account.untied": "untied an account of a provider",
  "user.added": "added a user",
  "user.changed": "changed a user",
  "user.removed": "removed a user",
  "user.password": "changed a password",
  "token.added": "made an API token",
  "token.removed": "revoked an API token",
  "code.issued": "issued a one-time code",
  "factor.added": "added a second factor",
  "factor.removed": "removed a second factor",
  "factor.recovery-codes": "made recovery codes",
  "grant.added": "gave a right",
  "grant.changed": "changed a right",
  "grant.removed": "took a right away",
  "team.added": "added a team",
  "team.changed": "changed a team",
  "team.removed": "removed a team",
  "group.added": "added a camera group",
  "group.changed": "changed a camera group",
  "group.removed": "removed a camera group",
  "role.added": "added a role",
  "role.changed": "changed a role",
  "role.removed": "removed a role",
  "camera.probed": "looked at a device",
  "camera.discovered": "searched the network",
  "camera.enrolled": "enrolled camera",
  "camera.changed": "changed camera",
  "camera.bounds": "changed where a camera may look",
  "camera.main-stream": "asked for the main stream, over its SIM, of camera",
  "camera.reference-view": "said what a camera is to show",
  "camera.event-broker": "said whether a camera tells its events over MQTT",
  "camera.need-put-off": "put off what needs somebody at camera",
  "camera.need-taken-up": "took up again what needs somebody at camera",
  "camera.password": "gave a random password to camera",
  "camera.removed": "removed camera",
  "view.started": "began to watch camera",
  "view.ended": "stopped watching camera",
  "view.snapshot": "took a snapshot of camera",
  "steer.started": "took the stick of camera",
  "steer.ended": "let go of the stick of camera",
  "steer.asked": "asked for the stick of camera",
  "steer.refused": "refused the stick of camera",
  "steer.lent": "lent the stick of camera",
  "steer.taken-back": "took back the stick of camera",
  "preset.stored": "stored a preset of camera",
  "preset.removed": "removed a preset of camera",
  "playback.started": "began to play back camera",
  "playback.ended": "stopped playing back camera",
  "playback.still": "saved a still of camera",
  "export.clip": "exported a clip of camera",
  "hold.placed": "placed a hold on camera",
  "hold.changed": "changed a hold on camera",
  "hold.released": "released a hold on camera",
  "partner.added": "added a partner",
  "partner.changed": "changed a partner",
  "partner.removed": "removed a partner",
  "partner.invited": "invited somebody of a partner",
  "partner.invitation-withdrawn": "withdrew an invitation",
  "partner.terms-accepted": "accepted the terms",
  "partner.enrolled": "enrolled as somebody of a partner",
  "share.made": "made a share",
  "share.changed": "changed a share",
  "share.reviewed": "reviewed a standing share",
  "share.ended": "ended a share",
  "unit.enrolled": "enrolled a deployable unit",
  "unit.changed": "changed a deployable unit",
  "unit.certified": "had a certificate made for a deployable unit",
  "unit.certificate-revoked": "revoked a certificate of a deployable unit",
  "unit.camera-forgotten": "had a deployable unit tell anew which camera it has",
  "unit.retired": "retired a deployable unit",
  "unit.commanded": "told a deployable unit to do something",
  "unit.moved": "found a deployable unit at a new address",
  "unit.need-put-off": "put off what needs somebody at a deployable unit",
  "unit.need-taken-up": "took up again what needs somebody at a deployable unit",
  "deployable.marked": "marked a camera's unit as one that moves",
  "deployable.unmarked": "marked a camera's unit as a fixed one",
  "deployment.referred": "referred a problem for a mobile camera",
  "deployment.checked": "checked a criterion of a deployment",
  "deployment.document": "linked a document to a deployment",
  "deployment.note": "noted something of a deployment",
  "deployment.photo": "sent a photo of a deployment",
  "deployment.granted": "approved a deployment",
  "deployment.refused": "refused a deployment",
  "deployment.withdrawn": "withdrew a deployment",
  "deployment.planned": "planned a deployment",
  "deployment.signs-up": "put up the signs of a deployment",
  "deployment.installed": "put up the unit of a deployment",
  "deployment.signed-off": "signed off the unit of a deployment",
  "deployment.bounds": "set limits and no-look zones of a deployed unit",
  "deployment.reviewed": "reviewed a deployment",
  "deployment.extended": "let a deployment stay longer",
  "deployment.hung": "learnt how a deployed unit hangs",
  "deployment.alarm": "raised an alarm of a deployed unit",
  "deployment.acknowledged": "acknowledged an alarm of a deployed unit",
  "deployment.picture": "kept a picture of an alarm",
  "deployment.no-picture": "kept no picture of an alarm",
  "deployment.picture-deleted": "deleted the picture of an alarm with its footage",
  "deployment.due": "said that something of a deployment is due",
  "deployment.lapsed": "ended the recording of a stay that is over",
  "deployment.removed": "took down the unit of a deployment",
  "deployment.footage-deleted": "deleted what a unit recorded after it was down",
  "deployment.signs-down": "took down the signs of a deployment",
  "deployment.evaluated": "evaluated a deployment",
  "outlet.made": "gave a partner's own system a share",
  "outlet.removed": "took a share from a partner's own system",
  "share.joined": "joined a share",
  "share.left": "left a share",
  "share.note": "wrote a note",
  "share.room-test-started": "began to test the link to a partner",
  "share.room-test": "tested the link to a partner",
  "keys.rotated": "changed the key of the secrets",
  "settings.changed": "changed a setting",
  "audit.read": "read this record",
  "audit.verified": "checked this record",
  "audit.lost": "could not record everything",
  "audit.carried-over": "took over the earlier record",
  "audit.erased": "erased old personal detail",
  "audit.checkpoint": "signed a checkpoint of this record",
};

/** The whole of something, of which the entry is the beginning or the end. @type {Record<string, string>} */
const WHOLE = {
  "view.started": "watched",
  "view.ended": "watched",
  "playback.started": "played back",
  "playback.ended": "played back",
  "steer.started": "held the stick of",
  "steer.ended": "held the stick of",
  "view.snapshot": "took a snapshot of",
  "playback.still": "saved a still of",
  "export.clip": "exported a clip of",
};

/** @typedef {import("./types.js").AuditEntry} AuditEntry */

/** Every act there is, with its words, by those. @returns {[action: string, words: string][]} */
export const acts = () => Object.entries(DID).sort(([, one], [, other]) => one.localeCompare(other));

/** @param {AuditEntry} entry */
export const did = (entry) => DID[entry.action] ?? entry.action.replace(".", " ");

/** What somebody did from beginning to end. @param {AuditEntry} entry */
export const didInAll = (entry) => WHOLE[entry.action] ?? did(entry);

/** Who it was, as far as that was not erased. @param {AuditEntry} entry */
export const who = (entry) => entry.actor || (entry.erased && entry.actor_id ? `person ${entry.actor_id.slice(-6)}` : "somebody unknown");

/** From when to when. @param {AuditEntry} entry @returns {string} */
export function when(entry) {
  const from = Date.parse(entry.start ?? entry.at);
  const began = `${day(from)} ${clock(from)}`;
  if (entry.start && !entry.end) return `${began}, still going on`;
  const to = Date.parse(entry.end ?? entry.at);
  return to - from < 500 ? began : `${began} to ${day(to) === day(from) ? "" : `${day(to)} `}${clock(to)}, ${duration(to - from)}`;
}
