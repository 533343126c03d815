"""An MP4 of a range, not coded again, given piece by piece."""

import os
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from kernel.clock import NS_PER_S, utc
from kernel.media import VIDEO_CLOCK_HZ
from recording.disk import Disk
from recording.errors import FootageUnreadableError, MixedCodecError, RecordingError
from recording.mux.demux import SampleTable, sample_tables
from recording.mux.fragment import HEADER_BYTES, ticks_to_ns
from recording.mux.init import AUDIO_TRACK, VIDEO_TRACK, audio_clock_hz, sample_entries
from recording.mux.parameter_sets import in_band
from recording.mux.progressive import Chunk, MovieFacts, TrackPlan, head
from recording.segments import FileSegments
from recording.timeline import GapSpan

PIECE_BYTES = 1024 * 1024
HEAD_BYTES = 64 * 1024
"""Enough of a fragment for the tables of its pictures; more is read where it is not."""


@dataclass(slots=True)
class _Slice:
    """Bytes of one file that the export takes over as they are, and what stands before them."""

    descriptor: int
    offset: int
    size: int
    before: bytes = b""


@dataclass(frozen=True, slots=True)
class _Source:
    """What a fragment's file says of it; ``shift_ns`` is from the start of the movie to the start of the file."""

    start_ns: int
    shift_ns: int
    entries: dict[int, bytes]
    clock_hz: int | None


@dataclass(slots=True)
class ExportPlan:
    """The head of the file, and what follows it from where. Files stay open: retention cannot spoil an export."""

    head: bytes
    slices: list[_Slice]
    start_ns: int
    end_ns: int
    files: ExitStack

    @property
    def size_bytes(self) -> int:
        """Return the length of the whole export."""
        return len(self.head) + sum(len(piece.before) + piece.size for piece in self.slices)


def refuse_mixture(parts: Sequence[FileSegments]) -> None:
    """Refuse a range that changes its codec.

    Raises:
        MixedCodecError: with ``facts['cuts_ns']``: export up to and from there.
    """
    cuts = [part.segments[0].start_ns for part, before in zip(parts[1:], parts, strict=False)
            if part.file.codec != before.file.codec]  # fmt: skip
    if cuts:
        when = ", ".join(f"{utc(cut):%Y-%m-%dT%H:%M:%SZ}" for cut in cuts)
        raise MixedCodecError(f"The camera changed its video coding at {when}; one MP4 cannot hold both.",
                              cure="Export the parts before and after on their own.", cuts_ns=cuts)  # fmt: skip


def comment_of(gaps: Sequence[GapSpan]) -> str:
    """Return the sentence that an export carries about what is missing."""
    if not gaps:
        return "Complete: no gap in this range. Times are UTC."
    told = "; ".join(
        f"{utc(gap.start_ns):%Y-%m-%d %H:%M:%S}-{utc(gap.end_ns):%H:%M:%S} {gap.cause.value}: {gap.detail}"
        for gap in gaps
    )
    return f"Missing (the last picture stands): {told}. Times are UTC."


@dataclass(slots=True)
class _Planner:
    """Runs on a reading thread: reads the tables of every fragment and lays the movie out."""

    parts: Sequence[FileSegments]
    end_ns: int
    stack: ExitStack
    video: TrackPlan = field(default_factory=lambda: TrackPlan(VIDEO_TRACK, VIDEO_CLOCK_HZ))
    audio: TrackPlan | None = None
    slices: list[_Slice] = field(default_factory=list)
    payload: int = 0
    last_ns: int = 0

    def lay_out(self) -> None:
        start_ns = self.parts[0].segments[0].start_ns
        for part in self.parts:
            descriptor = os.open(part.disk.absolute(part.file.path), os.O_RDONLY | os.O_CLOEXEC)
            self.stack.callback(os.close, descriptor)
            init = part.disk.volume.read(descriptor, part.file.init_bytes, 0)
            source = _Source(part.file.start_ns, part.file.start_ns - start_ns, sample_entries(init),
                             audio_clock_hz(init))  # fmt: skip
            for segment in part.segments:
                for fragment in segment.fragments:
                    if part.file.start_ns + ticks_to_ns(fragment.start_90k) >= self.end_ns:
                        return
                    data = part.disk.volume.read(descriptor, min(fragment.size_bytes, HEAD_BYTES), fragment.offset)
                    tables = list(sample_tables(data[HEADER_BYTES:]))
                    if fragment.size_bytes > HEADER_BYTES + fragment.video_bytes:
                        at = fragment.offset + HEADER_BYTES + fragment.video_bytes
                        rest = fragment.size_bytes - HEADER_BYTES - fragment.video_bytes
                        sound = part.disk.volume.read(descriptor, min(rest, HEAD_BYTES), at)
                        tables = [tables[0], *(t._replace(payload=t.payload + fragment.video_bytes)
                                               for t in sample_tables(sound))]  # fmt: skip
                    self._take(tables, _Slice(descriptor, fragment.offset + HEADER_BYTES, 0), source)

    def _take(self, tables: Sequence[SampleTable], piece: _Slice, source: _Source) -> None:
        """Lay out one fragment; ``piece`` says where what the tables describe begins."""
        for table in tables:
            plan = self._plan_of(table.track, source)
            if plan is None:
                continue
            count, elapsed = 0, table.start
            for duration in table.durations:
                if source.start_ns + elapsed * NS_PER_S // plan.timescale >= self.end_ns:
                    break
                count, elapsed = count + 1, elapsed + duration
            start = table.start + source.shift_ns * plan.timescale // NS_PER_S
            if not count or start < 0:
                continue
            sample_entry = source.entries[table.track]
            entry = plan.entry(sample_entry)
            chunk = Chunk(entry, start, table.durations[:count], table.sizes[:count], table.first_sync)
            # A return to the first format too: a decoder that reads one entry alone keeps the sets it saw last.
            begins_anew = len(plan.entries) > 1 and plan is self.video and table.first_sync
            self._add(plan, chunk, _Slice(piece.descriptor, piece.offset + table.payload, chunk.size_bytes,
                                          in_band(sample_entry) if begins_anew else b""))  # fmt: skip
            if plan is self.video:
                self.last_ns = source.start_ns + ticks_to_ns(elapsed)

    def _plan_of(self, track: int, source: _Source) -> TrackPlan | None:
        """Return the track that takes over ``track`` of a file; sound at another rate than the first is left out."""
        if track == VIDEO_TRACK:
            return self.video
        if source.clock_hz is None:
            return None
        if self.audio is None:
            self.audio = TrackPlan(AUDIO_TRACK, source.clock_hz)
        return self.audio if self.audio.timescale == source.clock_hz else None

    def _add(self, plan: TrackPlan, chunk: Chunk, piece: _Slice) -> None:
        if piece.before:
            chunk.sizes = (chunk.sizes[0] + len(piece.before), *chunk.sizes[1:])
        plan.chunks.append(chunk)
        plan.offsets.append(self.payload)
        self.slices.append(piece)
        self.payload += chunk.size_bytes


def plan(
    parts: Sequence[FileSegments], end_ns: int, *, title: str, gaps: Callable[[int, int], Sequence[GapSpan]]
) -> ExportPlan:
    """Lay an export out. Runs on a reading thread.

    Raises:
        FootageUnreadableError: a file cannot be read.
    """
    with ExitStack() as stack:
        planner = _Planner(parts, end_ns, stack)
        try:
            planner.lay_out()
        except (OSError, RecordingError, IndexError) as error:
            raise _unreadable(error) from error
        start_ns = parts[0].segments[0].start_ns
        facts = MovieFacts(start_ns=start_ns, title=title, comment=comment_of(gaps(start_ns, planner.last_ns)))
        size = (max(part.file.width for part in parts), max(part.file.height for part in parts))
        front = head(planner.video, planner.audio, size, facts)
        return ExportPlan(front, planner.slices, start_ns, planner.last_ns, stack.pop_all())
    raise AssertionError("unreachable")  # pragma: no cover - ExitStack swallows nothing here


class Export(AsyncIterator[bytes]):
    """The bytes of one MP4, in pieces of about a megabyte; ``size_bytes`` is known before the first.

    Its files stay open until the last piece, :meth:`aclose`, or the end of the object: retention cannot spoil it.
    """

    def __init__(self, plan: ExportPlan, disk: Disk) -> None:
        self.size_bytes = plan.size_bytes
        self.start_ns = plan.start_ns
        self.end_ns = plan.end_ns
        self._pieces = _pieces(plan, disk)
        self._finalizer = weakref.finalize(self, plan.files.close)

    async def __anext__(self) -> bytes:
        """Return the next piece.

        Raises:
            FootageUnreadableError: a file became unreadable on the way.
        """
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """Read no further."""
        await self._pieces.aclose()
        self._finalizer()


async def _pieces(plan: ExportPlan, disk: Disk) -> AsyncGenerator[bytes, None]:
    def read(batch: list[_Slice]) -> bytes:
        parts: list[bytes] = []
        for piece in batch:
            parts += (piece.before, disk.volume.read(piece.descriptor, piece.size, piece.offset))
        return b"".join(parts)

    try:
        yield plan.head
        batch: list[_Slice] = []
        waiting = 0
        for number, piece in enumerate(plan.slices, 1):
            batch.append(piece)
            waiting += len(piece.before) + piece.size
            if waiting >= PIECE_BYTES or number == len(plan.slices):
                try:
                    data = await disk.read(read, batch)
                except OSError as error:
                    raise _unreadable(error) from error
                if len(data) != waiting:
                    raise _unreadable("it ends before its time")
                yield data
                batch, waiting = [], 0
    finally:
        plan.files.close()


def _unreadable(why: object) -> FootageUnreadableError:
    return FootageUnreadableError(f"A recorded file could not be read: {why}.",
                                  cure="Run `sightline verify` to see which.")  # fmt: skip


__all__ = ["Export", "ExportPlan", "comment_of", "plan", "refuse_mixture"]
