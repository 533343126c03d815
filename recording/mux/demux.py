"""Reading our own fragments back: the pictures and packets they hold, for stills and exports."""

from collections.abc import Iterator
from struct import Struct, unpack_from
from typing import NamedTuple

from recording.errors import MalformedFileError
from recording.mux.boxes import Box, walk

_TFDT = Struct(">Q")


class SampleTable(NamedTuple):
    """One track's samples of one fragment, in order and without holes between them."""

    track: int
    start: int
    """Decoding time of the first, in the track's ticks since the start of the file."""
    durations: tuple[int, ...]
    sizes: tuple[int, ...]
    first_sync: bool
    payload: int
    """Offset of the first byte of the first sample in what was parsed."""


def sample_tables(data: bytes) -> Iterator[SampleTable]:
    """Give the tables of each ``moof`` in ``data`` (as :mod:`recording.mux.fragment` writes them).

    ``data`` may end within an ``mdat``: only the boxes that describe are read.

    Raises:
        MalformedFileError: it is not laid out so.
    """
    start = 0
    while start + 8 <= len(data):
        size, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        if size < 8:
            raise MalformedFileError("a box says it has no bytes")
        if kind == b"moof":
            if start + size > len(data):
                raise MalformedFileError("a fragment is cut short")
            yield _table(data, Box(kind, start, start + 8, start + size))
        start += size


def _table(data: bytes, moof: Box) -> SampleTable:
    traf = next((part for part in walk(data, moof.body, moof.end) if part.kind == b"traf"), None)
    if traf is None:
        raise MalformedFileError("a fragment has no track")
    parts = {part.kind: part for part in walk(data, traf.body, traf.end)}
    try:
        tfhd, tfdt, trun = parts[b"tfhd"], parts[b"tfdt"], parts[b"trun"]
    except KeyError as error:
        raise MalformedFileError("a fragment has no table") from error
    track = int.from_bytes(data[tfhd.body + 4 : tfhd.body + 8], "big")
    (start,) = _TFDT.unpack_from(data, tfdt.body + 4)
    flags, count, offset = unpack_from(">IIi", data, trun.body)
    entries = trun.body + 12
    first_sync = True
    if flags & 4:
        first_sync = data[entries + 1] & 1 == 0
        entries += 4
    if entries + 8 * count > trun.end:
        raise MalformedFileError("a table is cut short")
    flat = unpack_from(f">{2 * count}I", data, entries)
    return SampleTable(track, start, flat[0::2], flat[1::2], first_sync, moof.start + offset)
