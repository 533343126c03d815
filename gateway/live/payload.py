"""Access units into RTP payloads, once for all viewers.

H.264: RFC 6184, packetization-mode=1 (single NAL units, STAP-A for parameter sets, FU-A). H.265: RFC 7798 (single NAL
units, AP, FU), without DONL. All pieces of one NAL unit but the last are equally long, so that a later sender may hand
them to the kernel as one segmented datagram.
"""

from collections.abc import Iterator, Sequence

from kernel.media import AccessUnit, VideoCodec, VideoParameters

MAX_PACKET_BYTES = 1200
"""RTP header and payload before encryption: fits IPv6's least MTU (1280) with SRTP, UDP and IP around it."""
MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - 12 - 2
"""12 bytes of RTP header, and two for the original sequence number of a retransmission (RFC 4588)."""

_H264_STAP_A = 24
_H264_FU_A = 28
_H265_AP = 48
_H265_FU = 49


class Picture:
    """One access unit on its way to viewers; its payloads are made when the first of them wants it."""

    __slots__ = ("_payloads", "keyframe", "size_bytes", "time_90k", "unit")

    def __init__(self, unit: AccessUnit, time_90k: int) -> None:
        self.unit = unit
        self.time_90k = time_90k
        """On the feed's own line of time, which goes on across breaks."""
        self.keyframe = unit.keyframe
        self.size_bytes = unit.size_bytes
        self._payloads: tuple[bytes, ...] | None = None

    @property
    def payloads(self) -> tuple[bytes, ...]:
        """Return the RTP payloads; the marker belongs on the last."""
        if self._payloads is None:
            self._payloads = payloads_of(self.unit)
        return self._payloads


def payloads_of(unit: AccessUnit) -> tuple[bytes, ...]:
    """Return the payloads of one access unit, parameter sets before a keyframe."""
    if unit.parameters.codec is VideoCodec.H264:
        return tuple(_h264(unit))
    return tuple(_h265(unit))


def _aggregate(header: bytes, nals: Sequence[bytes]) -> bytes | None:
    packet = header + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)
    return packet if len(packet) <= MAX_PAYLOAD_BYTES else None


def _h264(unit: AccessUnit) -> Iterator[bytes]:
    if unit.keyframe:
        sets = (unit.parameters.sps, unit.parameters.pps)
        together = _aggregate(bytes((max(nal[0] & 0x60 for nal in sets) | _H264_STAP_A,)), sets)
        if together is not None:
            yield together
        else:
            for nal in sets:
                yield from _h264_nal(nal)
    for nal in unit.nals:
        yield from _h264_nal(nal)


def _h264_nal(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MAX_PAYLOAD_BYTES:
        if nal:
            yield nal
        return
    indicator, kind = nal[0] & 0xE0 | _H264_FU_A, nal[0] & 0x1F
    step = MAX_PAYLOAD_BYTES - 2
    last = 1 + (len(nal) - 2) // step * step
    for at in range(1, len(nal), step):
        yield bytes((indicator, (at == 1) << 7 | (at == last) << 6 | kind)) + nal[at : at + step]


def _h265(unit: AccessUnit) -> Iterator[bytes]:
    if unit.keyframe:
        sets = tuple(nal for nal in (unit.parameters.vps, unit.parameters.sps, unit.parameters.pps) if nal)
        # The header of an aggregation packet carries the least layer and temporal id, here those of the sets.
        together = _aggregate(bytes((_H265_AP << 1, 1)), sets)
        if together is not None:
            yield together
        else:
            for nal in sets:
                yield from _h265_nal(nal)
    for nal in unit.nals:
        yield from _h265_nal(nal)


def _h265_nal(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MAX_PAYLOAD_BYTES:
        if nal:
            yield nal
        return
    first, second, kind = nal[0] & 0x81 | _H265_FU << 1, nal[1], nal[0] >> 1 & 0x3F
    step = MAX_PAYLOAD_BYTES - 3
    last = 2 + (len(nal) - 3) // step * step
    for at in range(2, len(nal), step):
        yield bytes((first, second, (at == 2) << 7 | (at == last) << 6 | kind)) + nal[at : at + step]


def profile_level_id(parameters: VideoParameters) -> str:
    """Return the six hex digits by which SDP names the profile of an H.264 stream (RFC 6184 section 8.1)."""
    return parameters.sps[1:4].hex()
