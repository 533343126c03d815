import assert from "node:assert/strict";
import { test } from "node:test";
import { bearingTo, distanceM, headingOf, linedUp, pinAccuracyM, sectorOf as sectorBy, shapeOf as shapeBy, stood } from "../../../../gateway/console/static/field/aim.js";
import { asPrinted, brought, foreseen, labelIn, newDraft, putUp, takenDown } from "../../../../gateway/console/static/field/progress.js";

const WIDE = 16 / 9;
const sectorOf = (head, box, marginDeg, aspect = WIDE) => sectorBy(head, box, marginDeg, aspect);
const shapeOf = (head, sector, aspect = WIDE) => shapeBy(head, sector, aspect);
const HERE = { latitude: 51.5, longitude: -0.1 };
const near = (one, other, by = 0.6) => assert.ok(Math.abs(one - other) <= by, `${one} is not ${other}`);

test("a bearing runs clockwise from north, a distance in metres", () => {
  near(bearingTo(HERE, { latitude: 51.501, longitude: -0.1 }), 0);
  near(bearingTo(HERE, { latitude: 51.5, longitude: -0.099 }), 90);
  near(distanceM(HERE, { latitude: 51.501, longitude: -0.1 }), 111.3);
});

test("a lying phone points with its edge, a standing one with its back", () => {
  near(headingOf({ alpha: 270, beta: 0, gamma: 0 }), 90);
  near(headingOf({ alpha: 90, beta: 20, gamma: 0 }), 270);
  near(headingOf({ alpha: 270, beta: 90, gamma: 0 }), 90);
  near(headingOf({ alpha: 180, beta: 80, gamma: 0 }), 180);
});

test("an iPhone says its heading itself, and a phone without a compass none", () => {
  assert.equal(headingOf({ alpha: 1, beta: 2, gamma: 3, webkitCompassHeading: 123 }), 123);
  assert.equal(headingOf({ alpha: 1, beta: 2, gamma: 3, webkitCompassHeading: 123, webkitCompassAccuracy: 15 }), 123);
  assert.equal(headingOf({ alpha: null, beta: null, gamma: null }), null);
});

test("a compass that says that it is not sure is not believed", () => {
  for (const unsure of [-1, 31]) {
    assert.equal(headingOf({ alpha: 1, beta: 2, gamma: 3, webkitCompassHeading: 123, webkitCompassAccuracy: unsure }), null, String(unsure));
  }
});

test("lined up, the head's own turn is taken off", () => {
  near(linedUp(HERE, { latitude: 51.5, longitude: -0.099 }, 30), 60);
  near(linedUp(HERE, { latitude: 51.501, longitude: -0.1 }, 20), 340);
});

test("the whole picture is what the lens sees, with its margin", () => {
  const sector = sectorOf({ pan_deg: 0, tilt_deg: 0, hfov_deg: 60 }, { left: 0, top: 0, right: 1, bottom: 1 }, 2);
  near(sector.pan_from_deg, -32, 0.1);
  near(sector.pan_to_deg, 32, 0.1);
  near(sector.tilt_to_deg, 20, 0.1);
  near(sector.tilt_from_deg, -20, 0.1);
});

test("a rectangle on the right of a picture that looks back crosses the seam", () => {
  const sector = sectorOf({ pan_deg: 170, tilt_deg: 0, hfov_deg: 60 }, { left: 0.5, top: 0.4, right: 1, bottom: 0.6 }, 0);
  near(sector.pan_from_deg, 170, 0.1);
  near(sector.pan_to_deg, -160, 0.1);
});

test("a steep picture covers more of the circle", () => {
  const level = sectorOf({ pan_deg: 0, tilt_deg: 0, hfov_deg: 40 }, { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 }, 0);
  const steep = sectorOf({ pan_deg: 0, tilt_deg: -60, hfov_deg: 40 }, { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 }, 0);
  assert.ok(steep.pan_to_deg - steep.pan_from_deg > 1.7 * (level.pan_to_deg - level.pan_from_deg));
});

test("past straight down it is the whole circle", () => {
  const sector = sectorOf({ pan_deg: 30, tilt_deg: -85, hfov_deg: 60 }, { left: 0.2, top: 0.2, right: 0.8, bottom: 0.9 }, 0);
  assert.equal(sector.pan_from_deg, sector.pan_to_deg);
  assert.equal(sector.tilt_from_deg, -90);
});

test("a label is read from its text or from the end of an address", () => {
  assert.equal(labelIn(" d017 \n"), "d017");
  assert.equal(labelIn("https://sightline.example/u/D017/"), "D017");
  assert.equal(labelIn("https://sightline.example/field?unit=D017"), "D017");
  assert.equal(labelIn("two words"), "");
});

test("a label is found in capitals or not, and known as it is printed", () => {
  assert.equal(asPrinted("D017", ["x1", "d017"]), "d017");
  assert.equal(asPrinted("d017", ["D017"]), "D017");
  assert.equal(asPrinted("D018", ["D017"]), "D018");
});

const PLANNED = { id: "d1", stage: "planned", unit: "D017", cameras: ["c1"], photos: [], signs_up: null, deployed: null, removed: null, signs_down: null, signed_off: null, place: HERE };
const NOTHING = { bounds: false, presets: false };
const step = (name, said = {}, more = {}) => ({ deployment: "d1", step: name, said, key: name, at: 0, ...more });

test("what waits on the phone counts as done", () => {
  const then = foreseen(PLANNED, [step("photos", { kind: "unit" }), step("signs-up"), step("installation", { place: HERE, bearing_deg: 9 }), step("removal", {}, { deployment: "d2" })]);
  const draft = { ...newDraft("d1", "anne"), seen: "D017", how: "typed", live: "2026-01-01T00:00:00Z" };
  assert.equal(then.stage, "deployed");
  assert.deepEqual(putUp(then, draft, NOTHING), { unit: true, signs: true, place: true, photo: true, picture: true, off: false });
  assert.ok(putUp(foreseen(then, [step("sign-off")]), draft, NOTHING).off);
});

test("what was brought from another place and holds nowhere yet keeps the picture from being done", () => {
  const draft = { ...newDraft("d1", "anne"), live: "2026-01-01T00:00:00Z" };
  assert.equal(putUp(PLANNED, draft, { ...NOTHING, bounds: true }).picture, false);
  assert.equal(putUp(PLANNED, draft, { ...NOTHING, presets: true }).picture, false);
  assert.deepEqual(brought(draft, { bounds: "unconfirmed", head: {} }), { bounds: true, presets: true });
  assert.deepEqual(brought({ ...draft, presets: 2 }, { bounds: "kept", head: {} }), { bounds: false, presets: true });
  assert.deepEqual(brought({ ...draft, presets: 0 }, { bounds: "none", head: {} }), NOTHING);
});

test("a camera without a head brought no presets, and of one that is not known nothing is", () => {
  const draft = newDraft("d1", "anne");
  assert.equal(brought(draft, { bounds: "none", head: null }).presets, false);
  assert.equal(brought(draft, undefined).presets, true);
});

test("a pin is as sure as a finger on that map", () => {
  assert.deepEqual([20, 18, 17, 16].map((zoom) => pinAccuracyM(51.5, zoom)), [10, 10, 16, 33]);
});

test("another unit than the planned one is no unit until the plan says so", () => {
  const draft = { ...newDraft("d1", "anne"), seen: "D018" };
  assert.equal(putUp(PLANNED, draft, NOTHING).unit, false);
  assert.equal(putUp(foreseen(PLANNED, [step("plan", { camera: "c2" }, { unit: "D018" })]), draft, NOTHING).unit, true);
});

test("it is down when camera and signs are", () => {
  assert.deepEqual(takenDown(foreseen({ ...PLANNED, stage: "deployed" }, [step("removal")])), { unit: true, signs: false });
  assert.deepEqual(takenDown(foreseen(PLANNED, [step("removal"), step("signs-down")])), { unit: true, signs: true });
});

const LEVEL = { pan_deg: 0, tilt_deg: 0, hfov_deg: 60 };
const span = (lines, axis) => [Math.min(...lines.flat().map((point) => point[axis])), Math.max(...lines.flat().map((point) => point[axis]))];

test("a kept zone lies where the finger drew it", () => {
  for (const head of [LEVEL, { pan_deg: 175, tilt_deg: -12, hfov_deg: 40 }, { pan_deg: -90, tilt_deg: 8, hfov_deg: 20 }]) {
    const box = { left: 0.55, top: 0.3, right: 0.9, bottom: 0.6 };
    const { cells } = shapeOf(head, sectorOf(head, box, 0));
    const [[left, right], [top, bottom]] = [span(cells, 0), span(cells, 1)];
    // It hides all of what was drawn, and on a picture that looks level little more.
    assert.ok(left <= box.left + 0.01 && right >= box.right - 0.01 && top <= box.top + 0.01 && bottom >= box.bottom - 0.01);
    assert.ok(left > box.left - 0.1 && right < box.right + 0.1 && top > box.top - 0.15 && bottom < box.bottom + 0.15);
  }
});

test("a zone goes with the head: turned away from, it is on the other side, and then out of the picture", () => {
  const zone = { pan_from_deg: 10, pan_to_deg: 20, tilt_from_deg: -5, tilt_to_deg: 5 };
  assert.ok(span(shapeOf(LEVEL, zone).cells, 0)[0] > 0.6);
  assert.ok(span(shapeOf({ ...LEVEL, pan_deg: 30 }, zone).cells, 0)[1] < 0.4);
  assert.ok(span(shapeOf({ ...LEVEL, pan_deg: -40 }, zone).cells, 0)[0] > 1);
});

test("what is behind the lens is not drawn", () => {
  assert.deepEqual(shapeOf({ ...LEVEL, pan_deg: 180 }, { pan_from_deg: -20, pan_to_deg: 20, tilt_from_deg: -10, tilt_to_deg: 10 }), { cells: [], edges: [] });
});

test("a zone that is half before the lens is cut, and no point of it is nowhere", () => {
  const { cells, edges } = shapeOf(LEVEL, { pan_from_deg: 20, pan_to_deg: 160, tilt_from_deg: -10, tilt_to_deg: 10 });
  assert.ok(cells.length > 0 && edges.length === 3);
  for (const [x, y] of [...cells, ...edges].flat()) assert.ok(Number.isFinite(x) && Number.isFinite(y) && x > 0.5);
});

test("a zone all round has an upper and a lower edge, and no sides", () => {
  const { cells, edges } = shapeOf(LEVEL, { pan_from_deg: 30, pan_to_deg: 30, tilt_from_deg: 5, tilt_to_deg: 20 });
  assert.equal(edges.length, 4);
  // What goes round behind comes back from the other side, and not across the picture.
  for (const line of edges) for (const [index, [x]] of line.entries()) assert.ok(index === 0 || !(Math.min(x, line[index - 1][0]) < 0 && Math.max(x, line[index - 1][0]) > 1));
  const [left, right] = span(cells, 0);
  assert.ok(left < 0 && right > 1 && span(cells, 1)[1] < 0.5);
});

test("a picture of 4:3 reaches further up, and a zone lies where it was drawn on it", () => {
  const head = { pan_deg: 0, tilt_deg: 0, hfov_deg: 60 };
  const whole = { left: 0, top: 0, right: 1, bottom: 1 };
  near(sectorOf(head, whole, 0, 4 / 3).tilt_to_deg, 23.4, 0.1);
  near(sectorOf(head, whole, 0).tilt_to_deg, 18, 0.1);
  const low = { pan_from_deg: -5, pan_to_deg: 5, tilt_from_deg: -10, tilt_to_deg: 0 };
  const lowest = (aspect) => Math.max(...shapeOf(head, low, aspect).cells.flat().map(([, y]) => y));
  near(lowest(4 / 3), 0.5 + (Math.tan(Math.PI / 18) / Math.tan(Math.PI / 6) / 2) * (4 / 3), 0.005);
  near(lowest(WIDE), 0.5 + (Math.tan(Math.PI / 18) / Math.tan(Math.PI / 6) / 2) * WIDE, 0.005);
});

test("a zone is taken off a head that stood while it was drawn, and off no other", () => {
  const head = { pan_deg: 179.9, tilt_deg: -5, hfov_deg: 40, moving: false };
  assert.deepEqual(stood(head, { ...head, pan_deg: -179.9 }), { pan_deg: -179.9, tilt_deg: -5, hfov_deg: 40 });
  for (const other of [{ pan_deg: 170 }, { tilt_deg: -6 }, { hfov_deg: 30 }, { moving: true }, { pan_deg: null }]) {
    assert.equal(stood(head, { ...head, ...other }), null, JSON.stringify(other));
    assert.equal(stood({ ...head, ...other }, head), null, JSON.stringify(other));
  }
  assert.equal(stood(null, head), null);
});
