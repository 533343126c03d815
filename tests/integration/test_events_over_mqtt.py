"""Cameras tell events over MQTT: told to by ONVIF, through Debian's mosquitto, to whoever hears events of cameras."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from config.telemetry import TelemetrySettings
from drivers.errors import CameraFaultError
from drivers.model import EventBroker
from drivers.simulator import happenings
from gateway.fleet import rpc
from gateway.fleet.changes import FleetChange, Happened
from gateway.mqtt import DEVICES
from gateway.units.device_passwords import fresh
from kernel.clock import SystemClock, utc
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.onvif_camera import onvif_camera
from tests.fakes.ports import free_port
from tests.fakes.unit_broker import UnitBroker, unit_broker, unit_client
from tests.fakes.waiting import told, until
from tests.integration.test_api_units import tls_of

MOTION, TAMPER = "tns1:VideoSource/MotionAlarm", "tns1:VideoSource/GlobalSceneChange/ImagingService"
OFF_TOPIC = "VideoSource/GlobalSceneChange/ImagingService/&video-source-1"


class Site:
    """A gateway, Debian's mosquitto with both listeners, and an enrolled camera."""

    def __init__(self, desk: Desk, broker: UnitBroker, cameras_port: int) -> None:
        self.desk = desk
        self.broker = broker
        self.cameras_port = cameras_port
        self.happened: list[rpc.CameraHappened] = []
        desk.gateway.fleet.listen(self._hear)

    def _hear(self, change: FleetChange) -> None:
        if isinstance(change, Happened):
            self.happened.append(change.event)

    def of(self, topic: str) -> list[dict[str, str]]:
        """Return what events of a topic said."""
        return [one.data for one in self.happened if one.topic == topic]

    async def refusals(self) -> list[tuple[str, str]]:
        """Return what was refused, by cause and name."""
        found = (await self.desk.admin.get("/api/v1/units")).json()["refusals"]
        return [(one["cause"], one["label"]) for one in found]


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Return it."""
    port, cameras, pki = free_port(), free_port(), tmp_path / "pki"
    telemetry = TelemetrySettings(
        broker_url=f"mqtts://127.0.0.1:{port}", cameras_url=f"mqtts://127.0.0.1:{cameras}", pki_dir=pki
    )
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(tmp_path, settings=settings))
        units = desk.gateway.rooms.units
        assert units is not None
        broker = await stack.enter_async_context(
            unit_broker(tmp_path / "broker", units, port=port, cameras_port=cameras)
        )
        yield Site(desk, broker, cameras)


async def test_a_camera_that_is_told_to_tells_its_events(site: Site) -> None:
    """From the request at the API to the event: password, prefix and topics all fit; told no more, it is silent."""
    camera = await site.desk.enrol()
    path = f"/api/v1/cameras/{camera}"
    answer = await site.desk.admin.put(f"{path}/event-broker")
    assert answer.status_code == 204, answer.text
    (wish,) = site.desk.host.event_brokers.values()
    site.broker.reload()
    async with onvif_camera(SystemClock()) as simulated, simulated.opened() as device:
        await device.event_brokers.add(wish)
        await until(lambda: site.of(MOTION), what="the state of its properties")
        happenings.motion(simulated.device, on=True)
        await until(lambda: {"State": "true"} in site.of(MOTION), what="something that moves")
        (event,) = [one for one in site.happened if one.topic == MOTION and one.data == {"State": "true"}]
        assert (event.id, event.source) == (camera, {"Source": "video-source-1"})
        (listed,) = await device.event_brokers.all()
        assert (listed.address, listed.prefix, listed.status) == (wish.address, wish.prefix, "Connected")
        assert listed.password.get_secret_value() == ""
        await device.event_brokers.remove(wish.address)
        assert list(await device.event_brokers.all()) == []
        with pytest.raises(CameraFaultError):
            await device.event_brokers.remove(wish.address)
    assert await site.refusals() == []
    assert (await site.desk.admin.get(f"{path}/event-brokers")).json()["prefix"] == wish.prefix
    assert (await site.desk.admin.delete(f"{path}/event-broker")).status_code == 204
    assert site.desk.host.event_brokers == {}
    assert [json.loads(one.details)["on"] for one in await site.desk.audit("camera.event-broker")] == [True, False]


async def test_a_camera_writes_on_its_own_topics_alone(site: Site) -> None:
    """On another device's, or a unit's, the broker takes nothing of it; nor with a password that is not its own."""
    units = site.desk.gateway.rooms.units
    assert units is not None
    first, second = site.desk.gateway.fleet.camera(await site.desk.enrol()).device_id, "f" * 32
    password = fresh()
    await units.passwords.put(first, password)
    site.broker.reload()
    for prefix, secret in ((f"{DEVICES}/{second}", password), (f"{DEVICES}/{first}", "wrong")):
        async with onvif_camera(SystemClock()) as simulated, simulated.opened() as device:
            address = f"mqtts://127.0.0.1:{site.cameras_port}"
            broker = EventBroker(address=address, prefix=prefix, username=first, password=SecretStr(secret))
            await device.event_brokers.add(broker)
            wanted = "Connected" if secret == password else "Connecting"
            await told(device.event_brokers.all, lambda found: found[0].status == wanted, what=wanted)  # noqa: B023
            happenings.motion(simulated.device, on=True)
    async with onvif_camera(SystemClock()) as simulated, simulated.opened() as device:
        own = EventBroker(
            address=f"mqtts://127.0.0.1:{site.cameras_port}",
            prefix=f"{DEVICES}/{first}",
            username=first,
            password=SecretStr(password),
        )
        await device.event_brokers.add(own)
        await until(lambda: site.of(MOTION), what="its own")
    assert {"State": "true"} not in site.of(MOTION)


@pytest.mark.parametrize("wrong", ["amqp://127.0.0.1:5672", "mqtts://"])
async def test_a_device_refuses_a_broker_that_is_none(wrong: str) -> None:
    """As the specification has it."""
    async with onvif_camera(SystemClock()) as simulated, simulated.opened() as device:
        with pytest.raises(CameraFaultError):
            await device.event_brokers.add(EventBroker(address=wrong, prefix="p"))


async def test_tampering_with_a_unit_is_an_alarm_and_what_is_wrong_is_seen(tmp_path: Path) -> None:
    """A unit tells events of its own camera with its own certificate; once, in order, and of no other's."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port(), pki_dir=tmp_path / "pki")
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    async with open_desk(tmp_path, settings=settings) as desk:
        deploying = await Deploying.at(desk)
        await deploying.deployed()
        assert (await desk.admin.post("/api/v1/units", json={"label": "D017"})).status_code == 201
        bundle = (await desk.admin.post("/api/v1/units/D017/certificate")).json()
        tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
        async with unit_client(telemetry.port, tls, "D017", modern=False) as client:
            own = "sightline/v1/units/D017/onvif-ej"
            now = utc(SystemClock().wall_ns()).isoformat()
            event: dict[str, Any] = {"UtcTime": now, "Source": {"Source": "video-source-1"}, "Data": {"State": "true"}}
            await client.publish(f"{own}/{OFF_TOPIC}", json.dumps(event), qos=1)

            async def log() -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = (await deploying.team.get(f"{deploying.path}/log")).json()
                return found

            def raised(lines: list[dict[str, Any]]) -> bool:
                return any(line["step"] == "alarm" and line["said"]["kind"] == "tampered" for line in lines)

            await told(log, raised, what="the alarm")
            await client.publish(f"{own}/{OFF_TOPIC}", json.dumps(event), qos=1)
            await client.publish(f"{own}/VideoSource/MotionAlarm", b"{", qos=1)
            await client.publish("sightline/v1/units/D018/onvif-ej/VideoSource/MotionAlarm", json.dumps(event), qos=1)

            async def refused() -> set[tuple[str, str]]:
                found = (await desk.admin.get("/api/v1/units")).json()["refusals"]
                return {(one["cause"], one["label"]) for one in found}

            wanted = {("replayed", "D017"), ("malformed", "D017"), ("wrong-unit", "D017")}
            await told(refused, lambda found: found == wanted, what="what was wrong")


async def test_without_a_broker_for_cameras_none_is_told(tmp_path: Path) -> None:
    """It says what to set; and who may not enrol tells no camera anything."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port())
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    async with open_desk(tmp_path, settings=settings) as desk:
        camera = await desk.enrol()
        answer = await desk.admin.put(f"/api/v1/cameras/{camera}/event-broker")
        assert answer.status_code == 404
        assert re.search("telemetry.cameras_url", answer.json()["detail"])
        operator = await desk.person("operator")
        assert (await operator.put(f"/api/v1/cameras/{camera}/event-broker")).status_code == 403
