"""Tells a viewer how long its way here is (RFC 3611 sections 4.4 and 4.5), though it sends no media.

A browser that only receives cannot reckon a round-trip time from sender reports, and without one it does not say when
a frame was captured. It may offer receiver reference time reports (``a=rtcp-fb:* rrtr``); each is answered with its
delay here, and then ``requestVideoFrameCallback`` gives a captureTime.
"""

import struct

_XR = 207
_RRTR = 4
_DLRR = 5
_HEADER = struct.Struct("!BBH")
_SSRC = struct.Struct("!L")
_DELAY_HZ = 65_536
_NS_PER_S = 1_000_000_000
_STALE_NS = 60 * _NS_PER_S
"""A delay is told in a 16.16 field; an older report is not worth an answer."""


class ReferenceTimes:
    """The last reference time of one viewer."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: tuple[int, int, int] | None = None

    def heard(self, compound: bytes, now_ns: int) -> None:
        """Take the reference time out of a compound RTCP packet; anything malformed says nothing."""
        position = 0
        while position + 8 <= len(compound):
            _, kind, words = _HEADER.unpack_from(compound, position)
            end = position + 4 * (words + 1)
            if end > len(compound):
                return
            if kind == _XR and words:
                self._blocks(compound[position:end], now_ns)
            position = end

    def _blocks(self, packet: bytes, now_ns: int) -> None:
        (ssrc,) = _SSRC.unpack_from(packet, 4)
        position = 8
        while position + 4 <= len(packet):
            kind, _, words = _HEADER.unpack_from(packet, position)
            if kind == _RRTR and words == 2 and position + 12 <= len(packet):
                (middle,) = _SSRC.unpack_from(packet, position + 6)
                self._last = (ssrc, middle, now_ns)
            position += 4 * (words + 1)

    def answer(self, ssrc: int, now_ns: int) -> bytes:
        """Return an extended report of ``ssrc`` with the delay since the last reference time; empty without one."""
        if self._last is None:
            return b""
        viewer, middle, heard_ns = self._last
        waited_ns = now_ns - heard_ns
        if waited_ns > _STALE_NS:
            return b""
        block = _HEADER.pack(_DLRR, 0, 3) + struct.pack("!LLL", viewer, middle, waited_ns * _DELAY_HZ // _NS_PER_S)
        return _HEADER.pack(0x80, _XR, 5) + _SSRC.pack(ssrc) + block
