"""The one file of an export: a progressive MP4 with its tables in front, which plays everywhere.

Samples are those that the camera sent; nothing is coded again. Movie time is wall time since the first picture: over
a gap the last picture stands, so that what is seen at minute five was recorded five minutes after the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from struct import pack

from kernel.clock import utc
from kernel.media import VIDEO_CLOCK_HZ
from recording.mux.boxes import box, full_box
from recording.mux.init import AUDIO_TRACK, VIDEO_TRACK, movie_header, sample_descriptions, track

_FTYP = box(b"ftyp", b"isom", pack(">I", 0x200), b"isom", b"iso2", b"avc1", b"mp41")


LONGEST = 0xFFFF_FFFF
"""Ticks that one sample can last: 13 hours of 90 kHz."""


@dataclass(slots=True)
class Chunk:
    """Samples of one track that lie side by side."""

    entry: int
    """Which sample entry they need, from 1."""
    start: int
    """Decoding time of the first in the track's ticks since the start of the movie."""
    durations: Sequence[int]
    sizes: Sequence[int]
    first_sync: bool = True

    @property
    def size_bytes(self) -> int:
        """Return the bytes of all samples."""
        return sum(self.sizes)


@dataclass(slots=True)
class TrackPlan:
    """One track of the movie: its sample entries and its chunks in order."""

    number: int
    timescale: int
    entries: list[bytes] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    """Where each chunk lies after the start of the ``mdat`` payload."""

    def entry(self, sample_entry: bytes) -> int:
        """Return the number of a sample entry, adding it where it is new."""
        if sample_entry not in self.entries:
            self.entries.append(sample_entry)
        return self.entries.index(sample_entry) + 1

    def stretched(self) -> list[int]:
        """Return every sample's duration; the last of a chunk lasts until the next chunk begins."""
        durations: list[int] = []
        for chunk, following in zip(self.chunks, [*self.chunks[1:], None], strict=True):
            own = list(chunk.durations)
            if following is not None:
                own[-1] = min(LONGEST, max(0, following.start - chunk.start - sum(own[:-1])))
            durations += own
        return durations


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieFacts:
    """What an export says of itself."""

    start_ns: int
    title: str
    comment: str


def _runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """Return (count, value) of equal neighbours."""
    return [(sum(1 for _ in group), value) for value, group in groupby(values)]


def _table(kind: bytes, rows: Sequence[tuple[int, ...]]) -> bytes:
    return full_box(kind, 0, 0, pack(">I", len(rows)), *(pack(f">{len(row)}I", *row) for row in rows))


def _tables(plan: TrackPlan, durations: list[int], mdat_payload: int) -> bytes:
    chunks = plan.chunks
    sizes = [size for chunk in chunks for size in chunk.sizes]
    to_chunk: list[tuple[int, int, int]] = []
    for number, chunk in enumerate(chunks, 1):
        row = (number, len(chunk.sizes), chunk.entry)
        if not to_chunk or to_chunk[-1][1:] != row[1:]:
            to_chunk.append(row)
    parts = [
        sample_descriptions(*plan.entries),
        _table(b"stts", _runs(durations)),
        _table(b"stsc", to_chunk),
        full_box(b"stsz", 0, 0, pack(">II", 0, len(sizes)), pack(f">{len(sizes)}I", *sizes)),
        full_box(b"co64", 0, 0, pack(">I", len(chunks)),
                 pack(f">{len(chunks)}Q", *(mdat_payload + offset for offset in plan.offsets))),
    ]  # fmt: skip
    if plan.number == VIDEO_TRACK:
        keys, number = [], 1
        for chunk in chunks:
            if chunk.first_sync:
                keys.append((number,))
            number += len(chunk.sizes)
        parts.append(_table(b"stss", keys))
    return b"".join(parts)


def _edits(plan: TrackPlan, duration_90k: int) -> bytes:
    """Return an edit list that lets a track begin later than the movie."""
    late_90k = plan.chunks[0].start * VIDEO_CLOCK_HZ // plan.timescale
    if not late_90k:
        return b""
    rows = pack(">QqI", late_90k, -1, 0x10000) + pack(">QqI", duration_90k, 0, 0x10000)
    return box(b"edts", full_box(b"elst", 1, 0, pack(">I", 2), rows))


def _note(kind: bytes, text: str) -> bytes:
    return box(kind, box(b"data", pack(">II", 1, 0), text.encode()))


def _notes(facts: MovieFacts) -> bytes:
    """Return iTunes-style metadata: what ffprobe, VLC and file managers show."""
    handler = full_box(b"hdlr", 0, 0, bytes(4), b"mdir", b"appl", bytes(9))
    day = utc(facts.start_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    items = box(b"ilst", _note(b"\xa9nam", facts.title), _note(b"\xa9day", day), _note(b"\xa9too", "Sightline"),
                _note(b"\xa9cmt", facts.comment))  # fmt: skip
    return box(b"udta", full_box(b"meta", 0, 0, handler, items))


def head(video: TrackPlan, audio: TrackPlan | None, size: tuple[int, int], facts: MovieFacts) -> bytes:
    """Return ``ftyp``, ``moov`` and the header of ``mdat``; the chunks follow in the order of their offsets."""
    plans = [plan for plan in (video, audio) if plan is not None and plan.chunks]
    payload = sum(chunk.size_bytes for plan in plans for chunk in plan.chunks)

    def build(mdat_payload: int) -> bytes:
        traks, longest_90k = [], 0
        for plan in plans:
            durations = plan.stretched()
            total = sum(durations)
            total_90k = total * VIDEO_CLOCK_HZ // plan.timescale
            longest_90k = max(longest_90k, total_90k + plan.chunks[0].start * VIDEO_CLOCK_HZ // plan.timescale)
            traks.append(
                track(plan.number, start_ns=facts.start_ns, timescale=plan.timescale, duration=total,
                      duration_90k=total_90k, size=size if plan.number == VIDEO_TRACK else None,
                      tables=_tables(plan, durations, mdat_payload), edits=_edits(plan, total_90k))
            )  # fmt: skip
        movie = movie_header(facts.start_ns, longest_90k, AUDIO_TRACK + 1)
        return b"".join((_FTYP, box(b"moov", movie, *traks, _notes(facts)), pack(">I4sQ", 1, b"mdat", 16 + payload)))

    # Every offset has a fixed width, so the length of the head does not depend on them.
    return build(len(build(0)))
