"""Which NAL units matter for what, in H.264 (table 7-1) and H.265 (table 7-1)."""

from dataclasses import dataclass

from kernel.media import VideoCodec


@dataclass(frozen=True, slots=True)
class NalKinds:
    """How one coding numbers its NAL units."""

    codec: VideoCodec
    slices: frozenset[int]
    keyframes: frozenset[int]
    vps: int
    sps: int
    pps: int
    dropped: frozenset[int]
    """Delimiters, ends of sequence, filler, extensions that no viewer decodes, and H.265's suffix SEI, which
    may come after the marker."""
    header_bytes: int
    aggregate: int
    """nal_unit_type of an RTP payload that holds several NAL units (STAP-A, AP) ..."""
    fragment: int
    """... and of one that holds a part of one (FU-A, FU)."""

    def kind(self, nal: bytes) -> int:
        """Return nal_unit_type."""
        return nal[0] >> 1 & 0x3F if self.codec is VideoCodec.H265 else nal[0] & 0x1F

    def passed(self, nal: bytes) -> bool:
        """Return whether it stands in an ``AccessUnit``: neither dropped nor a parameter set."""
        kind = self.kind(nal)
        return kind not in self.dropped and kind not in {self.vps, self.sps, self.pps}

    def first_slice(self, nal: bytes) -> bool:
        """Return whether a slice begins its picture (first_mb_in_slice 0, first_slice_segment_in_pic_flag)."""
        return len(nal) > self.header_bytes and nal[self.header_bytes] & 0x80 != 0

    def disposable(self, nal: bytes) -> bool:
        """Return whether no other picture refers to this slice's."""
        if self.codec is VideoCodec.H265:
            kind = self.kind(nal)
            return kind < 16 and kind % 2 == 0
        return nal[0] & 0x60 == 0


H264_KINDS = NalKinds(
    codec=VideoCodec.H264,
    slices=frozenset({1, 2, 3, 4, 5}),
    keyframes=frozenset({5}),
    vps=-1,
    sps=7,
    pps=8,
    dropped=frozenset({0, 9, 10, 11, 12, 13, 14, 15, 20, 21}),
    header_bytes=1,
    aggregate=24,
    fragment=28,
)
H265_KINDS = NalKinds(
    codec=VideoCodec.H265,
    slices=frozenset(range(32)),
    keyframes=frozenset(range(16, 22)),
    vps=32,
    sps=33,
    pps=34,
    dropped=frozenset({35, 36, 37, 38, 40}),
    header_bytes=2,
    aggregate=48,
    fragment=49,
)
KINDS = {VideoCodec.H264: H264_KINDS, VideoCodec.H265: H265_KINDS}
