"""What a photo says of itself, read from its headers alone: nothing is decoded. No file, no clock.

JPEG: ISO/IEC 10918-1 markers up to the first scan; PNG: chunks up to the picture's data (W3C PNG, third edition);
in both Exif (CIPA DC-008): a TIFF structure with pointers that lead anywhere, so every read of it is bounded.
"""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from kernel.geography import Place

JPEG, PNG = "image/jpeg", "image/png"
PIXELS_MAX = 50_000_000
"""Whoever opens it needs four bytes of memory for each."""
PNG_PIXELS_PER_BYTE = 50
"""A photo has one to four; what has more draws a large picture out of nothing, and forty of them fill a browser."""
_SMALL = 1_000_000
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_ENTRIES_MAX = 200
_CHUNKS_MAX = 100
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")
# Frame headers hold the size (SOF0 to SOF15, without DHT, JPG and DAC, which have numbers among them).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class NoPhotoError(ValueError):
    """It is no picture of a kind that is taken, or is not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFacts:
    """What the headers say."""

    media_type: str
    width: int
    height: int
    taken: datetime | None = None
    """With its zone where that is known (an offset, or GPS time); otherwise as the phone's owner would say it."""
    place: Place | None = None


def read(photo: bytes) -> PhotoFacts:
    """Return what a photo's headers say.

    Raises:
        NoPhotoError: it is neither JPEG nor PNG, or ends before its picture.
    """
    if photo.startswith(b"\xff\xd8\xff"):
        media_type, (width, height), exif = JPEG, *_jpeg(photo)
    elif photo.startswith(_PNG_HEAD):
        media_type, (width, height), exif = PNG, *_png(photo)
    else:
        msg = "is neither JPEG nor PNG"
        raise NoPhotoError(msg)
    if not 0 < width * height <= PIXELS_MAX:
        msg = f"has {width} by {height} pixels"
        raise NoPhotoError(msg)
    if media_type == PNG and width * height > PNG_PIXELS_PER_BYTE * len(photo) + _SMALL:
        msg = f"is no photo: {width} by {height} pixels in {len(photo)} bytes"
        raise NoPhotoError(msg)
    tags = _Exif(exif) if exif is not None else None
    return PhotoFacts(
        media_type=media_type,
        width=width,
        height=height,
        taken=tags.taken() if tags is not None else None,
        place=tags.place() if tags is not None else None,
    )


def _jpeg(photo: bytes) -> tuple[tuple[int, int], bytes | None]:
    size, exif = None, None
    for marker, body in _segments(photo):
        if marker in _FRAMES and len(body) >= 5:
            height, width = struct.unpack(">HH", body[1:5])
            size = width, height
        elif marker == 0xE1 and body.startswith(b"Exif\0\0") and exif is None:
            exif = body[6:]
    if size is None:
        msg = "ends before its picture"
        raise NoPhotoError(msg)
    return size, exif


def _segments(photo: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the marker segments before the first scan."""
    at = 2
    while at + 4 <= len(photo) and photo[at] == 0xFF:
        marker = photo[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        length = int.from_bytes(photo[at + 2 : at + 4])
        if length < 2 or at + 2 + length > len(photo):
            break
        if marker == 0xDA:
            return
        yield marker, photo[at + 4 : at + 2 + length]
        at += 2 + length
    msg = "ends before its picture"
    raise NoPhotoError(msg)


def _png(photo: bytes) -> tuple[tuple[int, int], bytes | None]:
    size, exif, at = None, None, len(_PNG_HEAD)
    for _ in range(_CHUNKS_MAX):
        length = int.from_bytes(photo[at : at + 4])
        kind, body = photo[at + 4 : at + 8], photo[at + 8 : at + 8 + length]
        if at + 12 + length > len(photo):
            break
        if kind == b"IHDR" and length == 13:
            width, height = struct.unpack(">II", body[:8])
            size = width, height
        elif kind == b"eXIf":
            exif = body
        elif kind == b"IDAT" and size is not None:
            return size, exif
        at += 12 + length
    msg = "ends before its picture"
    raise NoPhotoError(msg)


class _Exif:
    """A TIFF structure. What leads out of it, or makes no sense, is as if it were not there."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._order = {b"II*\0": "<", b"MM\0*": ">"}.get(raw[:4], "")
        first = self._number("I", 4)
        self._first = self._directory(first) if first is not None else {}
        self._own = self._under(0x8769)
        self._gps = self._under(0x8825)

    def taken(self) -> datetime | None:
        """Return when: by GPS time (UTC), or by the phone's, with its offset where it gives one."""
        hours, date = self._rationals(self._gps, 7), self._text(self._gps, 0x1D)
        if hours is not None and re.fullmatch(r"\d{4}:\d\d:\d\d", date):
            seconds = hours[0] * 3600 + hours[1] * 60 + hours[2]
            if 0 <= seconds < 86_400:
                clock = f"{int(seconds // 3600):02}:{int(seconds // 60 % 60):02}:{int(seconds % 60):02}"
                if (gps := _instant(f"{date} {clock}")) is not None:
                    return gps.replace(tzinfo=UTC)
        local = _instant(self._text(self._own, 0x9003) or self._text(self._first, 0x0132))
        offset = self._text(self._own, 0x9011)
        if local is not None and _OFFSET.fullmatch(offset):
            return datetime.fromisoformat(local.isoformat() + offset)
        return local

    def place(self) -> Place | None:
        """Return where, if GPS says."""
        degrees = []
        for ref, tag, negative in ((1, 2, "S"), (3, 4, "W")):
            parts, side = self._rationals(self._gps, tag), self._text(self._gps, ref)
            if parts is None or not side:
                return None
            angle = parts[0] + parts[1] / 60 + parts[2] / 3600
            degrees.append(-angle if side[0] == negative else angle)
        latitude, longitude = degrees
        # Phones without a fix write zeros.
        if not (abs(latitude) <= 90 and abs(longitude) <= 180) or (latitude == 0 and longitude == 0):
            return None
        return Place(latitude, longitude)

    def _number(self, form: str, at: int) -> int | None:
        size = struct.calcsize(form)
        if not self._order or at < 0 or at + size > len(self._raw):
            return None
        return int(struct.unpack_from(self._order + form, self._raw, at)[0])

    def _directory(self, at: int) -> dict[int, tuple[int, int, int]]:
        """Return kind, count and place of the value of each tag."""
        found: dict[int, tuple[int, int, int]] = {}
        for number in range(min(self._number("H", at) or 0, _ENTRIES_MAX)):
            entry = at + 2 + 12 * number
            tag, kind, count = self._number("H", entry), self._number("H", entry + 2), self._number("I", entry + 4)
            if tag is None or kind not in _SIZES or count is None:
                continue
            where = entry + 8 if _SIZES[kind] * count <= 4 else self._number("I", entry + 8)
            if where is not None:
                found.setdefault(tag, (kind, count, where))
        return found

    def _under(self, tag: int) -> dict[int, tuple[int, int, int]]:
        kind, _, where = self._first.get(tag, (0, 0, 0))
        at = self._number("I", where) if kind == 4 else None
        return self._directory(at) if at is not None else {}

    def _text(self, directory: dict[int, tuple[int, int, int]], tag: int) -> str:
        kind, count, where = directory.get(tag, (0, 0, 0))
        return self._raw[where : where + min(count, 64)].split(b"\0")[0].decode("ascii", "replace") if kind == 2 else ""

    def _rationals(self, directory: dict[int, tuple[int, int, int]], tag: int) -> list[float] | None:
        kind, count, where = directory.get(tag, (0, 0, 0))
        if kind != 5 or count != 3:
            return None
        numbers = [self._number("I", where + 4 * one) for one in range(6)]
        if None in numbers:
            return None
        found = [
            (over or 0) / under if under else math.nan for over, under in zip(numbers[::2], numbers[1::2], strict=True)
        ]
        return found if all(map(math.isfinite, found)) else None


def _instant(text: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    try:
        return datetime(*map(int, found.groups()))  # type: ignore[arg-type] # noqa: DTZ001 - the phone's owner's
    except ValueError:
        return None
