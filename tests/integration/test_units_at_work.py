"""Units at work: followed to new addresses, watched where they stand, told things; over MQTT and the API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from config.telemetry import ReachRule, TelemetrySettings
from gateway import repointing
from gateway.api.times import iso
from gateway.fleet import footage, rpc
from gateway.units import Link
from kernel.clock import NS_PER_S, SystemClock
from kernel.media import VideoCodec
from tests.fakes.deploying import Deploying
from tests.fakes.descriptions import description
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.leaping import LeapingClock
from tests.fakes.photos import photo
from tests.fakes.ports import free_port
from tests.fakes.unit_broker import unit_client
from tests.fakes.unit_field import cut
from tests.fakes.unit_voice import Voice
from tests.fakes.waiting import told, until
from tests.integration.test_api_units import tls_of

GONE = rpc.Problem(type="camera.unreachable", title="It does not answer.", status=502)
RECORDED_NS, ENDED_NS = 1_790_000_000 * NS_PER_S, 1_790_000_030 * NS_PER_S
UNIT = "/api/v1/units/D017"
URN, SERIAL = "urn:uuid:1", "id:1"
RULES = (
    ReachRule(units=("D017",), network="192.168.0.0/16", via="203.0.113.7", ports={80: 8017, 554: 5517}),
    ReachRule(units=("D018",), network="192.168.0.0/16", via="203.0.113.7", ports={80: 8018, 554: 5518}),
    ReachRule(network="10.64.0.0/16", via="10.8.0.0/16"),
)
NETWORKS = ("192.168.0.0/16", "10.64.0.0/16", "198.51.100.0/24")


class Field:
    """A gateway that hears D017, whose camera is enrolled and marked as its own."""

    def __init__(self, desk: Desk, client: aiomqtt.Client, deploying: Deploying, clock: LeapingClock) -> None:
        self.desk = desk
        self.client = client
        self.deploying = deploying
        self.clock = clock
        self.voice = Voice("D017", wall_ns=clock.wall_ns())

    async def says(self, rest: str, *, ago_s: float = 0.0, **values: Any) -> None:
        """Say something as the unit, by a clock that is right; what it kept is of some time ago."""
        self.voice.wall_ns = self.clock.wall_ns() - round(ago_s * NS_PER_S)
        await self.client.publish(
            self.voice.topic(rest), self.voice.payload(**values), qos=1, retain=rest.startswith(("state/", "online"))
        )

    async def is_at(self, host: str, **values: Any) -> None:
        """Say an address."""
        said = {"http_port": 80, "rtsp_port": 554, "urn": URN, "serial": SERIAL, **values}
        await self.says("state/address", host=host, **said)

    @property
    def assigned(self) -> tuple[str, str]:
        """Return by what addresses the host reaches the camera: its device service and its main stream."""
        one = self.desk.host.assignments[self.deploying.camera]
        return one.target.address, one.view.main.rtsp_url

    async def refused(self) -> dict[str, Any]:
        """Return the first thing that was refused of the unit."""

        async def refusals() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await self.desk.admin.get(UNIT)).json()["refusals"]
            return found

        return (await told(refusals, bool, what="a refusal"))[0]


@pytest_asyncio.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    """Return it, with the unit connected."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port(), reach=RULES, networks=NETWORKS)
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    clock = LeapingClock()
    async with open_desk(tmp_path, settings=settings, clock=clock) as desk:
        deploying = await Deploying.at(desk)
        assert (await desk.admin.post("/api/v1/units", json={"label": "D017"})).status_code == 201
        bundle = (await desk.admin.post(f"{UNIT}/certificate")).json()
        tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
        async with unit_client(telemetry.port, tls, "D017", modern=False) as client:
            field = Field(desk, client, deploying, clock)
            await client.subscribe(field.voice.topic("command/+"), qos=1)
            await field.says("online", online=True, firmware="2.1.0")
            units = desk.gateway.rooms.units
            assert units is not None
            await until(lambda: units.register.link("D017") is Link.ONLINE, what="its birth to be heard")
            yield field


# --- where it is


async def test_its_camera_is_reached_where_it_says(field: Field) -> None:
    """The host is told of the new address, of services and streams alike, and the audit has it."""
    await field.is_at("198.51.100.9", http_port=8080, rtsp_port=8554)
    there = ("http://198.51.100.9:8080/onvif/device_service", "rtsp://198.51.100.9:8554/main")
    await until(lambda: field.assigned == there, what="the host to be told")
    (entry,) = await field.desk.audit("unit.moved")
    assert entry.subject == "D017"


async def test_a_unit_that_hops_about_is_in_the_audit_with_a_count(field: Field) -> None:
    """The first move at once, and what follows within the minute as one entry: it moves as often as it likes."""
    for number in range(9, 14):
        await field.is_at(f"198.51.100.{number}")
        await until(lambda host=f"//198.51.100.{number}/": host in field.assigned[0], what="the host to be told")
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
    desk.host.hang_up()
    await until(lambda: desk.gateway.rooms.fleet.up is False, what="the link to end")
    await until(lambda: desk.gateway.rooms.fleet.up, what="the link to be there again")
    assert camera not in desk.host.assignments
    again = {"address": "198.51.100.10", "username": "root", "password": "secret"}
    assert (await desk.admin.post("/api/v1/cameras", json=again)).status_code == 200
    assert desk.host.assignments[camera].target.address == "198.51.100.10"


# --- what happens to it where it stands


@asynccontextmanager
async def _reading(desk: Desk, client: Any) -> AsyncIterator[ClientConnection]:
    async with desk.socket(client, "/api/v1/events") as socket:
        yield socket


async def _next(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    async with asyncio.timeout(40):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["t"] in kinds:
                return message


async def test_a_knock_is_an_alarm_with_the_cameras_picture(field: Field) -> None:
    """It is told on the socket, stands in the log, and what the camera saw is kept with the deployment."""
    field.desk.host.snapshot_jpeg = photo(shade=77)
    await field.deploying.deployed()
    async with _reading(field.desk, field.deploying.team) as socket:
        await field.says("event/shock", peak_g=5.5)
        alarm = await _next(socket, "unit-alarm")
        assert (alarm["unit"], alarm["kind"], alarm["by"]) == ("D017", "knocked", 5.5)
        assert (alarm["cameras"], alarm["ends"], alarm["alarms"]) == ([field.deploying.camera], None, [])
        picture = await _next(socket, "unit-picture")
        assert (picture["kind"], picture["camera"], picture["recorded"]) == ("knocked", field.deploying.camera, None)
    kept = await field.deploying.team.get(f"{field.deploying.path}/pictures/{picture['sha256']}")
    assert kept.content == field.desk.host.snapshot_jpeg
    log = (await field.deploying.team.get(f"{field.deploying.path}/log")).json()
    assert [line["step"] for line in log[-2:]] == ["alarm", "picture"]


async def test_what_a_unit_kept_while_its_link_was_away_has_its_own_time(field: Field) -> None:
    """A knock, and then fixes that lead off, all told at once: each is of then, and so is its picture."""
    await field.deploying.deployed()
    field.clock.leap(600)
    now_ns = field.clock.wall_ns()
    run = footage.RunSpan(start_ns=now_ns - 900 * NS_PER_S, end_ns=now_ns, codec=VideoCodec.H264, width=64, height=48)
    field.desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=now_ns)
    async with _reading(field.desk, field.deploying.team) as socket:
        await field.says("event/shock", ago_s=400, peak_g=5.5)
        for number in range(30):
            away = {"latitude": 51.5 + 0.0002 * number, "longitude": -0.1, "accuracy_m": 4, "satellites": 9}
            await field.says("state/position", ago_s=390 - 10 * number, **away)
        news = [await _next(socket, "unit-alarm", "unit-picture") for _ in range(4)]
    knocked, left = [one for one in news if one["t"] == "unit-alarm"]
    pictures = [one for one in news if one["t"] == "unit-picture"]
    assert [knocked["kind"], left["kind"]] == ["knocked", "left"]
    assert knocked["happened"] < left["happened"] < left["at"]
    assert iso(now_ns - 410 * NS_PER_S) < knocked["happened"] < iso(now_ns - 390 * NS_PER_S)
    assert [one["recorded"] for one in pictures] == [knocked["happened"], left["happened"]]


async def test_an_alarm_that_lasts_is_told_with_its_end(field: Field) -> None:
    """With the place that the unit said last; and its end names what it ends."""
    await field.deploying.deployed()
    async with _reading(field.desk, field.deploying.team) as socket:
        await field.says("state/position", latitude=51.5002, longitude=-0.1, accuracy_m=4, satellites=9)
        await field.says("state/case", open=True)
        alarm = await _next(socket, "unit-alarm")
        assert (alarm["kind"], alarm["ends"], alarm["alarms"]) == ("opened", None, ["opened"])
        assert alarm["place"] == {"latitude": 51.5002, "longitude": -0.1}
        await field.says("state/case", open=False)
        over = await _next(socket, "unit-alarm")
        assert (over["kind"], over["ends"], over["alarms"]) == ("closed", "opened", [])


async def test_a_lost_link_is_told_with_where_the_unit_stands(field: Field) -> None:
    """Its last will tells the room at once: which unit, which cameras, and by which deployment they stand there."""
    assert (await field.desk.admin.put(UNIT, json={"camera": field.deploying.camera})).status_code == 200
    standing = await field.deploying.deployed()
    async with _reading(field.desk, field.deploying.team) as socket:
        cut(field.client)
        while (news := (await _next(socket, "units"))["units"][0])["link"] != "gone":
            pass
    assert (news["label"], news["cameras"]) == ("D017", [field.deploying.camera])
    assert news["deployment"] == standing["id"]


async def test_a_camera_that_is_gone_leaves_its_last_recorded_picture(field: Field) -> None:
    """Where it makes no picture any more the alarm has the last one that is on the disk, with its time."""
    field.desk.host.still_jpeg = photo(shade=78)
    run = footage.RunSpan(start_ns=RECORDED_NS, end_ns=ENDED_NS, codec=VideoCodec.H264, width=1280, height=720)
    field.desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=ENDED_NS)
    field.desk.host.refuse["snapshot"] = GONE
    await field.deploying.deployed()
    async with _reading(field.desk, field.deploying.team) as socket:
        await field.says("event/tamper")
        picture = await _next(socket, "unit-picture")
    assert picture["recorded"] == iso(ENDED_NS - 1)
    kept = await field.deploying.team.get(f"{field.deploying.path}/pictures/{picture['sha256']}")
    assert kept.content == field.desk.host.still_jpeg


async def test_an_alarm_without_any_picture_is_an_alarm(field: Field) -> None:
    """Nothing is recorded and the camera is gone: the alarm stands alone, and the next one is heard as well."""
    field.desk.host.refuse = {"snapshot": GONE, "still": GONE}
    await field.deploying.deployed()
    async with _reading(field.desk, field.deploying.team) as socket:
        await field.says("event/tamper")
        assert (await _next(socket, "unit-alarm"))["kind"] == "tampered"
        without = await _next(socket, "unit-no-picture")
        assert (without["kind"], without["why"]) == ("tampered", "none-made")
        field.desk.host.refuse = {}
        field.desk.host.snapshot_jpeg = photo(shade=79)
        await field.says("state/case", open=True)
        assert (await _next(socket, "unit-picture"))["kind"] == "opened"


async def test_what_stands_nowhere_raises_nothing(field: Field) -> None:
    """A unit in the store is knocked all day: it is heard, and nobody is called."""
    await field.says("event/shock", peak_g=5.5)

    async def states() -> Any:
        return (await field.desk.admin.get(UNIT)).json()["states"]

    await told(states, lambda said: any(one["kind"] == "event/shock" for one in said), what="the knock")
    assert (await field.deploying.team.get("/api/v1/deployments")).json() == []


async def test_a_units_states_are_told_to_who_may_see_its_camera(field: Field) -> None:
    """As they change, with its link; an operator is told nothing of a unit that has no camera which they see."""
    mark = f"/api/v1/cameras/{field.deploying.camera}/deployable"
    assert (await field.desk.admin.delete(mark)).status_code == 204
    async with _reading(field.desk, field.desk.admin) as all_seeing, _reading(field.desk, field.deploying.team) as team:
        await field.says("state/battery", percent=41, volts=11.8, charging=False)
        (unit,) = (await _next(all_seeing, "units"))["units"]
        assert (unit["label"], unit["link"]) == ("D017", "online")
        assert unit["states"][-1]["values"]["percent"] == 41
        assert (await field.desk.admin.put(UNIT, json={"camera": field.deploying.camera})).status_code == 200
        await field.says("state/battery", percent=40, volts=11.8, charging=False)
        while not (units := (await _next(team, "units"))["units"])[0]["states"]:
            pass
        assert [state["values"]["percent"] for state in units[0]["states"]] == [40]


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
