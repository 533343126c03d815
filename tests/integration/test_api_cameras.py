"""Cameras over the API: enrolled whole or not at all, shown with their state, kept and removed."""

import json
from pathlib import Path

import pytest

from drivers.model import DiscoveredDevice
from gateway.app import open_gateway
from gateway.db.devices import Devices
from gateway.fleet import rpc
from kernel.clock import SystemClock
from kernel.ids import CameraId
from tests.fakes.descriptions import description, view
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until

BODY = {"address": "192.0.2.1", "username": "root", "password": "camera secret"}


async def test_an_enrolled_camera_is_shown_whole(desk: Desk) -> None:
    """What enrolment found, what people said, and what it does now."""
    camera = await desk.enrol(
        number=7, name="Gate", street="High Street", latitude=51.5, longitude=-0.1, bearing_deg=90
    )
    (shown,) = (await desk.admin.get("/api/v1/cameras")).json()
    assert (shown["id"], shown["number"], shown["name"], shown["street"]) == (camera, 7, "Gate", "High Street")
    assert shown["place"] == {"latitude": 51.5, "longitude": -0.1, "height_m": 0.0}
    assert shown["streams"]["main"]["width"] == 1280
    assert shown["head"]["axes"] == ["pan", "tilt", "zoom"]
    assert shown["remarks"][0]["quirk"] == "hides_pullpoint"
    assert shown["state"]["live"] == "live"
    assert shown["state"]["recording"] == {"main": True, "sub": True, "cause": None}
    assert (await desk.admin.get(f"/api/v1/cameras/{camera}")).json() == shown


async def test_a_camera_password_is_never_shown_or_stored_in_the_clear(desk: Desk, tmp_path: Path) -> None:
    """Not by the API, not in the audit, not in the database's file; the host gets it."""
    camera = await desk.enrol()
    said = (await desk.admin.get("/api/v1/cameras")).text + str(await desk.audit())
    assert "camera secret" not in said
    assert desk.host.assignments[camera].target.credentials.password.get_secret_value() == "camera secret"
    async with desk.gateway.database.read() as connection:
        ((_, device),) = await Devices(connection).cameras()
    assert b"camera secret" not in device.password_sealed
    assert (tmp_path / "sightline.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("code", "status"),
    [("camera.authentication", 422), ("camera.unreachable", 502), ("camera.not-onvif", 422), ("camera.clock", 422)],
)
async def test_a_camera_that_cannot_be_enrolled_leaves_nothing(desk: Desk, code: str, status: int) -> None:
    """Its own plain error reaches whoever asked, nothing is stored, and the attempt is recorded."""
    desk.host.refuse["probe"] = rpc.Problem(type=code, title="It cannot be.", cure="Mend it.", status=status)
    answer = await desk.admin.post("/api/v1/cameras", json=BODY)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": code, "title": "It cannot be.", "detail": "Mend it.", "status": status}
    assert (await desk.admin.get("/api/v1/cameras")).json() == []
    assert desk.host.assignments == {}
    (entry,) = await desk.audit("camera.enrolled")
    assert (entry.outcome, json.loads(entry.details)["error"]) == ("failed", code)


async def test_a_taken_number_leaves_nothing(desk: Desk) -> None:
    """A second camera with the same number is refused as a whole."""
    await desk.enrol(number=7)
    desk.host.found = description("urn:uuid:2")
    answer = await desk.admin.post("/api/v1/cameras", json={**BODY, "number": 7})
    assert (answer.status_code, answer.json()["type"]) == (409, "database.conflict")
    assert len(desk.host.assignments) == 1
    async with desk.gateway.database.read() as connection:
        assert await Devices(connection).urns() == {"urn:uuid:1"}


async def test_a_device_with_three_views_is_three_cameras(desk: Desk) -> None:
    """One camera per view, numbered on, with the place they share."""
    desk.host.found = description(views=(view("a"), view("b", head=None), view("c")))
    answer = await desk.admin.post(
        "/api/v1/cameras", json={**BODY, "number": 10, "name": "Tower", "street": "Mill Lane"}
    )
    cameras = answer.json()
    assert [camera["number"] for camera in cameras] == [10, 11, 12]
    assert [camera["name"] for camera in cameras] == ["Tower", "Tower (2)", "Tower (3)"]
    assert {camera["street"] for camera in cameras} == {"Mill Lane"}
    assert [camera["head"] is None for camera in cameras] == [False, True, False]


async def test_the_same_unit_at_a_new_address_is_the_same_camera(desk: Desk) -> None:
    """A unit is known by its endpoint reference: it keeps its camera and gets its new address and password."""
    camera = await desk.enrol(number=7, name="Gate")
    again = {"address": "192.0.2.99:8000", "username": "root", "password": "new secret"}
    answer = await desk.admin.post("/api/v1/cameras", json=again)
    assert answer.status_code == 200
    (shown,) = answer.json()
    assert (shown["id"], shown["number"], shown["name"]) == (camera, 7, "Gate")
    assert shown["address"] == "192.0.2.99:8000"
    assert desk.host.assignments[camera].target.credentials.password.get_secret_value() == "new secret"
    assert len((await desk.admin.get("/api/v1/cameras")).json()) == 1


async def test_a_view_that_a_unit_gained_becomes_a_camera(desk: Desk) -> None:
    """And one that it no longer shows stays, with its recordings."""
    desk.host.found = description(views=(view("a"),))
    first = await desk.enrol()
    desk.host.found = description(views=(view("b"),))
    answer = await desk.admin.post("/api/v1/cameras", json=BODY)
    assert {camera["id"] for camera in answer.json()} > {first}
    assert len(answer.json()) == 2


async def test_looking_at_a_device_stores_nothing(desk: Desk) -> None:
    """A probe shows what would be enrolled, with a picture."""
    answer = await desk.admin.post("/api/v1/cameras/probe", json=BODY)
    found = answer.json()
    assert found["identity"]["manufacturer"] == "Acme"
    assert found["snapshot"].startswith("data:image/jpeg;base64,")
    assert found["enrolled"] is False
    assert (await desk.admin.get("/api/v1/cameras")).json() == []


async def test_a_look_at_a_camera_that_is_here_counts_as_one_that_saw_it(desk: Desk) -> None:
    """Its picture was seen, whatever it was asked for."""
    camera = await desk.enrol()
    assert (await desk.admin.post("/api/v1/cameras/probe", json=BODY)).json()["enrolled"] is True
    assert [entry.subject for entry in await desk.audit("view.snapshot")] == [camera]


async def test_discovery_says_who_is_enrolled(desk: Desk) -> None:
    """Found devices are marked when we have them."""
    await desk.enrol()
    desk.host.devices = [
        DiscoveredDevice(urn="urn:uuid:1", addresses=("http://192.0.2.1/",)),
        DiscoveredDevice(urn="urn:uuid:9", addresses=("http://192.0.2.9/",), name="New"),
    ]
    answer = await desk.admin.post("/api/v1/discovery", json={"addresses": ["192.0.2.9"]})
    assert [(device["urn"], device["enrolled"]) for device in answer.json()] == [
        ("urn:uuid:1", True),
        ("urn:uuid:9", False),
    ]


async def test_what_people_say_of_a_camera_changes(desk: Desk) -> None:
    """Keys that are left out stay, null forgets; the host is told, the audit too."""
    camera = await desk.enrol(name="Gate", latitude=51.5, longitude=-0.1, bearing_deg=90)
    path = f"/api/v1/cameras/{camera}"
    changed = (await desk.admin.patch(path, json={"name": "North gate", "bearing_deg": -10, "number": 42})).json()
    assert (changed["name"], changed["bearing_deg"], changed["number"]) == ("North gate", 350.0, 42)
    assert changed["place"]["latitude"] == 51.5
    assert desk.host.assignments[camera].name == "North gate"
    forgotten = (await desk.admin.patch(path, json={"place": None, "bearing_deg": None, "hfov_deg": None})).json()
    assert (forgotten["place"], forgotten["bearing_deg"]) == (None, None)
    moved = (await desk.admin.patch(path, json={"place": {"latitude": 1, "longitude": 2}})).json()
    assert moved["place"]["longitude"] == 2
    assert len(await desk.audit("camera.changed")) == 3


async def test_a_removed_camera_is_gone_and_let_go(desk: Desk) -> None:
    """From the list and from its host, and what went on there has ended."""
    camera = await desk.enrol()
    await desk.watch(desk.admin, camera)
    assert (await desk.admin.delete(f"/api/v1/cameras/{camera}")).status_code == 204
    assert (await desk.admin.get("/api/v1/cameras")).json() == []
    assert desk.host.assignments == {}
    assert (await desk.admin.get(f"/api/v1/cameras/{camera}")).json()["type"] == "fleet.unknown-camera"
    assert [entry.action for entry in await desk.audit()][-3:] == ["view.started", "view.ended", "camera.removed"]


async def test_a_snapshot_is_the_cameras_own_and_recorded(desk: Desk) -> None:
    """A look is a look."""
    camera = await desk.enrol()
    answer = await desk.admin.get(f"/api/v1/cameras/{camera}/snapshot")
    assert (answer.headers["content-type"], answer.content) == ("image/jpeg", desk.host.snapshot_jpeg)
    assert [entry.subject for entry in await desk.audit("view.snapshot")] == [camera]


async def test_cameras_are_assigned_again_when_their_host_comes_back(desk: Desk) -> None:
    """A host that starts anew is told its cameras, and told to let go of others."""
    camera = await desk.enrol()
    desk.host.assignments.clear()
    desk.host.states = {"stranger": desk.host.live("stranger")}
    desk.host.hang_up()
    await until(lambda: camera in desk.host.assignments, what="the camera to be assigned again")
    await until(lambda: "stranger" not in desk.host.states, what="the stranger to be let go")


async def test_a_host_that_is_gone_is_shown_as_such(desk: Desk) -> None:
    """Its cameras are off, with the reason."""
    camera = await desk.enrol()
    desk.host.refuse["assign"] = rpc.Problem(type="x", title="No.")
    desk.host.hang_up()
    await until(lambda: not desk.gateway.fleet.up, what="the loss to be noticed")
    state = desk.gateway.fleet.state(CameraId(camera))
    assert state is not None
    assert state.problem is not None
    assert (state.live, state.problem.type) == (rpc.LiveState.OFF, "host.unreachable")


async def test_cameras_survive_a_restart(tmp_path: Path) -> None:
    """A new gateway over the same data knows and assigns them, passwords and all."""
    async with open_desk(tmp_path) as desk:
        camera = await desk.enrol(number=7)
    host = FakeHost()
    async with open_gateway(settings_in(tmp_path), clock=SystemClock(), open_host=host.open) as gateway:
        await until(lambda: camera in host.assignments, what="the camera to be assigned")
        assert gateway.setup_code is None
    assert host.assignments[camera].target.credentials.password.get_secret_value() == "camera secret"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**BODY, "number": 0},
        {**BODY, "number": 10_000},
        {**BODY, "latitude": 91, "longitude": 0},
        {**BODY, "colour": "red"},
        {**BODY, "address": ""},
        [],
    ],
)
async def test_a_malformed_enrolment_is_a_problem(desk: Desk, body: object) -> None:
    """Validation answers problem details that name the field."""
    answer = await desk.admin.post("/api/v1/cameras", json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "api.request")
    assert "camera secret" not in answer.text
