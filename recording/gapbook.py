"""The gaps of one stream, written as facts while they happen."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import TypeVar

import structlog

from kernel.ids import CameraId, StreamName
from kernel.media import GapCause
from recording.catalog import facts
from recording.catalog.files import newest_end_ns
from recording.disk import DISK_ERRORS, Disk, DiskState

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class GapBook:
    """Opens and closes the gap of one stream. Facts go to the first trusted disk; reading looks at all of them."""

    def __init__(self, disks: Callable[[], list[Disk]], camera: CameraId, stream: StreamName) -> None:
        self._disks = disks
        self._camera = camera
        self._stream = stream
        self.since_ns: int | None = None
        """Start of the gap that is open now."""
        self.cause: GapCause | None = None

    async def resume(self, now_ns: int) -> None:
        """Find where footage ended before this start, and state why it did.

        A gap of another cause that was open when the process died ends at its last sign of life: from there on the
        host is the cause.
        """
        last: int | None = None
        for disk in self._disks():
            found = await self._try(disk, self._resume_on)
            if found is not None:
                last = found if last is None else max(last, found)
        if last is not None and last < now_ns:
            await self.open(last, GapCause.HOST, "the recorder was not running")

    def _resume_on(self, disk: Disk) -> int | None:
        with disk.catalog.write() as db:
            last = newest_end_ns(db, self._camera, self._stream.value)
            left = facts.newest_open_gap(db, self._camera, self._stream.value)
            if left is not None and left.cause == GapCause.HOST:
                # It goes on, as one gap.
                facts.forget_gap(db, left.n)
                last = left.start_ns
            elif left is not None:
                alive_ns = disk.last_alive_ns or left.start_ns
                end_ns = max(left.start_ns, alive_ns, last or 0)
                facts.close_gaps(db, self._camera, self._stream.value, end_ns)
                last = end_ns
        return last

    async def open(self, since_ns: int, cause: GapCause, detail: str) -> None:
        """State that footage stopped; while a gap is open, a new cause begins where the old one ends."""
        if self.since_ns is not None:
            if self.cause is cause:
                return
            await self.close(since_ns)
        _log.info("recording.gap", camera=self._camera, stream=self._stream.value, cause=cause.value, detail=detail)
        self.since_ns, self.cause = since_ns, cause

        def job(db: Connection) -> None:
            facts.open_gap(db, self._camera, self._stream.value, since_ns, cause, detail)

        await self._on_first(job)

    async def close(self, end_ns: int) -> None:
        """State that footage goes on."""
        if self.since_ns is None:
            return
        self.since_ns, self.cause = None, None

        def job(disk: Disk) -> None:
            with disk.catalog.write() as db:
                facts.close_gaps(db, self._camera, self._stream.value, end_ns)

        for disk in self._disks():
            await self._try(disk, job)

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
