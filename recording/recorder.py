"""The recorder of one stream: a media sink on one side, files on the other."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from config.recording import RecordingSettings
from kernel.clock import NS_PER_S, Clock
from kernel.ids import CameraId, StreamName
from kernel.lanes import LaneClosedError, LaneOverflowError, RecordLane
from kernel.media import AccessUnit, AudioFrame, GapCause, MetadataDocument, StreamDescription
from recording import placement
from recording.assembler import Assembler
from recording.disk import DISK_ERRORS, Disk, DiskState, diagnose
from recording.gapbook import GapBook
from recording.mux.fragment import Fragment, ticks_to_ns
from recording.writer import OpenFile

_log = structlog.get_logger(__name__)

SMALLEST_GAP_NS = NS_PER_S // 5
"""Between two runs less than this is not worth telling."""


NO_DISK = "no disk can be written"


@dataclass(slots=True)
class RecordState:
    """How one stream's recording fares. Times are wall nanoseconds."""

    recording: bool = False
    since_ns: int | None = None
    file: str | None = None
    bytes_written: int = 0
    last_error: str | None = None
    """What the storage refuses it with, in plain words; ``None`` as soon as it is written again."""
    cause: GapCause | None = None
    """Why it does not record, when it does not."""
    cut: int = 0
    """Runs that the disks ended: the lane ran over, or the last disk failed."""


@dataclass(frozen=True, slots=True)
class _RunEnd:
    """Continuity ended, seen at ``wall_ns``."""

    cause: GapCause
    detail: str
    wall_ns: int
    keyframe: bool = False
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Flush:
    """Write what waits; ``done`` is set when it is written."""

    done: asyncio.Future[None] | None = None
    keyframe: bool = False
    size_bytes: int = 0


class Recorder:
    """Satisfies :class:`kernel.media.MediaSink`; made by :meth:`recording.Storage.recorder`."""

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        camera: CameraId,
        stream: StreamName,
        *,
        gaps: GapBook,
        disks: Callable[[], list[Disk]],
        make_room: Callable[[Disk], Awaitable[bool]],
        settings: RecordingSettings,
        clock: Clock,
        phase: float = 1.0,
    ) -> None:
        """``phase`` (0..1] is the share of their time after which a run's first batch and first file are done with.

        Streams begin together, after a start or when a switch comes back; with the same phase they would want the
        disk together for ever after.
        """
        self.camera = camera
        self.stream = stream
        self.state = RecordState()
        self._disks = disks
        self._make_room = make_room
        self._settings = settings
        self._clock = clock
        self._assembler = Assembler(fragment_s=settings.fragment_s)
        self._lane: RecordLane[Fragment | _RunEnd | _Flush] = RecordLane(capacity_bytes=settings.lane_bytes)
        self._gaps = gaps
        self._batch: list[Fragment] = []
        self._batch_bytes = 0
        self._file: OpenFile | None = None
        self._end_ns: int | None = None
        self._run = ""
        self._phase = phase
        self._batch_ns = self._whole_batch_ns = round(settings.batch_s * NS_PER_S) - NS_PER_S // 2
        self._file_ns = self._whole_file_ns = round(settings.file_s * NS_PER_S)

    @property
    def waiting_bytes(self) -> int:
        """Return how much has not been taken up for writing: it grows while the disks are slower than the camera."""
        return self._lane.depth_bytes

    # The sink: called on the event loop, returns at once.

    def started(self, description: StreamDescription) -> None:
        """See :class:`MediaSink`."""
        self._put(self._assembler.finish())
        self._assembler.audio_parameters = description.audio

    def video(self, unit: AccessUnit) -> None:
        """See :class:`MediaSink`."""
        done = self._assembler.push(unit)
        if done is not None:
            self._put(done)

    def audio(self, frame: AudioFrame) -> None:
        """See :class:`MediaSink`."""
        self._assembler.sound(frame)

    def metadata(self, document: MetadataDocument) -> None:
        """See :class:`MediaSink`. Events reach the room on their own way; the document is not kept."""

    def broken(self, cause: GapCause, detail: str) -> None:
        """See :class:`MediaSink`."""
        self._put(self._assembler.finish())
        self._lane.put(_RunEnd(cause, detail, self._clock.wall_ns()))

    def _put(self, fragment: Fragment | None) -> None:
        if fragment is not None and not self._lane.put(fragment):
            # The run has ended here; what follows begins at a keyframe, as a new run.
            self._assembler.finish()

    # What the storage calls.

    def tick(self) -> None:
        """Have a batch written that is old enough although nothing follows it."""
        if self._batch and self._aged():
            self._lane.put(_Flush())

    async def flush(self) -> None:
        """Return when every whole fragment taken so far is on disk (or lost, and that is written)."""
        done = asyncio.get_running_loop().create_future()
        if (self._batch or len(self._lane)) and self._lane.put(_Flush(done)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * self._settings.slow_write_s):
                    await done

    def close(self) -> None:
        """Take nothing more; what was taken is written."""
        self._put(self._assembler.finish())
        self._lane.close()

    async def run(self) -> None:
        """Write until :meth:`close`."""
        await self._gaps.record(self._clock.wall_ns())
        while True:
            try:
                item = await self._lane.get()
            except LaneOverflowError:
                await self._end_run(_RunEnd(GapCause.STORAGE, "the disk could not keep up", self._clock.wall_ns()))
                continue
            except LaneClosedError:
                break
            match item:
                case Fragment():
                    await self._take(item)
                case _RunEnd():
                    await self._end_run(item)
                case _Flush():
                    await self._write()
                    if item.done is not None and not item.done.done():
                        item.done.set_result(None)
        await self._gaps.stop(await self._finish(self._clock.wall_ns()))
        self._not_recording(GapCause.HOST, "recording was stopped")

    # The writing task.

    def _aged(self) -> bool:
        return self._clock.monotonic_ns() - self._batch[0].received_ns >= self._batch_ns

    async def _take(self, fragment: Fragment) -> None:
        if self._must_begin(fragment):
            await self._write()
            await self._close_file()
            self._file_ns = self._whole_file_ns
        if self._file is None and not self._batch and not await self._can_begin(fragment):
            return
        if not self.state.recording or fragment.run != self._run:
            await self._begin_run(fragment)
        self._batch.append(fragment)
        self._batch_bytes += fragment.size_bytes
        self._end_ns = fragment.wall_ns + ticks_to_ns(fragment.duration_90k)
        if self._batch_bytes >= self._settings.batch_bytes or self._aged():
            await self._write()

    async def _can_begin(self, fragment: Fragment) -> bool:
        """Return whether a file may begin with ``fragment``; where not, it is lost, and that is written once."""
        if placement.choose(self._disks(), self.camera, self.stream) is None:
            await self._lose(fragment.wall_ns, NO_DISK)
            return False
        if not fragment.keyframe:
            # After a failure within a long GOP: nothing can be decoded before the next keyframe.
            await self._lose(fragment.wall_ns, "the rest of a GOP was lost with its disk")
            return False
        return True

    def _must_begin(self, fragment: Fragment) -> bool:
        """Return whether ``fragment`` belongs in another file than what came before it."""
        first: Fragment | OpenFile | None = self._file or (self._batch[0] if self._batch else None)
        if first is None:
            return False
        if first.run != fragment.run or first.audio_parameters != fragment.audio_parameters:
            return True
        if first.parameters is not fragment.parameters and first.parameters != fragment.parameters:
            return True
        base_90k = first.base_90k if isinstance(first, OpenFile) else first.start_90k
        return fragment.keyframe and ticks_to_ns(fragment.start_90k - base_90k) >= self._file_ns

    async def _begin_run(self, fragment: Fragment) -> None:
        if self._gaps.since_ns is not None:
            await self._gaps.close(fragment.wall_ns)
        elif self._end_ns is not None and fragment.wall_ns - self._end_ns >= SMALLEST_GAP_NS:
            await self._gaps.open(self._end_ns, GapCause.CAMERA, "its time jumped")
            await self._gaps.close(fragment.wall_ns)
        self._run = fragment.run
        self._batch_ns = round(self._whole_batch_ns * self._phase)
        self._file_ns = round(self._whole_file_ns * self._phase)
        self.state.recording = True
        self.state.since_ns = fragment.wall_ns
        self.state.cause = None

    async def _end_run(self, end: _RunEnd) -> None:
        await self._gaps.open(await self._finish(end.wall_ns), end.cause, end.detail)
        self._not_recording(end.cause, end.detail)

    async def _finish(self, now_ns: int) -> int:
        """Write what there is of a run; return since when there is no footage."""
        await self._write()
        await self._close_file()
        return self._end_ns if self.state.recording and self._end_ns is not None else now_ns

    def _not_recording(self, cause: GapCause, why: str) -> None:
        if cause is GapCause.STORAGE:
            # A disk's own words, where it said any, tell more.
            self.state.last_error = self.state.last_error or why
        if self.state.recording and cause is GapCause.STORAGE:
            self.state.cut += 1
        self.state.recording = False
        self.state.since_ns = None
        self.state.file = None
        self.state.cause = cause

    async def _write(self) -> None:
        """Write the batch, on another disk if the first fails; where none is left, it is lost and that is written."""
        roomed = False
        while self._batch:
            file = self._file or self._open_file()
            if file is None:
                return await self._lose(self._batch[0].wall_ns, NO_DISK)
            try:
                written = await file.disk.write(file.append, self._batch)
            except DISK_ERRORS as error:
                self.state.last_error = str(error) or type(error).__name__
                if not roomed and diagnose(error) is DiskState.FULL and await self._make_room(file.disk):
                    roomed = True
                    continue
                file.abandon()
                file.disk.mark(error)
                self._file = None
                await self._skip_to_keyframe()
                continue
            self.state.bytes_written += written
            self.state.last_error = None
            self.state.file = file.path
            file.disk.bytes_written += written
            self._batch_ns = self._whole_batch_ns
            self._batch = []
            self._batch_bytes = 0
        return None

    def _open_file(self) -> OpenFile | None:
        disk = placement.choose(self._disks(), self.camera, self.stream)
        if disk is not None:
            self._file = OpenFile(disk, self.camera, self.stream, self._batch[0])
        return self._file

    async def _skip_to_keyframe(self) -> None:
        """After a failure within a long GOP: drop what cannot be decoded in a new file."""
        since_ns = self._batch[0].wall_ns
        while self._batch and not self._batch[0].keyframe:
            self._batch_bytes -= self._batch.pop(0).size_bytes
        if not self._batch:
            await self._lose(since_ns, "the rest of a GOP was lost with its disk")

    async def _lose(self, since_ns: int, why: str) -> None:
        self._batch = []
        self._batch_bytes = 0
        await self._gaps.open(since_ns, GapCause.STORAGE, why)
        self._not_recording(GapCause.STORAGE, why)

    async def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                await file.disk.write(file.close)
            except DISK_ERRORS as error:
                file.disk.mark(error)
