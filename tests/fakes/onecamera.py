"""One simulated camera with real ONVIF and RTSP servers and a plain picture, for tests of what talks to cameras."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt

from drivers.model import CameraTarget, Credentials
from drivers.simulator.device import Aim, Mount, SimulatedDevice, StreamSettings
from drivers.simulator.faults import Faults
from drivers.simulator.feed import open_feeds
from drivers.simulator.head import Head
from drivers.simulator.onvif.server import onvif_server
from drivers.simulator.rtsp.server import rtsp_server
from kernel.clock import Clock
from kernel.geography import Place
from kernel.ids import StreamName


class PlainEye:
    """Draws one colour that turns with the head."""

    def paint(self, aim: Aim, wall_ns: int, width: int, height: int) -> npt.NDArray[np.uint8]:
        """Return a picture whose brightness follows the pan."""
        return np.full((height, width, 3), round(aim.pan_deg) % 200, dtype=np.uint8)


def target_of(device: SimulatedDevice, *, password: str | None = None) -> CameraTarget:
    """Return how a gateway would be told of the device."""
    return CameraTarget(
        address=f"{device.host}:{device.http_port}",
        credentials=Credentials(username=device.username, password=password or device.password),
    )


@asynccontextmanager
async def one_camera(
    clock: Clock, *, number: int = 7, sub: bool = True, faults: Faults | None = None
) -> AsyncIterator[SimulatedDevice]:
    """Serve one camera on loopback while the context lasts."""
    mount = Mount(place=Place(51.5, -0.1, 8.0), bearing_deg=90.0)
    streams = {StreamName.MAIN: StreamSettings(token="main", name=StreamName.MAIN, width=320, height=180)}
    if sub:
        streams[StreamName.SUB] = StreamSettings(token="sub", name=StreamName.SUB, width=160, height=90)
    device = SimulatedDevice(
        number=number,
        name=f"Camera {number}",
        serial=f"SIM{number:04d}",
        urn=f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        mount=mount,
        clock=clock,
        faults=faults or Faults(),
        streams=streams,
    )
    device.head = Head(mount, clock)
    with ThreadPoolExecutor(2) as pool:
        async with open_feeds(device, PlainEye(), pool=pool), rtsp_server(device), onvif_server(device):
            yield device
