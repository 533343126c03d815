"""Deployable units as cameras of the borough: where the box goes, its camera goes, and at its address."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Protocol

from drivers.simulator.device import Mount, SimulatedDevice
from drivers.simulator.feed import Camera
from drivers.simulator.happenings import tamper
from drivers.simulator.picture.painter import Painter
from drivers.simulator.town.sites import Site
from drivers.simulator.units.broker import Broker
from drivers.simulator.units.client import UnitClient, open_client
from drivers.simulator.units.movement import Post
from drivers.simulator.units.unit import Unit
from kernel.clock import NS_PER_S, Clock, every
from kernel.ids import StreamName

TICK_S = 1.0
"""Each unit is brought to the present this often."""
_CLOCK_STEP_S = 0.001


def post_of(site: Site) -> Post:
    """Return a site of the town as a post with mains."""
    return Post(
        at=site.at,
        height_m=site.height_m,
        bearing_deg=site.bearing_deg,
        tilt_deg=site.tilt_deg,
        zoom=site.zoom,
        wide_deg=site.wide_deg,
        street=site.street,
    )


class Wires(Protocol):
    """Current and network of a camera (``drivers.simulator.power.Power``)."""

    def switch(self, *, on: bool) -> None:
        """Give it current, or take that away."""
        ...

    def move(self, host: str) -> None:
        """Have it reached there from now on."""
        ...


class Deployable:
    """One unit with its camera. Neither its URN nor its serial ever changes; its address does with each attach."""

    def __init__(self, unit: Unit, device: SimulatedDevice, power: Wires) -> None:
        self.unit = unit
        self.device = device
        self.camera: Camera
        self.eye: Painter
        """Both are given by the borough when it opens the feeds."""
        self._power = power
        self._attaches = unit.attaches
        self._hangs = False
        self._clock_error_s = 0.0
        self._main_kbit = device.streams[StreamName.MAIN].bitrate_kbit
        self._stepped_ns = device.clock.monotonic_ns()

    def step(self) -> None:
        """Bring the unit to the present, and its camera with it."""
        self._count()
        self.unit.step()
        self._place()
        self._reach()
        self._obey()

    def _count(self) -> None:
        """Count what its pictures have sent since the last look."""
        now_ns = self.device.clock.monotonic_ns()
        since_s, self._stepped_ns = (now_ns - self._stepped_ns) / NS_PER_S, now_ns
        kbit = sum(feed.settings.bitrate_kbit for feed in self.camera.feeds.values() if feed.listened)
        self.unit.streaming = kbit > 0
        if kbit and self.unit.linked:
            self.unit.sent(round(kbit * 125 * since_s))

    def _place(self) -> None:
        """Let its camera see from where it stands; in a van it sees the inside of its bag."""
        unit, device = self.unit, self.device
        if self.camera.covered is not unit.carried:
            self.camera.covered = unit.carried
            tamper(device, on=unit.carried)
        if unit.carried:
            return
        mount = mount_of(unit, device.mount)
        if mount != device.mount:
            device.mount = self.eye.mount = mount

    def _reach(self) -> None:
        """Let it be reached where its modem is attached, or not at all."""
        unit, device = self.unit, self.device
        # A link that is away hangs: connections stay open and nothing passes. The knob of that name is left to others.
        hangs = unit.running and not unit.linked
        if hangs is not self._hangs:
            self._hangs = device.faults.drop_link = hangs
        self._power.switch(on=unit.running)
        if unit.attaches != self._attaches:
            self._attaches = unit.attaches
            self._power.move(unit.host)
        unit.http_port, unit.rtsp_port = device.http_port, device.rtsp_port

    def _obey(self) -> None:
        unit, device = self.unit, self.device
        sub = device.streams.get(StreamName.SUB)
        thin_kbit = self._main_kbit if sub is None else min(sub.bitrate_kbit, self._main_kbit)
        device.streams[StreamName.MAIN].bitrate_kbit = thin_kbit if unit.thin else self._main_kbit
        if abs(unit.clock_error_s - self._clock_error_s) > _CLOCK_STEP_S:
            self._clock_error_s = device.faults.clock_error_s = unit.clock_error_s


def mount_of(unit: Unit, mount: Mount) -> Mount:
    """Return how a unit's camera is mounted where the unit stands now."""
    return replace(mount, place=unit.place, bearing_deg=unit.bearing_deg, lean_deg=unit.lean_deg[0])


class Callers:
    """All units' MQTT clients, calling in where they are told to."""

    def __init__(self, deployables: list[Deployable], clock: Clock) -> None:
        self.clients: dict[str, UnitClient] = {}
        """By label; empty while no broker is known."""
        self._deployables = deployables
        self._clock = clock
        self._broker: Broker | None = None
        self._changed = asyncio.Event()

    def call_in(self, broker: Broker) -> None:
        """Have every unit call in there from now on."""
        self._broker = broker
        self._changed.set()

    async def run(self) -> None:
        """Call, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            assert self._broker is not None
            try:
                async with AsyncExitStack() as stack:
                    for one in self._deployables:
                        client = open_client(one.unit, self._broker, clock=self._clock)
                        self.clients[one.unit.label] = await stack.enter_async_context(client)
                    await self._changed.wait()
            finally:
                self.clients.clear()

    async def step(self) -> None:
        """Bring each unit to the present once a second, for ever; between two of them others have their turn."""
        async with every(self._clock, TICK_S) as ticks:
            async for _ in ticks:
                for one in self._deployables:
                    one.step()
                    if (client := self.clients.get(one.unit.label)) is not None:
                        client.tick()
                    await self._clock.sleep(0.0)
