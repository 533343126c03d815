"""Power and network of one camera: its servers open, closed while they are refused, away while it reboots or is off.

A camera that moves gets another address; then its servers close without a word and open there, with a Hello.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.discovery import Announcer
from drivers.simulator.onvif import onvif_server
from drivers.simulator.rtsp import rtsp_server

log = structlog.get_logger(__name__)

REBOOT_S = 2.0
"""How long a camera is away when it reboots. Real ones take a minute."""
_POLL_S = 0.2


@dataclass(slots=True)
class Voice:
    """WS-Discovery, where it is on."""

    announcer: Announcer | None = None

    def hello(self, device: SimulatedDevice) -> None:
        """Say that a device has appeared."""
        if self.announcer is not None:
            self.announcer.hello(device)

    def bye(self, device: SimulatedDevice) -> None:
        """Say that a device is leaving."""
        if self.announcer is not None:
            self.announcer.bye(device)


class Power:
    """Keeps one camera's servers as they should be."""

    def __init__(self, device: SimulatedDevice, voice: Voice) -> None:
        self._device = device
        self._voice = voice
        self._cycle = asyncio.Event()
        self._on = asyncio.Event()
        self._on.set()
        self._host: str | None = None
        device.reboot = self._cycle.set

    def switch(self, *, on: bool) -> None:
        """Give it current, or take that away: then it is gone without a word."""
        if on:
            self._on.set()
        elif self._on.is_set():
            self._on.clear()
            self._cycle.set()

    def move(self, host: str) -> None:
        """Have it reached at ``host`` from now on, at any free ports; the old address is dead."""
        self._host = host
        self._cycle.set()

    async def run(self, opened: asyncio.Future[None]) -> None:
        """Serve for ever. ``opened`` is fulfilled, or failed with what kept the first opening from succeeding."""
        device = self._device
        while True:
            await self._on.wait()
            self._cycle.clear()
            self._take_address()
            async with AsyncExitStack() as stack:
                try:
                    await stack.enter_async_context(onvif_server(device))
                    rtsp = await stack.enter_async_context(_rtsp(device))
                except OSError as error:
                    if opened.done():
                        raise
                    opened.set_exception(error)
                    return
                if not opened.done():
                    opened.set_result(None)
                else:
                    self._voice.hello(device)
                rebooting = asyncio.create_task(self._cycle.wait())
                try:
                    await asyncio.wait({rebooting, rtsp}, return_when=asyncio.FIRST_COMPLETED)
                    if rtsp.done():
                        rtsp.result()
                finally:
                    rebooting.cancel()
                if self._on.is_set() and self._host is None:
                    self._voice.bye(device)
            if self._on.is_set() and self._host is None:
                log.info("simulator.reboot", camera=device.number)
                await device.clock.sleep(REBOOT_S)

    def _take_address(self) -> None:
        if self._host is not None:
            device = self._device
            device.host, device.http_port, device.rtsp_port = self._host, 0, 0
            self._host = None


@asynccontextmanager
async def _rtsp(device: SimulatedDevice) -> AsyncIterator[asyncio.Task[None]]:
    """Keep the RTSP port open, but not while ``refuse_connections`` is on."""
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        while True:
            if device.faults.refuse_connections:
                if not first.done():
                    first.set_result(None)
                await device.clock.sleep(_POLL_S)
                continue
            try:
                async with rtsp_server(device):
                    if not first.done():
                        first.set_result(None)
                    while not device.faults.refuse_connections:
                        await device.clock.sleep(_POLL_S)
            except OSError as error:
                if first.done():
                    raise
                first.set_exception(error)
                return

    task = asyncio.create_task(serve(), name=f"rtsp {device.number}")
    try:
        await first
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
