"""The server, spoken to by hand."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from drivers.rtsp.digest import Authenticator
from drivers.rtsp.rtcp import Goodbye, SenderReport, parse, picture_loss, receiver_report
from drivers.simulator.device import DeviceEvent
from drivers.simulator.rtsp.metadata import MOTION_TOPIC
from drivers.simulator.rtsp.sessions import SESSION_TIMEOUT_S
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock, settle
from tests.fakes.rtsp import ReelCamera, reel_camera
from tests.fakes.waiting import until


@dataclass
class Client:
    """Speaks RTSP line by line; packets that come in between are kept."""

    camera: ReelCamera
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    proof: Authenticator
    packets: list[tuple[int, bytes]] = field(default_factory=list)
    count: int = 0

    async def ask(
        self, method: str, path: str, *headers: str, version: str = "RTSP/1.0"
    ) -> tuple[int, dict[str, str], str]:
        """Return status, headers and body of the answer, after a challenge if need be."""
        for _ in range(2):
            self.count += 1
            uri = f"rtsp://127.0.0.1:{self.camera.device.rtsp_port}/{path}"
            proof = self.proof.header(method, uri)
            lines = [f"{method} {uri} {version}", f"CSeq: {self.count}", *headers]
            lines += [f"Authorization: {proof}"] if proof else []
            self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            status, answered, body = await self.answer()
            assert answered["cseq"] == str(self.count)
            if status != 401:
                self.proof.accepted()
                return status, answered, body
            self.proof.challenged([answered["www-authenticate"]])
        return status, answered, body

    async def answer(self) -> tuple[int, dict[str, str], str]:
        """Return the next answer."""
        while (first := await self.reader.readexactly(1)) == b"$":
            await self._packet()
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode()
        start, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(start.split()[1]), headers, body.decode()

    async def _packet(self) -> None:
        head = await self.reader.readexactly(3)
        self.packets.append((head[0], await self.reader.readexactly(int.from_bytes(head[1:], "big"))))

    async def packet(self, channel: int) -> bytes:
        """Return the next packet on ``channel``."""
        while True:
            for index, (number, data) in enumerate(self.packets):
                if number == channel:
                    del self.packets[: index + 1]
                    return data
            assert await self.reader.readexactly(1) == b"$"
            await self._packet()

    async def set_up(self, track: str = "video", stream: str = "main", channels: str = "0-1", session: str = "") -> str:
        """SETUP one track and return the session."""
        extra = [f"Session: {session}"] if session else []
        status, headers, _ = await self.ask(
            "SETUP", f"{stream}/{track}", f"Transport: RTP/AVP/TCP;unicast;interleaved={channels}", *extra
        )
        assert status == 200
        return headers["session"].partition(";")[0]

    def send_packet(self, channel: int, data: bytes) -> None:
        """Send an interleaved packet."""
        self.writer.write(struct.pack("!BBH", 0x24, channel, len(data)) + data)


@asynccontextmanager
async def client(camera: ReelCamera, password: str = "simulated") -> AsyncIterator[Client]:  # noqa: S107
    """Connect."""
    reader, writer = await asyncio.open_connection("127.0.0.1", camera.device.rtsp_port)
    try:
        yield Client(camera, reader, writer, Authenticator("sightline", password, basic_allowed=False))
    finally:
        writer.transport.abort()


async def test_options_need_no_password() -> None:
    """What the server can do is told to anybody; the stream is not."""
    async with reel_camera() as camera, client(camera) as one:
        one.writer.write(
            b"\r\nOPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\nDESCRIBE rtsp://x/main RTSP/1.0\r\nCSeq: 10\r\n\r\n"
        )
        status, headers, _ = await one.answer()
        assert (status, headers["cseq"]) == (200, "9")
        assert {"DESCRIBE", "PAUSE", "GET_PARAMETER"} <= set(headers["public"].split(", "))
        assert (await one.answer())[0] == 401


async def test_the_description_has_what_clients_look_for() -> None:
    """Sets, frame rate, controls, sound, metadata and the base of it all."""
    async with reel_camera() as camera, client(camera) as one:
        status, headers, body = await one.ask("DESCRIBE", "main", "Accept: application/sdp")
    assert status == 200
    assert headers["content-base"] == f"rtsp://127.0.0.1:{camera.device.rtsp_port}/main/"
    for line in (
        "a=framerate:50",
        "a=control:*",
        "a=control:video",
        "a=rtpmap:0 PCMU/8000",
        "vnd.onvif.metadata/90000",
    ):
        assert line in body
    assert re.search(r"sprop-parameter-sets=\S+,\S+", body)


async def test_private_addresses_are_named_on_demand() -> None:
    """The fault puts an address that nobody reaches into base and controls."""
    async with reel_camera("private_addresses") as camera, client(camera) as one:
        _, headers, body = await one.ask("DESCRIBE", "main")
    assert headers["content-base"] == "rtsp://192.168.1.64:554/main/"
    assert "a=control:rtsp://192.168.1.64:554/main/video" in body


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("DESCRIBE", "other", [], 404),
        ("DESCRIBE", "main/video", [], 404),
        ("SETUP", "main/other", ["Transport: RTP/AVP/TCP;interleaved=0-1"], 404),
        ("SETUP", "main", ["Transport: RTP/AVP/TCP;interleaved=0-1"], 459),
        ("SETUP", "main/video", [], 461),
        ("SETUP", "main/video", ["Transport: RTP/AVP;multicast;port=5000-5001"], 461),
        ("SETUP", "main/video", ["Transport: RTP/AVP/TCP;interleaved=x"], 461),
        ("SETUP", "main/video", ["Transport: RTP/AVP/TCP;interleaved=300-301"], 461),
        ("SETUP", "main/video", ["Session: 1", "Transport: RTP/AVP/TCP;interleaved=0-1"], 454),
        ("PLAY", "main", ["Session: 1"], 454),
        ("PAUSE", "main", ["Session: 1"], 454),
        ("TEARDOWN", "main", ["Session: 1"], 454),
        ("GET_PARAMETER", "main", ["Session: 1"], 454),
        ("GET_PARAMETER", "main", [], 200),
        ("SET_PARAMETER", "main", [], 200),
        ("ANNOUNCE", "main", [], 405),
        ("DESCRIBE", "main", ["Require: onvif-replay"], 551),
    ],
)
async def test_each_mistake_has_its_status(method: str, path: str, headers: list[str], status: int) -> None:
    """What cannot be done is refused as RFC 2326 section 11 has it."""
    async with reel_camera() as camera, client(camera) as one:
        assert (await one.ask(method, path, *headers))[0] == status


async def test_another_version_is_refused() -> None:
    """RTSP 2.0 is not spoken."""
    async with reel_camera() as camera, client(camera) as one:
        assert (await one.ask("OPTIONS", "main", version="RTSP/2.0"))[0] == 505


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nX: " + b"y" * 40_000,
    ],
)
async def test_what_is_no_request_ends_the_connection(data: bytes) -> None:
    """Garbage, another protocol and endless headers are answered by 400 and the end."""
    async with reel_camera() as camera, client(camera) as one:
        one.writer.write(data)
        assert (await one.answer())[0] == 400
        assert await one.reader.read() == b""


async def test_playing_begins_with_a_report_and_the_packet_that_was_promised() -> None:
    """RTP-Info names the first packet, a sender report comes before it, and it carries the parameter sets."""
    async with reel_camera() as camera, client(camera) as one:
        session = await one.set_up()
        status, headers, _ = await one.ask("PLAY", "main", f"Session: {session}")
        assert status == 200
        found = re.search(r"seq=(\d+);rtptime=(\d+)", headers["rtp-info"])
        assert found is not None
        (report,) = parse(await one.packet(1))
        first = await one.packet(0)
        assert struct.unpack_from("!HI", first, 2) == (int(found[1]), int(found[2]))
        assert isinstance(report, SenderReport)
        assert report.ssrc == struct.unpack_from("!I", first, 8)[0]
        assert first[12] & 0x1F == 24
        assert (await one.ask("PLAY", "main", f"Session: {session}"))[0] == 200
        status, _, _ = await one.ask(
            "SETUP", "main/audio", f"Session: {session}", "Transport: RTP/AVP/TCP;unicast;interleaved=2-3"
        )
        assert status == 455


async def test_pause_stops_and_play_goes_on() -> None:
    """Paused, the feed rests; played again, it begins at a keyframe."""
    async with reel_camera() as camera, client(camera) as one:
        session = await one.set_up()
        await one.ask("PLAY", "main", f"Session: {session}")
        assert (await one.ask("PAUSE", "main", f"Session: {session}"))[0] == 200
        assert camera.main.listeners == 0
        one.packets.clear()
        await one.ask("PLAY", "main", f"Session: {session}")
        assert (await one.packet(0))[12] & 0x1F == 24


async def test_teardown_says_goodbye() -> None:
    """RTCP BYE precedes the answer, and the session is gone."""
    async with reel_camera() as camera, client(camera) as one:
        session = await one.set_up()
        await one.ask("PLAY", "main", f"Session: {session}")
        assert (await one.ask("TEARDOWN", "main", f"Session: {session}"))[0] == 200
        reports = [part for channel, data in one.packets if channel == 1 for part in parse(data)]
        assert any(isinstance(part, Goodbye) for part in reports)
        assert (await one.ask("PLAY", "main", f"Session: {session}"))[0] == 454


async def test_a_picture_loss_indication_makes_a_keyframe() -> None:
    """PLI and FIR reach the encoder; a receiver report does not."""
    async with reel_camera() as camera, client(camera) as one:
        session = await one.set_up()
        await one.ask("PLAY", "main", f"Session: {session}")
        before = camera.main.requests
        one.send_packet(1, receiver_report(1, None, "x"))
        one.send_packet(1, receiver_report(1, None, "x") + picture_loss(1, 2))
        await until(lambda: camera.main.requests == before + 1, what="the request")


async def test_a_session_that_says_nothing_is_ended(clock: ManualClock) -> None:
    """After its timeout the connection is cut and the slot is free; a receiver report keeps it."""
    async with reel_camera(clock=clock) as camera, client(camera) as quiet, client(camera) as lively:
        await quiet.set_up()
        session = await lively.set_up()
        await settle()
        await clock.turn(SESSION_TIMEOUT_S - 10)
        lively.send_packet(1, receiver_report(1, None, "x"))
        assert (await lively.ask("OPTIONS", "main"))[0] == 200
        await clock.turn(20)
        assert await quiet.reader.read() == b""
        assert (await lively.ask("GET_PARAMETER", "main", f"Session: {session}"))[0] == 200


async def test_play_is_answered_even_when_the_encoder_is_asleep(clock: ManualClock) -> None:
    """Without a picture in time the answer names the next packet."""
    async with reel_camera(clock=clock, frame_rate=0.01) as camera, client(camera) as one:
        session = await one.set_up()
        asking = asyncio.create_task(one.ask("PLAY", "main", f"Session: {session}"))
        await until(lambda: camera.main.listeners, what="the listener")
        await clock.turn(4.0)
        status, headers, _ = await asking
        assert status == 200
        assert "seq=" in headers["rtp-info"]


async def test_a_client_that_does_not_read_is_cut() -> None:
    """What it leaves unread is bounded: it is cut, and others go on."""
    async with reel_camera() as camera, client(camera) as other:
        # A bare socket with a small buffer, so that nobody reads behind the test's back.
        lazy = socket.create_connection(("127.0.0.1", camera.device.rtsp_port))
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        reader, writer = await asyncio.open_connection(sock=lazy, limit=1024)
        one = Client(camera, reader, writer, Authenticator("sightline", "simulated", basic_allowed=False))
        session = await one.set_up()
        await one.ask("PLAY", "main", f"Session: {session}")
        await other.ask("PLAY", "main", f"Session: {await other.set_up()}")
        reading = asyncio.create_task(_read_on(other))
        with capture_logs() as logs:
            while not any(entry["event"] == "simulator.client_cut" for entry in logs):
                camera.main.emit()
                await settle(3)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await _read_on(one)
        assert not reading.done()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.transport.abort()


async def _read_on(one: Client) -> None:
    while True:
        await one.packet(0)


async def test_motion_reaches_the_metadata() -> None:
    """An event of the camera is in the next document."""
    async with reel_camera() as camera, client(camera) as one:
        session = await one.set_up("metadata")
        camera.device.emit(DeviceEvent(MOTION_TOPIC, {"Source": "s"}, {"State": "true"}, 0))
        camera.device.emit(DeviceEvent("tns1:Other", {"Source": "s"}, {"State": "false"}, 0))
        await one.ask("PLAY", "main", f"Session: {session}")
        text = b""
        while True:
            packet = await one.packet(0)
            text += packet[12:]
            if packet[1] & 0x80:
                break
    assert b'Name="State" Value="true"' in text


async def test_datagrams_go_to_an_even_port_and_its_neighbour() -> None:
    """Over UDP the pictures arrive at the client's ports, reports beside them, and feedback is heard."""
    loop = asyncio.get_running_loop()
    got: list[tuple[int, bytes]] = []

    class Ear(asyncio.DatagramProtocol):
        def __init__(self, number: int) -> None:
            self.number = number

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            got.append((self.number, data))

    ears = [(await loop.create_datagram_endpoint(lambda n=n: Ear(n), ("127.0.0.1", 0)))[0] for n in (0, 1)]  # type: ignore[misc]
    ports = [ear.get_extra_info("sockname")[1] for ear in ears]
    async with reel_camera() as camera, client(camera) as one:
        transport = f"Transport: RTP/AVP;unicast;client_port={ports[0]}-{ports[1]}"
        status, headers, _ = await one.ask("SETUP", "main/video", transport)
        assert status == 200
        server = re.search(r"server_port=(\d+)-(\d+)", headers["transport"])
        assert server is not None
        assert (int(server[1]) % 2, int(server[2]) - int(server[1])) == (0, 1)
        await one.ask("PLAY", "main", f"Session: {headers['session'].partition(';')[0]}")
        await until(lambda: {number for number, _ in got} == {0, 1}, what="datagrams")
        before = camera.main.requests
        ears[1].sendto(receiver_report(1, None, "x") + picture_loss(1, 2), ("127.0.0.1", int(server[2])))
        await until(lambda: camera.main.requests > before, what="the request")
    for ear in ears:
        ear.close()


async def test_two_clients_get_the_same_packets() -> None:
    """Both are sent the very same numbered packets: the picture was cut once."""
    async with reel_camera() as camera, client(camera) as one, client(camera) as two:
        for each in (one, two):
            session = await each.set_up()
            await each.ask("PLAY", "main", f"Session: {session}")
        wanted = await two.packet(0)
        while await one.packet(0) != wanted:
            pass
        assert camera.feeds[StreamName.MAIN].listeners == 1


async def test_the_port_is_free_again_after_leaving() -> None:
    """A server that was left cuts its clients, and another can take its place at the same port."""
    async with reel_camera() as camera:
        port = camera.device.rtsp_port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
    assert await reader.read() == b""
    writer.close()
    again = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    again.close()
