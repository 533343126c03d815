"""Other systems are told what people asked for, at Debian's mosquitto and at the embedded broker, and nobody's name."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from config.outward import OutwardSettings, OutwardTopic
from config.telemetry import TelemetrySettings
from gateway.app import open_gateway
from gateway.deployments.reminding import Reminding
from gateway.fleet import rpc
from gateway.telemetry.outward.messages import KINDS, PRESENCE, TOLD, Absence, PresenceSaid, UnitAlarmSaid
from kernel.clock import SystemClock
from kernel.ids import CameraId
from tests.fakes.deploying import REFERRAL, Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.outside import officer, share
from tests.fakes.ports import free_port
from tests.fakes.reading import Reader, reading, shipped_readers
from tests.fakes.unit_broker import UnitBroker, unit_broker, unit_client
from tests.fakes.unit_field import say
from tests.fakes.unit_voice import Voice
from tests.fakes.waiting import until
from tests.integration.test_api_units import tls_of

DEPLOYMENTS = "sightline/v1/deployments"
UNIT_ALARMS = "sightline/v1/units/D017/alarms"
EVERYTHING = (
    "sightline/v1/cameras/#",
    "sightline/v1/units/+/alarms",
    "sightline/v1/incidents",
    DEPLOYMENTS,
    "sightline/v1/outward",
)
STATE, ALARMS = "sightline/v1/cameras/1/state", "sightline/v1/cameras/1/alarms"
SHARES, HOLDS = "sightline/v1/cameras/1/shares", "sightline/v1/cameras/1/holds"
INCIDENTS = "sightline/v1/incidents"


@dataclass
class Site:
    """A gateway with a broker that somebody reads at."""

    desk: Desk
    port: int
    pki: Path
    reader: Reader
    broker: UnitBroker | None


@asynccontextmanager
async def site(
    path: Path, kind: str, outward: OutwardSettings, *topics: str, name: str = "reader.dispatch"
) -> AsyncIterator[Site]:
    """Give it, with its reader."""
    port, pki = free_port(), path / "pki"
    where: dict[str, Any] = {"embedded": True, "host": "127.0.0.1", "port": port}
    if kind == "mosquitto":
        where = {"broker_url": f"mqtts://127.0.0.1:{port}"}
    settings = settings_in(path).model_copy(
        update={"telemetry": TelemetrySettings(pki_dir=pki, **where), "outward": outward}
    )
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(path, settings=settings))
        units, broker = desk.gateway.rooms.units, None
        assert units is not None
        if kind == "mosquitto":
            broker = await stack.enter_async_context(
                unit_broker(path / "broker", units, port=port, allowed=shipped_readers())
            )
            # It was there before the broker: what units say before it has a session there, nobody keeps for it.
            hearing: Any = desk.gateway.rooms.commander
            await until(lambda: hearing._send.__self__.connected, what="the gateway to hear units")
        reader = await stack.enter_async_context(reading(port, pki, *(topics or EVERYTHING), name=name))
        yield Site(desk, port, pki, reader, broker)


@pytest.fixture(params=["mosquitto", "embedded"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return which broker."""
    found: str = request.param
    return found


@pytest_asyncio.fixture
async def told(tmp_path: Path, kind: str) -> AsyncIterator[Site]:
    """Return a site that tells everything."""
    outward = OutwardSettings(topics=tuple(OutwardTopic), readers=("dispatch",))
    async with site(tmp_path, kind, outward) as one:
        yield one


async def test_everything_is_told_and_nobody_is_named(told: Site, tmp_path: Path) -> None:
    """A camera's state, an alarm, a share, a hold and an incident; in no payload is anything that somebody typed."""
    desk, reader = told.desk, told.reader
    deploying = await Deploying.at(desk, name="Outside Mrs Peabody's", street="Peabody Walk")
    await reader.next(STATE, live="live")
    desk.host.say(
        rpc.CameraChanged(
            state=rpc.CameraState(
                id=CameraId(deploying.camera),
                live=rpc.LiveState.RETRYING,
                problem=rpc.Problem(type="camera.unreachable", title="Mr Quill pulled its plug.", status=502),
                main=rpc.StreamFacts(state=rpc.LiveState.RETRYING),
            )
        )
    )
    state = await reader.next(STATE, live="retrying")
    assert (state["problem"], state["recording"], state["picture"]) == ("camera.unreachable", "off", None)
    await deploying.deployed()
    await desk.admin.post("/api/v1/units", json={"label": "D017", "note": "Ask Mr Quill for its key"})
    bundle = (await desk.admin.post("/api/v1/units/D017/certificate")).json()
    tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
    voice = Voice("D017", wall_ns=SystemClock().wall_ns())
    async with unit_client(told.port, tls, "D017", modern=False) as client:
        await client.publish(voice.topic("online"), voice.payload(online=True, firmware="2.1.0"), qos=1, retain=True)
        await client.publish(voice.topic("event/shock"), voice.payload(peak_g=6.5), qos=1)
        alarm = await reader.next(ALARMS, kind="knocked")
    assert (alarm["source"], alarm["over"], alarm["urgency"], alarm["number"]) == ("unit", False, "now", 1)
    await Reminding(desk.gateway.rooms.deployments, clock=SystemClock()).look()
    due = await reader.next(DEPLOYMENTS, what="review")
    assert (due["overdue"], due["where"]) == (False, [1])
    assert deploying.path.endswith(due["deployment"])
    assert (await reader.next(UNIT_ALARMS, kind="knocked"))["unit"] == "D017"
    pc = await officer(desk)
    given = await share(desk, pc, deploying.camera, reference="CAD 4711", title="Mr Quill's door", minutes=30)
    began = await reader.next(SHARES, what="began")
    assert (began["share"], began["number"]) == (given, 1)
    incident = await reader.next(INCIDENTS, reference="CAD 4711")
    assert incident["where"] == [1]
    assert (await desk.admin.delete(f"/api/v1/shares/{given}")).status_code in {200, 204}
    await reader.next(SHARES, what="ended", share=given)
    body = {
        "start": "2026-07-01T10:00:00Z",
        "end": "2026-07-01T11:00:00Z",
        "reason": "Robbery of Mrs Peabody",
        "reference": "Peabody robbery",
        "authority": "DC Hargreaves",
    }
    hold = (await desk.admin.post(f"/api/v1/cameras/{deploying.camera}/holds", json=body)).json()
    placed = await reader.next(HOLDS, what="placed", hold=hold["id"])
    assert placed["start"] == "2026-07-01T10:00:00Z"
    path = f"/api/v1/cameras/{deploying.camera}/holds/{hold['id']}"
    assert (await desk.admin.patch(path, json={"review": placed["review"]})).status_code == 200
    await reader.next(HOLDS, what="reviewed")
    assert (await desk.admin.delete(path)).status_code == 204
    await reader.next(HOLDS, what="released")
    _nobody_is_in(reader, await _personal(desk))
    _is_as_the_models_say(reader)


async def _personal(desk: Desk) -> set[str]:
    """Return everything that names or describes somebody in this site, and what was typed."""
    people = (await desk.admin.get("/api/v1/users")).json()
    found = {str(one[key]) for one in people for key in ("id", "username", "name") if one.get(key)}
    found |= {str(value) for value in REFERRAL.values() if isinstance(value, str)}
    return found | {"Peabody", "Quill", "Hargreaves", "Robbery", "Mill Lane", "127.0.0.1"}


def _nobody_is_in(reader: Reader, personal: set[str]) -> None:
    assert len(personal) > 10
    assert len({topic for topic, _, _ in reader.heard}) == 8
    for topic, payload, _ in reader.heard:
        for word in personal:
            assert word.lower() not in f"{topic} {payload.decode()}".lower(), f"{word} on {topic}"


def _is_as_the_models_say(reader: Reader) -> None:
    """Every payload is valid by its model, and the numbers of each kind rise by one."""
    branches = {"state": "cameras", "incidents": "incidents"}
    seqs: dict[str, list[int]] = {}
    for topic, payload, _ in reader.heard:
        last = topic.rpartition("/")[2]
        if topic == PRESENCE:
            if Absence().model_dump_json().encode() != payload:
                TOLD[PresenceSaid].model_validate_json(payload)
            continue
        if topic == UNIT_ALARMS:
            TOLD[UnitAlarmSaid].model_validate_json(payload)
            seqs.setdefault("units", []).append(json.loads(payload)["seq"])
            continue
        kind = OutwardTopic(branches.get(last, last))
        TOLD[KINDS[kind]].model_validate_json(payload)
        seqs.setdefault(kind.value, []).append(json.loads(payload)["seq"])
    for event in ("units", "alarms", "shares", "holds", "incidents", "deployments"):
        assert seqs[event] == list(range(1, len(seqs[event]) + 1)), event


async def test_what_nobody_asked_for_is_not_told(tmp_path: Path, kind: str) -> None:
    """Where only holds are: no state, no share and no incident goes out."""
    outward = OutwardSettings(topics=(OutwardTopic.HOLDS,), readers=("dispatch",))
    async with site(tmp_path, kind, outward) as one:
        camera, pc = await one.desk.enrol(), await officer(one.desk)
        await share(one.desk, pc, camera, reference="CAD 4711", minutes=30)
        body = {"start": "2026-07-01T10:00:00Z", "end": "2026-07-01T11:00:00Z", "reason": "Robbery"}
        assert (await one.desk.admin.post(f"/api/v1/cameras/{camera}/holds", json=body)).status_code == 201
        await one.reader.next(HOLDS, what="placed")
        assert {topic for topic, _, _ in one.reader.heard} == {HOLDS, PRESENCE}
        assert one.reader.of(PRESENCE)[0]["topics"] == ["holds"]


async def test_a_camera_that_goes_or_changes_its_number_is_forgotten(told: Site) -> None:
    """The broker keeps one state of each number that there is."""
    camera = await told.desk.enrol()
    await told.reader.next(STATE)
    assert (await told.desk.admin.patch(f"/api/v1/cameras/{camera}", json={"number": 7})).status_code == 200
    await told.reader.next("sightline/v1/cameras/7/state")
    await told.reader.cleared(STATE)
    assert (await told.desk.admin.delete(f"/api/v1/cameras/{camera}")).status_code == 204
    await told.reader.cleared("sightline/v1/cameras/7/state")


async def test_home_assistant_finds_a_unit_until_it_is_retired(tmp_path: Path, kind: str) -> None:
    """Its discovery is kept, its entries point to what the unit says, and both are for who is named to read them."""
    found = "homeassistant/device/sightline_D017/config"
    outward = OutwardSettings(home_assistant=True, readers=("homeassistant",))
    topics = ("homeassistant/device/+/config", "sightline/v1/units/+/online", "sightline/v1/units/+/state/+")
    async with site(tmp_path, kind, outward, *topics, name="reader.homeassistant") as one:
        await one.desk.admin.post("/api/v1/units", json={"label": "D017", "note": "Ask Mr Quill for its key"})
        told = await one.reader.next(found)
        bundle = (await one.desk.admin.post("/api/v1/units/D017/certificate")).json()
        tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
        voice = Voice("D017", wall_ns=SystemClock().wall_ns())
        async with unit_client(one.port, tls, "D017", modern=False) as client:
            await say(client, voice, "online", online=True, firmware="2.1.0")
            await say(client, voice, "state/battery", percent=80, volts=12.4, charging=False)
            assert (await one.reader.next(told["avty_t"]))["online"] is True
            assert (await one.reader.next(told["cmps"]["battery"]["stat_t"]))["percent"] == 80
            await one.reader.next(found, dev={**told["dev"], "sw": "2.1.0"})
        assert (await one.desk.admin.delete("/api/v1/units/D017")).status_code == 204
        await one.reader.cleared(found)
        assert not any(b"Quill" in payload for _, payload, _ in one.reader.heard)
        assert one.reader.of(PRESENCE) == []


async def test_home_assistant_that_is_wanted_no_more_finds_no_unit_after_the_next_start(tmp_path: Path) -> None:
    """At Debian's mosquitto, which keeps what it was told: a gateway that starts without it removes every unit."""
    found = [f"homeassistant/device/sightline_{label}/config" for label in ("D017", "D018")]
    port, pki, memory = free_port(), tmp_path / "pki", tmp_path / "outward.json"
    telemetry = TelemetrySettings(pki_dir=pki, broker_url=f"mqtts://127.0.0.1:{port}")
    wanted = OutwardSettings(home_assistant=True, readers=("homeassistant",))
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry, "outward": wanted})
    async with AsyncExitStack() as lasting:
        async with open_desk(tmp_path, settings=settings) as desk:
            units = desk.gateway.rooms.units
            assert units is not None
            await lasting.enter_async_context(
                unit_broker(tmp_path / "broker", units, port=port, allowed=shipped_readers())
            )
            reads = reading(port, pki, "homeassistant/device/+/config", name="reader.homeassistant")
            reader = await lasting.enter_async_context(reads)
            for label in ("D017", "D018"):
                await desk.admin.post("/api/v1/units", json={"label": label})
            for topic in found:
                await reader.next(topic)
            await until(lambda: all(one in memory.read_text() for one in found), what="what is kept to be written down")
        unwanted = settings.model_copy(update={"outward": OutwardSettings()})
        async with open_gateway(unwanted, clock=SystemClock(), open_host=FakeHost().open):
            for topic in found:
                await reader.cleared(topic)
            await until(lambda: '"topics": []' in memory.read_text(), what="that nothing is kept any more")


async def test_only_those_who_are_named_read(told: Site, tmp_path: Path) -> None:
    """A unit that asks for everything gets nothing of it, and a reader writes nothing."""
    desk = told.desk
    await desk.admin.post("/api/v1/units", json={"label": "D017"})
    bundle = (await desk.admin.post("/api/v1/units/D017/certificate")).json()
    tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
    async with unit_client(told.port, tls, "D017", modern=False) as client:
        for topic in EVERYTHING:
            await client.subscribe(topic, qos=1)
        camera = await desk.enrol()
        await told.reader.next(STATE, live="live")
        await told.reader.client.publish(STATE, b"forged", qos=1, retain=True)
        await told.reader.client.publish("sightline/v1/units/D017/command/reboot", b"{}", qos=1)
        assert (await desk.admin.patch(f"/api/v1/cameras/{camera}", json={"number": 9})).status_code == 200
        await told.reader.next("sightline/v1/cameras/9/state")
        assert len(client.messages) == 0
    assert b"forged" not in [payload for _, payload, _ in told.reader.heard]
