"""Boxes: making and walking them (ISO/IEC 14496-12, section 4.2)."""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from recording.errors import MalformedFileError

_HEADER = Struct(">I4s")
_LARGE = Struct(">Q")
_VERSION = Struct(">I")

SECONDS_1904_TO_1970 = 2_082_844_800
"""MP4 counts seconds since 1904-01-01 UTC."""


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box of ``kind`` around ``parts``."""
    return b"".join((_HEADER.pack(8 + sum(map(len, parts)), kind), *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a FullBox: a box with version and flags."""
    return box(kind, _VERSION.pack(version << 24 | flags), *parts)


class Box(NamedTuple):
    """Where a box lies: its header at ``start``, its content from ``body`` to ``end``."""

    kind: bytes
    start: int
    body: int
    end: int


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Give the boxes between ``start`` and ``end``.

    Raises:
        MalformedFileError: a size is impossible.
    """
    end = len(data) if end is None else end
    while start < end:
        if end - start < 8:
            raise MalformedFileError("a box is cut short")
        size, kind = _HEADER.unpack_from(data, start)
        body = start + 8
        if size == 1:
            if end - start < 16:
                raise MalformedFileError("a box is cut short")
            size, body = _LARGE.unpack_from(data, body)[0], start + 16
        if size < body - start or start + size > end:
            raise MalformedFileError(f"a box says it has {size} bytes")
        yield Box(kind, start, body, start + size)
        start += size


def find(data: bytes, *path: bytes, start: int = 0, end: int | None = None) -> Box:
    """Return the first box at ``path`` (plain containers only).

    Raises:
        MalformedFileError: it is not there.
    """
    found: Box | None = None
    for kind in path:
        found = next((candidate for candidate in walk(data, start, end) if candidate.kind == kind), None)
        if found is None:
            raise MalformedFileError(f"there is no {kind.decode('latin-1')} box")
        start, end = found.body, found.end
    assert found is not None
    return found
