"""Access units into RTP payloads, once for all viewers.

H.264: RFC 6184, packetization-mode=1 (single NAL units, STAP-A for parameter sets, FU-A). H.265: RFC 7798 (single NAL
units, AP, FU), without DONL. The camera's own payloads are used as it cut them where none is too long for the path;
otherwise all pieces of one NAL unit but the last are equally long, so that the kernel can cut them out of one datagram.
"""

from collections.abc import Iterator

from kernel.media import AccessUnit, VideoCodec, VideoParameters

MAX_PACKET_BYTES = 1200
"""RTP header and payload before encryption: fits IPv6's least MTU (1280) with SRTP, UDP and IP around it."""
OVERHEAD_BYTES = 12 + 2
"""RTP header, and the original sequence number of a retransmission (RFC 4588)."""

_H264_STAP_A = 24
_H264_FU_A = 28
_H265_AP = 48
_H265_FU = 49


class Picture:
    """One access unit on its way to viewers; its payloads are made when the first of them wants it."""

    __slots__ = ("_max_bytes", "_payloads", "keyframe", "size_bytes", "time_90k", "unit")

    def __init__(self, unit: AccessUnit, time_90k: int, max_packet_bytes: int = MAX_PACKET_BYTES) -> None:
        """``max_packet_bytes`` is the longest RTP packet before encryption."""
        self.unit = unit
        self._max_bytes = max_packet_bytes - OVERHEAD_BYTES
        self.time_90k = time_90k
        """On the feed's own line of time, which goes on across breaks."""
        self.keyframe = unit.keyframe
        self.size_bytes = unit.size_bytes
        self._payloads: tuple[bytes, ...] | None = None

    @property
    def payloads(self) -> tuple[bytes, ...]:
        """Return the RTP payloads; the marker belongs on the last."""
        if self._payloads is None:
            self._payloads = payloads_of(self.unit, self._max_bytes)
        return self._payloads


def payloads_of(unit: AccessUnit, max_bytes: int) -> tuple[bytes, ...]:
    """Return the payloads of one access unit, none longer than ``max_bytes``, parameter sets before a keyframe."""
    h264 = unit.parameters.codec is VideoCodec.H264
    payloads: list[bytes] = []
    if unit.keyframe:
        payloads += _sets(unit.parameters, max_bytes)
    if unit.payloads and max(map(len, unit.payloads)) <= max_bytes:
        payloads += unit.payloads
    else:
        cut = _h264_nal if h264 else _h265_nal
        for nal in unit.nals:
            if len(nal) > max_bytes:
                payloads += cut(nal, max_bytes)
            elif nal:
                payloads.append(nal)
    return tuple(payloads)


def _sets(parameters: VideoParameters, max_bytes: int) -> list[bytes]:
    """Return the parameter sets: together in one packet, or else one by one."""
    sets = tuple(nal for nal in (parameters.vps, parameters.sps, parameters.pps) if nal)
    if parameters.codec is VideoCodec.H264:
        header, cut = bytes((max(nal[0] & 0x60 for nal in sets) | _H264_STAP_A,)), _h264_nal
    else:
        # The header of an aggregation packet carries the least layer and temporal id, here those of the sets.
        header, cut = bytes((_H265_AP << 1, 1)), _h265_nal
    together = header + b"".join(len(nal).to_bytes(2, "big") + nal for nal in sets)
    if len(together) <= max_bytes:
        return [together]
    return [payload for nal in sets for payload in (cut(nal, max_bytes) if len(nal) > max_bytes else (nal,))]


def _h264_nal(nal: bytes, max_bytes: int) -> Iterator[bytes]:
    indicator, kind = nal[0] & 0xE0 | _H264_FU_A, nal[0] & 0x1F
    step = max_bytes - 2
    last = 1 + (len(nal) - 2) // step * step
    for at in range(1, len(nal), step):
        yield bytes((indicator, (at == 1) << 7 | (at == last) << 6 | kind)) + nal[at : at + step]


def _h265_nal(nal: bytes, max_bytes: int) -> Iterator[bytes]:
    first, second, kind = nal[0] & 0x81 | _H265_FU << 1, nal[1], nal[0] >> 1 & 0x3F
    step = max_bytes - 3
    last = 2 + (len(nal) - 3) // step * step
    for at in range(2, len(nal), step):
        yield bytes((first, second, (at == 2) << 7 | (at == last) << 6 | kind)) + nal[at : at + step]


def profile_level_id(parameters: VideoParameters) -> str:
    """Return the six hex digits by which SDP names the profile of an H.264 stream (RFC 6184 section 8.1)."""
    return parameters.sps[1:4].hex()
