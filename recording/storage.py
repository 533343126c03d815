"""Rolling storage: the disks, the recorders that write to them, and what can be asked of them."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from config.recording import RecordingSettings
from kernel.clock import Clock, SteadyClock, every
from kernel.ids import CameraId, StreamName, new_id
from kernel.media import GapCause
from recording import holds, identity, retention, verify
from recording.catalog import facts
from recording.catalog.files import FileRow, totals
from recording.disk import DISK_ERRORS, Disk, DiskState
from recording.erasing import Erased, erase
from recording.errors import FootageUnreadableError, RecordingError, UnknownHoldError
from recording.gapbook import GapBook
from recording.holds import Hold
from recording.opening import open_disks
from recording.playback import Playback
from recording.recorder import Recorder
from recording.recovery import RecoveryReport
from recording.verify import VerifyReport
from recording.volume import Volume

_log = structlog.get_logger(__name__)

TICK_S = 0.5
KEEPING_S = 10.0
GOLDEN = (5.0**0.5 - 1.0) / 2.0
"""Multiples of it, without their whole part, are spread evenly over 0..1 however many there are."""
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")


@dataclass(frozen=True, slots=True)
class DiskStats:
    """One disk, as the room may read it."""

    path: str
    id: str
    state: DiskState
    fault: str
    files: int
    recorded_bytes: int
    oldest_ns: int | None
    free_bytes: int
    total_bytes: int
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class StorageStats:
    """All disks, and how many streams record now."""

    disks: tuple[DiskStats, ...]
    recording: int
    left_out: tuple[str, ...] = ()
    """Why other configured disks are not in use; they are tried again at the next start."""


class Storage(Playback):
    """What :func:`open_storage` gives. Playback stands in :class:`recording.playback.Playback`."""

    def __init__(  # noqa: PLR0913 - what open_storage found
        self, settings: RecordingSettings, disks: list[Disk], reports: list[RecoveryReport], *, clock: Clock,
        decoders: ThreadPoolExecutor, left_out: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        super().__init__(settings, disks, clock=clock, decoders=decoders, left_out=left_out)
        self.recovered = tuple(reports)
        """What was found and mended at start, one report per disk."""
        self._begun: Counter[StreamName] = Counter()
        self._books: dict[tuple[CameraId, StreamName], GapBook] = {}
        self._steady = SteadyClock(clock)
        """By which footage is old: a clock gone astray must not delete a month."""

    @asynccontextmanager
    async def recorder(self, camera: CameraId, stream: StreamName) -> AsyncIterator[Recorder]:
        """Record one stream while the context lasts; what was taken is written before it ends.

        Raises:
            RecordingError: the stream is being recorded already, or the camera's identifier is no file name.
        """
        if not _NAME.match(camera):
            raise RecordingError(f"{camera!r} cannot name a camera in storage.", cure="Use letters, digits, - and _.")
        if (camera, stream) in self._recorders:
            raise RecordingError(f"Camera {camera} {stream.value} is being recorded already.")
        recorder = Recorder(camera, stream, gaps=self._book(camera, stream), disks=lambda: self._disks,
                            make_room=self._make_room, settings=self._settings, clock=self._clock,
                            phase=self._next_phase(stream))  # fmt: skip
        self._recorders[camera, stream] = recorder
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(recorder.run(), name=f"record {camera} {stream.value}")
                try:
                    yield recorder
                finally:
                    recorder.close()
                    await asyncio.wait([writing])
        finally:
            del self._recorders[camera, stream]

    async def pause(self, camera: CameraId, stream: StreamName, cause: GapCause, why: str) -> None:
        """Have a stream's timeline say why it is not recorded: on purpose, from now on until it is recorded again.

        ``cause`` is one of ``gapbook.ON_PURPOSE``. That lasts over restarts of the process.
        """
        await self._book(camera, stream).pause(self._clock.wall_ns(), cause, why)

    async def leave(self, camera: CameraId, why: str) -> None:
        """Have the timelines of a camera say why it is not recorded here any more, where it ever was."""
        for stream in StreamName:
            await self._book(camera, stream).leave(self._clock.wall_ns(), why)

    def _book(self, camera: CameraId, stream: StreamName) -> GapBook:
        found = self._books.get((camera, stream))
        if found is None:
            found = self._books[camera, stream] = GapBook(lambda: self._disks, camera, stream)
        return found

    def _next_phase(self, stream: StreamName) -> float:
        """Return the phase of the next main or sub: 1 for the first, and each in the widest space the others left."""
        self._begun[stream] += 1
        return 1.0 - (self._begun[stream] - 1) * GOLDEN % 1.0

    async def hold(  # noqa: PLR0913 - what a hold says
        self,
        camera: CameraId,
        start_ns: int,
        end_ns: int,
        reason: str,
        *,
        authority: str = "",
        placed_by: str = "",
        review_ns: int | None = None,
    ) -> str:
        """Keep both streams of a camera in a range, what is there and what is still to come; return the hold's id.

        Raises:
            BadRangeError: it ends before it starts.
        """
        self._check_range(start_ns, end_ns, limited=False)
        hold = Hold(id=new_id(), camera=camera, start_ns=start_ns, end_ns=end_ns, reason=reason, authority=authority,
                    placed_by=placed_by, review_ns=review_ns, created_ns=self._clock.wall_ns())  # fmt: skip
        for disk in self._trusted():
            await disk.read(holds.place, disk.root, disk.catalog, hold)
        _log.info("recording.held", hold=hold.id, camera=camera, start_ns=start_ns, end_ns=end_ns)
        return hold.id

    async def review(self, hold_id: str, review_ns: int) -> None:
        """Have a hold looked at again at that time.

        Raises:
            UnknownHoldError: there is none of that id.
        """
        found = [await disk.read(holds.review, disk.root, disk.catalog, hold_id, review_ns) for disk in self._trusted()]
        if not any(found):
            raise UnknownHoldError(f"There is no hold {hold_id}.")
        _log.info("recording.hold_reviewed", hold=hold_id, review_ns=review_ns)

    async def release(self, hold_id: str) -> None:
        """End a hold: retention decides again.

        Raises:
            UnknownHoldError: there is none of that id.
        """
        released = [await disk.read(holds.release, disk.root, disk.catalog, hold_id) for disk in self._trusted()]
        if not any(released):
            raise UnknownHoldError(f"There is no hold {hold_id}.")
        _log.info("recording.released", hold=hold_id)

    async def holds(self) -> list[Hold]:
        """Return every hold, oldest first."""
        found = {hold.id: hold for disk in self._trusted() for hold in await disk.read(holds.listed, disk.catalog)}
        return [found[key] for key in sorted(found)]

    async def erase(self, camera: CameraId, start_ns: int, end_ns: int, detail: str) -> Erased:
        """Delete what nothing allowed to be recorded of a camera in a range: both streams, with the cause privacy.

        Raises:
            BadRangeError: it ends before it starts.
            FootageUnreadableError: a disk fails, or is not in use: there may be more on it.
        """
        self._check_range(start_ns, end_ns, limited=False)
        found = [Erased()]
        for disk in self._trusted():
            try:
                found.append(await disk.maintain(erase, disk, camera, start_ns, end_ns, detail))
            except DISK_ERRORS as error:
                disk.mark(error)
        if self._left_out or len(found) <= len(self._disks):
            raise FootageUnreadableError("Not every disk of the recordings answers.", cure="See to it, and try again.")
        return Erased(sum(one.files for one in found), sum(one.kept for one in found))

    async def verify(self, camera: CameraId | None = None) -> VerifyReport:
        """Read everything (of one camera) again and compare it with what was written."""
        reports = []
        for disk in self._disks:
            for file in await disk.read(verify.listed, disk, camera):
                reports.append(await disk.read(verify.check, disk, file))  # noqa: PERF401 - awaited one by one
        faults = tuple(fault for report in reports for fault in report.faults)
        if faults:
            _log.error("recording.verify_failed", faults=len(faults), first=faults[0].path)
        return VerifyReport(len(reports), sum(r.fragments for r in reports), sum(r.bytes for r in reports), faults)

    async def stats(self) -> StorageStats:
        """Return how the disks stand."""
        disks = tuple([await disk.read(_stats, disk) for disk in self._disks])
        recording = sum(recorder.state.recording for recorder in self._recorders.values())
        return StorageStats(disks, recording, self._left_out)

    async def keep(self) -> None:
        """Do one round of what storage owes its disks: retention, a sign of life, new links of holds, probing."""
        for disk in self._disks:
            try:
                await disk.maintain(self._keep_one, disk)
                if disk.state is not DiskState.OK:
                    await disk.write(identity.probe, disk.root)
                    disk.trust()
            except DISK_ERRORS as error:
                disk.mark(error)

    def _keep_one(self, disk: Disk) -> None:
        if disk.state is DiskState.FULL:
            identity.give_reserve(disk.root)
        with disk.catalog.write() as db:
            # The time within the transaction: a round that hung before it writes no older one over a later round's.
            facts.set_meta(db, facts.ALIVE_KEY, str(self._clock.wall_ns()))
        retention.sweep(disk, self._settings, self._steady.wall_ns(), by_age=True)
        holds.link_new(disk.root, disk.catalog)
        identity.reserve(disk.root)

    async def _make_room(self, disk: Disk) -> bool:
        """Delete what may be deleted for one more batch; return whether anything was."""
        try:
            await disk.write(identity.give_reserve, disk.root)
            swept = await disk.maintain(retention.sweep, disk, self._settings, self._clock.wall_ns(),
                                     by_age=False, extra_bytes=2 * self._settings.batch_bytes)  # fmt: skip
        except DISK_ERRORS as error:
            disk.mark(error)
            return False
        return swept.files > 0

    async def _tick_forever(self) -> None:
        async with every(self._clock, TICK_S) as ticks:
            async for _ in ticks:
                for recorder in self._recorders.values():
                    recorder.tick()

    async def _keep_forever(self) -> None:
        async with every(self._clock, KEEPING_S) as ticks:
            async for _ in ticks:
                await self.keep()


def _stats(disk: Disk) -> DiskStats:
    free = total = files = size = 0
    oldest: int | None = None
    try:
        free, total = disk.volume.free_bytes(disk.root)
        with disk.catalog.read() as db:
            files, size, oldest = totals(db)
    except DISK_ERRORS as error:
        disk.mark(error)
    return DiskStats(str(disk.settings.path), disk.id, disk.state, disk.fault, files, size, oldest, free, total,
                     disk.bytes_per_s)  # fmt: skip


@asynccontextmanager
async def open_storage(
    settings: RecordingSettings, *, clock: Clock, volume: Callable[[], Volume] = Volume
) -> AsyncIterator[Storage]:
    """Open the disks, mend what a crash left, and keep them while the context lasts.

    Raises:
        StorageStartError: a disk is missing, full, read-only, in use, or has lost footage; nothing was changed.
    """
    async with AsyncExitStack() as stack:
        disks, reports, left_out = await open_disks(settings, clock=clock, volume=volume, stack=stack)
        decoders = ThreadPoolExecutor(settings.still_threads, thread_name_prefix="still")
        stack.callback(decoders.shutdown, wait=False)
        storage = Storage(settings, disks, reports, clock=clock, decoders=decoders, left_out=left_out)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(storage._tick_forever(), name="recording ticks"),  # noqa: SLF001 - same module
                     group.create_task(storage._keep_forever(), name="recording keeper")]  # noqa: SLF001  # fmt: skip
            try:
                yield storage
            finally:
                for task in tasks:
                    task.cancel()


__all__ = ["DiskStats", "FileRow", "Storage", "StorageStats", "open_storage"]
