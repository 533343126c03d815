"""The borough: one town, its cameras, and everything by which they are reached, switched on together."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog

from drivers.simulator import happenings
from drivers.simulator.deployables import Callers, Deployable, mount_of, post_of
from drivers.simulator.device import Lens, Mount, SimulatedDevice, StreamSettings
from drivers.simulator.discovery import announcer
from drivers.simulator.errors import NoSuchCameraError, NoSuchUnitError, PortTakenError
from drivers.simulator.feed import COVER_LEVEL, Camera, open_feeds
from drivers.simulator.head import Head, position_at
from drivers.simulator.motion_alarm import MotionAlarm
from drivers.simulator.picture.painter import Painter
from drivers.simulator.power import Power, Voice
from drivers.simulator.settings import BoroughSettings
from drivers.simulator.town.sites import Site
from drivers.simulator.town.town import Town, ground_geojson
from drivers.simulator.town.van import Van
from drivers.simulator.units.radio import Air
from drivers.simulator.units.unit import Unit, label_of
from kernel.clock import Clock
from kernel.geography import bearing_wrap
from kernel.ids import StreamName

log = structlog.get_logger(__name__)

_LOOK_S = 1.0
"""Each camera's motion detector looks this often."""
_MOST_THREADS = 4


class Borough:
    """A running borough."""

    def __init__(
        self,
        settings: BoroughSettings,
        town: Town,
        devices: list[SimulatedDevice],
        sites: list[Site],
        deployables: list[Deployable],
    ) -> None:
        self.settings = settings
        self.town = town
        self.devices = devices
        """All of them; the deployable units' cameras come last."""
        self.sites = sites
        self.deployables = deployables
        self.powers: dict[int, Power] = {}
        """By number: what keeps their servers open."""
        self.callers = Callers(deployables, devices[0].clock)
        self.cameras: dict[int, Camera] = {}
        self.eyes: dict[int, Painter] = {}
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
        fixed = len(self.devices) - len(self.deployables)
        return (
            self.sites[number - 1].street if number <= fixed else self.deployables[number - fixed - 1].unit.post.street
        )

    def unit(self, label: str) -> Unit:
        """Return the deployable unit with that label.

        Raises:
            NoSuchUnitError: there is none.
        """
        for one in self.deployables:
            if one.unit.label == label:
                return one.unit
        msg = f"There is no unit {label!r}."
        last = label_of(len(self.deployables))
        raise NoSuchUnitError(
            msg, cure=f"They are {label_of(1)} to {last}." if self.deployables else "Ask for --units."
        )

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

    def turn_bracket(self, number: int, by_deg: float) -> None:
        """Turn what a camera hangs on, as a ladder does: its head stays as it is and knows nothing of it.

        Raises:
            NoSuchCameraError: there is no such camera.
        """
        device = self.device(number)
        bearing_deg = bearing_wrap(device.mount.bearing_deg + by_deg)
        device.mount = self.eyes[number].mount = replace(device.mount, bearing_deg=bearing_deg)

    def cover(self, number: int, *, on: bool, level: int = COVER_LEVEL) -> None:
        """Put a bag over a camera, or take it off: the picture is of one grey, 0 to 255, and its tamper alarm tells.

        Raises:
            NoSuchCameraError: there is no such camera.
        """
        device = self.device(number)
        camera = self.cameras[number]
        if camera.covered is not on:
            camera.covered, camera.cover_level = on, level
            happenings.tamper(device, on=on)


def _deployable(  # noqa: PLR0913, PLR0917 - what it is made of
    settings: BoroughSettings, town: Town, air: Air, device: SimulatedDevice, site: Site, power: Power
) -> Deployable:
    """Make of a camera one that a unit carries."""
    number = device.number - settings.cameras
    faults = settings.unit_faults_of(number)
    fixed = settings.unit_host
    unit = Unit(
        number, seed=town.seed, air=air, clock=device.clock, post=post_of(site), faults=faults, fixed_host=fixed
    )
    # It attaches before anybody asks where it is.
    unit.step()
    device.name, device.serial, device.urn = unit.label, unit.serial, unit.urn
    device.host = settings.host if fixed is not None else unit.host
    device.http_port = device.rtsp_port = 0
    device.mount = mount_of(unit, device.mount)
    return Deployable(unit, device, power)


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
    sites = list(town.sites(settings.cameras + settings.units))
    devices = [_made(settings, town, number, site, clock) for number, site in enumerate(sites, start=1)]
    pool = ThreadPoolExecutor(max(2, min(_MOST_THREADS, os.cpu_count() or 2)), thread_name_prefix="borough")
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, pool.shutdown)
        # The town is built once, before anybody looks, and not while the loop waits.
        await loop.run_in_executor(pool, lambda: (town.buildings, town.props, town.actors(0)))
        carried = zip(devices[settings.cameras :], sites[settings.cameras :], strict=True)
        air = await loop.run_in_executor(pool, Air, town)
        voice = Voice()
        powers = {device.number: Power(device, voice) for device in devices}
        deployables = [
            _deployable(settings, town, air, device, site, powers[device.number]) for device, site in carried
        ]
        borough = Borough(settings, town, devices, sites, deployables)
        borough.powers = powers
        by_number = {one.device.number: one for one in deployables}
        for device in devices:
            eye = Painter(town, device.mount)
            camera = await stack.enter_async_context(open_feeds(device, eye, pool=pool))
            borough.cameras[device.number], borough.eyes[device.number] = camera, eye
            if (one := by_number.get(device.number)) is not None:
                one.camera, one.eye = camera, eye
        async with _serving(borough, voice, clock):
            yield borough


@asynccontextmanager
async def _serving(borough: Borough, voice: Voice, clock: Clock) -> AsyncIterator[None]:
    """Keep all cameras reachable and their detectors looking."""
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        running: list[asyncio.Task[None]] = []
        try:
            for device in borough.devices:
                opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                running.append(
                    tasks.create_task(borough.powers[device.number].run(opened), name=f"power {device.number}")
                )
                await _opened(device, opened)
            running.append(tasks.create_task(_look_out(borough.town, borough.devices, clock), name="motion"))
            if borough.deployables:
                running.append(tasks.create_task(borough.callers.step(), name="units"))
                running.append(tasks.create_task(borough.callers.run(), name="units call in"))
            if borough.settings.units_broker is not None:
                borough.callers.call_in(borough.settings.units_broker)
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
