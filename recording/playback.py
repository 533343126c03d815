"""What can be asked of recordings: timeline, playlist, segments, stills and exports."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from config.recording import RecordingSettings
from kernel.clock import NS_PER_S, Clock, utc
from kernel.ids import CameraId, StreamName
from recording import playlist, stills
from recording.catalog.files import FileRow, file_by_id, gop_at
from recording.disk import DISK_ERRORS, Disk, DiskState
from recording.errors import (
    BadRangeError,
    BusyError,
    FootageUnreadableError,
    NothingRecordedError,
    UnknownFileError,
)
from recording.export import Export, ExportPlan, plan, refuse_mixture
from recording.mux.init import video_only
from recording.recorder import Recorder
from recording.segments import FileSegments, in_order, segments_on, video_of
from recording.stills import Still
from recording.timeline import Found, GapSpan, Timeline, build, look

FRESH_NS = 30 * NS_PER_S
"""A question that reaches this near to now has what waits in memory written first."""
LOOK_BACK_NS = 60 * NS_PER_S
"""A still is sought this far back: a keyframe may be that old."""


class Playback:
    """Reads the catalogs and files of all disks. No method blocks the event loop."""

    def __init__(
        self, settings: RecordingSettings, disks: list[Disk], *, clock: Clock, decoders: ThreadPoolExecutor,
        left_out: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """``left_out`` says why other configured disks are not in use: what they have cannot be asked for."""
        self._settings = settings
        self._disks = disks
        self._clock = clock
        self._decoders = decoders
        self._left_out = left_out
        self._decoding = 0
        self._recorders: dict[tuple[CameraId, StreamName], Recorder] = {}

    async def timeline(self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int) -> Timeline:
        """Return what there is between two wall times, and why there is nothing where there is nothing.

        It says where a disk did not answer, so that there may be more.

        Raises:
            BadRangeError: the range ends before it starts.
        """
        self._check_range(start_ns, end_ns, limited=False)
        await self._freshen(camera, stream, end_ns)
        # A little to either side tells whether a hole at the edge lies between footage.
        found = await self._look(camera, stream, start_ns - LOOK_BACK_NS, end_ns + LOOK_BACK_NS)
        whole = not self._left_out and len(found) == len(self._disks)
        return build(found, start_ns, end_ns, self._clock.wall_ns(), whole=whole)

    async def playlist(
        self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int | None, *,
        uri: playlist.UriOf = playlist.plain_uri,
    ) -> str:  # fmt: skip
        """Return an HLS playlist; with ``end_ns`` None it grows as the recording does.

        Raises:
            BadRangeError: the range ends before it starts, or is too long.
            NothingRecordedError: there is nothing in it.
        """
        growing = end_ns is None
        until_ns = self._clock.wall_ns() + LOOK_BACK_NS if end_ns is None else end_ns
        parts = await self._segments(camera, stream, start_ns, until_ns)
        return playlist.build(parts, growing=growing, uri=uri)

    async def init_segment(self, camera: CameraId, stream: StreamName, file_id: str) -> bytes:
        """Return the init segment of a file, pictures only: no browser's MSE plays G.711.

        Raises:
            UnknownFileError: it is not there.
        """

        def job(disk: Disk, file: FileRow) -> bytes:
            return video_only(_read(disk, file, 0, file.init_bytes))

        return await self._from_file(camera, stream, file_id, job)

    async def fragment(self, camera: CameraId, stream: StreamName, file_id: str, index: int) -> bytes:
        """Return the GOP that begins with fragment ``index`` of a file, pictures only.

        Raises:
            UnknownFileError: it is not there.
        """

        def job(disk: Disk, file: FileRow) -> bytes:
            with disk.catalog.read() as db:
                rows = gop_at(db, file.n, index)
            if not rows or rows[0].idx != index:
                raise UnknownFileError(f"The recorded file {file_id} has no fragment {index}.")
            size = rows[-1].offset + rows[-1].size_bytes - rows[0].offset
            return video_of(_read(disk, file, rows[0].offset, size), rows)

        return await self._from_file(camera, stream, file_id, job)

    async def still(self, camera: CameraId, stream: StreamName, at_ns: int) -> Still:
        """Return the picture that was seen at an instant, as JPEG.

        Raises:
            NothingRecordedError: nothing was recorded then.
            BusyError: too many are being decoded.
            FootageUnreadableError: the disk or the decoder would not.
        """
        if self._decoding >= self._settings.still_queue:
            raise BusyError("Too many stills are being made.", cure="Try again in a moment.")
        self._decoding += 1
        try:
            parts = await self._segments(camera, stream, at_ns, at_ns + 1)
            part = parts[0]
            return await asyncio.get_running_loop().run_in_executor(
                self._decoders, stills.take, part, part.segments[0], at_ns
            )
        finally:
            self._decoding -= 1

    async def export(
        self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int, *, title: str | None = None
    ) -> Export:
        """Return one MP4 of a range, not coded again, from the keyframe at or before ``start_ns``.

        ``title`` (the camera's name) and the creation time stand in its metadata, with what is missing and why.

        Raises:
            BadRangeError, NothingRecordedError, MixedCodecError, FootageUnreadableError: before the first byte.
        """
        layout, parts = await self._plan(camera, stream, start_ns, end_ns, title)
        return Export(layout, parts[0].disk)

    async def _plan(
        self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int, title: str | None
    ) -> tuple[ExportPlan, Sequence[FileSegments]]:
        parts = await self._segments(camera, stream, start_ns, end_ns)
        refuse_mixture(parts)
        line = await self.timeline(camera, stream, parts[0].segments[0].start_ns, end_ns)

        def gaps(first_ns: int, last_ns: int) -> Sequence[GapSpan]:
            return [gap for gap in line.gaps if gap.start_ns < last_ns and gap.end_ns > first_ns]

        name = title or f"{camera} {stream.value}"
        return await parts[0].disk.read(plan, parts, end_ns, title=name, gaps=gaps), parts

    def _check_range(self, start_ns: int, end_ns: int, *, limited: bool = True) -> None:
        if end_ns <= start_ns:
            raise BadRangeError(f"The range ends ({utc(end_ns):%Y-%m-%dT%H:%M:%SZ}) before it starts "
                                f"({utc(start_ns):%Y-%m-%dT%H:%M:%SZ}).", cure="Exchange the two.")  # fmt: skip
        hours = self._settings.playlist_hours
        if limited and end_ns - start_ns > hours * 3600 * NS_PER_S + 2 * LOOK_BACK_NS:
            raise BadRangeError(f"The range is longer than {hours:g} hours.", cure="Ask for a shorter one.")

    def _trusted(self) -> list[Disk]:
        """Return the disks that answer; one that hangs would hang the question too."""
        return [disk for disk in self._disks if disk.state is not DiskState.SLOW]

    async def _freshen(self, camera: CameraId, stream: StreamName, end_ns: int) -> None:
        recorder = self._recorders.get((camera, stream))
        if recorder is not None and end_ns > self._clock.wall_ns() - FRESH_NS:
            await recorder.flush()

    async def _look(self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int) -> list[Found]:
        """Return what each disk knows that answers."""
        found = []
        for disk in self._trusted():
            try:
                found.append(await disk.read(look, disk, camera, stream.value, start_ns, end_ns))
            except DISK_ERRORS as error:
                disk.mark(error)
        return found

    async def _segments(
        self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int
    ) -> Sequence[FileSegments]:
        self._check_range(start_ns, end_ns)
        await self._freshen(camera, stream, end_ns)
        parts: list[FileSegments] = []
        for found in await self._look(camera, stream, start_ns, end_ns):
            if found.files:
                parts += await found.disk.read(segments_on, found.disk, found.files, start_ns, end_ns)
        if not parts:
            line = await self.timeline(camera, stream, start_ns, end_ns)
            why = f" ({line.gaps[0].cause.value}: {line.gaps[0].detail})" if line.gaps else ""
            raise NothingRecordedError(
                f"Nothing was recorded by this camera at {utc(start_ns):%Y-%m-%dT%H:%M:%SZ}{why}.",
                gaps=line.gaps,
            )
        return in_order(parts)

    async def _from_file(
        self, camera: CameraId, stream: StreamName, file_id: str, job: Callable[[Disk, FileRow], bytes]
    ) -> bytes:
        """Run ``job`` on the disk that has the file; it must be of that camera and stream."""

        def on(disk: Disk) -> bytes | None:
            with disk.catalog.read() as db:
                file = file_by_id(db, file_id)
            if file is None or (file.camera, file.stream) != (camera, stream.value):
                return None
            return job(disk, file)

        for disk in self._trusted():
            try:
                found = await disk.read(on, disk)
            except FileNotFoundError:
                break
            except DISK_ERRORS as error:
                raise FootageUnreadableError(f"A recorded file could not be read: {error}.",
                                             cure="Run `sightline verify` to see which.") from error  # fmt: skip
            if found is not None:
                return found
        raise UnknownFileError(f"There is no recorded file {file_id} of this camera.",
                               cure="It may have passed its retention: ask for the playlist again.")  # fmt: skip


def _read(disk: Disk, file: FileRow, offset: int, size: int) -> bytes:
    descriptor = os.open(disk.absolute(file.path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        return disk.volume.read(descriptor, size, offset)
    finally:
        os.close(descriptor)
