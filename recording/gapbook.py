"""The gaps of one stream, written as facts while they happen."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection
from typing import TypeVar

import structlog

from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from kernel.media import GapCause
from recording.catalog import facts
from recording.catalog.files import newest_end_ns
from recording.disk import DISK_ERRORS, Disk, DiskState

T = TypeVar("T")

_log = structlog.get_logger(__name__)

ON_PURPOSE = frozenset({GapCause.OFF, GapCause.PRIVACY})
"""Causes that somebody wants. They last until the stream is recorded again, over restarts: nothing is lost."""
SLACK_NS = NS_PER_S


@dataclass(frozen=True, slots=True)
class _Left:
    """What the process before left of a stream on one disk."""

    disk: Disk
    told_ns: int | None
    """Until when anything is told of it, but for the gap that was open."""
    gap: facts.GapRow | None
    """The gap that was open."""


class GapBook:
    """Opens and closes the gap of one stream. Facts go to the first trusted disk; reading looks at all of them.

    There is one for each stream for as long as the process lives, whoever records the stream or does not: so what the
    process before left open is told from what this one did.
    """

    def __init__(self, disks: Callable[[], list[Disk]], camera: CameraId, stream: StreamName) -> None:
        self._disks = disks
        self._camera = camera
        self._stream = stream
        self.since_ns: int | None = None
        """Start of the gap that is open now."""
        self.cause: GapCause | None = None
        self._owed: dict[str, int] = {}
        """By disk, where it could not be told: when the gap ended that is open there. It would explain later ones."""
        self._resumed = False
        self._waiting = False
        """The gap that is open is older than the recorder."""
        self._stopped = False
        """The gap that is open began as the recorder was stopped. What for, what comes next tells."""

    async def record(self, now_ns: int) -> None:
        """State that the stream is to be recorded from now on. Until it is, the host is the cause."""
        await self._resume(now_ns, paused=False)
        self._stopped = False
        if self.cause in ON_PURPOSE:
            await self.open(now_ns, GapCause.HOST, "recording was starting")
        self._waiting = self.since_ns is not None

    async def stop(self, since_ns: int) -> None:
        """State that footage stopped as its recorder did: by the host's fault, unless it is paused or left next."""
        await self.open(since_ns, GapCause.HOST, "recording was stopped")
        self._stopped = not self._waiting

    async def pause(self, now_ns: int, cause: GapCause, detail: str) -> None:
        """State that the stream is not to be recorded from now on, or since its recorder was stopped for that."""
        await self._resume(now_ns, paused=True)
        since_ns = self.since_ns if self._stopped and self.since_ns is not None else now_ns
        self._stopped = False
        await self.open(since_ns, cause, detail)

    async def leave(self, now_ns: int, detail: str) -> None:
        """State that the host has nothing to do with the stream from now on, where it ever had."""
        await self._resume(now_ns, paused=True)
        if self.since_ns is not None and self.cause not in ON_PURPOSE:
            await self.pause(now_ns, GapCause.OFF, detail)

    async def open(self, since_ns: int, cause: GapCause, detail: str) -> None:
        """State that footage stopped; while a gap is open, a new cause begins where the old one ends."""
        if self.since_ns is not None:
            if self.cause is cause:
                return
            await self.close(since_ns)
        await self._pay()
        _log.info("recording.gap", camera=self._camera, stream=self._stream.value, cause=cause.value, detail=detail)

        def job(db: Connection) -> None:
            facts.open_gap(db, self._camera, self._stream.value, since_ns, cause, detail)

        await self._on_first(job)
        self.since_ns, self.cause = since_ns, cause

    async def close(self, end_ns: int) -> None:
        """State that footage goes on."""
        if self.since_ns is None:
            return
        await self._pay()
        for disk in self._disks():
            if not await self._try(disk, partial(self._close_on, end_ns=end_ns)):
                self._owed.setdefault(disk.id, end_ns)
        self.since_ns, self.cause, self._waiting = None, None, False

    async def _pay(self) -> None:
        for disk in self._disks():
            end_ns = self._owed.get(disk.id)
            if end_ns is not None and await self._try(disk, partial(self._close_on, end_ns=end_ns)):
                del self._owed[disk.id]

    async def _resume(self, now_ns: int, *, paused: bool) -> None:
        """Find out once what the process before this one left, and state what became of the stream since.

        What was not to be recorded then, and is not to be now (``paused``), was not in between either; a gap of the
        host's goes on as well. Any other ended at the last sign of life: from there on the host is the cause.
        """
        if self._resumed:
            return
        left = [found for disk in self._disks() if (found := await self._try(disk, self._left_on)) is not None]
        newest = max((one.gap for one in left if one.gap is not None), key=lambda gap: gap.start_ns, default=None)
        told = [one.told_ns for one in left if one.told_ns is not None]
        lasting = {GapCause.HOST, *ON_PURPOSE} if paused else {GapCause.HOST}
        # A gap's start and the end of its footage may be a tick apart.
        if newest is None or newest.cause not in lasting or newest.start_ns + SLACK_NS < max(told, default=0):
            going = None
        else:
            going = newest
        for one in left:
            if one.gap is not None and one.gap is not going:
                last_ns = max(one.gap.start_ns, one.disk.last_alive_ns or 0, one.told_ns or 0)
                told.append(last_ns if going is None else going.start_ns)
                await self._try(one.disk, partial(self._close_on, end_ns=told[-1]))
        if going is not None:
            self.since_ns, self.cause = going.start_ns, GapCause(going.cause)
        elif told and max(told) < now_ns:
            await self.open(max(told), GapCause.HOST, "the recorder was not running")
        self._resumed = True

    def _left_on(self, disk: Disk) -> _Left:
        camera, stream = self._camera, self._stream.value
        with disk.catalog.read() as db:
            ends = (newest_end_ns(db, camera, stream), facts.newest_gap_end_ns(db, camera, stream))
            return _Left(
                disk,
                max((end for end in ends if end is not None), default=None),
                facts.newest_open_gap(db, camera, stream),
            )

    def _close_on(self, disk: Disk, end_ns: int) -> bool:
        with disk.catalog.write() as db:
            facts.close_gaps(db, self._camera, self._stream.value, end_ns)
        return True

    async def _on_first(self, job: Callable[[Connection], None]) -> None:
        def on(disk: Disk) -> bool:
            with disk.catalog.write() as db:
                job(db)
            return True

        # A full disk still has room for a row; one that cannot write says so and the next is tried.
        for disk in sorted(self._disks(), key=lambda disk: disk.state is not DiskState.OK):
            if await self._try(disk, on):
                return
        _log.error("recording.gap_unwritten", camera=self._camera, stream=self._stream.value)

    async def _try(self, disk: Disk, job: Callable[[Disk], T]) -> T | None:
        if disk.state is DiskState.SLOW:
            return None
        try:
            return await disk.write(job, disk)
        except DISK_ERRORS as error:
            disk.mark(error)
            return None
