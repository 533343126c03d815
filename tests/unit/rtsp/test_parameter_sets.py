"""Sizes from parameter sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp.errors import ParameterSetError
from drivers.rtsp.parameter_sets import picture_size, pps_id
from kernel.media import VideoCodec
from tests.fakes.rtp import sets

SIZES = [(320, 240), (640, 360), (1280, 720), (1920, 1080), (704, 576)]


@pytest.mark.parametrize("codec", list(VideoCodec))
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_size_is_what_the_coder_was_told(codec: VideoCodec, width: int, height: int) -> None:
    """Cropping turns the coded size (1920 by 1088) into the picture's."""
    assert picture_size(codec, sets(codec, width, height).sps) == (width, height)


def test_a_high_profile_set_with_scaling_lists_is_read() -> None:
    """A High profile SPS with scaling matrices and interlaced coding gives its size."""
    bits = "".join(
        [
            f"{100:08b}",
            "0" * 8,
            f"{40:08b}",
            "1",  # seq_parameter_set_id
            "010",  # chroma_format_idc 1
            "1",
            "1",
            "0",
            "1",  # scaling matrix present
            "1" + "1" * 16,  # list 0: sixteen deltas of 0
            "1" + "000010001",  # list 1: delta -8 makes the next scale 0, which ends it
            "0" * 6,
            "1",
            "010",  # pic_order_cnt_type 1
            "0",
            "1",
            "1",
            "010",  # one frame in the cycle
            "1",
            "1",
            "0",
            "000010100",  # 19: width 20 macroblocks
            "0001000",  # 7: 8 map units
            "0",  # fields
            "0",
            "1",
            "1",  # cropping
            "1",
            "1",
            "1",
            "010",  # bottom 1: 4 lines, as fields of 4:2:0
            "1",
        ]
    )
    bits += "0" * (-len(bits) % 8)
    sps = b"\x67" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    assert picture_size(VideoCodec.H264, sps) == (320, 252)


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(data=st.binary(max_size=200))
def test_no_bytes_crash_the_parser(codec: VideoCodec, data: bytes) -> None:
    """Any bytes give a size a camera may have, or the named error."""
    try:
        width, height = picture_size(codec, data)
    except ParameterSetError:
        return
    assert 0 < width <= 16_384
    assert 0 < height <= 16_384


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(at=st.integers(0, 60), value=st.integers(0, 255), cut=st.integers(0, 60))
def test_a_damaged_set_is_a_named_error_or_a_size(codec: VideoCodec, at: int, value: int, cut: int) -> None:
    """A real set with one byte changed or its end cut never crashes the parser."""
    whole = bytearray(sets(codec).sps)
    whole[at % len(whole)] = value
    for damaged in (bytes(whole), sets(codec).sps[:cut]):
        try:
            picture_size(codec, damaged)
        except ParameterSetError:
            continue


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(data=st.binary(max_size=40))
def test_no_bytes_crash_the_number_of_a_picture_set(codec: VideoCodec, data: bytes) -> None:
    """Any bytes give a number of 0 to 255, or the named error."""
    try:
        assert 0 <= pps_id(codec, data) <= 255
    except ParameterSetError:
        return


def test_an_oversized_set_is_refused() -> None:
    """A set of more than four kilobytes is none."""
    with pytest.raises(ParameterSetError, match="bytes is none"):
        picture_size(VideoCodec.H264, bytes(10_000))


@pytest.mark.parametrize(
    ("sps", "reason"),
    [
        (b"\x67\x64\x00\x28\x90\x00", "chroma format|too early"),
        (b"\x67\x42\x00\x28\x80\x00\x00\x00\x00\x00\x00\x00\x00", "out of range"),
        (b"\x67\x42\x00\x28", "too early"),
    ],
)
def test_what_is_wrong_is_said(sps: bytes, reason: str) -> None:
    """The error names the reason."""
    with pytest.raises(ParameterSetError, match=reason):
        picture_size(VideoCodec.H264, sps)
