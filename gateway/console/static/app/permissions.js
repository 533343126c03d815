/**
 * Permissions and the roles that come with Sightline, in words.
 * @module
 */

/** What somebody may do, each in a sentence: with cameras first. @type {Record<string, {label: string, says: string, house?: true}>} */
export const PERMISSIONS = {
  view_live: { label: "Live", says: "Sees live pictures." },
  still: { label: "Stills", says: "Saves a picture as a file." },
  view_recorded: { label: "Recordings", says: "Plays back what was recorded." },
  steer: { label: "Steer", says: "Takes the stick and turns cameras." },
  export: { label: "Export", says: "Saves clips as files, to take out of the room." },
  hold: { label: "Hold", says: "Keeps footage from being deleted, and lets go of it." },
  share: { label: "Share", says: "Gives people of other organisations a live view, and ends it." },
  signed_in: { label: "Sign in", says: "Signs in and keeps their own account. Everybody has it.", house: true },
  break_glass: { label: "Break the glass", says: "Takes an operator's rights on every camera for a while, with a reason, and supervisors are told.", house: true },
  approve: { label: "Approve", says: "Is the second person for acts that take two.", house: true },
  deploy: { label: "Deploy", says: "Refers problems, and brings mobile cameras to places and away, as was decided.", house: true },
  decide_deployment: { label: "Decide on deployments", says: "Signs whether a mobile camera goes to a place, and whether it stays longer.", house: true },
  enrol: { label: "Enrol", says: "Adds, changes and removes cameras.", house: true },
  supervise: { label: "Supervise", says: "Sees the camera hosts, who watches through them, and where the glass is broken.", house: true },
  administer: { label: "Administer", says: "Keeps people, teams, camera groups, roles and rights.", house: true },
  audit: { label: "Audit", says: "Reads the record of who did what, and checks it.", house: true },
};

/** @type {Record<string, {label: string, says: string}>} */
export const ROLES = {
  administrator: { label: "Administrator", says: "everything, and who may do what" },
  supervisor: { label: "Supervisor", says: "an operator who also approves, reads the record and sees who watches" },
  operator: { label: "Operator", says: "watches, steers, plays back, exports, shares" },
  viewer: { label: "Viewer", says: "watches, plays back and saves stills" },
  member: { label: "Member", says: "only what is granted to them" },
  partner: { label: "Partner", says: "of another organisation: only what is shared with them" },
};

/** Roles for people of the room, the least first; partners are invited by their organisation. */
export const OWN_ROLES = Object.entries(ROLES).filter(([role]) => role !== "partner").reverse();

/** @param {string} permission */
export const labelOf = (permission) => PERMISSIONS[permission]?.label ?? permission.replaceAll("_", " ");

/** @param {string[]} permissions @returns {string[]} in the order of this page */
export function inOrder(permissions) {
  const order = Object.keys(PERMISSIONS);
  const place = (/** @type {string} */ one) => (order.includes(one) ? order.indexOf(one) : order.length);
  return [...permissions].sort((one, other) => place(one) - place(other) || one.localeCompare(other));
}
