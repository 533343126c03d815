"""The borough as a whole: real ports, real servers, a process of its own."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.simulator.borough import Borough, open_borough
from drivers.simulator.device import DeviceEvent, EncodedUnit
from drivers.simulator.errors import PortTakenError
from drivers.simulator.happenings import MOTION_ALARM
from drivers.simulator.picture import strip
from drivers.simulator.settings import BoroughSettings
from kernel.clock import NS_PER_MS, SystemClock
from kernel.ids import StreamName
from kernel.media import VideoCodec
from tests.fakes.waiting import until
from tests.unit.simulator_town.decoding import decoded, luma_of

SMALL = {"width": 320, "height": 180, "sub": (160, 90)}


@asynccontextmanager
async def _borough(**settings: Any) -> AsyncIterator[Borough]:
    async with open_borough(BoroughSettings(**{"cameras": 2, **SMALL, **settings}), clock=SystemClock()) as borough:
        yield borough


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _all_answer(*ports: int, answer: bool = True) -> None:
    """Return once every port answers, or once none does."""
    async with asyncio.timeout(30):
        while [await _answers(port) for port in ports] != [answer] * len(ports):  # noqa: ASYNC110 - a port has no event
            await asyncio.sleep(0.02)  # noqa: TID251 - polls a port


async def test_two_cameras() -> None:
    """Every camera has its own ports, name and identity, and its picture says which one it is."""
    async with _borough(codec=VideoCodec.H265) as borough:
        ports = [port for device in borough.devices for port in (device.http_port, device.rtsp_port)]
        assert len(set(ports)) == 4
        assert [await _answers(port) for port in ports] == [True] * 4
        assert len({device.urn for device in borough.devices}) == 2
        units: list[EncodedUnit] = []
        borough.device(2).feeds[StreamName.MAIN].attach(units.append)
        await until(lambda: units)
        assert units[0].parameters.codec is VideoCodec.H265
        reading = strip.read(luma_of(decoded(units[0].parameters, units)[0]))
        assert reading == strip.StripReading(2, units[0].wall_ns // NS_PER_MS)
        assert borough.street(1) == "High Street"
        assert len(borough.ground_geojson()["features"]) > 100
    assert [await _answers(port) for port in ports] == [False] * 4


async def test_reboots() -> None:
    """A camera that reboots is away for a while and comes back at the same ports; its neighbour stays."""
    async with _borough() as borough:
        first, second = borough.devices
        ports = (first.http_port, first.rtsp_port)
        first.reboot()
        await _all_answer(*ports, answer=False)
        assert await _answers(second.http_port)
        await _all_answer(*ports)
        assert (first.http_port, first.rtsp_port) == ports


async def test_refuses_connections() -> None:
    """While refuse_connections is on both ports are closed, and open again when it is off."""
    async with _borough(cameras=1, faults=("refuse_connections",)) as borough:
        device = borough.device(1)
        await _all_answer(device.http_port, answer=False)
        assert device.rtsp_port == 0
        device.faults.refuse_connections = False
        await until(lambda: device.rtsp_port)
        await _all_answer(device.http_port, device.rtsp_port)
        device.faults.refuse_connections = True
        await _all_answer(device.http_port, device.rtsp_port, answer=False)


@pytest.mark.parametrize("which", ["http_port", "rtsp_port"])
async def test_a_port_is_taken(which: str) -> None:
    """A port that somebody else holds is named, with the cure, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"{port}.*Choose other ports"):
            async with _borough(cameras=1, **{which: port}):
                pass


async def test_motion_is_told() -> None:
    """On the High Street somebody moves before long, and the camera tells."""
    async with _borough(cameras=2) as borough:
        heard: list[DeviceEvent] = []
        borough.device(2).listeners.append(heard.append)
        await until(lambda: any(event.topic == MOTION_ALARM for event in heard))
        borough.device(2).listeners.remove(heard.append)


async def test_discoverable() -> None:
    """With discovery on the borough answers a probe sent to it by unicast."""
    from drivers.simulator.discovery import PORT  # noqa: PLC0415 - this test's only need of it

    probe = (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header>'
        "<w:MessageID>uuid:0a6dc791-2be6-4991-9af1-454778a1917a</w:MessageID>"
        "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>"
        "</e:Header><e:Body><d:Probe/></e:Body></e:Envelope>"
    )
    async with _borough(cameras=1, discovery=True) as borough:
        answers: list[bytes] = []

        class Ear(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                answers.append(data)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", 0))
        try:
            transport.sendto(probe.encode(), ("127.0.0.1", PORT))
            await until(lambda: answers)
        finally:
            transport.close()
        assert borough.device(1).urn.encode() in answers[0]


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "drivers.simulator", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=1 << 26
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 60))


async def test_a_process_of_its_own() -> None:
    """As a process it says where its cameras are, obeys orders and answers queries, and ends when its input closes."""
    async with _process("--json", "--cameras", "2", "--size", "320x180", "--sub-size", "none") as process:
        said = await _line(process)
        assert [camera["number"] for camera in said["cameras"]] == [1, 2]
        assert said["cameras"][0]["sub_url"] is None
        assert await _answers(said["cameras"][1]["http_port"])
        assert process.stdin is not None
        for order in ({"van": "flee", "route": "east"}, {"query": "van"}, {"query": "truth", "number": 2}):
            process.stdin.write(json.dumps(order).encode() + b"\n")
        assert (await _line(process))["fleeing"] == "east"
        assert (await _line(process))["number"] == 2
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_ends_on_sigterm() -> None:
    """SIGTERM ends the table's process in order, with exit code 0."""
    async with _process("--cameras", "1", "--fault", "freeze_picture") as process:
        assert process.stdout is not None
        shown = b""
        while b"Ctrl-C" not in shown:
            shown += await asyncio.wait_for(process.stdout.readline(), 60)
        assert b"freeze_picture" in shown
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fault", "freze_picture"), b"Did you mean freeze_picture?"),
        (("--size", "large"), b"'large' is not a size. Write it as 1280x720."),
        (("--http-port", "TAKEN"), b"Choose other ports"),
    ],
)
async def test_a_wrong_command_line(arguments: tuple[str, ...], words: bytes) -> None:
    """What cannot be done is said in a sentence on standard error, with exit code 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = [port if argument == "TAKEN" else argument for argument in arguments]
        async with _process("--json", "--cameras", "1", *said) as process:
            _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert words in errors
    assert b"Traceback" not in errors
    assert process.returncode == 2
