"""The borough: one town, its cameras, and everything by which they are reached, switched on together."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog

from drivers.simulator import happenings
from drivers.simulator.device import Lens, Mount, SimulatedDevice, StreamSettings
from drivers.simulator.discovery import Announcer, announcer
from drivers.simulator.errors import NoSuchCameraError, PortTakenError
from drivers.simulator.feed import Camera, open_feeds
from drivers.simulator.head import Head, position_at
from drivers.simulator.motion_alarm import MotionAlarm
from drivers.simulator.onvif import onvif_server
from drivers.simulator.picture.painter import Painter
from drivers.simulator.rtsp import rtsp_server
from drivers.simulator.settings import BoroughSettings
from drivers.simulator.town.sites import Site
from drivers.simulator.town.town import Town, ground_geojson
from drivers.simulator.town.van import Van
from kernel.clock import Clock
from kernel.ids import StreamName

log = structlog.get_logger(__name__)

REBOOT_S = 2.0
"""How long a camera is away when it reboots. Real ones take a minute."""
_POLL_S = 0.2
_LOOK_S = 1.0
"""Each camera's motion detector looks this often."""
_MOST_THREADS = 4


class Borough:
    """A running borough."""

    def __init__(
        self, settings: BoroughSettings, town: Town, devices: list[SimulatedDevice], sites: list[Site]
    ) -> None:
        self.settings = settings
        self.town = town
        self.devices = devices
        self.sites = sites
        self.cameras: dict[int, Camera] = {}
        """The shutters by number: what was drawn and encoded."""

    @property
    def van(self) -> Van:
        """Return the white van."""
        return self.town.van

    def device(self, number: int) -> SimulatedDevice:
        """Return the camera of that number.

        Raises:
            NoSuchCameraError: there is none.
        """
        if not 1 <= number <= len(self.devices):
            msg = f"There is no camera {number}."
            raise NoSuchCameraError(msg, cure=f"They are numbered 1 to {len(self.devices)}.")
        return self.devices[number - 1]

    def street(self, number: int) -> str:
        """Return the street on which a camera stands."""
        self.device(number)
        return self.sites[number - 1].street

    def ground_geojson(self) -> dict[str, Any]:
        """Return the map of the town (:func:`drivers.simulator.town.town.ground_geojson`)."""
        return ground_geojson(self.town)

    def set_input(self, number: int, token: str, *, on: bool) -> None:
        """Close or open a contact of a camera's digital input; its subscribers are told.

        Raises:
            NoSuchCameraError: there is no such camera, or it has no such input.
        """
        device = self.device(number)
        if token not in device.inputs:
            msg = f"Camera {number} has no input {token!r}."
            raise NoSuchCameraError(msg, cure=f"It has {', '.join(device.inputs)}.")
        if device.inputs[token] is not on:
            happenings.digital_input(device, token, on=on)

    def cover(self, number: int, *, on: bool) -> None:
        """Put a bag over a camera, or take it off: the picture is dark, and its tamper alarm tells.

        Raises:
            NoSuchCameraError: there is no such camera.
        """
        device = self.device(number)
        camera = self.cameras[number]
        if camera.covered is not on:
            camera.covered = on
            happenings.tamper(device, on=on)


@dataclass(slots=True)
class _Voice:
    """WS-Discovery, where it is on."""

    announcer: Announcer | None = None

    def hello(self, device: SimulatedDevice) -> None:
        if self.announcer is not None:
            self.announcer.hello(device)

    def bye(self, device: SimulatedDevice) -> None:
        if self.announcer is not None:
            self.announcer.bye(device)


class _Power:
    """Keeps one camera's servers open, closed while they are refused, and away while it reboots."""

    def __init__(self, device: SimulatedDevice, voice: "_Voice") -> None:
        self._device = device
        self._voice = voice
        self._cycle = asyncio.Event()
        device.reboot = self._cycle.set

    async def run(self, opened: asyncio.Future[None]) -> None:
        """Serve for ever. ``opened`` is fulfilled, or failed with what kept the first opening from succeeding."""
        device = self._device
        while True:
            self._cycle.clear()
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
                self._voice.bye(device)
            log.info("simulator.reboot", camera=device.number)
            await device.clock.sleep(REBOOT_S)


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


def _made(settings: BoroughSettings, town: Town, number: int, site: Site, clock: Clock) -> SimulatedDevice:
    mount = Mount(
        place=town.place(site),
        bearing_deg=site.bearing_deg,
        lens=Lens(wide_deg=site.wide_deg),
        home_tilt_deg=site.tilt_deg,
        home_zoom=site.zoom,
    )
    streams = {
        StreamName.MAIN: StreamSettings(
            token="main",  # noqa: S106 - a profile's token
            name=StreamName.MAIN,
            codec=settings.codec,
            width=settings.width,
            height=settings.height,
            frame_rate=settings.frame_rate,
            gop_frames=settings.gop_frames,
            bitrate_kbit=settings.bitrate_kbit,
        )
    }
    if settings.sub is not None:
        streams[StreamName.SUB] = StreamSettings(
            token="sub",  # noqa: S106 - a profile's token
            name=StreamName.SUB,
            codec=settings.sub_codec,
            width=settings.sub[0],
            height=settings.sub[1],
            frame_rate=settings.frame_rate,
            gop_frames=settings.gop_frames,
            bitrate_kbit=settings.sub_bitrate_kbit,
        )
    device = SimulatedDevice(
        number=number,
        name=site.name,
        serial=f"SIM{settings.seed % 10_000:04d}{number:04d}",
        urn=f"urn:uuid:{uuid5(NAMESPACE_URL, f'simulated-borough/{settings.seed}/{number}')}",
        mount=mount,
        clock=clock,
        username=settings.username,
        password=secrets.token_urlsafe(12) if settings.own_passwords else settings.password,
        faults=settings.faults_of(number),
        streams=streams,
        host=settings.host,
        http_port=settings.http_port + number - 1 if settings.http_port else 0,
        rtsp_port=settings.rtsp_port + number - 1 if settings.rtsp_port else 0,
    )
    device.head = Head(mount, clock)
    device.home = position_at(mount, mount.home_pan_deg, mount.home_tilt_deg, mount.home_zoom)
    return device


async def _look_out(town: Town, devices: list[SimulatedDevice], clock: Clock) -> None:
    """Let each camera's motion detector look once a second, one after the other."""
    alarms = [MotionAlarm(town, device) for device in devices]
    while True:
        for alarm in alarms:
            await clock.sleep(_LOOK_S / len(alarms))
            alarm.look()


async def _opened(device: SimulatedDevice, opened: asyncio.Future[None]) -> None:
    try:
        await opened
    except OSError as error:
        msg = (
            f"Camera {device.number} cannot listen on {device.host}, port {device.http_port or 'any'} (ONVIF) and"
            f" {device.rtsp_port or 'any'} (RTSP): {os.strerror(error.errno) if error.errno else error}."
        )
        cure = "Choose other ports, or leave them out to take free ones."
        raise PortTakenError(msg, cure=cure, camera=device.number) from error


@asynccontextmanager
async def open_borough(settings: BoroughSettings, *, clock: Clock) -> AsyncIterator[Borough]:
    """Switch on a borough; leaving it closes every port and ends every thread.

    Raises:
        PortTakenError: a camera cannot listen where it should.
    """
    town = Town(seed=settings.seed, clock=clock)
    sites = list(town.sites(settings.cameras))
    devices = [_made(settings, town, number, site, clock) for number, site in enumerate(sites, start=1)]
    borough = Borough(settings, town, devices, sites)
    pool = ThreadPoolExecutor(max(2, min(_MOST_THREADS, os.cpu_count() or 2)), thread_name_prefix="borough")
    # The town is built once, before anybody looks, and not while the loop waits.
    await asyncio.get_running_loop().run_in_executor(pool, lambda: (town.buildings, town.props, town.actors(0)))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, pool.shutdown)
        for device in devices:
            eye = Painter(town, device.mount)
            borough.cameras[device.number] = await stack.enter_async_context(open_feeds(device, eye, pool=pool))
        async with _serving(borough, clock):
            yield borough


@asynccontextmanager
async def _serving(borough: Borough, clock: Clock) -> AsyncIterator[None]:
    """Keep all cameras reachable and their detectors looking."""
    failure: Exception | None = None
    voice = _Voice()
    async with asyncio.TaskGroup() as tasks:
        running: list[asyncio.Task[None]] = []
        try:
            for device in borough.devices:
                opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                running.append(tasks.create_task(_Power(device, voice).run(opened), name=f"power {device.number}"))
                await _opened(device, opened)
            running.append(tasks.create_task(_look_out(borough.town, borough.devices, clock), name="motion"))
            log.info("simulator.open", cameras=len(borough.devices), seed=borough.settings.seed)
            if borough.settings.discovery:
                async with announcer(borough.devices, clock) as voice.announcer:
                    yield
            else:
                yield
        except Exception as error:  # noqa: BLE001 - raised again below, not wrapped by the task group
            failure = error
        finally:
            voice.announcer = None
            for task in running:
                task.cancel()
    if failure is not None:
        raise failure
