"""What parameter sets say, and the decoder configuration records made of them (ISO/IEC 14496-15)."""

from struct import pack

from kernel.media import VideoCodec, VideoParameters
from recording.mux.boxes import box

_H264_HIGH = frozenset({100, 110, 122, 144, 244, 44, 83, 86, 118, 128, 134, 138, 139, 135})
"""profile_idc values whose SPS (and avcC) carry chroma format and bit depths (H.264, section 7.3.2.1.1)."""


class _Bits:
    """Reads an RBSP: emulation prevention bytes taken out, most significant bit first."""

    __slots__ = ("_left", "_value")

    def __init__(self, payload: bytes) -> None:
        rbsp = payload.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(rbsp, "big")
        self._left = len(rbsp) * 8

    def u(self, bits: int) -> int:
        self._left -= bits
        if self._left < 0:
            raise EOFError
        return self._value >> self._left & (1 << bits) - 1

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)


def _h264_chroma(sps: bytes) -> tuple[int, int, int]:
    """Return chroma_format_idc, bit_depth_luma_minus8, bit_depth_chroma_minus8."""
    bits = _Bits(sps[4:])
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    return chroma, bits.ue(), bits.ue()


def _h265_facts(sps: bytes) -> tuple[int, int, int, int, int]:
    """Return sub-layers, nesting, chroma_format_idc, bit_depth_luma_minus8, bit_depth_chroma_minus8."""
    bits = _Bits(sps[2:])
    bits.u(4)
    layers_minus1, nesting = bits.u(3), bits.u(1)
    bits.u(96)
    if layers_minus1:
        present = [(bits.u(1), bits.u(1)) for _ in range(layers_minus1)]
        bits.u(2 * (8 - layers_minus1))
        for profile, level in present:
            bits.u(88 * profile + 8 * level)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    bits.ue()
    bits.ue()
    if bits.u(1):
        for _ in range(4):
            bits.ue()
    return layers_minus1 + 1, nesting, chroma, bits.ue(), bits.ue()


def _avcc(parameters: VideoParameters) -> bytes:
    """Return an AVCDecoderConfigurationRecord (section 5.3.3.1)."""
    sps, pps = parameters.sps, parameters.pps
    record = b"".join(
        (
            b"\x01",
            sps[1:4],
            b"\xff\xe1",
            pack(">H", len(sps)),
            sps,
            b"\x01",
            pack(">H", len(pps)),
            pps,
        )
    )
    if sps[1] in _H264_HIGH:
        try:
            chroma, luma, chroma_depth = _h264_chroma(sps)
        except EOFError:
            chroma, luma, chroma_depth = 1, 0, 0
        record += bytes((0xFC | chroma & 3, 0xF8 | luma & 7, 0xF8 | chroma_depth & 7, 0))
    return record


def _hvcc(parameters: VideoParameters) -> bytes:
    """Return an HEVCDecoderConfigurationRecord (section 8.3.3.1)."""
    try:
        layers, nesting, chroma, luma, chroma_depth = _h265_facts(parameters.sps)
    except EOFError:
        layers, nesting, chroma, luma, chroma_depth = 1, 1, 1, 0, 0
    # general_profile_space .. general_level_idc stand in the SPS in the very order of the record.
    tier_level = parameters.sps[2:].replace(b"\x00\x00\x03", b"\x00\x00")[1:13].ljust(12, b"\0")
    arrays = [(32, parameters.vps), (33, parameters.sps), (34, parameters.pps)]
    return b"".join(
        (
            b"\x01",
            tier_level,
            b"\xf0\x00\xfc",
            bytes((0xFC | chroma & 3, 0xF8 | luma & 7, 0xF8 | chroma_depth & 7)),
            b"\x00\x00",
            bytes((layers << 3 | nesting << 2 | 3, len(arrays))),
            *(pack(">BHH", 0x80 | kind, 1, len(nal)) + nal for kind, nal in arrays),
        )
    )


def decoder_configuration(parameters: VideoParameters) -> bytes:
    """Return the content of ``avcC`` or ``hvcC``: NAL lengths are four bytes."""
    return _avcc(parameters) if parameters.codec is VideoCodec.H264 else _hvcc(parameters)


def video_sample_entry(parameters: VideoParameters) -> bytes:
    """Return an ``avc1`` or ``hvc1`` sample entry: parameter sets stand here and nowhere else."""
    h264 = parameters.codec is VideoCodec.H264
    return box(
        b"avc1" if h264 else b"hvc1",
        b"\0\0\0\0\0\0\0\x01",
        bytes(16),
        pack(">HHIIIH", parameters.width, parameters.height, 0x0048_0000, 0x0048_0000, 0, 1),
        b"\x09Sightline".ljust(32, b"\0"),
        b"\x00\x18\xff\xff",
        box(b"avcC" if h264 else b"hvcC", decoder_configuration(parameters)),
    )


ENTRY_BYTES = 86
"""A VisualSampleEntry up to its first inner box."""


def configuration_of(sample_entry: bytes) -> bytes:
    """Return the content of the ``avcC`` or ``hvcC`` of a sample entry of ours."""
    size = int.from_bytes(sample_entry[ENTRY_BYTES : ENTRY_BYTES + 4], "big")
    return sample_entry[ENTRY_BYTES + 8 : ENTRY_BYTES + size]


def in_band(sample_entry: bytes) -> bytes:
    """Return the parameter sets of a sample entry as NAL units with lengths, to stand before a keyframe.

    Chromium reads only the first entry of a progressive file; after a change of format the sets must also come in
    the stream. The coded pictures stay as they are.
    """
    record = configuration_of(sample_entry)
    nals: list[bytes] = []

    def take(offset: int, count: int) -> int:
        for _ in range(count):
            size = int.from_bytes(record[offset : offset + 2], "big")
            nals.append(record[offset + 2 : offset + 2 + size])
            offset += 2 + size
        return offset

    if sample_entry[4:8] == b"avc1":
        offset = take(6, record[5] & 31)
        take(offset + 1, record[offset])
    else:
        offset = 23
        for _ in range(record[22]):
            offset = take(offset + 3, int.from_bytes(record[offset + 1 : offset + 3], "big"))
    return b"".join(pack(">I", len(nal)) + nal for nal in nals)
