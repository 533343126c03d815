"""What a unit's camera saw when something happened to it: taken where it may be, kept as long as footage, then deleted.

The alarm does not wait for its picture: a camera that is being carried off may not answer any more, and then it is the
last one that was recorded. What was told late has the picture of then, out of the recording. Where no valid deployment
says why the camera stands there, nothing that it sees is kept, be it of now or of the disk: the log says so instead.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from gateway.db.deployments import PictureRow
from gateway.db.errors import DatabaseError
from gateway.deployments.deployment import DAY_NS
from gateway.deployments.errors import WishError
from gateway.deployments.geofence import OVER, Kind
from gateway.deployments.photos import Photos, looked_at
from gateway.deployments.service import Deployments, Taken
from gateway.deployments.steps import Delete, Picture, Unpictured, Without
from gateway.fleet.cameras import Camera
from gateway.fleet.held import Held
from gateway.fleet.hosts import HostClient
from gateway.fleet.service import Fleet
from kernel.clock import NS_PER_S, Clock, SteadyClock, every
from kernel.errors import SightlineError
from kernel.ids import CameraId, StreamName

log = structlog.get_logger()

WANTED_MAX = 4096
PICTURE_S = 10.0
"""A camera that makes no picture within this has made none."""
RECORDED_NS = 86_400 * NS_PER_S
"""A picture recorded longer ago than this tells nothing of what happened."""
PICTURES_AN_HOUR = 3
"""For one deployment, of each kind of alarm by itself: a unit that is knocked all afternoon shall have as many left for
the moment in which it is carried off. There are six kinds, each told once in a minute at most; three of one show all
that is to be seen, and a unit that reports without end fills no disk: at the size below, 3.6 GB in a day of all six."""
PICTURE_BYTES = 8 * 1024 * 1024
"""A picture of 4K at the finest quality is half of this."""
HOUR_NS = 3600 * NS_PER_S
RETENTION_LOOK_S = 600.0
ALARM = "alarm"
_STREAMS = (StreamName.MAIN, StreamName.SUB)


@dataclass(frozen=True, slots=True)
class _Wanted:
    deployment: str
    urn: str
    kind: Kind
    happened_ns: int | None
    """When, where it was told late: what the camera sees now is not what was to be seen then."""


class Picturing:
    """Made by :func:`open_picturing`."""

    def __init__(
        self, fleet: Fleet, deployments: Deployments, photos: Photos, *, clock: Clock, retention_days: float
    ) -> None:
        self._fleet = fleet
        self._deployments = deployments
        self._photos = photos
        self._clock = clock
        self._steady = SteadyClock(clock)
        self._retention_ns = round(retention_days * DAY_NS)
        self._wanted: deque[_Wanted] = deque(maxlen=WANTED_MAX)
        """Alarms that have no picture yet."""
        self._kept: dict[tuple[str, Kind], deque[int]] = {}
        """When pictures were kept within the last hour, by deployment and kind of alarm."""
        self._raised = asyncio.Event()
        self._files = asyncio.Lock()
        """Two alarms may have one file: none is deleted while another comes to rely on it."""

    def raised(self, taken: Taken) -> None:
        """Have a picture taken for an alarm. What ends one needs none."""
        if taken.entry.step != ALARM:
            return
        said = json.loads(taken.entry.said)
        kind = Kind(said["kind"])
        if kind not in OVER:
            self._wanted.append(_Wanted(taken.deployment.id, taken.deployment.urn, kind, said["happened_ns"]))
            self._raised.set()

    async def run(self) -> None:
        """Take the pictures that are wanted, for ever. One that cannot be had is said, and not asked for again."""
        while True:
            await self._raised.wait()
            self._raised.clear()
            while self._wanted:
                wanted = self._wanted.popleft()
                try:
                    await self._answer(wanted)
                except SightlineError as error:
                    log.warning("alarms.no_picture", deployment=wanted.deployment, error=error.code)

    async def _answer(self, wanted: _Wanted) -> None:
        """Put a picture to an alarm, or why there is none."""
        why = self._deployments.blind(wanted.deployment, wanted.urn)
        if why is None and self._enough(wanted):
            why = Without.ENOUGH
        why = why or await self._picture(wanted)
        if why is not None:
            log.warning("alarms.no_picture", deployment=wanted.deployment, kind=wanted.kind.value, why=why.value)
            await self._deployments.noted(wanted.deployment, Unpictured(kind=wanted.kind, why=why))

    def _enough(self, wanted: _Wanted) -> bool:
        since_ns = self._clock.wall_ns() - HOUR_NS
        for of, kept in tuple(self._kept.items()):
            while kept and kept[0] <= since_ns:
                kept.popleft()
            if not kept:
                del self._kept[of]
        return len(self._kept.get((wanted.deployment, wanted.kind), ())) >= PICTURES_AN_HOUR

    async def _picture(self, wanted: _Wanted) -> Without | None:
        """Take a picture and keep it; return why that was not to be."""
        camera = next((one for one in self._fleet.cameras() if one.description.identity.urn == wanted.urn), None)
        if camera is None:
            return Without.NONE
        try:
            jpeg, recorded_ns = await self._seen(camera, wanted.happened_ns)
            _check(jpeg)
        except SightlineError as error:
            log.warning("alarms.nothing_seen", deployment=wanted.deployment, camera=camera.id, error=error.code)
            return Without.NONE
        # Its stay may have ended while the camera was asked.
        if (why := self._deployments.blind(wanted.deployment, wanted.urn)) is not None:
            return why
        async with self._files:
            try:
                digest, fresh = await asyncio.to_thread(self._photos.put, jpeg)
            except OSError as error:
                log.error("alarms.picture_not_kept", deployment=wanted.deployment, error=str(error))  # noqa: TRY400 - a plain reason
                return Without.UNKEPT
            picture = Picture(
                kind=wanted.kind, sha256=digest, size_bytes=len(jpeg), camera=camera.id, recorded_ns=recorded_ns
            )
            try:
                await self._deployments.noted(wanted.deployment, picture)
            except SightlineError:
                if fresh:
                    await asyncio.to_thread(self._photos.drop, digest)
                if (why := self._deployments.blind(wanted.deployment, wanted.urn)) is not None:
                    return why
                raise
        self._kept.setdefault((wanted.deployment, wanted.kind), deque()).append(self._clock.wall_ns())
        return None

    async def _seen(self, camera: Camera, happened_ns: int | None) -> tuple[bytes, int | None]:
        """Return a picture that the camera makes now, else the last that was recorded, with its time.

        What was told late has the one of then, else the last before.
        """
        host = self._fleet.host_of(camera)
        if happened_ns is None:
            try:
                async with asyncio.timeout(PICTURE_S):
                    return await host.snapshot(camera.id), None
            except (SightlineError, TimeoutError):
                return await _recorded(host, camera, self._clock.wall_ns())
        return await _recorded(host, camera, happened_ns)

    # --- as long as footage

    async def run_retention(self) -> None:
        """Delete pictures whose time is over, for ever; with a failing database or disk at a later turn."""
        async with every(self._clock, RETENTION_LOOK_S) as ticks:
            async for _ in ticks:
                try:
                    await self.delete_old()
                except (DatabaseError, OSError) as error:
                    log.error("alarms.pictures_not_deleted", error=str(error))  # noqa: TRY400 - a plain reason

    async def delete_old(self) -> None:
        """Delete the pictures that are as old as footage may become, but for those that a hold covers.

        Where the host that has a camera's holds cannot be asked, its pictures stay until it can: so does its footage.
        """
        old = await self._deployments.pictures(before_ns=self._steady.wall_ns() - self._retention_ns)
        if not old:
            return
        hosts = [link.client for link in self._fleet.links]
        answers = dict(zip(hosts, await asyncio.gather(*(_holds(host) for host in hosts)), strict=True))
        holders = {camera.id: self._fleet.host_of(camera) for camera in self._fleet.cameras()}
        holds = [held for answer in answers.values() for held in answer or ()]
        for one in old:
            # A camera that is enrolled no more may have left holds with any host.
            asked = [holders[CameraId(one.camera)]] if one.camera in holders else hosts
            if any(answers[host] is None for host in asked):
                log.warning("alarms.holds_unknown", camera=one.camera)
            elif not _held(one, holds):
                await self._delete(one)

    async def _delete(self, one: PictureRow) -> None:
        async with self._files:
            # The file first: what the log says is gone must be.
            if await self._deployments.keepers(one.sha256) == [one.deployment_id]:
                await asyncio.to_thread(self._photos.drop, one.sha256)
            gone = Delete(sha256=one.sha256, camera=one.camera, seen_ns=one.seen_ns)
            try:
                await self._deployments.noted(one.deployment_id, gone)
            except DatabaseError:
                raise
            except SightlineError as error:
                log.warning("alarms.deletion_unsaid", deployment=one.deployment_id, error=error.code)


async def _recorded(host: HostClient, camera: Camera, at_ns: int) -> tuple[bytes, int]:
    """Return what was recorded at an instant, in the main stream or the sub stream; else the last before it."""
    newest: dict[StreamName, int] = {}
    for stream in _STREAMS:
        line = await host.timeline(camera.id, stream, at_ns - RECORDED_NS, at_ns + 1)
        before = [min(span.end_ns - 1, at_ns) for span in line.spans if span.start_ns <= at_ns]
        if before:
            newest[stream] = max(before)
    # Where nothing is recorded the host is asked all the same: its refusal says why.
    stream = max(newest, key=lambda one: newest[one], default=StreamName.MAIN)
    still = await host.still(camera.id, stream, newest.get(stream, at_ns))
    return still.jpeg, still.wall_ns


def _check(jpeg: bytes) -> None:
    """Make sure that it is a picture, and no larger than one: what a camera answers may be anything.

    Raises:
        WishError: it is not.
    """
    if len(jpeg) > PICTURE_BYTES or looked_at(jpeg).media_type != "image/jpeg":
        raise WishError("That is no picture that a camera makes.", cure="Look at the camera.")


async def _holds(host: HostClient) -> tuple[Held, ...] | None:
    try:
        return await host.every_hold()
    except SightlineError:
        return None


def _held(one: PictureRow, holds: Iterable[Held]) -> bool:
    return any(held.camera == one.camera and held.start_ns <= one.seen_ns < held.end_ns for held in holds)


@asynccontextmanager
async def open_picturing(
    fleet: Fleet, deployments: Deployments, photos: Photos, *, clock: Clock, retention_days: float
) -> AsyncIterator[Picturing]:
    """Have alarms pictured, and their pictures deleted in time, for the time of the block."""
    picturing = Picturing(fleet, deployments, photos, clock=clock, retention_days=retention_days)
    detach = deployments.listen(picturing.raised)
    async with asyncio.TaskGroup() as tasks:
        running = (
            tasks.create_task(picturing.run(), name="pictures of alarms"),
            tasks.create_task(picturing.run_retention(), name="retention of pictures"),
        )
        try:
            yield picturing
        finally:
            detach()
            for task in running:
                task.cancel()
