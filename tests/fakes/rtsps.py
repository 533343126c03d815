"""The RTSPS door with one camera behind it, a partner's outlet, and clients that nobody here wrote."""

import asyncio
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.live import LiveSettings
from config.outgoing import OutgoingSettings
from config.server import ServerSettings
from gateway.certificate import tls_files
from gateway.fleet import rpc
from gateway.fleet.outlets import Outlet, OutletCamera, credential_of
from gateway.live import LiveFeed, LiveHub, open_live
from gateway.live.rtsp import RtspServer, open_rtsp
from kernel.clock import NS_PER_S, Clock, SystemClock
from kernel.ids import CameraId, StreamName
from kernel.media import VideoCodec
from tests.fakes.pattern import PatternCamera

CAMERA = CameraId("0" * 32)
OTHER = CameraId("1" * 32)
PASSWORD = "hush-hush-42"
LIVE = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})


def outlet(clock: Clock | None = None, **changes: object) -> Outlet:
    """Return an outlet for camera 7, an hour long."""
    values: dict[str, object] = {
        "id": "share-41",
        "name": "met-41",
        "username": "met",
        "credential": credential_of("met-41", "met", PASSWORD),
        "cameras": (OutletCamera(id=CAMERA, number=7),),
        "until_ns": (clock or SystemClock()).wall_ns() + 3600 * NS_PER_S,
        "subject": "Metropolitan Police, share 41",
        "user": "met",
        "access_session": "share-41",
    }
    return Outlet.model_validate(values | changes)


@dataclass
class Door:
    """What a test holds of it."""

    server: RtspServer
    hub: LiveHub
    feeds: dict[StreamName, LiveFeed]
    tls: ssl.SSLContext
    told: list[rpc.ViewerCame | rpc.ViewerWent] = field(default_factory=list)

    def url(self, path: str = "met-41/7", *, user: str = f"met:{PASSWORD}@") -> str:
        """Return an address with the credential in it."""
        return f"rtsps://{user}127.0.0.1:{self.server.port}/{path}"

    def put(self, **changes: object) -> int:
        """Put the outlet."""
        return self.server.outlets.put(outlet(self.server.clock, **changes))

    @asynccontextmanager
    async def client(self, *, receive_bytes: int | None = None) -> AsyncIterator["Client"]:
        """Give a client that says what it is told to; its kernel takes in ``receive_bytes``, where that is given."""
        raw = socket.socket()
        raw.settimeout(0)
        if receive_bytes is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.server.port))
        reader, writer = await asyncio.open_connection(sock=raw, ssl=self.tls, server_hostname="127.0.0.1")
        client = Client(self, reader, writer)
        try:
            yield client
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def open_door(
    folder: Path, *, clock: Clock | None = None, live: LiveSettings = LIVE, **settings: object
) -> AsyncIterator[Door]:
    """Open the door, with feeds that nothing plays into yet."""
    clock = clock or SystemClock()
    server = ServerSettings(data_dir=folder, host="127.0.0.1")
    files = await asyncio.to_thread(tls_files, server, clock=SystemClock())
    told: list[rpc.ViewerCame | rpc.ViewerWent] = []
    outgoing = OutgoingSettings.model_validate({"rtsps": True, "host": "127.0.0.1", "port": 0} | settings)
    async with (
        open_live(live, clock=clock) as hub,
        open_rtsp(outgoing, (files.certificate, files.key), hub=hub, clock=clock, tell=told.append) as door,
    ):
        assert door is not None
        with (
            hub.feed(CAMERA, StreamName.MAIN, request_keyframe=lambda: None) as main,
            hub.feed(CAMERA, StreamName.SUB, request_keyframe=lambda: None) as sub,
        ):
            context = await asyncio.to_thread(ssl.create_default_context, cafile=files.certificate)
            yield Door(door, hub, {StreamName.MAIN: main, StreamName.SUB: sub}, context, told)


@asynccontextmanager
async def playing_door(folder: Path, *, codec: VideoCodec = VideoCodec.H264, **settings: Any) -> AsyncIterator[Door]:
    """Open the door with camera 7 live behind it, and the outlet put."""
    camera = PatternCamera(SystemClock(), width=320, height=180, frame_rate=25, gop_frames=25, codec=codec)
    async with open_door(folder, **settings) as door, camera.playing(door.feeds[StreamName.MAIN]):
        door.put()
        while not door.feeds[StreamName.MAIN].live:
            await asyncio.sleep(0.01)
        yield door


@dataclass
class Client:
    """Speaks RTSP by hand, for what no proper client would say. ``packets`` keeps what came interleaved."""

    door: Door
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    cseq: int = 0
    session: str = ""
    packets: list[tuple[int, bytes]] = field(default_factory=list)

    async def ask(
        self, method: str, url: str | None = None, *, basic: str | None = f"met:{PASSWORD}", **headers: str
    ) -> "Told":
        """Return what a request is answered with."""
        self.cseq += 1
        lines = [f"{method} {url or self.door.url(user='')} RTSP/1.0", f"CSeq: {self.cseq}"]
        if basic is not None:
            lines.append(f"Authorization: Basic {b64encode(basic.encode()).decode()}")
        if self.session:
            lines.append(f"Session: {self.session}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        return await self.answer()

    async def answer(self) -> "Told":
        """Return the next answer; what is interleaved before it is kept."""
        while (first := await self.reader.readexactly(1)) == b"$":
            await self.packet()
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode()
        size = re.search(r"(?im)^content-length: (\d+)", head)
        body = await self.reader.readexactly(int(size[1])) if size else b""
        return Told(int(head.split()[1]), head, body.decode())

    async def packet(self) -> None:
        """Keep one interleaved packet, its dollar read already."""
        channel, high, low = await self.reader.readexactly(3)
        self.packets.append((channel, await self.reader.readexactly(high << 8 | low)))

    async def play(self, stream: str = "main") -> "Told":
        """Set the pictures up and play them."""
        url = self.door.url(f"met-41/7/{stream}/", user="")
        told = await self.ask("SETUP", url + "track=video", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        assert told.status == 200, told
        self.session = told.header("session").partition(";")[0]
        return await self.ask("PLAY", url)

    async def ended(self) -> int:
        """Return once the connection is at its end: how many bytes came before it."""
        came = 0
        with suppress(OSError):
            while data := await self.reader.read(65_536):
                came += len(data)
        return came


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int
    head: str
    body: str

    def header(self, name: str) -> str:
        """Return the first value of a header."""
        found = re.search(rf"(?im)^{name}: (.*?)\r?$", self.head)
        return found[1] if found else ""


async def run(*command: str, timeout_s: float = 60.0) -> tuple[int, str, str]:
    """Return the status and the two outputs of a program."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout_s)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")
