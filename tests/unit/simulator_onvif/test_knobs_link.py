"""Knobs that break the link, the answers and the machine."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import device_url, onvif_server
from drivers.simulator.onvif.mischief import gzip_bomb
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock
from tests.fakes.ports import free_port
from tests.fakes.waiting import PATIENCE_S
from tests.unit.simulator_onvif.stand import Wire, a_device, on_the_wire


@pytest.fixture
def device() -> SimulatedDevice:
    """Return a camera on a port that the machine gives nobody while it is closed."""
    device = a_device(SystemClock())
    device.http_port = free_port()
    return device


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


async def raw(device: SimulatedDevice) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection with one request sent."""
    reader, writer = await asyncio.open_connection(device.host, device.http_port)
    writer.write(b"GET /snapshot/profile-main HTTP/1.1\r\nHost: camera\r\n\r\n")
    return reader, writer


async def test_drop_link(wire: Wire, device: SimulatedDevice) -> None:
    """drop_link: a request is taken and not answered; when the link is back it is."""
    device.faults.drop_link = True
    call = asyncio.create_task(wire.call("tds", "GetHostname"))
    done, _ = await asyncio.wait({call}, timeout=0.3)
    assert not done
    device.faults.drop_link = False
    assert (await call).status == 200


async def test_drop_link_does_not_hold_up_a_shutdown(device: SimulatedDevice) -> None:
    """A camera whose link hangs can still be switched off."""
    device.faults.drop_link = True
    async with onvif_server(device):
        reader, writer = await raw(device)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def open_to(device: SimulatedDevice) -> bool:
    """Return whether the port takes a connection now."""
    try:
        _, writer = await asyncio.open_connection(device.host, device.http_port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_refuse_connections(wire: Wire, device: SimulatedDevice) -> None:
    """refuse_connections: the port closes, connections that stood are cut, and it opens again where it was."""
    reader, writer = await asyncio.open_connection(device.host, device.http_port)
    device.faults.refuse_connections = True
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    assert not await open_to(device)
    device.faults.refuse_connections = False
    async with asyncio.timeout(PATIENCE_S):
        while not await open_to(device):
            await device.clock.sleep(0.02)
    assert (await wire.call("tds", "GetHostname")).status == 200


async def test_garbage(wire: Wire, device: SimulatedDevice) -> None:
    """garbage: what comes is not HTTP."""
    device.faults.garbage = True
    reader, writer = await raw(device)
    assert not (await reader.read()).startswith(b"HTTP/")
    writer.close()
    await writer.wait_closed()
    with pytest.raises(aiohttp.ClientError):
        await wire.call("tds", "GetHostname")


async def test_endless_body(wire: Wire, device: SimulatedDevice) -> None:
    """endless_body: an answer goes on for longer than any answer."""
    device.faults.endless_body = True
    async with wire.session.post(device_url(device), data=b"") as response:
        received = 0
        while received < 2**20:
            received += len(await response.content.read(2**16))
        assert not response.content.at_eof()
        response.close()


async def test_entity_bomb(wire: Wire, device: SimulatedDevice) -> None:
    """entity_bomb: the answer declares entities that stand for ever more of each other."""
    device.faults.entity_bomb = True
    body = (await wire.post(b"")).body
    assert b"<!DOCTYPE" in body
    assert b'<!ENTITY e9 "&e8;&e8;' in body
    assert len(body) < 4096


async def test_gzip_bomb(wire: Wire, device: SimulatedDevice) -> None:
    """gzip_bomb: a small body says that it is gzip and unpacks to more than any answer."""
    device.faults.gzip_bomb = True
    async with aiohttp.ClientSession(auto_decompress=False) as session, session.post(device_url(device)) as response:
        packed = await response.read()
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 2**20
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert len(inflater.decompress(packed, 2**23)) == 2**23


async def test_the_gzip_bomb_is_sound() -> None:
    """It is one whole gzip stream with a true checksum: a decoder finds nothing wrong until it is too late."""
    packed = await asyncio.to_thread(gzip_bomb)
    assert len(await asyncio.to_thread(gzip.decompress, packed)) == 256 * 2**20


async def test_redirect_to_loopback(wire: Wire, device: SimulatedDevice) -> None:
    """redirect_to_loopback: every answer points at the client itself."""
    device.faults.redirect_to_loopback = True
    answer = await wire.post(b"")
    assert (answer.status, answer.headers["Location"]) == (302, "http://127.0.0.1:1/")


async def test_burst_reboots(clock: ManualClock) -> None:
    """burst_reboots: one request too many in a second is not answered, and the camera reboots."""
    device = a_device(clock)  # on which all of them come at once, however long the machine takes for them
    rebooted: list[bool] = []
    device.reboot = lambda: rebooted.append(True)
    device.faults.burst_reboots = 3
    async with on_the_wire(device) as wire:
        for _ in range(3):
            assert (await wire.call("tds", "GetHostname")).status == 200
        with pytest.raises(aiohttp.ClientError):
            await wire.call("tds", "GetHostname")
    assert rebooted == [True]


async def test_preset_reboots(wire: Wire, device: SimulatedDevice) -> None:
    """preset_reboots: the list holds a slot called "Remote reboot", and recalling it reboots the camera."""
    rebooted = asyncio.Event()
    device.reboot = rebooted.set
    device.faults.preset_reboots = True
    profile = "<p:ProfileToken>profile-main</p:ProfileToken>"
    listed = (await wire.call("tptz", "GetPresets", profile)).told
    assert (listed["Preset@token"], listed["Preset/Name"]) == ("94", "Remote reboot")
    await wire.call("tptz", "GotoPreset", profile + "<p:PresetToken>94</p:PresetToken>")
    await asyncio.wait_for(rebooted.wait(), PATIENCE_S)


async def test_clock_knobs(wire: Wire, device: SimulatedDevice) -> None:
    """clock_error_s and clock_jump_s: the camera's own time is off by their sum."""
    device.faults.clock_error_s, device.faults.clock_jump_s = 86400.0, -43200.0
    before_ns = device.clock.wall_ns()
    told = (await wire.call("tds", "GetSystemDateAndTime")).told
    hour = int(told["SystemDateAndTime/UTCDateTime/Time/Hour"])
    # The hour may end on the way.
    assert hour in {(ns // 10**9 + 43200) // 3600 % 24 for ns in (before_ns, device.clock.wall_ns())}
