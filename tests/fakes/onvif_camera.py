"""A simulated ONVIF camera for the client's tests: with knobs turned, a picture in its snapshots, and its target."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr

from drivers.addresses import AddressPolicy
from drivers.model import CameraTarget, Credentials
from drivers.onvif import Device, EnrolLimits, EnrolmentResult, Limits, enrol, open_device
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import onvif_server
from kernel.clock import Clock
from tests.fakes.panorama import PanoramaFeed
from tests.unit.simulator_onvif.stand import a_device

LOOPBACK = AddressPolicy(allow_loopback=True)
QUICK = Limits(request_s=5.0, per_second=200)
"""No pacing: what a burst does is a test of its own."""


@dataclass(slots=True)
class Camera:
    """One simulated camera that is served, and the ways to speak to it."""

    device: SimulatedDevice
    clock: Clock
    reboots: list[int] = field(default_factory=list)

    @property
    def target(self) -> CameraTarget:
        """Return what an operator would type."""
        return self.target_as(self.device.password)

    def target_as(self, password: str) -> CameraTarget:
        """Return the same with another password."""
        return CameraTarget(
            address=f"{self.device.host}:{self.device.http_port}",
            credentials=Credentials(username=self.device.username, password=SecretStr(password)),
        )

    async def enrol(
        self, *, try_head: bool = False, http: Limits = QUICK, max_offset_s: float = 300.0
    ) -> EnrolmentResult:
        """Enrol it; the head is believed unless ``try_head``."""
        limits = EnrolLimits(try_head=try_head, http=http, max_clock_offset_s=max_offset_s)
        return await enrol(self.target, clock=self.clock, policy=LOOPBACK, limits=limits)

    @asynccontextmanager
    async def opened(self, result: EnrolmentResult | None = None) -> AsyncIterator[Device]:
        """Open it, as enrolled."""
        description = result.description if result else None
        async with open_device(self.target, description, clock=self.clock, policy=LOOPBACK, limits=QUICK) as device:
            yield device

    def asked(self, name: str) -> list[dict[str, str]]:
        """Return the arguments of every request of that name, oldest first."""
        return [request.arguments for request in self.device.requests if request.name == name]


@asynccontextmanager
async def onvif_camera(clock: Clock, *faults: str, ptz: bool = True) -> AsyncIterator[Camera]:
    """Serve a camera with the named knobs on."""
    device = a_device(clock, *faults, ptz=ptz)
    camera = Camera(device, clock)
    device.reboot = lambda: camera.reboots.append(1)
    if device.head is not None:
        feed = PanoramaFeed(device.head)
        device.feeds = dict.fromkeys(device.streams, feed)
    async with onvif_server(device):
        yield camera
