"""What footage there is of a stream in a range of time, and why there is none where there is none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.clock import NS_PER_S
from kernel.media import GapCause, VideoCodec
from recording.catalog import facts
from recording.catalog.files import FileRow, files_between
from recording.disk import Disk

JOIN_NS = NS_PER_S
"""Two files of one run are one span where no more than this lies between them."""


@dataclass(frozen=True, slots=True)
class RunSpan:
    """Footage without a break, in one format."""

    start_ns: int
    end_ns: int
    codec: VideoCodec
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class GapSpan:
    """No footage, and why."""

    start_ns: int
    end_ns: int
    cause: GapCause
    detail: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A range of a stream, oldest first. ``newest_ns`` is the end of the newest footage within it.

    Where it is not ``whole`` a disk did not answer: there may be more footage, and more causes.
    """

    spans: tuple[RunSpan, ...]
    gaps: tuple[GapSpan, ...]
    newest_ns: int | None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """What one disk knows of a range."""

    disk: Disk
    files: list[FileRow]
    gaps: list[facts.GapRow]
    expired_ns: int | None


def look(disk: Disk, camera: str, stream: str, start_ns: int, end_ns: int) -> Found:
    """Ask one catalog. Runs on a reading thread."""
    with disk.catalog.read() as db:
        return Found(disk, files_between(db, camera, stream, start_ns, end_ns),
                     facts.gaps_between(db, camera, stream, start_ns, end_ns),
                     facts.expired_until(db, camera, stream))  # fmt: skip


def spans_of(files: Iterable[FileRow]) -> list[RunSpan]:
    """Return the spans of files in order of their start; what overlaps is told once."""
    spans: list[RunSpan] = []
    last_run = ""
    for file in files:
        start_ns, end_ns = file.start_ns, file.end_ns
        if spans:
            start_ns = max(start_ns, spans[-1].end_ns) if start_ns < spans[-1].end_ns else start_ns
        if end_ns <= start_ns:
            continue
        codec = VideoCodec(file.codec)
        if spans:
            last = spans[-1]
            same = (last.codec, last.width, last.height) == (codec, file.width, file.height) and last_run == file.run
            if same and start_ns - last.end_ns <= JOIN_NS:
                spans[-1] = RunSpan(last.start_ns, end_ns, codec, file.width, file.height)
                continue
        spans.append(RunSpan(start_ns, end_ns, codec, file.width, file.height))
        last_run = file.run
    return spans


def clip(spans: Iterable[RunSpan], start_ns: int, end_ns: int) -> tuple[RunSpan, ...]:
    """Return what lies within the range."""
    return tuple(
        RunSpan(max(span.start_ns, start_ns), min(span.end_ns, end_ns), span.codec, span.width, span.height)
        for span in spans
        if span.start_ns < end_ns and span.end_ns > start_ns
    )


def uncovered(spans: Sequence[RunSpan], start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """Return the stretches of a range that no span covers; ``spans`` are in order and do not overlap."""
    holes = []
    at_ns = start_ns
    for span in spans:
        if span.start_ns > at_ns:
            holes.append((at_ns, min(span.start_ns, end_ns)))
        at_ns = max(at_ns, span.end_ns)
    if at_ns < end_ns:
        holes.append((at_ns, end_ns))
    return [(a, b) for a, b in holes if b > a]


def explain(
    hole: tuple[int, int], written: Sequence[facts.GapRow], expired_ns: int | None, *, between: bool, whole: bool
) -> list[GapSpan]:
    """Return the causes of one stretch without footage; ``between``: there is footage on both sides of it.

    What retention took stands first; then the written facts; what is left is told only where there was footage
    before and after, for before the first recording nothing is missing. While a disk does not answer (not ``whole``)
    that may well be there, on that disk.
    """
    start_ns, end_ns = hole
    untold = (GapCause.HOST, "no cause was written") if whole else (GapCause.STORAGE, "a disk does not answer")
    told: list[GapSpan] = []
    if expired_ns is not None and expired_ns > start_ns:
        told.append(GapSpan(start_ns, min(expired_ns, end_ns), GapCause.RETENTION, "older than the retention allows"))
        start_ns = told[-1].end_ns
    for gap in written:
        gap_start_ns = max(gap.start_ns, start_ns)
        gap_end_ns = end_ns if gap.end_ns is None else min(gap.end_ns, end_ns)
        if gap_end_ns <= gap_start_ns:
            continue
        if between and gap_start_ns - start_ns >= JOIN_NS:
            told.append(GapSpan(start_ns, gap_start_ns, *untold))
        told.append(GapSpan(gap_start_ns, gap_end_ns, GapCause(gap.cause), gap.detail))
        start_ns = gap_end_ns
    if between and end_ns - start_ns >= JOIN_NS:
        told.append(GapSpan(start_ns, end_ns, *untold))
    return told


def build(found: Sequence[Found], start_ns: int, end_ns: int, now_ns: int, *, whole: bool = True) -> Timeline:
    """Put together what the disks know; ``whole``: all of them answered."""
    files = sorted((file for part in found for file in part.files), key=lambda file: file.start_ns)
    spans = spans_of(files)
    written = sorted((gap for part in found for gap in part.gaps), key=lambda gap: gap.start_ns)
    expired = [part.expired_ns for part in found if part.expired_ns is not None]
    gaps: list[GapSpan] = []
    for hole in uncovered(spans, start_ns, min(end_ns, now_ns)):
        between = bool(spans) and spans[0].start_ns < hole[0] and hole[1] < spans[-1].end_ns
        gaps += explain(hole, written, max(expired, default=None), between=between, whole=whole)
    shown = clip(spans, start_ns, end_ns)
    return Timeline(shown, tuple(gaps), shown[-1].end_ns if shown else None, whole)
