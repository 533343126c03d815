"""Units at work: followed to new addresses, watched where they stand, told things; over MQTT and the API."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import structlog

from gateway import repointing
from gateway.fleet import rpc
from gateway.fleet.pointing import Spot
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.descriptions import description
from tests.fakes.desk import Desk
from tests.fakes.unit_at_work import SERIAL, UNIT, URN, Field, following, reading, unit_at_work
from tests.fakes.unit_broker import unit_client
from tests.fakes.unit_voice import Voice
from tests.fakes.waiting import told, until
from tests.integration.test_api_units import tls_of

GONE = rpc.Problem(type="camera.unreachable", title="It does not answer.", status=502)
RECORDED_NS, ENDED_NS = 1_790_000_000 * NS_PER_S, 1_790_000_030 * NS_PER_S


@pytest_asyncio.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    """Return it, with the unit connected."""
    async with unit_at_work(tmp_path) as field:
        yield field


# --- where it is


async def test_its_camera_is_reached_where_it_says(field: Field) -> None:
    """The host is told of the new address, of services and streams alike, and the audit has it."""
    await field.is_at("198.51.100.9", http_port=8080, rtsp_port=8554)
    there = ("http://198.51.100.9:8080/onvif/device_service", "rtsp://198.51.100.9:8554/main")
    await until(lambda: field.assigned == there, what="the host to be told")
    # It is told first, and noted when it has answered.
    (entry,) = await told(lambda: field.desk.audit("unit.moved"), bool, what="the entry")
    assert entry.subject == "D017"


async def test_a_unit_that_hops_about_is_in_the_audit_with_a_count(field: Field) -> None:
    """The first move at once, and what follows within the minute as one entry: it moves as often as it likes."""
    with structlog.testing.capture_logs() as lines:
        for number in range(9, 14):
            await field.is_at(f"198.51.100.{number}")
            # It is logged as it is noted, once the host that was told has answered.
            moved = {"event": "unit.repointed", "unit": "D017", "host": f"198.51.100.{number}", "log_level": "info"}
            await until(lambda moved=moved: moved in lines, what="the move")  # type: ignore[misc]
    assert len(await field.desk.audit("unit.moved")) == 1
    field.desk.gateway.trail.repeats.tell()
    _, counted = await field.desk.audit("unit.moved")
    assert counted.subject == "D017"
    assert json.loads(counted.details)["times"] == 4


async def test_forwarded_ports_and_a_vpn_are_reached_by_rule(field: Field) -> None:
    """Behind a router it is reached at the router's ports, and through a VPN at its place in that network."""
    await field.is_at("192.168.1.20")
    there = ("http://203.0.113.7:8017/onvif/device_service", "rtsp://203.0.113.7:5517/main")
    await until(lambda: field.assigned == there, what="the forwarded ports")
    assert field.desk.host.assignments[field.deploying.camera].target.port_map == {80: 8017, 554: 5517}
    await field.is_at("10.64.3.4")
    there = ("http://10.8.3.4/onvif/device_service", "rtsp://10.8.3.4/main")
    await until(lambda: field.assigned == there, what="its place in the VPN")


async def test_two_units_behind_one_address_are_told_apart(field: Field, tmp_path: Path) -> None:
    """They say the same private address and ports: each is met at the ports that are forwarded to it alone."""
    desk, first = field.desk, field.desk.host.found
    desk.host.found = second = description("urn:uuid:2")
    camera = await desk.enrol()
    mark = await desk.admin.put(f"/api/v1/cameras/{camera}/deployable", json={"unit": "D018"})
    assert mark.status_code == 200
    desk.host.met = {"203.0.113.7:8017": first.identity, "203.0.113.7:8018": second.identity}
    assert (await desk.admin.post("/api/v1/units", json={"label": "D018"})).status_code == 201
    bundle = (await desk.admin.post("/api/v1/units/D018/certificate")).json()
    tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
    voice = Voice("D018", wall_ns=SystemClock().wall_ns())
    at: dict[str, Any] = {"host": "192.168.1.20", "http_port": 80, "rtsp_port": 554}
    await field.is_at(**at)
    async with unit_client(desk.gateway.rooms.settings.telemetry.port, tls, "D018", modern=False) as client:
        said = voice.payload(**at, urn=second.identity.urn, serial=second.identity.serial)
        await client.publish(voice.topic("state/address"), said, qos=1, retain=True)
        there = {field.deploying.camera: 8017, camera: 8018}
        await until(lambda: {one: _port(desk, one) for one in there} == there, what="both to be met")
    assert (await desk.admin.get("/api/v1/units")).json()["refusals"] == []


def _port(desk: Desk, camera: str) -> int | None:
    address = urlsplit(desk.host.assignments[camera].target.address)
    return address.port if address.hostname == "203.0.113.7" else None


async def test_another_serial_number_is_refused_and_seen(field: Field) -> None:
    """Nothing is changed, and what was refused stands with the unit."""
    before = field.assigned
    await field.is_at("198.51.100.9", serial="SN-OTHER")
    refused = await field.refused()
    assert (refused["cause"], refused["label"]) == ("wrong-unit", "D017")
    assert "SN-OTHER" in refused["said"]
    assert field.assigned == before


async def test_another_camera_at_the_address_is_refused_and_seen(field: Field) -> None:
    """Whoever answers there must be the unit's camera: a port that leads to another one shows nobody's pictures."""
    before = field.assigned
    found = field.desk.host.found.identity
    field.desk.host.met = found.model_copy(update={"serial": "SN-NEXT-DOOR"})
    await field.is_at("198.51.100.9")
    refused = await field.refused()
    assert (refused["cause"], field.assigned) == ("wrong-unit", before)
    assert "SN-NEXT-DOOR" in refused["said"]
    field.desk.host.met = None
    await until(lambda: field.assigned != before, what="the right one to be met, tried again")


async def test_a_unit_cannot_take_a_camera_that_nobody_gave_it(field: Field) -> None:
    """With a certificate of its own it says a fixed camera's URN: that camera stays where it is."""
    answer = await field.desk.admin.delete(f"/api/v1/cameras/{field.deploying.camera}/deployable")
    assert answer.status_code == 204
    before = field.assigned
    await field.is_at("198.51.100.66")
    assert (await field.refused())["cause"] == "wrong-unit"
    assert field.assigned == before


async def test_a_hello_is_followed_once_the_camera_is_lost(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said on a network that a camera host shares with it, before MQTT has it; of a stranger it is nothing.

    It does not say where the streams are: the camera is asked.
    """
    monkeypatch.setattr(repointing, "SAID_NS", 0)  # what the unit itself says has its turn first
    await field.is_at("198.51.100.9", rtsp_port=8554)
    await until(lambda: field.assigned[1] == "rtsp://198.51.100.9:8554/main", what="its address")
    field.desk.host.streams_at = "rtsp://198.51.100.10:9554/main"
    camera, host = field.deploying.camera, field.desk.host
    host.state(host.states[camera].model_copy(update={"live": rpc.LiveState.RETRYING, "problem": GONE}))
    for urn, address in (("urn:uuid:other", "198.51.100.66"), (URN, "198.51.100.10")):
        host.say(rpc.DeviceSaid(urn=urn, addresses=(f"http://{address}/onvif/device_service",)))
    there = ("http://198.51.100.10/onvif/device_service", "rtsp://198.51.100.10:9554/main")
    await until(lambda: field.assigned == there, what="the address of the Hello")


# --- whom people believe no more


async def test_a_stolen_units_camera_is_left_until_somebody_says_where_it_is(field: Field) -> None:
    """Retired, its streams come from nowhere, and the room is told why; enrolled where it is, they come again."""
    desk, camera = field.desk, field.deploying.camera
    await field.is_at("198.51.100.9")
    await until(lambda: field.assigned[0].startswith("http://198.51.100.9/"), what="its address")
    assert (await desk.admin.delete(UNIT)).status_code == 204
    await until(lambda: camera not in desk.host.assignments, what="the host to let go of it")

    async def problem() -> Any:
        return (await desk.admin.get(f"/api/v1/cameras/{camera}")).json()["state"]["problem"]

    found = await told(problem, lambda one: one and one["type"] == "fleet.deserted", what="why")
    assert "retired" in found["title"]
    desk.host.asked.clear()
    desk.host.hang_up()
    await until(lambda: desk.gateway.rooms.fleet.up is False, what="the link to end")
    await until(lambda: desk.gateway.rooms.fleet.up, what="the link to be there again")
    assert camera not in desk.host.assignments
    # Had it been down as the camera was left, it would call that its own loss.
    assert f"DELETE /cameras/{camera}" in desk.host.asked
    again = {"address": "198.51.100.10", "username": "root", "password": "secret"}
    assert (await desk.admin.post("/api/v1/cameras", json=again)).status_code == 200
    assert desk.host.assignments[camera].target.address == "198.51.100.10"


async def test_who_is_believed_no_more_when_it_was_met_is_followed_no_more(field: Field) -> None:
    """What people say while its address is asked counts: nothing is written, and nobody told."""
    before, held = field.assigned, asyncio.Event()
    host, fleet = field.desk.host, field.desk.gateway.rooms.fleet
    host.held_back["identify"] = held
    (camera,) = fleet.cameras()
    believed = True
    asked = len(host.asked)
    async with asyncio.TaskGroup() as group:
        there = Spot(host="198.51.100.66", http_port=80, rtsp_port=554)
        moving = group.create_task(fleet.repoint(camera.device_id, there, still=lambda: believed))
        await until(lambda: "POST /identify" in host.asked[asked:], what="it to be asked who it is")
        believed = False
        held.set()
        assert await moving is False
    assert (field.assigned, fleet.cameras()) == (before, [camera])


async def test_a_box_that_is_found_again_is_followed_under_another_label(field: Field, tmp_path: Path) -> None:
    """Retired, a unit lets go of its camera, once that is left: it is given to another one, which says where it is."""
    desk, camera = field.desk, field.deploying.camera
    assert (await desk.admin.put(UNIT, json={"camera": camera})).status_code == 200
    await field.is_at("198.51.100.9")
    await until(lambda: field.assigned[0].startswith("http://198.51.100.9/"), what="its address")
    assert (await desk.admin.delete(UNIT)).status_code == 204
    await until(lambda: camera not in desk.host.assignments, what="the host to let go of it")
    (entry,) = await desk.audit("unit.retired")
    let_go = json.loads(entry.details)
    assert let_go == {"urn": URN, "serial": SERIAL, "camera": camera}
    found = await desk.admin.post("/api/v1/units", json={"label": "D117", "camera": camera, "urn": URN})
    assert found.status_code == 201, found.text
    bundle = (await desk.admin.post("/api/v1/units/D117/certificate")).json()
    tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
    voice = Voice("D117", wall_ns=field.clock.wall_ns())
    said = {"host": "198.51.100.10", "http_port": 80, "rtsp_port": 554, "urn": URN, "serial": SERIAL}
    async with unit_client(desk.gateway.rooms.settings.telemetry.port, tls, "D117", modern=False) as client:
        await client.publish(voice.topic("state/address"), voice.payload(**said), qos=1, retain=True)
        await until(lambda: camera in desk.host.assignments, what="the host to be told again")
    assert field.assigned[0].startswith("http://198.51.100.10/")
    assert (await desk.admin.get("/api/v1/units/D117")).json()["refusals"] == []


# --- what happens to it where it stands


async def test_a_units_states_are_told_to_who_may_see_its_camera(field: Field) -> None:
    """As they change, with its link; an operator is told nothing of a unit that has no camera which they see."""
    mark = f"/api/v1/cameras/{field.deploying.camera}/deployable"
    assert (await field.desk.admin.delete(mark)).status_code == 204
    async with reading(field.desk, field.desk.admin) as all_seeing, reading(field.desk, field.deploying.team) as team:
        await field.says("state/battery", percent=41, volts=11.8, charging=False)
        (unit,) = (await following(all_seeing, "units"))["units"]
        assert (unit["label"], unit["link"]) == ("D017", "online")
        assert unit["states"][-1]["values"]["percent"] == 41
        assert (await field.desk.admin.put(UNIT, json={"camera": field.deploying.camera})).status_code == 200
        await field.says("state/battery", percent=40, volts=11.8, charging=False)
        # What it said before may be told first: it belongs to a camera that they see by then.
        told_of = [41]
        while told_of in ([], [41]):
            (unit,) = (await following(team, "units"))["units"]
            told_of = [state["values"]["percent"] for state in unit["states"]]
        assert told_of == [40]


# --- what it is told


async def _obeys(field: Field, **answer: Any) -> dict[str, Any]:
    """Answer the next command as the unit, and return it."""
    async for message in field.client.messages:
        assert isinstance(message.payload, bytes)
        order: dict[str, Any] = json.loads(message.payload)
        name = str(message.topic).rpartition("/")[2]
        await field.says(f"answer/{name}", id=order["id"], **{"ok": True, **answer})
        return {"name": name, **order}
    raise AssertionError


async def test_a_unit_is_told_to_send_its_main_stream(field: Field) -> None:
    """What it answers is what whoever asked gets, and the audit has both."""
    obeying = asyncio.create_task(_obeys(field, ok=False, error="over-budget"))
    assert (await field.desk.admin.put(UNIT, json={"camera": field.deploying.camera})).status_code == 200
    answer = await field.deploying.team.post(f"{UNIT}/stream", json={"stream": "main"})
    assert (await obeying)["stream"] == "main"
    assert (answer.json()["ok"], answer.json()["error"]) == (False, "over-budget")
    (entry,) = await field.desk.audit("unit.commanded")
    assert json.loads(entry.details)["command"] == "stream"


async def test_a_budget_that_the_unit_takes_is_the_units(field: Field) -> None:
    """It is told under the name that units know, and the forecast is by it from then on."""
    obeying = asyncio.create_task(_obeys(field))
    answer = await field.desk.admin.post(f"{UNIT}/data-budget", json={"budget_bytes": 5_000})
    assert answer.status_code == 200, answer.text
    assert (await obeying)["budget_bytes"] == 5_000
    assert (await field.desk.admin.get(UNIT)).json()["data"]["budget_bytes"] == 5_000


async def test_a_viewer_tells_units_nothing(field: Field) -> None:
    """Commands are for who deploys; a budget is for who enrols."""
    viewer = await field.desk.person("viewer")
    for path, body in (("locate", None), ("reboot", None), ("stream", {"stream": "sub"})):
        assert (await viewer.post(f"{UNIT}/{path}", json=body)).status_code == 403
    budget = await field.deploying.team.post(f"{UNIT}/data-budget", json={"budget_bytes": None})
    assert budget.status_code == 403
