"""Limits and no-look zones over the API: who sets them, what is audited, how they reach the host and the hand."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.fleet import rpc
from kernel.head import HeadAbilities
from ptz import Priority
from ptz.bounds import Binds, Bounds, Limits, Zone
from ptz.state import Bar, Barring
from tests.fakes.descriptions import HEAD, description, view
from tests.fakes.desk import PASSWORD, Desk
from tests.fakes.outside import heard, officer, share
from tests.integration.test_api_factors import aged

KNOWN = replace(HEAD, pan_deg=(-180.0, 180.0), tilt_deg=(-90.0, 20.0), hfov_deg=(60.0, 4.0))
FLATS: dict[str, Any] = {
    "name": "Flats, east side",
    "pan_from_deg": 170.0,
    "pan_to_deg": -150.0,
    "tilt_from_deg": -10.0,
    "tilt_to_deg": 20.0,
    "binds": "guests",
    "narrower_than_deg": 20.0,
}
LEFT: dict[str, Any] = {"binds": "everybody", "left_deg": -60.0}


async def enrolled(desk: Desk, head: HeadAbilities | None = KNOWN) -> str:
    """Enrol a camera whose head told all of itself, and return its bounds' path."""
    desk.host.found = description(views=(view(head=head),))
    return f"/api/v1/cameras/{await desk.enrol()}/bounds"


async def test_bounds_reach_the_host_and_are_audited(desk: Desk) -> None:
    """What is put is given back, told to the camera's host, and recorded as it was and as it is."""
    path = await enrolled(desk)
    camera = path.split("/")[-2]
    assert (await desk.admin.get(path)).json() == {"limits": [], "zones": [], "confirmed": True, "told": True}
    put = await desk.admin.put(path, json={"limits": [LEFT], "zones": [FLATS]})
    assert put.status_code == 200, put.text
    told = put.json()
    identity = told["zones"][0].pop("id")
    assert told["zones"] == [FLATS]
    assert told["limits"][0]["left_deg"] == -60.0
    zone = Zone(identity, "Flats, east side", 170.0, -150.0, -10.0, 20.0, Binds.GUESTS, 20.0)
    assert desk.host.assignments[camera].bounds == Bounds(limits=(Limits(left_deg=-60.0),), zones=(zone,))
    (entry,) = await desk.audit("camera.bounds")
    assert entry.subject == camera
    said = json.loads(entry.details)
    before, after = json.loads(said["before"]), json.loads(said["after"])
    assert (before["zones"], after["zones"][0]["name"]) == ([], "Flats, east side")
    (shown,) = (await desk.admin.get("/api/v1/cameras")).json()
    assert shown["bounds"] == "kept"
    assert (await desk.admin.put(path, json={})).json()["zones"] == []
    assert desk.host.assignments[camera].bounds.empty


async def test_a_camera_that_moves_has_its_bounds_unconfirmed(desk: Desk) -> None:
    """At another place nothing is kept till somebody puts bounds anew; a correction on the map changes nothing."""
    path = await enrolled(desk)
    camera = path.removesuffix("/bounds")
    await desk.admin.patch(camera, json={"place": {"latitude": 51.5, "longitude": -0.1}})
    await desk.admin.put(path, json={"zones": [FLATS]})
    for latitude, confirmed in ((51.50001, True), (51.51, False)):
        moved = await desk.admin.patch(camera, json={"place": {"latitude": latitude, "longitude": -0.1}})
        assert moved.json()["bounds"] == ("kept" if confirmed else "unconfirmed")
        assert (await desk.admin.get(path)).json()["confirmed"] is confirmed
        assert desk.host.assignments[camera.split("/")[-1]].bounds.confirmed is confirmed
    kept = (await desk.admin.get(path)).json()
    put = await desk.admin.put(path, json={"limits": kept["limits"], "zones": kept["zones"]})
    assert put.json() == {**kept, "confirmed": True}


@pytest.mark.parametrize(
    "wish",
    [
        {"zones": [{**FLATS, "tilt_to_deg": -10.0}]},
        {"zones": [{**FLATS, "name": " "}]},
        {"zones": [{**FLATS, "pan_from_deg": 500.0}]},
        {"limits": [LEFT, LEFT]},
        {"limits": [{"lower_deg": 5.0, "upper_deg": 5.0}]},
        {"limits": [{"left_deg": 10.0, "right_deg": 11.0}]},
        {"limits": [{"left_deg": 10.0, "above": 11.0}]},
    ],
)
async def test_nonsense_is_refused(desk: Desk, wish: dict[str, Any]) -> None:
    """A zone without height or name, limits that leave nothing, two of a kind, unknown words."""
    path = await enrolled(desk)
    assert (await desk.admin.put(path, json=wish)).status_code == 422
    assert (await desk.admin.get(path)).json()["zones"] == []


async def test_what_depends_on_the_lens_needs_to_know_it(desk: Desk) -> None:
    """A lens that tells nothing has no narrowest field of view; a fixed camera has no bounds at all."""
    path = await enrolled(desk, replace(KNOWN, hfov_deg=None))
    refused = await desk.admin.put(path, json={"limits": [{"narrowest_deg": 10.0}]})
    assert (refused.status_code, refused.json()["type"]) == (422, "api.request")
    assert (await desk.admin.put(path, json={"zones": [{**FLATS, "narrower_than_deg": None}]})).status_code == 200
    desk.host.found = description("urn:uuid:fixed", views=(view(head=None),))
    fixed = f"/api/v1/cameras/{await desk.enrol()}/bounds"
    assert (await desk.admin.put(fixed, json={"zones": [FLATS]})).status_code == 404
    assert (await desk.admin.get(fixed)).json()["told"] is False


async def test_only_who_changes_cameras_bounds_them(desk: Desk) -> None:
    """An operator sees bounds and does not set them; a partner with the stick does not even see them."""
    path = await enrolled(desk)
    operator, pc = await desk.person("operator"), await officer(desk)
    await share(desk, pc, path.split("/")[-2], may_ask_for_stick=True)
    assert (await operator.get(path)).status_code == 200
    assert (await operator.put(path, json={})).status_code == 403
    assert (await pc.browser.get(path)).status_code == 403


async def test_a_camera_is_removed_with_its_zones_by_who_has_proved_who_they_are(desk: Desk) -> None:
    """As they are taken away: else one would remove the camera, and enrol it anew without them."""
    path = await enrolled(desk)
    camera = path.removesuffix("/bounds")
    assert (await desk.admin.put(path, json={"zones": [FLATS]})).status_code == 200
    await aged(desk)
    refused = await desk.admin.delete(camera)
    assert (refused.status_code, refused.json()["type"]) == (403, "access.confirm")
    assert (await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
    assert (await desk.admin.delete(camera)).status_code == 204


async def test_a_lent_stick_is_a_guests_hand(desk: Desk) -> None:
    """Each wish of a partner's says so to the host, and of the room's that it is not; what holds the head is told."""
    path = await enrolled(desk)
    camera, pc = path.split("/")[-2], await officer(desk)
    identity = await share(desk, pc, camera, may_ask_for_stick=True)
    await pc.browser.post(f"/api/v1/shares/{identity}/stick-request", json={"camera": camera})
    assert (await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})).status_code == 201
    steer = f"/api/v1/cameras/{camera}/steer"
    async with desk.socket(pc.browser, steer) as guest, desk.socket(desk.admin, steer) as room:
        for socket, hand in ((guest, Priority.GUEST), (room, Priority.ROOM)):
            await socket.send(json.dumps({"t": "take", "n": 1}))
            await heard(socket, "ack")
            await socket.send(json.dumps({"t": "move", "pan": 0.5, "n": 2}))
            await heard(socket, "ack")
            assert desk.host.hands[-1] is hand
        live = desk.host.live(camera)
        bar = Bar("zone", "Flats, east side", Barring.RETURNED)
        held = rpc.HeadFacts(pan=0.1, tilt=0.0, zoom=0.0, bar=bar)
        desk.host.state(live.model_copy(update={"head": held}))
        told = {"kind": "zone", "name": "Flats, east side", "does": "returned"}
        assert (await heard(guest, "bound"))["bound"] == told
        desk.host.state(live)
        assert (await heard(guest, "bound"))["bound"] is None


async def test_a_refusal_of_the_heads_reaches_the_hand(desk: Desk) -> None:
    """What the host refuses for a bound is said with its own words and code."""
    camera = (await enrolled(desk)).split("/")[-2]
    desk.host.refuse["steer"] = rpc.Problem(
        type="steering.out-of-bounds",
        title="That looks into the no-look zone Flats.",
        cure="Aim elsewhere.",
        status=409,
    )
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await socket.send(json.dumps({"t": "take", "n": 1}))
        await heard(socket, "ack")
        await socket.send(json.dumps({"t": "preset", "token": "1", "n": 2}))
        error = await heard(socket, "error")
    assert (error["type"], error["title"]) == ("steering.out-of-bounds", "That looks into the no-look zone Flats.")
