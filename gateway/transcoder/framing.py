"""What host and coder say to each other on the pipes: one message after another, each a head and a body.

Head, big-endian, eight bytes: kind (u8), flags (u8), number of NAL units (u16), bytes of the body (u32). The body of a
picture begins with two i64 (time in 90 kHz ticks, monotonic arrival in ns), that of parameter sets with width and
height (u16 each); then come the NAL units, each behind its length (u32). A look (``gateway.transcoder.looking``)
begins with the width and height that are wished for, its flags say the codec; what was seen has its grey levels for a
NAL unit.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from kernel.media import VideoCodec

HEAD = struct.Struct("!BBHI")
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Of either side's messages; a 4K keyframe has about one."""
MAX_NALS = 4096
UNCONFINED = "unconfined: "
"""Begins the line on standard error that names what this machine would not let the coder give up."""
_STAMPS = struct.Struct("!qq")
_SIZE = struct.Struct("!HH")
_LENGTH = struct.Struct("!I")


class FramingError(ValueError):
    """What came is no message of this wire; nothing that follows it can be read either."""


class Kind(IntEnum):
    """The first byte of a message."""

    PARAMETERS = 1
    PICTURE = 2
    KEYFRAME = 3
    LOOK = 4
    SEEN = 5


class Flag(IntEnum):
    """Bits of a picture's second byte."""

    KEYFRAME = 1


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameter sets that are in force from here on: VPS, SPS, PPS towards the coder, SPS and PPS from it."""

    width: int
    height: int
    nals: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Coded:
    """One coded picture, its NAL units without start codes; times as in ``kernel.media.AccessUnit``.

    ``time_90k`` is when it is shown, and names it: what is made of it comes back under the same.
    """

    nals: tuple[bytes, ...]
    time_90k: int
    received_ns: int
    flags: int = 0


@dataclass(frozen=True, slots=True)
class KeyframeWish:
    """The next picture should be a keyframe."""


@dataclass(frozen=True, slots=True)
class Look:
    """Show this keyframe as a grey picture of that size. Its parameter sets are the first of its NAL units."""

    codec: VideoCodec
    width: int
    height: int
    nals: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer to a look: a byte for each pixel, row by row, 0 black; empty where it could not be decoded."""

    pixels: bytes


Message: TypeAlias = Parameters | Coded | KeyframeWish | Look | Seen
_CODECS = (VideoCodec.H264, VideoCodec.H265)
"""By their number in the flags of a look."""


def pack(message: Message) -> bytes:
    """Return a message's bytes.

    Raises:
        FramingError: it is larger than the wire takes.
    """
    if isinstance(message, KeyframeWish):
        return HEAD.pack(Kind.KEYFRAME, 0, 0, 0)
    if isinstance(message, Parameters):
        return _pack(Kind.PARAMETERS, 0, _SIZE.pack(message.width, message.height), message.nals)
    if isinstance(message, Look):
        size = _SIZE.pack(message.width, message.height)
        return _pack(Kind.LOOK, _CODECS.index(message.codec), size, message.nals)
    if isinstance(message, Seen):
        return _pack(Kind.SEEN, 0, b"", (message.pixels,))
    stamps = _STAMPS.pack(message.time_90k, message.received_ns)
    return _pack(Kind.PICTURE, message.flags, stamps, message.nals)


def _pack(kind: Kind, flags: int, facts: bytes, nals: Sequence[bytes]) -> bytes:
    pieces = [facts]
    for nal in nals:
        pieces += (_LENGTH.pack(len(nal)), nal)
    length = sum(map(len, pieces))
    if length > MAX_BODY_BYTES or len(nals) > MAX_NALS:
        msg = f"a message of {length} bytes in {len(nals)} NAL units is too large"
        raise FramingError(msg)
    return HEAD.pack(kind, flags, len(nals), length) + b"".join(pieces)


def body_bytes(head: bytes, most: int = MAX_BODY_BYTES) -> int:
    """Return how many bytes follow a head.

    Raises:
        FramingError: more than ``most``.
    """
    length = int(HEAD.unpack(head)[3])
    if length > most:
        msg = f"a body of {length} bytes is announced"
        raise FramingError(msg)
    return length


def unpack(head: bytes, body: bytes) -> Message:
    """Return the message of a head and its body.

    Raises:
        FramingError: they are none.
    """
    kind, flags, count, _ = HEAD.unpack(head)
    try:
        if kind == Kind.KEYFRAME and not body:
            return KeyframeWish()
        if kind == Kind.PARAMETERS:
            width, height = _SIZE.unpack_from(body)
            return Parameters(width, height, _nals(body, _SIZE.size, count))
        if kind == Kind.PICTURE:
            time_90k, received_ns = _STAMPS.unpack_from(body)
            return Coded(_nals(body, _STAMPS.size, count), time_90k, received_ns, flags)
        if kind == Kind.LOOK and flags < len(_CODECS):
            width, height = _SIZE.unpack_from(body)
            return Look(_CODECS[flags], width, height, _nals(body, _SIZE.size, count))
        if kind == Kind.SEEN and count == 1:
            return Seen(_nals(body, 0, count)[0])
    except struct.error as error:
        msg = "a message is cut short"
        raise FramingError(msg) from error
    msg = f"there is no message of kind {kind}"
    raise FramingError(msg)


def _nals(body: bytes, at: int, count: int) -> tuple[bytes, ...]:
    nals = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        if at + length > len(body):
            msg = "a NAL unit reaches beyond its message"
            raise FramingError(msg)
        nals.append(body[at : at + length])
        at += length
    if at != len(body):
        msg = "a message is longer than its NAL units"
        raise FramingError(msg)
    return tuple(nals)
