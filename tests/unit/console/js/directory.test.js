import assert from "node:assert/strict";
import { test } from "node:test";
import { directory, familyOf, goingOnWords, inside, matchingPeople, standingOf, treeOf } from "../../../../gateway/console/static/app/directory.js";
import { inOrder, labelOf } from "../../../../gateway/console/static/app/permissions.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const person = (username, name, role = "operator", changes = {}) => ({ id: username, username, name, role, disabled: false, created: "", signed_in: null, ...changes });
const grant = (start, end) => ({ id: "r", role: "viewer", user: "u", team: null, group: null, start, end, reason: "", granted_by: "", glass: false });
const group = (id, parent = null, name = id) => ({ id, name, parent, label: null, area: [], cameras: [], holds: [] });

test("people are found by parts of name, user name, role, team, and by being disabled", () => {
  const users = [person("amie", "Aimée Okafor"), person("bob", "Bob Jones", "viewer"), person("cy", "Cy", "viewer", { disabled: true })];
  const teams = (id) => (id === "bob" ? ["Night shift"] : []);
  const found = (query) => matchingPeople(users, query, teams).map((one) => one.id);
  assert.deepEqual(found(""), ["amie", "bob", "cy"]);
  assert.deepEqual(found("aimee oka"), ["amie"]);
  assert.deepEqual(found("VIEWER"), ["bob", "cy"]);
  assert.deepEqual(found("night"), ["bob"]);
  assert.deepEqual(found("viewer disabled"), ["cy"]);
  assert.deepEqual(found("nobody"), []);
});

test("a right is over, to come, soon over, or in force", () => {
  const at = (start, end) => standingOf(grant(start, end), NOW);
  assert.equal(at("2026-11-28T11:00:00Z", null), "now");
  assert.equal(at("2026-11-28T11:00:00Z", "2026-12-28T12:00:00Z"), "now");
  assert.equal(at("2026-11-28T11:00:00Z", "2026-12-05T12:00:00Z"), "soon");
  assert.equal(at("2026-11-28T13:00:00Z", "2026-11-29T12:00:00Z"), "to-come");
  assert.equal(at("2026-11-27T13:00:00Z", "2026-11-28T12:00:00Z"), "over");
});

test("groups stand each after the one that it is below", () => {
  const tree = treeOf([group("park", "north"), group("town"), group("north", "borough"), group("borough"), group("lost", "gone")]);
  assert.deepEqual(tree.map(({ group: { id }, depth }) => [id, depth]), [["borough", 0], ["north", 1], ["park", 2], ["lost", 0], ["town", 0]]);
});

test("a group's family is it and all below it", () => {
  const groups = [group("a"), group("c", "b"), group("b", "a"), group("d")];
  assert.deepEqual([...familyOf(groups, "a")].sort(), ["a", "b", "c"]);
  assert.deepEqual([...familyOf(groups, "d")], ["d"]);
});

test("a place is inside an area or not, also in its bay", () => {
  const bay = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]];
  const at = (latitude, longitude) => inside(bay, { latitude, longitude });
  assert.equal(at(1, 0.5), true);
  assert.equal(at(2, 2), false);
  assert.equal(at(3.8, 3), true);
  assert.equal(at(5, 1), false);
});

test("what ends is said in words", () => {
  const going = (...whats) => goingOnWords(whats.map((what) => ({ what })));
  assert.equal(going(), "");
  assert.equal(going("view"), "1 live view");
  assert.equal(going("view", "stick", "view"), "2 live views and 1 stick");
  assert.equal(going("playback", "view", "stick"), "1 live view, 1 stick and 1 playback");
});

test("what is gone has a name too", () => {
  directory.users = [person("amie", "")];
  directory.teams = directory.groups = directory.roles = [];
  assert.equal(directory.personName("amie"), "amie");
  assert.equal(directory.personName("x"), "somebody who was removed");
  assert.equal(directory.teamName("x"), "a team that is gone");
  assert.equal(directory.groupName(null), "all cameras");
  assert.equal(directory.groupName("x"), "a group that is gone");
  assert.equal(directory.roleName("operator"), "Operator");
  assert.equal(directory.roleName("x"), "a role that is gone");
  assert.equal(directory.called(" AMIE ").id, "amie");
  directory.forget();
  assert.equal(directory.users, null);
});

test("permissions come in the page's order, unknown ones last, and have a label", () => {
  assert.deepEqual(inOrder(["of_tomorrow", "audit", "steer", "view_live"]), ["view_live", "steer", "audit", "of_tomorrow"]);
  assert.equal(labelOf("of_tomorrow"), "of tomorrow");
});
