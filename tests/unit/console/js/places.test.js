import assert from "node:assert/strict";
import { test } from "node:test";
import { cone, destination, reachOf, sight, wind, wrap } from "../../../../gateway/console/static/app/geo.js";
import { matching } from "../../../../gateway/console/static/app/search.js";

const near = (one, other, slack = 1e-6) => assert.ok(Math.abs(one - other) < slack, `${one} is not ${other}`);

test("every angle wraps into a circle", () => {
  for (let degrees = -1000; degrees <= 1000; degrees += 7.5) {
    const wrapped = wrap(degrees);
    assert.ok(wrapped >= 0 && wrapped < 360);
    near(Math.cos((wrapped * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180), 1e-9);
  }
});

test("north is up and east is right", () => {
  const [north] = destination(51, 0, 0, 111.32);
  near(north, 51.001);
  const [, east] = destination(0, 10, 90, 111.32);
  near(east, 10.001);
});

test("a cone begins at the camera and opens by its angle about its bearing", () => {
  const points = cone(0, 0, 90, 60);
  assert.deepEqual(points[0], [0, 0]);
  const bearing = ([latitude, longitude]) => wrap((Math.atan2(longitude, latitude) * 180) / Math.PI);
  near(bearing(points[1]), 60, 1e-6);
  near(bearing(points.at(-1)), 120, 1e-6);
});

test("a narrow lens is drawn further, within limits", () => {
  assert.ok(reachOf(5) > reachOf(60));
  assert.ok(reachOf(0.01) <= 300 && reachOf(360) >= 30);
});

test("a head that has told where it looks is believed before the mounting", () => {
  const camera = { bearing_deg: 10, head: { hfov_deg: [60, 3] }, state: { head: { bearing_deg: 370, hfov_deg: 20 } } };
  assert.deepEqual(sight(camera), { bearing: 10, hfov: 20 });
  assert.deepEqual(sight({ ...camera, state: { head: null } }), { bearing: 10, hfov: 60 });
  assert.equal(sight({ bearing_deg: null, state: { head: null } }), null);
});

test("directions are named by the nearest of eight winds", () => {
  assert.deepEqual([0, 22, 23, 180, 337, 359].map(wind), ["N", "N", "NE", "S", "NW", "N"]);
});

const CAMERAS = [
  { number: 1, name: "Market Square", street: "High Street", group: "Centre" },
  { number: 12, name: "Canal towpath", street: "Canal Side", group: "Parks" },
  { number: 21, name: "Café corner", street: "High Street", group: "Centre" },
];

test("a number that is meant exactly comes first", () => {
  assert.deepEqual(matching([CAMERAS[2], CAMERAS[1], CAMERAS[0]], "1").map((camera) => camera.number), [1, 12, 21]);
});

test("every word must match, in any field, without accents or case", () => {
  assert.deepEqual(matching(CAMERAS, "CAFE high").map((camera) => camera.number), [21]);
  assert.deepEqual(matching(CAMERAS, "high parks"), []);
  assert.equal(matching(CAMERAS, "  ").length, 3);
});
