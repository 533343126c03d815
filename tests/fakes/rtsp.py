"""A simulated camera that plays a reel, and a stream that pulls it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from drivers.addresses import AddressPolicy
from drivers.rtsp import RtspSource, RtspStream
from drivers.simulator.device import Mount, SimulatedDevice
from drivers.simulator.rtsp import rtsp_server
from kernel.clock import Clock, SystemClock
from kernel.geography import Place
from kernel.ids import StreamName
from kernel.media import AudioCodec, MediaSink, VideoCodec
from kernel.supervision import Backoff
from tests.fakes.media_sink import KeepingSink
from tests.fakes.reel import ReelFeed, reel_device
from tests.fakes.waiting import PATIENCE_S

LOOPBACK = AddressPolicy(allow_loopback=True)


@dataclass
class ReelCamera:
    """A device with its feeds; pictures flow 50 times a second."""

    device: SimulatedDevice
    feeds: dict[StreamName, ReelFeed]
    scheme: str = "rtsp"

    def url(self, stream: str = "main") -> str:
        """Return a stream's address."""
        return f"{self.scheme}://127.0.0.1:{self.device.rtsp_port}/{stream}"

    def url_with_password(self, stream: str = "main") -> str:
        """Return the same for clients that want credentials in it."""
        device = self.device
        return self.url(stream).replace("://", f"://{device.username}:{device.password}@")

    @property
    def main(self) -> ReelFeed:
        """The feed of the main stream."""
        return self.feeds[StreamName.MAIN]


@asynccontextmanager
async def reel_camera(
    *faults: str,
    codec: VideoCodec = VideoCodec.H264,
    audio: AudioCodec | None = AudioCodec.PCMU,
    tls: ssl.SSLContext | None = None,
    clock: Clock | None = None,
    **settings: object,
) -> AsyncIterator[ReelCamera]:
    """Run a camera with an RTSP server on a free port."""
    device = SimulatedDevice(
        number=7,
        name="Reel",
        serial="SIM0007",
        urn="urn:uuid:7",
        mount=Mount(place=Place(51.5, -0.1), bearing_deg=0.0),
        clock=clock or SystemClock(),
        audio=audio,
    )
    feeds = reel_device(device, codec=codec, **settings)
    for fault in faults:
        device.faults.set(fault)
    async with rtsp_server(device, tls=tls):
        running = [asyncio.create_task(feed.run()) for feed in feeds.values()]
        try:
            yield ReelCamera(device, feeds, "rtsps" if tls else "rtsp")
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def source(url: str, **settings: object) -> RtspSource:
    """Return a source with the simulator's credentials."""
    values: dict[str, object] = {
        "username": "sightline",
        "password": "simulated",
        "allow": LOOPBACK,
        "answer_timeout_s": PATIENCE_S,
    }
    return RtspSource(url=url, **(values | settings))  # type: ignore[arg-type]


@asynccontextmanager
async def pulling(
    wanted: RtspSource,
    sink: MediaSink | None = None,
    *,
    clock: Clock | None = None,
    keep_payloads: Callable[[], bool] = lambda: False,
) -> AsyncIterator[tuple[RtspStream, KeepingSink]]:
    """Run a stream with hardly a pause between its attempts."""
    kept = KeepingSink()
    stream = RtspStream(
        wanted,
        sink or kept,
        clock=clock or SystemClock(),
        backoff=Backoff(base_s=0.02, cap_s=0.1),
        keep_payloads=keep_payloads,
    )
    task = asyncio.create_task(stream.run())
    try:
        yield stream, kept
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
