"""Each camera's days, kept for longer than its recordings: what was recorded, what was lost to what, its clock.

A day is settled shortly after its end, from what its camera host tells then; after a stop, and for a host or one of its
disks that did not answer, as soon as it does, as far back as there are recordings to tell of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.db.camera_days import CameraDay, CameraDays, DayFigures
from gateway.db.engine import Database
from gateway.db.past_cameras import PastCameraRow, PastCameras
from gateway.health.availability import Figures, Gap, Span, figures
from gateway.health.need import DAY_NS
from gateway.health.urgency import Signs
from kernel.clock import NS_PER_S, Clock, SteadyClock
from kernel.ids import CameraId
from kernel.media import GapCause

TURN_S = 900.0
"""How often what is missing is asked for, and what was seen of clocks is written down."""
GRACE_NS = 600 * NS_PER_S
"""A day is not asked for sooner after its end: what comes late is written by then."""
KEPT_DAYS = 400
"""Thirteen months can be asked for."""
AT_ONCE = 4
"""Catalogs that are asked at the same time."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A camera, and since when anything was asked of it, in ns since 1970; until when, where it was removed.

    ``host`` has its recordings.
    """

    camera: CameraId
    since_ns: int
    host: int
    until_ns: int | None = None

    def before(self, end_ns: int) -> int:
        """Return the sooner of an instant and its removal."""
        return end_ns if self.until_ns is None else min(end_ns, self.until_ns)


@dataclass(frozen=True, slots=True)
class Told:
    """What a host tells of a range: footage, and why there is none elsewhere."""

    spans: Sequence[Span]
    gaps: Sequence[Gap]
    whole: bool = True
    """All of its disks answered; else there may be more footage, and other causes."""

    @property
    def sure(self) -> Sequence[Gap]:
        """Return the gaps that are some: what the storage lacks may be on a disk that does not answer now."""
        return self.gaps if self.whole else [gap for gap in self.gaps if gap.cause is not GapCause.STORAGE]


Ask = Callable[[Enrolled, int, int], Awaitable[Told | None]]
"""Ask of a camera's main stream from an instant until before another; ``None``: its host does not answer."""


class Days:
    """The days of every camera. ``reach`` is how many days back there are recordings to tell of."""

    def __init__(self, database: Database, ask: Ask, *, reach: int, clock: Clock) -> None:
        self._database = database
        self._ask = ask
        self._reach = reach
        self._clock = SteadyClock(clock)
        """A day that is settled is not asked for again, and one that is forgotten cannot be."""
        self._offsets: dict[tuple[CameraId, int], float] = {}
        """The furthest that each clock was off, of a day; written down now and then."""
        self._unwritten: set[tuple[CameraId, int]] = set()

    def seen(self, cameras: Iterable[Signs]) -> None:
        """Take in how far clocks are off now."""
        day = day_of(self._clock.wall_ns())
        for one in cameras:
            key, offset_s = (one.camera, day), one.clock_offset_s
            known_s = self._offsets.get(key)
            if offset_s is not None and (known_s is None or abs(offset_s) > abs(known_s)):
                self._offsets[key] = offset_s
                self._unwritten.add(key)

    async def turn(self, cameras: Collection[Enrolled]) -> None:
        """Write down what was seen, settle every day that is over and is not, forget those that are long past.

        Those of cameras that were removed meanwhile too: their recordings are still there to tell of them.
        """
        await self._write()
        today = day_of(self._clock.wall_ns() - GRACE_NS)
        first = today - self._reach
        known = await self.within(None, first, today)
        slots = asyncio.Semaphore(AT_ONCE)

        async def settle(one: Enrolled) -> None:
            settled = {row.day for row in known.get(one.camera, ()) if row.figures is not None}
            end = day_of(one.before(today * DAY_NS) - 1) + 1
            missing = [day for day in range(max(first, day_of(one.since_ns)), end) if day not in settled]
            if missing:
                async with slots:
                    await self._settle(one, missing)

        past = [removed(one) for one in await self.past(first * DAY_NS)]
        done = await asyncio.gather(*map(settle, (*cameras, *past)), return_exceptions=True)
        for failed in (one for one in done if isinstance(one, BaseException)):
            raise failed
        async with self._database.write() as connection:
            await CameraDays(connection).forget(today - KEPT_DAYS)
            await PastCameras(connection).forget((today - KEPT_DAYS) * DAY_NS)

    async def past(self, since_ns: int) -> Sequence[PastCameraRow]:
        """Return the cameras that were removed after an instant, by number."""
        async with self._database.read() as connection:
            return await PastCameras(connection).since(since_ns)

    async def within(
        self, cameras: Collection[CameraId] | None, first: int, end: int
    ) -> Mapping[CameraId, Sequence[CameraDay]]:
        """Return what is known of days from the first until before ``end``, by camera; ``None``: of every camera."""
        async with self._database.read() as connection:
            rows = await CameraDays(connection).within(cameras, first, end)
        found: dict[CameraId, list[CameraDay]] = {}
        for row in rows:
            found.setdefault(CameraId(row.camera_id), []).append(row)
        return found

    async def of_range(self, one: Enrolled, stored: Sequence[CameraDay], start_ns: int, end_ns: int) -> "Range":
        """Return a camera's figures of a range that begins with a day: what is settled, and the rest as it is told now.

        Before it was enrolled nothing was asked of it, nor since it was removed.
        """
        start_ns, end_ns = max(start_ns, one.since_ns), one.before(end_ns)
        if start_ns >= end_ns:
            return Range(figures((), (), start_ns=end_ns, end_ns=end_ns), whole=True)
        settled = {row.day: row.figures for row in stored if row.figures is not None}
        days = range(day_of(start_ns), day_of(end_ns - 1) + 1)
        parts = [figures_of(settled[day]) for day in days if day in settled]
        missing = [day for day in days if day not in settled]
        if not missing:
            return Range(together(parts), whole=True)
        spans = [(max(start_ns, day * DAY_NS), min(end_ns, (day + 1) * DAY_NS)) for day in missing]
        told = await self._ask(one, spans[0][0], spans[-1][1])
        known = Told((), (), whole=False) if told is None else told
        parts += [figures(known.spans, known.sure, start_ns=from_ns, end_ns=to_ns) for from_ns, to_ns in spans]
        return Range(together(parts), whole=known.whole, known=told is not None or bool(settled))

    async def _settle(self, one: Enrolled, missing: Sequence[int]) -> None:
        told = await self._ask(one, max(one.since_ns, missing[0] * DAY_NS), one.before((missing[-1] + 1) * DAY_NS))
        if told is None or not told.whole:
            return
        found = [
            (day, _row(figures(told.spans, told.gaps, start_ns=max(one.since_ns, start_ns), end_ns=one.before(end_ns))))
            for day, start_ns, end_ns in ((day, day * DAY_NS, (day + 1) * DAY_NS) for day in missing)
        ]
        async with self._database.write() as connection:
            await CameraDays(connection).settle(one.camera, found)

    async def _write(self) -> None:
        """Write down what was seen of clocks. After a restart a smaller value does not take a greater one's place."""
        if not self._unwritten:
            return
        writing, today = sorted(self._unwritten), day_of(self._clock.wall_ns())
        stored = await self.within(None, min(day for _, day in writing), today + 1)
        before = {(camera, row.day): row.clock_offset_s for camera, rows in stored.items() for row in rows}
        async with self._database.write() as connection:
            for camera, day in writing:
                offset_s, known_s = self._offsets[camera, day], before.get((camera, day))
                if known_s is None or abs(offset_s) > abs(known_s):
                    await CameraDays(connection).clock(camera, day, offset_s)
        self._unwritten.difference_update(writing)
        self._offsets = {key: value for key, value in self._offsets.items() if key[1] >= today}


@dataclass(frozen=True, slots=True)
class Range:
    """A camera's figures of a range."""

    figures: Figures
    whole: bool
    """Whether its host and all of its disks answered where they were asked: what is missing counts as unknown else."""
    known: bool = True
    """Whether anything of it is."""


def removed(row: PastCameraRow) -> Enrolled:
    """Return a camera that was removed."""
    return Enrolled(CameraId(row.camera_id), row.enrolled_ns, row.host, row.removed_ns)


def day_of(at_ns: int) -> int:
    """Return the day (UTC) of an instant, counted from 1970-01-01."""
    return at_ns // DAY_NS


def together(parts: Sequence[Figures]) -> Figures:
    """Return the figures of several ranges as one."""
    lost: dict[GapCause, int] = {}
    for part in parts:
        for cause, lost_ns in part.lost_ns.items():
            lost[cause] = lost.get(cause, 0) + lost_ns
    return Figures(
        recorded_ns=sum(part.recorded_ns for part in parts),
        lost_ns=lost,
        withheld_ns=sum(part.withheld_ns for part in parts),
        off_ns=sum(part.off_ns for part in parts),
        unknown_ns=sum(part.unknown_ns for part in parts),
    )


def figures_of(known: DayFigures) -> Figures:
    """Return a stored day's figures."""
    lost = {
        GapCause.CAMERA: known.lost_camera_ns,
        GapCause.NETWORK: known.lost_network_ns,
        GapCause.HOST: known.lost_host_ns,
        GapCause.STORAGE: known.lost_storage_ns,
    }
    return Figures(
        recorded_ns=known.recorded_ns,
        lost_ns={cause: lost_ns for cause, lost_ns in lost.items() if lost_ns},
        withheld_ns=known.withheld_ns,
        off_ns=known.off_ns,
        unknown_ns=known.unknown_ns,
    )


def _row(found: Figures) -> DayFigures:
    return DayFigures(
        recorded_ns=found.recorded_ns,
        lost_camera_ns=found.lost_ns.get(GapCause.CAMERA, 0),
        lost_network_ns=found.lost_ns.get(GapCause.NETWORK, 0),
        lost_host_ns=found.lost_ns.get(GapCause.HOST, 0),
        lost_storage_ns=found.lost_ns.get(GapCause.STORAGE, 0),
        withheld_ns=found.withheld_ns,
        off_ns=found.off_ns,
        unknown_ns=found.unknown_ns,
    )
