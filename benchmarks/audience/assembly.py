"""Packets put in order and into pictures (RFC 3550, RFC 6184), and each picture compared with the film's own."""

import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_SLICES = range(1, 6)
_STAP_A, _FU_A = 24, 28
_START_CODE = b"\0\0\0\1"
KEPT_PICTURES = 150
GIVE_UP_S = 2.0
"""A packet that is missing for longer is lost, and with it its picture."""


@dataclass(slots=True)
class Tally:
    """What one viewer got."""

    packets: int = 0
    """RTP packets of the picture, first transmissions and repeated ones."""
    octets: int = 0
    """Bytes of them, after decryption, with their headers."""
    repeated: int = 0
    """Packets that came over RTX, or a second time with their own number."""
    complete: int = 0
    """Pictures that are byte for byte one of the film's."""
    broken: int = 0
    """Pictures with a packet lost, a fragment out of place, or no marker at their end."""
    wrong: int = 0
    """Pictures that are whole but none of the film's."""
    skipped: int = 0
    """Pictures of the film that did not come between two that did."""
    replays: int = 0
    """Times that the current GOP began again."""
    lost: int = 0
    """Packets that never came."""
    late: int = 0
    """Packets out of order."""
    sizes: dict[int, int] = field(default_factory=dict)
    """Packets by their size, decrypted, with header."""

    @property
    def incomplete(self) -> int:
        """Return how many pictures did not come as they were sent."""
        return self.broken + self.wrong + self.skipped


class Assembly:
    """One viewer's stream. ``sums`` are the check sums of the film's pictures, in order."""

    def __init__(
        self, sums: Mapping[int, int], *, gop_frames: int, payload_type: int, rtx_type: int | None, keep: bool = False
    ) -> None:
        self.tally = Tally()
        self.newest: int | None = None
        """Index of the newest whole picture."""
        self.highest = 0
        """Extended highest sequence number."""
        self.source: int | None = None
        """SSRC of the picture."""
        self.kept: deque[bytes] | None = deque(maxlen=KEPT_PICTURES) if keep else None
        """The newest pictures as a decoder wants them (Annex B)."""
        self._sums = sums
        self._gop_frames = gop_frames
        self._type = payload_type
        self._rtx_type = rtx_type
        self._next: int | None = None
        self._ahead: dict[int, tuple[int, bool, bytes]] = {}
        self._gap_since_s = 0.0
        self._begin()

    def _begin(self) -> None:
        self._sum = 0
        self._slices = 0
        self._time: int | None = None
        self._broken = False
        self._fragmented = False
        self._wanted = False
        self._nals = bytearray()

    def packet(self, data: bytes, now_s: float) -> None:
        """Take one decrypted RTP packet."""
        kind = data[1] & 0x7F
        start = 12 + 4 * (data[0] & 0x0F)
        if data[0] & 0x10:
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        end = len(data) - data[-1] if data[0] & 0x20 else len(data)
        sequence = int.from_bytes(data[2:4], "big")
        tally = self.tally
        if kind == self._rtx_type:
            if end - start < 3:
                return  # padding, to measure the line
            sequence = int.from_bytes(data[start : start + 2], "big")
            start += 2
            tally.repeated += 1
        elif kind != self._type:
            return
        else:
            self.source = int.from_bytes(data[8:12], "big")
        tally.packets += 1
        tally.octets += len(data)
        tally.sizes[len(data)] = tally.sizes.get(len(data), 0) + 1
        if self._next is None:
            self._next = self.highest = sequence
        distance = (sequence - self._next) & 0xFFFF
        if distance >= 0x8000 or self._next + distance in self._ahead:
            tally.repeated += kind == self._type
            return
        number = self._next + distance
        if number < self.highest:
            tally.late += 1
        self.highest = max(self.highest, number)
        piece = (int.from_bytes(data[4:8], "big"), data[1] > 0x7F, data[start:end])
        if distance:
            if not self._ahead:
                self._gap_since_s = now_s
            self._ahead[number] = piece
            return
        self._take(*piece)
        self._next += 1
        self._drain(now_s)

    def missing(self, now_s: float) -> list[int]:
        """Return sequence numbers to ask for again; those missing for too long are given up."""
        if not self._ahead or self._next is None:
            return []
        if now_s - self._gap_since_s > GIVE_UP_S:
            found = min(self._ahead)
            self.tally.lost += found - self._next
            self._next = found
            self._broken = True
            self._drain(now_s)
        if not self._ahead:
            return []
        return [number & 0xFFFF for number in range(self._next, max(self._ahead)) if number not in self._ahead]

    def _drain(self, now_s: float) -> None:
        assert self._next is not None
        while (piece := self._ahead.pop(self._next, None)) is not None:
            self._take(*piece)
            self._next += 1
            self._gap_since_s = now_s

    def _take(self, time: int, marker: bool, payload: bytes) -> None:  # noqa: FBT001 - the fields of one packet
        if self._time is None:
            self._time = time
        elif time != self._time:
            # The marker that should have ended the picture before did not come.
            self._broken = True
            self._finish()
            self._time = time
        kind = payload[0] & 0x1F if payload else 0
        if kind == _FU_A and len(payload) > 2:
            self._fragment(payload)
        elif self._fragmented or not 0 < kind <= _STAP_A:
            self._broken = True
        elif kind == _STAP_A:
            self._aggregate(payload)
        else:
            self._nal(payload)
        if marker:
            self._finish()

    def _nal(self, nal: bytes) -> None:
        if nal[0] & 0x1F in _SLICES:
            self._sum = zlib.crc32(nal, self._sum)
            self._slices += 1
        if self.kept is not None:
            self._nals += _START_CODE + nal

    def _aggregate(self, payload: bytes) -> None:
        at = 1
        while at + 2 < len(payload):
            stop = at + 2 + int.from_bytes(payload[at : at + 2], "big")
            if stop > len(payload) or stop == at + 2:
                break
            self._nal(payload[at + 2 : stop])
            at = stop
        if at != len(payload):
            self._broken = True

    def _fragment(self, payload: bytes) -> None:
        indicator = payload[1]
        body = memoryview(payload)[2:]
        if bool(indicator & 0x80) == self._fragmented:
            self._broken = True
        if indicator & 0x80:
            self._fragmented = True
            self._wanted = indicator & 0x1F in _SLICES
            head = bytes((payload[0] & 0xE0 | indicator & 0x1F,))
            if self._wanted:
                self._sum = zlib.crc32(head, self._sum)
                self._slices += 1
            if self.kept is not None:
                self._nals += _START_CODE + head
        if self._wanted:
            self._sum = zlib.crc32(body, self._sum)
        if self.kept is not None:
            self._nals += body
        if indicator & 0x40:
            self._fragmented = False

    def _finish(self) -> None:
        tally = self.tally
        index = self._sums.get(self._sum) if self._slices else None
        if self._broken or self._fragmented:
            # What a viewer comes into the middle of is no fault of anybody's.
            tally.broken += self.newest is not None
        elif index is None:
            tally.wrong += 1
        else:
            self._follows(index)
            tally.complete += 1
            if self.kept is not None:
                self.kept.append(bytes(self._nals))
            self.newest = index
        self._begin()

    def _follows(self, index: int) -> None:
        before = self.newest
        if before is None:
            return
        skipped = (index - before - 1) % len(self._sums)
        if skipped and index == before - before % self._gop_frames:
            self.tally.replays += 1
        else:
            self.tally.skipped += skipped


def decodable(pictures: deque[bytes], decode: Callable[[bytes], int]) -> tuple[int, int]:
    """Decode from the first kept keyframe on; return (pictures put in, pictures that came out)."""
    whole = list(pictures)
    first = next((at for at, data in enumerate(whole) if data[4] & 0x1F in {5, 7, 8, 24}), None)
    if first is None:
        return 0, 0
    return len(whole) - first, decode(b"".join(whole[first:]))
