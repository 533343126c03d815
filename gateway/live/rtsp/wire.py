"""One track's packets, interleaved with the dialogue on its connection (RFC 2326 section 10.12)."""

from collections.abc import Sequence
from struct import Struct
from typing import Protocol

DOLLAR = 0x24
_MARKER = 0x80
_MASK16 = 0xFFFF
_FRAME = Struct("!BBHBBHLL")
"""Dollar, channel, length, and the RTP header (RFC 3550 section 5.1)."""
_SHORT = Struct("!BBH")
_HEADER_BYTES = 12


class Outgoing(Protocol):
    """The connection, as its tracks use it."""

    @property
    def full(self) -> bool:
        """Tell whether the viewer takes nothing in at the moment."""
        ...

    def write(self, data: bytes) -> None:
        """Send, now or when the viewer takes it."""
        ...


class InterleavedWire:
    """Satisfies ``gateway.live.track.Wire``. A whole picture is one write, and so few TLS records."""

    def __init__(self, connection: Outgoing, channel: int) -> None:
        """``channel`` carries RTP, the next one RTCP."""
        self.channel = channel
        self._connection = connection

    def send_burst(  # noqa: PLR0913 - the fields of an RTP header
        self,
        payloads: Sequence[bytes],
        start: int,
        stop: int,
        *,
        payload_type: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        marker: bool,
    ) -> int:
        """See ``Wire``: all goes or nothing does."""
        if self._connection.full:
            return 0
        pieces: list[bytes] = []
        for index in range(start, stop):
            payload = payloads[index]
            kind = payload_type | (_MARKER if marker and index == stop - 1 else 0)
            number = sequence + index - start & _MASK16
            length = _HEADER_BYTES + len(payload)
            pieces += (_FRAME.pack(DOLLAR, self.channel, length, 0x80, kind, number, timestamp, ssrc), payload)
        self._connection.write(b"".join(pieces))
        return stop - start

    def send_rtp(self, header: bytes, payload: bytes) -> bool:
        """See ``Wire``."""
        if self._connection.full:
            return False
        self._connection.write(_SHORT.pack(DOLLAR, self.channel, len(header) + len(payload)) + header + payload)
        return True

    def send_rtcp(self, compound: bytes) -> None:
        """Send a report, if there is room."""
        if not self._connection.full:
            self._connection.write(_SHORT.pack(DOLLAR, self.channel + 1, len(compound)) + compound)
