"""The reel as RTP over one stream's line, built once: a loop whose numbers and times go on for ever (RFC 6184).

A :class:`Line` is what all streams of one phase send: the same bytes. Per picture only the sequence numbers and the
timestamp in its packets are written anew, once for all of them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .reel import Reel

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96
RTP_HEADER_BYTES = 12
_INTERLEAVED_BYTES = 4
_FU_A = 28
_NTP_1900_S = 2_208_988_800
_NUMBERS = struct.Struct("!HL")


@dataclass(frozen=True, slots=True)
class Template:
    """One picture's packets, each with its interleaving head, and where each of them begins."""

    data: bytes
    starts: tuple[int, ...]


def payloads_of(nal: bytes, most: int) -> list[bytes]:
    """Return a NAL unit as it is, or cut into FU-A of at most ``most`` bytes."""
    if len(nal) <= most:
        return [nal]
    indicator, kind, step = nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F, most - 2
    pieces = [nal[at : at + step] for at in range(1, len(nal), step)]
    last = len(pieces) - 1
    return [bytes((indicator, (at == 0) << 7 | (at == last) << 6 | kind)) + piece for at, piece in enumerate(pieces)]


def templates(reel: Reel, *, packet_bytes: int, ssrc: int) -> tuple[Template, ...]:
    """Return every picture's packets; ``packet_bytes`` is the most that header and payload take together."""
    return tuple(
        _template(
            [
                payload
                for nal in ((reel.sps, reel.pps) if reel.keyframe(index) else ()) + slices
                for payload in payloads_of(nal, packet_bytes - RTP_HEADER_BYTES)
            ],
            ssrc,
        )
        for index, slices in enumerate(reel.pictures)
    )


def _template(payloads: Sequence[bytes], ssrc: int) -> Template:
    data, starts = bytearray(), []
    for number, payload in enumerate(payloads):
        starts.append(len(data))
        marked = PAYLOAD_TYPE | (number == len(payloads) - 1) << 7
        data += struct.pack("!BBHBBHLL", 0x24, 0, RTP_HEADER_BYTES + len(payload), 0x80, marked, 0, 0, ssrc) + payload
    return Template(bytes(data), tuple(starts))


class Line:
    """The state of one phase: which picture is next, and its numbers. ``count`` pictures have been made."""

    def __init__(self, loop: Sequence[Template], *, frame_rate: int, gop_frames: int, first: int, ssrc: int) -> None:
        self._loop = loop
        self._step = CLOCK_HZ // frame_rate
        self._gop_frames = gop_frames
        self._first = first
        self._ssrc = ssrc
        self._sequence = 1000 + first
        self._packets = self._octets = 0
        self.count = 0
        self.last: int | None = None
        """Index in the reel of the newest picture."""

    @property
    def keyframe_next(self) -> bool:
        """Return whether the next picture begins a GOP."""
        return (self._first + self.count) % len(self._loop) % self._gop_frames == 0

    @property
    def timestamp(self) -> int:
        """Return the RTP timestamp of the next picture."""
        return (self._first * 7919 + self.count * self._step) & 0xFFFF_FFFF

    @property
    def sequence(self) -> int:
        """Return the sequence number of the next packet."""
        return self._sequence

    def next_picture(self) -> bytes:
        """Return the next picture, whole, as it goes on the wire."""
        self.last = (self._first + self.count) % len(self._loop)
        template = self._loop[self.last]
        data, timestamp, sequence = bytearray(template.data), self.timestamp, self._sequence
        for start in template.starts:
            _NUMBERS.pack_into(data, start + _INTERLEAVED_BYTES + 2, sequence, timestamp)
            sequence = (sequence + 1) & 0xFFFF
        self._sequence = sequence
        self._packets += len(template.starts)
        self._octets += len(data) - len(template.starts) * (_INTERLEAVED_BYTES + RTP_HEADER_BYTES)
        self.count += 1
        return bytes(data)

    def datagrams(self, picture: bytes) -> list[bytes]:
        """Return the RTP packets of what :meth:`next_picture` has just returned, for a way of datagrams."""
        assert self.last is not None
        starts = self._loop[self.last].starts
        ends = (*starts[1:], len(picture))
        return [picture[start + _INTERLEAVED_BYTES : end] for start, end in zip(starts, ends, strict=True)]

    def sender_report(self, wall_ns: int) -> bytes:
        """Return an RTCP sender report (RFC 3550 section 6.4.1), interleaved on channel 1: the next picture is now."""
        seconds, rest = divmod(wall_ns, 1_000_000_000)
        body = struct.pack(
            "!BBHLLLLLL",
            *(0x80, 200, 6, self._ssrc, seconds + _NTP_1900_S & 0xFFFF_FFFF, (rest << 32) // 1_000_000_000),
            *(self.timestamp, self._packets & 0xFFFF_FFFF, self._octets & 0xFFFF_FFFF),
        )
        return struct.pack("!BBH", 0x24, 1, len(body)) + body
