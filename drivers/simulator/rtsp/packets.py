"""RTP packets from coded pictures: cut once, sent to every client."""

import struct
from collections.abc import Iterator, Sequence

from drivers.simulator.device import EncodedUnit
from kernel.media import VideoCodec, VideoParameters

PAYLOAD_LIMIT_BYTES = 1400
START_CODE = b"\x00\x00\x00\x01"

_HEADER = struct.Struct("!BBHII")
_SIZE = struct.Struct("!H")
_FU_A = 28
_STAP_A = 24
_FU_H265 = 49
_AP_H265 = 48

_SEI_BODY = b"\x05\x10" + bytes.fromhex("5369676874 6c696e6520 53696d2053 45") + b"\x80"
"""user_data_unregistered with a UUID and nothing else (H.264 and H.265, Annex D)."""
SEI = {VideoCodec.H264: b"\x06" + _SEI_BODY, VideoCodec.H265: b"\x4e\x01" + _SEI_BODY}


class Burst:
    """The RTP packets of one instant; framed once for each interleaved channel number in use."""

    __slots__ = ("_framed", "packets")

    def __init__(self, packets: Sequence[bytes]) -> None:
        self.packets = tuple(packets)
        self._framed: dict[int, bytes] = {}

    def interleaved(self, channel: int) -> bytes:
        """Return all packets with RFC 2326 section 10.12 framing for ``channel``."""
        framed = self._framed.get(channel)
        if framed is None:
            framed = self._framed[channel] = b"".join(interleave(channel, packet) for packet in self.packets)
        return framed


def interleave(channel: int, packet: bytes) -> bytes:
    """Return ``packet`` with its RFC 2326 section 10.12 header."""
    return struct.pack("!BBH", 0x24, channel, len(packet)) + packet


class RtpWriter:
    """Numbers packets of one synchronisation source."""

    __slots__ = ("payload_type", "sequence", "ssrc", "timestamp_base")

    def __init__(self, *, payload_type: int, ssrc: int, sequence: int, timestamp_base: int) -> None:
        self.payload_type = payload_type
        self.ssrc = ssrc
        self.sequence = sequence & 0xFFFF
        self.timestamp_base = timestamp_base

    def timestamp(self, media_time: int) -> int:
        """Return the 32 bits that stand for ``media_time`` ticks."""
        return (self.timestamp_base + media_time) & 0xFFFF_FFFF

    def packet(self, payload: bytes, media_time: int, *, marker: bool) -> bytes:
        """Return the next packet (RFC 3550 section 5.1)."""
        second = self.payload_type | (0x80 if marker else 0)
        header = _HEADER.pack(0x80, second, self.sequence, self.timestamp(media_time), self.ssrc)
        self.sequence = (self.sequence + 1) & 0xFFFF
        return header + payload


def picture_payloads(
    unit: EncodedUnit, *, annexb: bool = False, marked_sei: bool = False
) -> Iterator[tuple[bytes, bool]]:
    """Give (payload, marker) of one picture; parameter sets go before a keyframe.

    ``annexb`` and ``marked_sei`` are the faults of those names: start codes inside payloads, and a marker on an
    SEI that comes before the slices.
    """
    h265 = unit.parameters.codec is VideoCodec.H265
    fragment = _fragments_h265 if h265 else _fragments_h264
    if unit.keyframe:
        sets = _sets(unit.parameters)
        if annexb:
            yield from ((START_CODE + one, False) for one in sets)
        else:
            yield _aggregate_h265(sets) if h265 else _aggregate_h264(sets), False
    if marked_sei:
        yield SEI[unit.parameters.codec], True
    for index, nal in enumerate(unit.nals):
        last = index == len(unit.nals) - 1
        pieces = list(fragment(START_CODE + nal if annexb else nal))
        yield from ((piece, False) for piece in pieces[:-1])
        yield pieces[-1], last


def _sets(parameters: VideoParameters) -> tuple[bytes, ...]:
    if parameters.codec is VideoCodec.H265:
        return parameters.vps, parameters.sps, parameters.pps
    return parameters.sps, parameters.pps


def _aggregate_h264(nals: tuple[bytes, ...]) -> bytes:
    """STAP-A (RFC 6184 section 5.7.1)."""
    importance = max(nal[0] & 0x60 for nal in nals)
    return bytes([importance | _STAP_A]) + b"".join(_SIZE.pack(len(nal)) + nal for nal in nals)


def _aggregate_h265(nals: tuple[bytes, ...]) -> bytes:
    """Aggregation packet (RFC 7798 section 4.4.2)."""
    return bytes([_AP_H265 << 1, 1]) + b"".join(_SIZE.pack(len(nal)) + nal for nal in nals)


def _fragments_h264(nal: bytes) -> Iterator[bytes]:
    """Single NAL unit or FU-A (RFC 6184 sections 5.6 and 5.8)."""
    if len(nal) <= PAYLOAD_LIMIT_BYTES:
        yield nal
        return
    indicator, kind = nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F
    step = PAYLOAD_LIMIT_BYTES - 2
    for start in range(1, len(nal), step):
        flags = (0x80 if start == 1 else 0) | (0x40 if start + step >= len(nal) else 0)
        yield bytes([indicator, flags | kind]) + nal[start : start + step]


def _fragments_h265(nal: bytes) -> Iterator[bytes]:
    """Single NAL unit or FU (RFC 7798 sections 4.4.1 and 4.4.3)."""
    if len(nal) <= PAYLOAD_LIMIT_BYTES:
        yield nal
        return
    header, kind = bytes([nal[0] & 0x81 | _FU_H265 << 1, nal[1]]), nal[0] >> 1 & 0x3F
    step = PAYLOAD_LIMIT_BYTES - 3
    for start in range(2, len(nal), step):
        flags = (0x80 if start == 2 else 0) | (0x40 if start + step >= len(nal) else 0)
        yield header + bytes([flags | kind]) + nal[start : start + step]
