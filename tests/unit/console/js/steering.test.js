import assert from "node:assert/strict";
import { test } from "node:test";
import { STILL, fromDrag, fromGamepad, fromKeys, fromWheel, inPicture, isSteeringKey, isStill, mix, ramp, shape, toView } from "../../../../gateway/console/static/app/steer-inputs.js";

test("a tap is slow, a held key reaches full speed, and never more", () => {
  assert.equal(ramp(0), 0.25);
  assert.equal(ramp(800), 1);
  assert.equal(ramp(1e6), 1);
});

test("opposite keys cancel", () => {
  const velocity = fromKeys(new Map([["ArrowLeft", 0], ["ArrowRight", 0], ["+", 0]]), 900);
  assert.deepEqual(velocity, { pan: 0, tilt: 0, zoom: 1 });
});

test("shift is full speed at once", () => {
  assert.equal(fromKeys(new Map([["ArrowUp", 100]]), 100, true).tilt, 1);
});

test("keys that do not steer are not taken", () => {
  assert.ok(isSteeringKey("ArrowUp") && isSteeringKey("-"));
  assert.ok(!isSteeringKey("a") && !isSteeringKey("1"));
});

test("nothing near the middle moves the head, the rim is full speed, and it grows in between", () => {
  assert.equal(shape(0.1, 0.12), 0);
  assert.ok(Math.abs(shape(-1, 0.12) + 1) < 1e-12);
  let last = 0;
  for (let value = 0.13; value <= 1; value += 0.01) {
    assert.ok(shape(value, 0.12) > last);
    last = shape(value, 0.12);
  }
});

test("a drag up and to the right turns up and to the right", () => {
  const { pan, tilt, zoom } = fromDrag(200, -200, 300);
  assert.equal(pan, 1);
  assert.equal(tilt, 1);
  assert.equal(zoom, 0);
});

test("a wheel turned away zooms in", () => {
  assert.ok(fromWheel(-120).zoom > 0 && fromWheel(120).zoom < 0);
  assert.ok(isStill(fromWheel(0)));
});

test("a gamepad's left stick turns and its triggers zoom", () => {
  const buttons = Array.from({ length: 16 }, () => ({ value: 0 }));
  buttons[7] = { value: 1 };
  const velocity = fromGamepad({ mapping: "standard", axes: [1, -1, 0, 0], buttons });
  assert.deepEqual(velocity, { pan: 1, tilt: 1, zoom: 1 });
});

test("a joystick that is twisted zooms", () => {
  assert.equal(fromGamepad({ mapping: "", axes: [0, 0, 1], buttons: [] }).zoom, 1);
});

test("a gamepad at rest that trembles moves nothing", () => {
  assert.ok(isStill(fromGamepad({ mapping: "standard", axes: [0.05, -0.08, 0, 0.1], buttons: [] })));
});

test("several hands add up within the limits", () => {
  assert.deepEqual(mix([{ pan: 0.7, tilt: 0, zoom: 0 }, { pan: 0.7, tilt: -0.2, zoom: 0 }]), { pan: 1, tilt: -0.2, zoom: 0 });
  assert.deepEqual(mix([]), { ...STILL });
});

test("a click in the middle moves nothing and one in a corner moves half a picture each way", () => {
  assert.deepEqual(toView(0.5, 0.5), { right: 0, up: 0 });
  assert.deepEqual(toView(1, 0), { right: 1, up: 1 });
});

test("the bars beside a picture are not part of it", () => {
  const box = { left: 100, top: 0, width: 400, height: 100 };
  assert.equal(inPicture(box, 2, 120, 50), null);
  assert.deepEqual(inPicture(box, 2, 300, 50), { x: 0.5, y: 0.5 });
});
