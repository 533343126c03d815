"""What the encoder makes, judged by libav."""

import numpy as np
import pytest

from drivers.simulator.picture.encoder import Coding, Encoder, nal_type, parameters_of, scale, split_annexb, to_frame
from kernel.media import VideoCodec
from tests.unit.simulator_town.decoding import annexb, decoded

CODECS = list(VideoCodec)


def _coding(codec: VideoCodec, width: int = 320, height: int = 180) -> Coding:
    return Coding(codec=codec, width=width, height=height, frame_rate=12.5, bitrate_kbit=300)


def _frame(shade: int, width: int = 320, height: int = 180):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return to_frame(np.full((height, width, 3), shade, dtype=np.uint8))


@pytest.mark.parametrize("codec", CODECS)
def test_one_in_one_out(codec: VideoCodec) -> None:
    """Each frame comes back coded at once, with its own time."""
    encoder = Encoder(_coding(codec))
    times = [
        [picture.time_90k for picture in encoder.encode(_frame(60 + index), 7200 * index, keyframe=index == 0)]
        for index in range(8)
    ]
    assert times == [[7200 * index] for index in range(8)]


@pytest.mark.parametrize("codec", CODECS)
def test_keyframes_only_where_asked(codec: VideoCodec) -> None:
    """A picture is a keyframe exactly where one was asked for, and decoding can start there."""
    encoder = Encoder(_coding(codec))
    wanted = [index in {0, 5, 6} for index in range(12)]
    pictures = [encoder.encode(_frame(20 * index), 7200 * index, keyframe=key)[0] for index, key in enumerate(wanted)]
    assert [picture.keyframe for picture in pictures] == wanted
    frames = decoded(encoder.parameters, pictures[5:])
    assert [round(float(frame.to_ndarray(format="gray").mean()) / 20) for frame in frames] == list(range(5, 12))


@pytest.mark.parametrize("codec", CODECS)
def test_no_parameter_sets_in_the_stream(codec: VideoCodec) -> None:
    """Parameter sets stand beside the pictures, not among them."""
    encoder = Encoder(_coding(codec))
    kinds = {nal_type(codec, nal) for nal in encoder.encode(_frame(90), 0, keyframe=True)[0].nals}
    assert not kinds & ({7, 8, 9} if codec is VideoCodec.H264 else {32, 33, 34, 35})


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("width", "height"), [(640, 360), (1280, 720), (1920, 1080), (322, 182)])
def test_parameters_before_the_first_frame(codec: VideoCodec, width: int, height: int) -> None:
    """The parameter sets of a coding are known without encoding and say its size to a decoder."""
    coding = _coding(codec, width, height)
    parameters = parameters_of(coding)
    assert parameters is parameters_of(coding)
    assert parameters is Encoder(coding).parameters
    frames = decoded(parameters, Encoder(coding).encode(_frame(80, width, height), 0, keyframe=True))
    assert (frames[0].width, frames[0].height) == (width, height)
    assert (parameters.width, parameters.height) == (width, height)


def test_h264_is_what_browsers_take() -> None:
    """H.264 is constrained baseline without B pictures (profile_idc 66 with constraint_set1)."""
    sps = parameters_of(_coding(VideoCodec.H264)).sps
    assert sps[1] == 66
    assert sps[2] & 0x40


@pytest.mark.parametrize("codec", CODECS)
def test_colours_survive(codec: VideoCodec) -> None:
    """A decoder that believes what the stream says of its colours shows the painted ones."""
    encoder = Encoder(_coding(codec))
    red = np.zeros((180, 320, 3), dtype=np.uint8)
    red[:] = (200, 40, 30)
    frames = decoded(encoder.parameters, encoder.encode(to_frame(red), 0, keyframe=True))
    shown = frames[0].to_ndarray(format="rgb24")[90, 160].astype(int)
    assert np.abs(shown - (200, 40, 30)).max() <= 6


def test_scaling_keeps_the_picture() -> None:
    """A frame scaled to half its size looks the same."""
    ramp = np.repeat(np.linspace(20, 220, 640).astype(np.uint8)[None, :, None], 360, axis=0).repeat(3, axis=2)
    small = scale(to_frame(ramp), 320, 180)
    assert (small.width, small.height) == (320, 180)
    expected = ramp[::2, ::2, 0].astype(int)
    assert np.abs(small.to_ndarray(format="rgb24")[..., 0].astype(int) - expected).max() <= 4


def test_split_annexb() -> None:
    """Three and four byte start codes part NAL units; trailing zeros are none of theirs."""
    assert split_annexb(b"\x00\x00\x01\x67a\x00\x00\x00\x01\x68b\x00\x00\x01\x65c\x00\x00") == [b"ga", b"hb", b"ec"]
    assert split_annexb(b"no start code") == []
    assert split_annexb(annexb([b"one", b"two"])) == [b"one", b"two"]
