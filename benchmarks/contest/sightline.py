"""Our server: a camera host in a process of its own, as the service manager starts it, with one cheap camera.

It does all that it does in earnest: takes the stream in over RTSP, records it, and tells its state each second.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cheap_cameras.process import CheapCameras
from recorders.hosts import assignment, name_of

from contest.ground import Ground, cpu_s, process
from contest.words import Spoken
from gateway.fleet import rpc
from gateway.fleet.hosts import HostClient, HostUnreachableError

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
CAMERA = 1
START_S = 60.0
ENTRY = "from gateway.cli import main; main()"


@dataclass(slots=True, kw_only=True)
class Sightline:
    """A running host whose camera is being recorded. ``host`` is the process whose CPU counts."""

    host: asyncio.subprocess.Process
    client: HostClient
    source: CheapCameras
    target: str
    ingest_percent: float = 0.0
    """Of a core, before anybody watches: one stream taken in and recorded."""

    camera = name_of(CAMERA)

    @property
    def pid(self) -> int:
        """Return the process to watch."""
        return self.host.pid

    async def count(self) -> dict[str, Any]:
        """Return what the host says it sent, and what its camera sent."""
        viewers = await self.client.viewers()
        counts = await self.source.ask("counts")
        return {
            "packets_sent": sum(viewer.packets_sent + viewer.retransmitted for viewer in viewers),
            "retransmitted": sum(viewer.retransmitted for viewer in viewers),
            "frames_dropped": sum(viewer.frames_dropped for viewer in viewers),
            "viewers": len(viewers),
            "frames": counts["cameras"][str(CAMERA)]["frames"],
            "last": counts["cameras"][str(CAMERA)]["last"],
        }

    async def pause(self) -> dict[str, Any]:
        """Let the camera fall silent; return the counts."""
        await self.source.ask("pause")
        return await self.count()


@asynccontextmanager
async def open_sightline(
    film: Path, home: Path, ground: Ground, *, ingest_s: float, profile: Path | None = None
) -> AsyncIterator[Sightline]:
    """Start camera and host, wait until the camera is recorded, and measure what that costs.

    ``profile`` makes the host write cProfile's statistics there at its end; figures of such a run say nothing.
    """
    written = home / "sightline.toml"
    address = ground.server_address
    addresses = "loopback = true" if address.startswith("127.") else f'addresses = ["{address}"]'
    written.write_text(
        f"""
[server]
data_dir = "{home / "data"}"
[hosts]
workers = 1
socket_dir = "{home / "run"}"
[cameras]
allow_loopback = true
[live]
port = 0
{addresses}
[log]
level = "warning"
[recording]
free_share = 0.0
free_minutes = 0.0
[[recording.disks]]
path = "{home / "recordings"}"
""",
        encoding="utf-8",
    )
    profiler = ("-m", "cProfile", "-o", str(profile)) if profile is not None else ()
    program = home / "host.py"
    program.write_text(ENTRY, encoding="ascii")
    async with AsyncExitStack() as stack:
        cameras = await stack.enter_async_context(
            process(*ground.server, sys.executable, "-m", "cheap_cameras", "--film", str(film), cwd=BENCHMARKS)
        )
        host = await stack.enter_async_context(
            process(
                *(*ground.server, sys.executable, *profiler, str(program)),
                *("host", "--name", "0", "--config", str(written)),
                cwd=ROOT,
                patience_s=30.0,
            )
        )
        source = CheapCameras(cameras, await Spoken(cameras, "The cheap camera").hear())
        target = home / "run" / "host-0.sock"
        client = await stack.enter_async_context(HostClient(target))
        await _answers(client, host)
        await client.assign(assignment(CAMERA, source, (1920, 1080, 25.0)))
        await _recording(client)
        served = Sightline(host=host, client=client, source=source, target=str(target))
        await asyncio.sleep(1.0)
        before_s, began_s = cpu_s(host.pid), time.monotonic()
        await asyncio.sleep(ingest_s)
        served.ingest_percent = 100 * (cpu_s(host.pid) - before_s) / (time.monotonic() - began_s)
        yield served


async def _answers(client: HostClient, host: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_S):
        while host.returncode is None:
            with suppress(HostUnreachableError):
                await client.health()
                return
            await asyncio.sleep(0.05)
    raise RuntimeError("The camera host did not start; its message stands above.")


async def _recording(client: HostClient) -> None:
    state: rpc.CameraState | None = None
    try:
        async with asyncio.timeout(20):
            while True:
                state = next(iter((await client.cameras()).cameras), None)
                if state is not None and state.main.recording is not None and state.main.recording.on:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise RuntimeError(f"The camera is not being recorded after 20 s: {state}") from None
