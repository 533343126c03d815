"""A street of cheap cameras in a process of its own (benchmarks/cheap_cameras), and a gateway that knows them all.

Real H.264 over real RTSP, and every picture that was sent is counted; but no head, no events, nothing to enrol.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config.settings import Settings
from drivers.model import CameraDescription, CameraTarget, CameraView, Credentials, DeviceIdentity, StreamProfile
from gateway.app import database_url
from gateway.db.engine import open_database
from gateway.fleet.cameras import CameraFacts
from gateway.fleet.register import Register
from gateway.startup import prepare_data_dir
from gateway.vault import KeyFile, Vault
from kernel.clock import Clock
from kernel.ids import CameraId
from kernel.media import VideoCodec

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
WIDTH, HEIGHT, FRAME_RATE = 320, 180, 25
GOP_FRAMES = 25


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of one camera: pictures from each session's first keyframe on, and sessions."""

    frames: int
    sessions: int
    cut: int
    """Sessions whose receiver read too slowly."""


class Street:
    """Made by :func:`open_street`."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self._port = port

    @property
    def address(self) -> str:
        """Return the device service of all of them: it tells the time and nothing else."""
        return f"http://127.0.0.1:{self._port}/onvif/device_service"

    async def sent(self) -> dict[int, Sent]:
        """Return what was sent so far, by camera number."""
        return _sent(await self._ask("counts"))

    async def falls_silent(self) -> dict[int, Sent]:
        """Have all cameras send nothing more; return what was sent, once all of it has been taken."""
        counts = await self._ask("pause")
        async with asyncio.timeout(30):
            while counts["backlog_bytes"]:
                counts = await self._ask("counts")
        return _sent(counts)

    def description(self, number: int) -> CameraDescription:
        """Return what enrolment would have found out about a camera."""
        profile = StreamProfile(
            token="main",
            name="main",
            codec=VideoCodec.H264,
            width=WIDTH,
            height=HEIGHT,
            frame_rate=FRAME_RATE,
            rtsp_url=f"rtsp://127.0.0.1:{self._port}/{number}",
        )
        return CameraDescription(
            identity=DeviceIdentity(
                urn=f"urn:uuid:{number:032x}", manufacturer="cheap", model="cheap", firmware="1", serial=str(number)
            ),
            device_url=self.address,
            services={"http://www.onvif.org/ver10/device/wsdl": self.address},
            authentication="none",
            clock_offset_s=0.0,
            clock_uncertainty_s=0.1,
            views=(CameraView(source_token="source", main=profile, video_source_token="source"),),
            events=False,
        )

    async def enrolled(self, settings: Settings, hosts: list[int], *, clock: Clock) -> dict[int, list[CameraId]]:
        """Enrol a camera for each of ``hosts``, numbered from 1, before the gateway runs; return them by host."""
        cameras: dict[int, list[CameraId]] = {}
        await asyncio.to_thread(prepare_data_dir, settings.server.data_dir)
        vault = await asyncio.to_thread(Vault.of, KeyFile(settings.server.data_dir, credentials=None))
        target = CameraTarget(
            address=self.address, credentials=Credentials(username="root", password=SecretStr("hush"))
        )
        async with open_database(database_url(settings)) as database:
            register = Register(database, clock=clock, vault=vault)
            for number, host in enumerate(hosts, start=1):
                facts = CameraFacts(number=number, name=f"Cheap {number}")
                (camera,), _ = await register.store(target, self.description(number), facts, host=host)
                cameras.setdefault(host, []).append(camera.id)
        return cameras

    async def _ask(self, question: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(question.encode() + b"\n")
        return dict(json.loads(await self._process.stdout.readline()))


def _sent(counts: dict[str, Any]) -> dict[int, Sent]:
    return {int(number): Sent(one["frames"], one["sessions"], one["cut"]) for number, one in counts["cameras"].items()}


@asynccontextmanager
async def open_street() -> AsyncIterator[Street]:
    """Give cameras that send 25 small pictures a second, a keyframe every second; any number is one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cheap_cameras", "--size", f"{WIDTH}x{HEIGHT}", "--frame-rate", str(FRAME_RATE),
        "--gop-frames", str(GOP_FRAMES), "--kbit", "400", stdin=PIPE, stdout=PIPE, cwd=BENCHMARKS, limit=2**20,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        assert line, "the cheap cameras did not start; their message stands above"
        yield Street(process, json.loads(line)["port"])
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()
