"""NAL units from RTP payloads: H.264 (RFC 6184) and H.265 (RFC 7798, without decoding order numbers).

Accepts what cameras do: Annex B start codes inside payloads, several NAL units behind one another in one of them,
fragments whose type changes on the way, a forgotten End bit.
"""
# A start code can stand anywhere in a NAL unit, and looking for it everywhere costs as much as all the rest of this
# file: a quarter of what a stream costs. A camera that leaves them in does so by habit, though, so that after some
# groups of pictures without one only the beginnings are looked at (``thorough``).

from typing import Protocol

_START_CODE = b"\x00\x00\x01"
BEGINNING_BYTES = 256
"""Parameter sets glued to a picture, and a start code before it, lie within these."""
_NAMES_H264 = tuple(bytes((value,)) for value in range(256))


class Depacketiser(Protocol):
    """Collects NAL units in :attr:`nals` until somebody takes them away."""

    nals: list[bytes]
    damaged: bool
    """A fragment had no beginning, or a payload made no sense."""
    thorough: bool
    """Whether start codes are looked for everywhere in a NAL unit; stays so once one was found."""
    middle: int
    """The first bytes, as a number, of a payload that goes on with the fragmented NAL unit under way, neither its first
    nor its last; -1 while there is none. Its content can be appended to ``fragments`` as it is."""
    middle_bytes: int
    """How many bytes these are."""
    fragments: list[bytes | bytearray]

    def push(self, buffer: bytearray, start: int, end: int) -> None:
        """Take one payload of at least one byte."""
        ...

    def drop(self) -> None:
        """Forget an unfinished NAL unit: packets were lost."""
        ...

    def take(self) -> list[bytes]:
        """Return the collected NAL units and begin anew."""
        ...


class _Collector:
    """What both codings share."""

    def __init__(self) -> None:
        self.nals: list[bytes] = []
        self.damaged = False
        self.thorough = True
        self.middle = -1
        self.fragments: list[bytes | bytearray] = []
        self._careless = False
        """A start code was found."""

    def drop(self) -> None:
        """See :class:`Depacketiser`."""
        self.fragments.clear()
        self.middle = -1

    def take(self) -> list[bytes]:
        """See :class:`Depacketiser`; a NAL unit whose End bit was forgotten ends here."""
        if self.fragments:
            self._complete()
        nals, self.nals = self.nals, []
        return nals

    def _complete(self) -> None:
        nal = b"".join(self.fragments)
        self.fragments.clear()
        self.middle = -1
        self._add(nal)

    def _add(self, nal: bytes) -> None:
        # Emulation prevention keeps 00 00 01 out of a NAL unit: where it stands, a start code was left in.
        if nal.find(_START_CODE, 0, None if self.thorough or self._careless else BEGINNING_BYTES) >= 0:
            self._careless = True
            self.nals += [piece for part in nal.split(_START_CODE) if (piece := part.rstrip(b"\x00"))]
        else:
            self.nals.append(nal)

    def _aggregate(self, buffer: bytearray, start: int, end: int, smallest: int) -> None:
        """Split an aggregation packet: 16-bit sizes, each followed by a NAL unit."""
        while start + 2 <= end:
            stop = start + 2 + (buffer[start] << 8 | buffer[start + 1])
            if stop > end or stop < start + 2 + smallest:
                self.damaged = True
                return
            self._add(bytes(buffer[start + 2 : stop]))
            start = stop


class H264Depacketiser(_Collector):
    """Single NAL unit, STAP-A and FU-A."""

    middle_bytes = 2

    def push(self, buffer: bytearray, start: int, end: int) -> None:
        """See :class:`Depacketiser`."""
        kind = buffer[start] & 0x1F
        if kind == 28:
            if end - start > 2:
                self._fragment(buffer, start, end)
            else:
                self.damaged = True
            return
        if self.fragments:
            self._complete()
        if kind < 24:
            self._add(bytes(buffer[start:end]))
        elif kind == 24:
            self._aggregate(buffer, start + 1, end, 1)
        else:
            self.damaged = True

    def _fragment(self, buffer: bytearray, start: int, end: int) -> None:
        header = buffer[start + 1]
        fragments = self.fragments
        if header & 0x80:
            if fragments:
                self._complete()
            fragments.append(_NAMES_H264[buffer[start] & 0xE0 | header & 0x1F])
            self.middle = buffer[start] << 8 | header & 0x1F
        elif not fragments:
            self.damaged = True
            return
        fragments.append(buffer[start + 2 : end])
        if header & 0x40:
            self._complete()


class H265Depacketiser(_Collector):
    """Single NAL unit, aggregation packet and fragmentation unit."""

    middle_bytes = 3

    def push(self, buffer: bytearray, start: int, end: int) -> None:
        """See :class:`Depacketiser`."""
        kind = buffer[start] >> 1 & 0x3F
        if end - start < (4 if kind == 49 else 3):
            self.damaged = True
            return
        if kind == 49:
            self._fragment(buffer, start, end)
            return
        if self.fragments:
            self._complete()
        if kind < 48:
            self._add(bytes(buffer[start:end]))
        elif kind == 48:
            self._aggregate(buffer, start + 2, end, 2)
        else:
            self.damaged = True

    def _fragment(self, buffer: bytearray, start: int, end: int) -> None:
        header = buffer[start + 2]
        fragments = self.fragments
        if header & 0x80:
            if fragments:
                self._complete()
            fragments.append(bytes((buffer[start] & 0x81 | (header & 0x3F) << 1, buffer[start + 1])))
            self.middle = buffer[start] << 16 | buffer[start + 1] << 8 | header & 0x3F
        elif not fragments:
            self.damaged = True
            return
        fragments.append(buffer[start + 3 : end])
        if header & 0x40:
            self._complete()
