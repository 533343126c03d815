"""Which pieces of which files play a range: whole GOPs, one after another, never the same moment twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kernel.clock import NS_PER_MS
from recording.catalog.files import FileRow, FragmentRow, fragments_of
from recording.disk import Disk
from recording.mux.fragment import HEADER_BYTES, ticks_to_ns

OVERLAP_NS = 100 * NS_PER_MS
"""Files of one run may touch with this much of clock drift; more is the same moment recorded twice."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One GOP of one file. Its fragments lie side by side in the file."""

    file: FileRow
    fragments: tuple[FragmentRow, ...]

    @property
    def index(self) -> int:
        """Return the number of its first fragment."""
        return self.fragments[0].idx

    @property
    def start_ns(self) -> int:
        """Return the wall time of its keyframe."""
        return self.file.start_ns + ticks_to_ns(self.fragments[0].start_90k)

    @property
    def end_ns(self) -> int:
        """Return the wall time at which its last picture ends."""
        return self.file.start_ns + ticks_to_ns(self.fragments[-1].end_90k)

    @property
    def duration_90k(self) -> int:
        """Return its length in ticks."""
        return self.fragments[-1].end_90k - self.fragments[0].start_90k

    @property
    def whole(self) -> bool:
        """Return whether nothing more of its GOP will come."""
        return self.fragments[-1].ends_gop


@dataclass(frozen=True, slots=True)
class FileSegments:
    """The segments of one file that touch a range."""

    disk: Disk
    file: FileRow
    segments: tuple[Segment, ...]


def gops(file: FileRow, rows: Sequence[FragmentRow]) -> Iterator[Segment]:
    """Put the fragments of a file together to GOPs."""
    group: list[FragmentRow] = []
    for row in rows:
        if row.keyframe and group:
            yield Segment(file, tuple(group))
            group = []
        if row.keyframe or group:
            group.append(row)
    if group:
        yield Segment(file, tuple(group))


def segments_on(disk: Disk, files: Sequence[FileRow], start_ns: int, end_ns: int) -> list[FileSegments]:
    """Return what of ``files`` touches the range. Runs on a reading thread."""
    parts = []
    for file in files:
        with disk.catalog.read() as db:
            rows = fragments_of(db, file.n)
        touching = tuple(s for s in gops(file, rows) if s.end_ns > start_ns and s.start_ns < end_ns)
        if touching:
            parts.append(FileSegments(disk, file, touching))
    return parts


def in_order(parts: Sequence[FileSegments]) -> list[FileSegments]:
    """Return the parts by time; where two recorded the same moment, the earlier file goes on to its end."""
    ordered: list[FileSegments] = []
    until_ns = 0
    for part in sorted(parts, key=lambda part: part.segments[0].start_ns):
        kept = tuple(s for s in part.segments if s.start_ns >= until_ns - OVERLAP_NS)
        if kept:
            ordered.append(FileSegments(part.disk, part.file, kept))
            until_ns = max(until_ns, kept[-1].end_ns)
    return ordered


def video_of(data: bytes, fragments: Sequence[FragmentRow]) -> bytes:
    """Return the pictures' boxes out of the bytes of ``fragments``, which lie side by side."""
    first = fragments[0].offset
    return b"".join(
        data[f.offset - first + HEADER_BYTES : f.offset - first + HEADER_BYTES + f.video_bytes] for f in fragments
    )
