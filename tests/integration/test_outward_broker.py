"""What is told, and Debian's mosquitto: it goes away and comes back, and keeps nothing that is not wanted any more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from config.errors import BadValueError
from config.outward import OutwardSettings, OutwardTopic
from gateway.mqtt import BrokerAddress
from gateway.telemetry.outward.messages import PRESENCE, AlarmSaid, CameraSaid
from gateway.telemetry.outward.service import Outward, door_elsewhere, door_to_units, open_outward
from gateway.units import Units
from gateway.units.credentials import reader
from kernel.clock import SystemClock
from tests.fakes.mosquitto import PASSWORD, USER, mosquitto
from tests.fakes.reading import Reader, reading, shipped_readers
from tests.fakes.unit_broker import UnitBroker, unit_broker
from tests.fakes.unit_voice import unit_room
from tests.fakes.waiting import until

EVERYTHING = ("sightline/v1/cameras/#", "sightline/v1/incidents", PRESENCE)
STATE, ALARMS = "sightline/v1/cameras/3/state", "sightline/v1/cameras/3/alarms"
ALL = OutwardSettings(topics=tuple(OutwardTopic))


def alarm(kind: str) -> AlarmSaid:
    """Return one."""
    return AlarmSaid(number=3, source="unit", kind=kind, over=False, urgency="now")


def camera(live: Any) -> CameraSaid:
    """Return how camera 3 fares."""
    return CameraSaid(number=3, live=live, problem=None, recording="on", picture=None)


class Stand:
    """A broker, and who may read there."""

    def __init__(self, units: Units, broker: UnitBroker, folder: Path) -> None:
        self.units = units
        self.broker = broker
        self.folder = folder

    @asynccontextmanager
    async def telling(self, settings: OutwardSettings = ALL) -> AsyncIterator[Outward | None]:
        """Tell for the time of the block."""
        address = BrokerAddress("127.0.0.1", self.broker.port, tls=True)
        door = door_to_units(self.units.credentials, address, ca=None, keepalive_s=20)
        file = self.folder / "outward.json"
        async with open_outward(settings, door, broker=self.broker.url, file=file, clock=SystemClock()) as outward:
            yield outward

    @asynccontextmanager
    async def read(self, *, lasting: bool = False) -> AsyncIterator[Reader]:
        """Read everything for the time of the block."""
        pki = self.units.credentials.ca_file.parent
        async with reading(self.broker.port, pki, *EVERYTHING, lasting=lasting) as one:
            yield one


@pytest_asyncio.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    """Return it."""
    async with unit_room(tmp_path, SystemClock()) as units:
        await units.credentials.client(reader("dispatch"))
        async with unit_broker(tmp_path / "broker", units, allowed=shipped_readers()) as broker:
            yield Stand(units, broker, tmp_path)


async def test_whoever_stops_telling_says_so(stand: Stand) -> None:
    """Presence is kept, with what is told; in the end it says that there is nobody."""
    async with stand.read() as one:
        async with stand.telling():
            assert len((await one.next(PRESENCE, online=True))["topics"]) == len(OutwardTopic)
        await one.next(PRESENCE, online=False)


async def test_a_broker_that_comes_back_is_told_what_waited(stand: Stand) -> None:
    """Events of meanwhile come in their order, and states as they are now."""
    async with stand.telling() as outward:
        assert outward is not None
        outward.outbox.keep(OutwardTopic.CAMERAS, camera("live"), 3)
        async with stand.read(lasting=True) as one:
            await one.next(STATE, live="live")
        await stand.broker.stop()
        await until(lambda: not outward.client.connected, what="the loss to be seen")
        for kind in ("left", "opened", "knocked"):
            outward.outbox.tell(OutwardTopic.ALARMS, alarm(kind), 3)
        outward.outbox.keep(OutwardTopic.CAMERAS, camera("off"), 3)
        await stand.broker.start()
        async with stand.read(lasting=True) as one:
            await until(lambda: len(one.of(ALARMS)) >= 3, what="three alarms")
            assert [told["kind"] for told in one.of(ALARMS)] == ["left", "opened", "knocked"]
            await one.next(STATE, live="off")


async def test_what_is_told_no_more_is_removed(stand: Stand) -> None:
    """With everything switched off it connects for that alone; and when all is gone it does not connect at all."""
    async with stand.telling() as outward:
        assert outward is not None
        outward.outbox.keep(OutwardTopic.CAMERAS, camera("live"), 3)
        async with stand.read() as one:
            await one.next(STATE, live="live")
    async with stand.read() as one:
        await one.next(STATE, live="live")
        async with stand.telling(OutwardSettings()) as outward:
            assert outward is not None
            await one.cleared(STATE)
            await one.cleared(PRESENCE)
            await until(lambda: not outward.outbox.remembered, what="the broker's word for it")
            memory = stand.folder / "outward.json"
            await until(lambda: '"topics": []' in memory.read_text(), what="that to be written down")
    async with stand.telling(OutwardSettings()) as outward:
        assert outward is None


async def test_another_broker_is_come_to_by_name_and_password(tmp_path: Path) -> None:
    """As the settings say, over TLS; a password that everybody may read is refused at the start."""
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    (tmp_path / "bus").mkdir()
    async with mosquitto(tmp_path / "bus") as bus:
        settings = OutwardSettings(
            topics=(OutwardTopic.ALARMS,), url=bus.url, ca=bus.ca, username=USER, password_file=secret
        )
        file, clock = tmp_path / "outward.json", SystemClock()
        door = door_elsewhere(settings)
        async with open_outward(settings, door, broker=bus.url, file=file, clock=clock) as outward:
            assert outward is not None
            outward.outbox.tell(OutwardTopic.ALARMS, alarm("left"), 3)
            await until(lambda: not outward.outbox.waiting, what="the broker to have it")
        secret.chmod(0o644)
        with pytest.raises(BadValueError):
            async with open_outward(settings, door, broker=bus.url, file=file, clock=clock):
                pass
