"""Deployable units in a running borough: real ports that move, a real broker, and one identity throughout."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.onvif.discovery import discover
from drivers.simulator.borough import Borough, open_borough
from drivers.simulator.device import EncodedUnit
from drivers.simulator.orders import obey
from drivers.simulator.picture import strip
from drivers.simulator.settings import BoroughSettings
from drivers.simulator.units.unit import label_of
from gateway.cli.borough import borough_process
from kernel.clock import Clock, SystemClock
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock
from tests.fakes.units_broker import units_broker, watching
from tests.fakes.waiting import told, until
from tests.unit.simulator_town.decoding import decoded, luma_of

CLOCK = SystemClock()


@asynccontextmanager
async def _borough(clock: Clock = CLOCK, **settings: Any) -> AsyncIterator[Borough]:
    small = {"cameras": 1, "units": 1, "width": 320, "height": 180, "sub": (160, 90)}
    async with open_borough(BoroughSettings(**{**small, **settings}), clock=clock) as borough:
        yield borough


async def _answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_unit_is_a_camera() -> None:
    """A unit has a camera of its own, at its own address, numbered after the others, whose pictures say which it is."""
    async with _borough(units=2) as borough:
        first, second = (one.device for one in borough.deployables)
        assert (first.number, second.number) == (2, 3)
        assert (first.urn, first.serial) == (borough.unit("D001").urn, borough.unit("D001").serial)
        assert first.host.startswith("127.64.0.")
        assert await _answers(first.host, first.http_port)
        assert await _answers(second.host, second.rtsp_port)
        pictures: list[EncodedUnit] = []
        detach = second.feeds[StreamName.MAIN].attach(pictures.append)
        await until(lambda: pictures)
        detach()
        reading = strip.read(luma_of(decoded(pictures[0].parameters, pictures)[0]))
        assert reading is not None
        assert reading.number == 3


async def test_a_new_address_is_told() -> None:
    """With another attach the old address is dead, the camera answers at the new one, and is found there by its URN."""
    async with _borough(discovery=True) as borough:
        unit, device = borough.unit("D001"), borough.device(2)
        old = (device.host, device.http_port)
        urn = device.urn
        unit.faults.new_address_s = 2.0
        await until(lambda: device.http_port and (device.host, device.http_port) != old)
        unit.faults.new_address_s = 0.0
        await told(lambda: _answers(device.host, device.http_port), bool)
        assert not await _answers(*old)

        async def found() -> set[str]:
            devices = await discover(clock=CLOCK, timeout_s=1.0, interfaces=["127.0.0.1"])
            return {address for one in devices if one.urn == urn for address in one.addresses}

        addresses = await told(found, bool)
        assert f"http://{device.host}:{device.http_port}/onvif/device_service" in addresses
        await until(lambda: (unit.host, unit.http_port) == (device.host, device.http_port))


async def test_a_flat_unit_is_gone(clock: ManualClock) -> None:
    """When the unit is off nothing answers at its address; charged, its camera is back."""
    async with _borough(clock) as borough:
        unit, device = borough.unit("D001"), borough.device(2)
        assert await _answers(device.host, device.http_port)
        unit.faults.warmer_by_c = -60.0
        unit.battery.energy_wh = 0.0
        unit.faults.no_charging = True

        async def a_second_later() -> bool:
            await clock.turn(1.0)
            return await _answers(device.host, device.http_port)

        await told(a_second_later, lambda answer: not answer)
        unit.faults.no_charging = False
        await told(a_second_later, bool)


async def test_they_call_in_where_they_are_told(tmp_path: Path) -> None:
    """Told of a broker they call in there, and say the address at which their camera answers."""
    async with units_broker(tmp_path, "D001", "D002") as broker, watching(broker, tmp_path) as watcher:
        async with _borough(units=2) as borough:
            order = {"units_broker": {"url": broker.url, "certificates": str(tmp_path)}}
            assert obey(borough, json.dumps(order)) is None
            await until(lambda: watcher.of("D001/state/address") and watcher.of("D002/state/address"))
            address = watcher.last("D002/state/address")
            assert await _answers(address["host"], address["http_port"])
            assert address["urn"] == borough.device(3).urn
            assert obey(borough, json.dumps({"unit": "D002", "fault": "knocked"})) is None
            await until(lambda: watcher.of("D002/event/shock"))
            assert not watcher.of("D001/event/shock")
        await until(lambda: watcher.last("D001/online") == {"online": False})


async def test_a_certificate_that_comes_later(tmp_path: Path) -> None:
    """A unit whose certificate is not there yet keeps nothing else from working, and calls in once it is."""
    async with units_broker(tmp_path, "D001", "D002") as broker, watching(broker, tmp_path) as watcher:
        (tmp_path / "D002.pem").rename(tmp_path / "later.pem")
        async with _borough(units=2, units_broker={"url": broker.url, "certificates": tmp_path}):
            await until(lambda: watcher.of("D001/online"))
            assert not watcher.of("D002/online")
            (tmp_path / "later.pem").rename(tmp_path / "D002.pem")
            await until(lambda: watcher.of("D002/online"))


async def test_another_broker(tmp_path: Path) -> None:
    """Told of another broker they leave the first and call in at the second."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with (
        units_broker(tmp_path / "one", "D001") as first,
        units_broker(tmp_path / "two", "D001") as second,
        watching(first, tmp_path / "one") as before,
        watching(second, tmp_path / "two") as after,
        _borough(units_broker={"url": first.url, "certificates": tmp_path / "one"}) as borough,
    ):
        await until(lambda: before.last("D001/online").get("online"))
        order = {"units_broker": {"url": second.url, "certificates": str(tmp_path / "two")}}
        assert obey(borough, json.dumps(order)) is None
        await until(lambda: after.last("D001/online").get("online"))
        await until(lambda: before.last("D001/online") == {"online": False})


async def test_a_process_of_its_own(tmp_path: Path) -> None:
    """As a process the borough tells its units' cameras apart from the others."""
    async with (
        units_broker(tmp_path, "D001") as broker,
        watching(broker, tmp_path) as watcher,
        borough_process(
            *("--cameras", "1", "--units", "1", "--size", "320x180", "--sub-size", "none", "--own-passwords"),
            *("--units-broker", broker.url, "--units-certificates", str(tmp_path), "--units-protocol", "3.1.1"),
        ) as borough,
    ):
        (unit,) = borough.units
        assert [camera["number"] for camera in borough.cameras] == [1]
        assert (unit["label"], unit["number"]) == ("D001", 2)
        assert await _answers(unit["host"], unit["http_port"])
        await until(lambda: watcher.last("D001/state/address").get("urn") == unit["urn"])


async def test_all_thirty_three(tmp_path: Path) -> None:
    """A borough's 33 units all call in, each as itself; some share an address, and none shares that and a port."""
    labels = [label_of(number) for number in range(1, 34)]
    async with (
        units_broker(tmp_path, *labels) as broker,
        watching(broker, tmp_path) as watcher,
        _borough(units=33, units_broker={"url": broker.url, "certificates": tmp_path}),
    ):
        topics = [f"{label}/state/address" for label in labels]
        await until(lambda: all(watcher.of(topic) for topic in topics), timeout_s=90.0)
        addresses = [watcher.last(topic) for topic in topics]
        assert len({address["urn"] for address in addresses}) == 33
        assert len({address["serial"] for address in addresses}) == 33
        assert len({address["host"] for address in addresses}) <= 14
        assert len({(address["host"], address["http_port"]) for address in addresses}) == 33
        for label in labels:
            numbers = [one.body["seq"] for one in watcher.heard if one.topic.startswith(f"{label}/")]
            assert numbers == sorted(set(numbers))
