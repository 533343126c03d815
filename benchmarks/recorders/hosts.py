"""Camera hosts in processes of their own, and the gateway's side of them."""

import asyncio
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cheap_cameras.process import CheapCameras
from pydantic import SecretStr

from drivers.model import (
    CameraDescription,
    CameraTarget,
    CameraView,
    Credentials,
    DeviceIdentity,
    StreamProfile,
)
from gateway.fleet import rpc
from gateway.fleet.hosts import HostClient, HostUnreachableError
from kernel.ids import CameraId
from kernel.media import VideoCodec
from recorders.processes import memory_bytes

ROOT = Path(__file__).resolve().parents[2]
ASSIGNED_AT_ONCE = 8


@dataclass(slots=True)
class Host:
    """One camera host process."""

    index: int
    process: Process
    client: HostClient
    cameras: list[int]
    spawned: float
    """Monotonic seconds."""
    bare_bytes: tuple[int, int] = (0, 0)
    """Resident and proportional memory before its first camera."""
    states: dict[CameraId, rpc.CameraState] = field(default_factory=dict)
    """As its state stream told last: the gateway listens to it all the time, and so do we."""
    listener: asyncio.Task[None] | None = None

    @property
    def recording(self) -> int:
        """Return how many streams are being written."""
        return sum(state.main.recording is not None and state.main.recording.on for state in self.states.values())


def assignment(camera: int, source: CheapCameras, shape: tuple[int, int, float]) -> rpc.CameraAssignment:
    """Return a camera with one stream, recorded, no head and no events; its device service tells only the time."""
    width, height, frame_rate = shape
    profile = StreamProfile(
        token="main",  # noqa: S106 - ONVIF's word for a name
        name="main",
        codec=VideoCodec.H264,
        width=width,
        height=height,
        frame_rate=frame_rate,
        rtsp_url=source.url(camera),
    )
    view = CameraView(source_token="source", main=profile, video_source_token="source")  # noqa: S106 - see above
    identity = DeviceIdentity(
        urn=f"urn:uuid:{camera:032x}", manufacturer="cheap", model="cheap", firmware="1", serial=str(camera)
    )
    return rpc.CameraAssignment(
        id=CameraId(name_of(camera)),
        number=camera,
        name=name_of(camera),
        target=CameraTarget(address=source.device_url, credentials=Credentials(username="", password=SecretStr(""))),
        view=view,
        description=CameraDescription(
            identity=identity,
            device_url=source.device_url,
            services={"http://www.onvif.org/ver10/device/wsdl": source.device_url},
            authentication="none",
            clock_offset_s=0.0,
            clock_uncertainty_s=0.1,
            views=(view,),
            events=False,
        ),
    )


def name_of(camera: int) -> str:
    """Return the identifier of a camera."""
    return f"cheap-{camera:04d}"


@asynccontextmanager
async def open_hosts(home: Path, *, workers: int, streams: int) -> AsyncIterator[list[Host]]:
    """Start hosts as systemd does, one command each, and share the cameras out; they answer when this gives them.

    Recordings go to ``home/recordings``. Leaving ends them by SIGTERM and waits; a second leaving is no error.
    """
    written = home / "sightline.toml"
    written.write_text(
        f"""
[server]
data_dir = "{home / "data"}"
[hosts]
workers = {workers}
socket_dir = "{home / "run"}"
[cameras]
allow_loopback = true
[live]
port = 0
loopback = true
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
    async with AsyncExitStack() as stack:
        hosts = [
            await stack.enter_async_context(_host(index, written, home / "run", range(streams)[index::workers]))
            for index in range(workers)
        ]
        await asyncio.gather(*(_answers(host) for host in hosts))
        yield hosts


@asynccontextmanager
async def _host(index: int, config: Path, run: Path, cameras: Sequence[int]) -> AsyncIterator[Host]:
    spawned = time.monotonic()
    command = Path(sys.executable).with_name("sightline")
    process = await asyncio.create_subprocess_exec(
        str(command), "host", "--name", str(index), "--config", str(config), stdin=DEVNULL, cwd=ROOT
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(end, process)
        client = await stack.enter_async_context(HostClient(run / f"host-{index}.sock"))
        host = Host(index, process, client, list(cameras), spawned)
        try:
            yield host
        finally:
            if host.listener is not None:
                host.listener.cancel()
                await asyncio.wait([host.listener])


async def _answers(host: Host) -> None:
    async with asyncio.timeout(60):
        while host.process.returncode is None:
            with suppress(HostUnreachableError):
                await host.client.health()
                host.bare_bytes = memory_bytes(host.process.pid)
                host.listener = asyncio.create_task(_listen(host))
                return
            await asyncio.sleep(0.05)
    raise RuntimeError("a camera host did not start; its message stands above")


async def _listen(host: Host) -> None:
    with suppress(HostUnreachableError):
        async for line in host.client.states():
            if isinstance(line, rpc.CameraChanged):
                host.states[line.state.id] = line.state


async def assign(host: Host, source: CheapCameras, shape: tuple[int, int, float]) -> None:
    """Give a host its cameras."""
    gate = asyncio.Semaphore(ASSIGNED_AT_ONCE)

    async def one(camera: int) -> None:
        async with gate:
            await host.client.assign(assignment(camera, source, shape))

    await asyncio.gather(*(one(camera) for camera in host.cameras))


async def all_record(hosts: Sequence[Host], *, within_s: float) -> float:
    """Wait until every stream is being written; return the seconds since the (first) host was started.

    Raises:
        RuntimeError: some are not in time.
    """
    began = min(host.spawned for host in hosts)
    while any(host.recording < len(host.cameras) for host in hosts):
        if time.monotonic() - began > within_s:
            told = ", ".join(f"{host.recording} of {len(host.cameras)}" for host in hosts)
            raise RuntimeError(f"after {within_s:g} s only {told} streams are being recorded")
        if any(host.process.returncode is not None for host in hosts):
            raise RuntimeError("a camera host ended; its message stands above")
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def end(process: Process) -> None:
    """End a host in order."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise RuntimeError("a camera host did not end in order within 30 s") from None
