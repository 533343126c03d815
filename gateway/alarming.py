"""What units report reaches their deployments, and what is raised by it gets the last picture of the unit's camera.

Reports wait here one after the other, in bounded room: a database that is away makes them late, and loses none of the
last few thousand. Only those of units that stand somewhere wait at all. The alarm itself does not wait for its picture:
a camera that is being carried off may not answer any more, and then it is the last one that was recorded.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog

from gateway.belonging import Belonging
from gateway.db.errors import DatabaseError
from gateway.deployments.geofence import OVER, Case, Kind, Moved, Position, Report, Shock, Tampered, Tilt
from gateway.deployments.photos import Photos
from gateway.deployments.service import Deployments, Taken
from gateway.deployments.steps import Picture
from gateway.fleet.cameras import Camera
from gateway.fleet.service import Fleet
from gateway.units import Change, Register, Said
from gateway.units.report import Value
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError
from kernel.geography import Place
from kernel.ids import StreamName

log = structlog.get_logger()

WAITING_MAX = 4096
RETRY_S = 2.0
PICTURE_S = 10.0
"""A camera that makes no picture within this has made none."""
RECORDED_NS = 86_400 * NS_PER_S
"""A picture recorded longer ago than this tells nothing of what happened."""
ALARM = "alarm"


def report_of(name: str, values: Mapping[str, Value]) -> Report | None:
    """Return what a unit's message means where it stands; ``None`` for one that says nothing of that."""
    meant = _MEANT.get(name)
    return meant(values) if meant is not None else None


def _position(values: Mapping[str, Value]) -> Report:
    place = Place(_number(values["latitude"]), _number(values["longitude"]))
    return Position(place=place, accuracy_m=_number(values["accuracy_m"]))


def _tilt(values: Mapping[str, Value]) -> Report:
    return Tilt(pitch_deg=_number(values["pitch_deg"]), roll_deg=_number(values["roll_deg"]))


def _number(value: Value) -> float:
    assert isinstance(value, (int, float))
    return float(value)


_MEANT: Mapping[str, Callable[[Mapping[str, Value]], Report]] = {
    "state/position": _position,
    "state/tilt": _tilt,
    "state/case": lambda values: Case(open=bool(values["open"])),
    "event/shock": lambda values: Shock(peak_g=_number(values["peak_g"])),
    "event/moved": lambda _: Moved(),
    "event/tamper": lambda _: Tampered(),
}


class Alarming:
    """Made by :func:`open_alarming`."""

    def __init__(
        self, fleet: Fleet, belonging: Belonging, deployments: Deployments, photos: Photos, *, clock: Clock
    ) -> None:
        self._fleet = fleet
        self._belonging = belonging
        self._deployments = deployments
        self._photos = photos
        self._clock = clock
        self._waiting: deque[tuple[str, Report]] = deque()
        """URN of the device, and what its unit reports."""
        self._wanted: deque[tuple[str, str, Kind]] = deque(maxlen=WAITING_MAX)
        """Deployment, URN and kind of alarms that have no picture yet."""
        self._reported = asyncio.Event()
        self._raised = asyncio.Event()
        self.lost = 0

    def heard(self, change: Change) -> None:
        """Have a unit's message wait, where it says something of its place and it has one."""
        if not isinstance(change, Said):
            return
        report = report_of(change.now.name, change.now.values)
        if report is None:
            return
        standing = next(
            (
                urn
                for urn in {one.description.identity.urn for one in self._belonging.cameras(change.label)}
                if self._deployments.standing(urn) is not None
            ),
            None,
        )
        if standing is not None:
            self._wait(standing, report)

    def tampered(self, camera: Camera) -> None:
        """Have it wait that a camera says somebody is at it, where it stands by a deployment."""
        urn = camera.description.identity.urn
        if self._deployments.standing(urn) is not None:
            self._wait(urn, Tampered())

    def _wait(self, standing: str, report: Report) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.lost += 1
            if self.lost == 1:
                log.error("alarms.reports_lost", waiting=WAITING_MAX)
        self._waiting.append((standing, report))
        self._reported.set()

    def raised(self, taken: Taken) -> None:
        """Have a picture taken for an alarm. What ends one needs none."""
        if taken.entry.step != ALARM:
            return
        kind = Kind(json.loads(taken.entry.said)["kind"])
        if kind not in OVER:
            self._wanted.append((taken.deployment.id, taken.deployment.urn, kind))
            self._raised.set()

    async def run(self) -> None:
        """Hand on what waits, for ever; what the database does not take is given again."""
        while True:
            await self._reported.wait()
            self._reported.clear()
            while self._waiting:
                urn, report = self._waiting[0]
                try:
                    await self._deployments.reported(urn, report)
                except DatabaseError as error:
                    log.warning("alarms.report_late", urn=urn, error=error.code)
                    await self._clock.sleep(RETRY_S)
                    continue
                except SightlineError as error:
                    # Somebody took the unit down meanwhile, at another process: it is nobody's alarm.
                    log.warning("alarms.report_untaken", urn=urn, error=error.code)
                if self._waiting and self._waiting[0][1] is report:
                    self._waiting.popleft()

    async def run_pictures(self) -> None:
        """Take the pictures that are wanted, for ever. One that cannot be had is said, and not asked for again."""
        while True:
            await self._raised.wait()
            self._raised.clear()
            while self._wanted:
                deployment, urn, kind = self._wanted.popleft()
                try:
                    await self._picture(deployment, urn, kind)
                except SightlineError as error:
                    log.warning("alarms.no_picture", deployment=deployment, kind=kind.value, error=error.code)
                except OSError as error:
                    log.error("alarms.no_picture", deployment=deployment, kind=kind.value, error=str(error))  # noqa: TRY400 - a plain reason

    async def _picture(self, deployment: str, urn: str, kind: Kind) -> None:
        cameras = [one for one in self._fleet.cameras() if one.description.identity.urn == urn]
        for camera in cameras[:1]:
            jpeg, recorded_ns = await self._last(camera)
            digest, fresh = await asyncio.to_thread(self._photos.put, jpeg)
            picture = Picture(kind=kind, sha256=digest, size_bytes=len(jpeg), camera=camera.id, recorded_ns=recorded_ns)
            try:
                await self._deployments.pictured(deployment, picture)
            except SightlineError:
                if fresh:
                    await asyncio.to_thread(self._photos.drop, digest)
                raise

    async def _last(self, camera: Camera) -> tuple[bytes, int | None]:
        """Return a picture that the camera makes now, else the last that was recorded, with its time."""
        host = self._fleet.host_of(camera)
        try:
            async with asyncio.timeout(PICTURE_S):
                return await host.snapshot(camera.id), None
        except (SightlineError, TimeoutError):
            now_ns = self._clock.wall_ns()
            newest: dict[StreamName, int] = {}
            for stream in (StreamName.MAIN, StreamName.SUB):
                line = await host.timeline(camera.id, stream, now_ns - RECORDED_NS, now_ns)
                if line.newest_ns is not None:
                    newest[stream] = line.newest_ns
            # Where nothing is recorded the host is asked all the same: its refusal says why.
            stream = max(newest, key=lambda one: newest[one], default=StreamName.MAIN)
            still = await host.still(camera.id, stream, newest.get(stream, now_ns) - 1)
            return still.jpeg, still.wall_ns


@asynccontextmanager
async def open_alarming(  # noqa: PLR0913 - what it joins
    register: Register,
    fleet: Fleet,
    belonging: Belonging,
    deployments: Deployments,
    photos: Photos,
    *,
    clock: Clock,
) -> AsyncIterator[Alarming]:
    """Have deployments told what units report, for the time of the block."""
    alarming = Alarming(fleet, belonging, deployments, photos, clock=clock)
    detach = (register.listen(alarming.heard), deployments.listen(alarming.raised))
    async with asyncio.TaskGroup() as tasks:
        running = (
            tasks.create_task(alarming.run(), name="units' reports"),
            tasks.create_task(alarming.run_pictures(), name="pictures of alarms"),
        )
        try:
            yield alarming
        finally:
            for stop in detach:
                stop()
            for task in running:
                task.cancel()
