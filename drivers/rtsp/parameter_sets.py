"""What a sequence parameter set says of the picture (ITU-T H.264 section 7.3.2.1, H.265 section 7.3.2.2)."""

from drivers.rtsp.bits import BitReader
from drivers.rtsp.errors import ParameterSetError
from kernel.media import VideoCodec

SIZE_LIMIT = 16_384
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_SUBSAMPLING = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}


def picture_size(codec: VideoCodec, sps: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels after cropping.

    Raises:
        ParameterSetError: it does not parse, or gives a size no camera has.
    """
    width, height = _size_h265(sps) if codec is VideoCodec.H265 else _size_h264(sps)
    if not (0 < width <= SIZE_LIMIT and 0 < height <= SIZE_LIMIT):
        raise ParameterSetError(f"A parameter set gives a picture of {width} by {height} pixels.")
    return width, height


def pps_id(codec: VideoCodec, pps: bytes) -> int:
    """Return pic_parameter_set_id.

    Raises:
        ParameterSetError: it does not parse.
    """
    identity = BitReader(pps[2 if codec is VideoCodec.H265 else 1 :][:16]).ue()
    if identity > 255:
        raise ParameterSetError(f"A picture parameter set has the number {identity}.")
    return identity


def _size_h264(sps: bytes) -> tuple[int, int]:
    bits = BitReader(sps[1:])
    profile = bits.u(8)
    bits.u(16)  # constraints, level
    bits.ue()  # seq_parameter_set_id
    chroma, separate = 1, False
    if profile in _HIGH_PROFILES:
        chroma, separate = _chroma(bits)
        bits.ue()  # bit_depth_luma_minus8
        bits.ue()  # bit_depth_chroma_minus8
        bits.flag()  # qpprime_y_zero_transform_bypass_flag
        if bits.flag():
            for index in range(12 if chroma == 3 else 8):
                if bits.flag():
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.ue()  # log2_max_frame_num_minus4
    _skip_order_count(bits)
    bits.ue()  # max_num_ref_frames
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    width = (bits.ue() + 1) * 16
    map_units = bits.ue() + 1
    frames_only = bits.flag()
    if not frames_only:
        bits.flag()  # mb_adaptive_frame_field_flag
    bits.flag()  # direct_8x8_inference_flag
    fields = 1 if frames_only else 2
    height = map_units * 16 * fields
    if bits.flag():
        unit_x, unit_y = (1, 1) if separate else _SUBSAMPLING[chroma]
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y * fields
    return width, height


def _chroma(bits: BitReader) -> tuple[int, bool]:
    chroma = bits.ue()
    if chroma not in _SUBSAMPLING:
        raise ParameterSetError(f"A parameter set has the chroma format {chroma}.")
    return chroma, chroma == 3 and bits.flag()


def _skip_order_count(bits: BitReader) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.flag()
        bits.se()
        bits.se()
        cycle = bits.ue()
        if cycle > 255:
            raise ParameterSetError(f"A parameter set has {cycle} frames in a picture order cycle.")
        for _ in range(cycle):
            bits.se()


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following != 0:
            following = (last + bits.se()) % 256
        last = following or last


def _size_h265(sps: bytes) -> tuple[int, int]:
    bits = BitReader(sps[2:])
    bits.u(4)  # sps_video_parameter_set_id
    layers = bits.u(3)  # sps_max_sub_layers_minus1
    bits.flag()  # sps_temporal_id_nesting_flag
    _skip_profile_tier_level(bits, layers)
    bits.ue()  # sps_seq_parameter_set_id
    chroma, separate = _chroma(bits)
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        unit_x, unit_y = (1, 1) if separate else _SUBSAMPLING[chroma]
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    return width, height


def _skip_profile_tier_level(bits: BitReader, layers: int) -> None:
    bits.u(88)
    bits.u(8)
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.u(2 * (8 - layers))
    for profile, level in present:
        bits.u((88 if profile else 0) + (8 if level else 0))
