"""Encodes painted pictures with libx264 or libx265, without delay and without B pictures, under our own keyframes."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from kernel.media import VIDEO_CLOCK_HZ, VideoCodec, VideoParameters

Frame: TypeAlias = VideoFrame
"""An uncoded picture, as libav holds it."""

_H264_SPS, _H264_PPS, _H264_AUD = 7, 8, 9
_H265_VPS, _H265_SPS, _H265_PPS, _H265_AUD = 32, 33, 34, 35
_BT709 = 1
"""Of ITU-T H.273: colour primaries, transfer and matrix of high-definition television."""
_NEVER = 1_000_000
"""GOP length given to the coder: keyframes are forced from outside, so that a fault can withhold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How a stream is coded. Width and height are even, in pixels."""

    codec: VideoCodec
    width: int
    height: int
    frame_rate: float
    bitrate_kbit: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One coded picture, parameter sets and delimiters left out."""

    nals: tuple[bytes, ...]
    time_90k: int
    keyframe: bool


def split_annexb(data: bytes) -> list[bytes]:
    """Return the NAL units of an Annex B byte stream (ITU-T H.264 B.1), start codes and trailing zeros removed."""
    nals: list[bytes] = []
    start = data.find(b"\x00\x00\x01")
    while start >= 0:
        following = data.find(b"\x00\x00\x01", start + 3)
        nal = data[start + 3 : following if following >= 0 else None].rstrip(b"\x00")
        if nal:
            nals.append(nal)
        start = following
    return nals


def nal_type(codec: VideoCodec, nal: bytes) -> int:
    """Return nal_unit_type (H.264 7.3.1, H.265 7.3.1.2)."""
    return nal[0] & 0x1F if codec is VideoCodec.H264 else nal[0] >> 1 & 0x3F


def _open(coding: Coding) -> VideoCodecContext:
    x265 = coding.codec is VideoCodec.H265
    coder = av.CodecContext.create("libx265" if x265 else "libx264", "w")
    assert isinstance(coder, VideoCodecContext)
    coder.width, coder.height = coding.width, coding.height
    coder.pix_fmt = "yuv420p"
    coder.time_base = Fraction(1, VIDEO_CLOCK_HZ)
    coder.framerate = Fraction(coding.frame_rate).limit_denominator(1001)
    coder.bit_rate = coding.bitrate_kbit * 1000
    coder.gop_size = _NEVER
    coder.max_b_frames = 0
    coder.thread_count = 1
    coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
    coder.color_range = ColorRange.MPEG.value
    coder.flags |= 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER: parameter sets in extradata, never in the stream
    options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"}
    if x265:
        options["x265-params"] = (
            "log-level=error:info=0:repeat-headers=0:scenecut=0:bframes=0:pools=none:frame-threads=1:wpp=0"
        )
    else:
        rate = coding.bitrate_kbit
        options |= {
            "profile": "baseline",
            "x264-params": f"scenecut=0:repeat-headers=0:vbv-maxrate={rate * 3 // 2}:vbv-bufsize={rate * 3 // 2}",
        }
    coder.options = options
    coder.open()
    return coder


def _parameters(coding: Coding, extradata: bytes) -> VideoParameters:
    kinds = {nal_type(coding.codec, nal): nal for nal in reversed(split_annexb(extradata))}
    if coding.codec is VideoCodec.H264:
        return VideoParameters(coding.codec, coding.width, coding.height, kinds[_H264_SPS], kinds[_H264_PPS])
    return VideoParameters(
        coding.codec, coding.width, coding.height, kinds[_H265_SPS], kinds[_H265_PPS], kinds[_H265_VPS]
    )


@lru_cache(maxsize=256)
def parameters_of(coding: Coding) -> VideoParameters:
    """Return the parameter sets with which every encoder of this coding starts; the same object each time."""
    return _parameters(coding, _open(coding).extradata or b"")


class Encoder:
    """One running coder. Not for two threads at once."""

    def __init__(self, coding: Coding) -> None:
        self.coding = coding
        self.parameters = parameters_of(coding)
        self._coder = _open(coding)
        self._left_out = (
            {_H264_SPS, _H264_PPS, _H264_AUD}
            if coding.codec is VideoCodec.H264
            else {_H265_VPS, _H265_SPS, _H265_PPS, _H265_AUD}
        )

    def encode(self, frame: VideoFrame, time_90k: int, *, keyframe: bool) -> list[Picture]:
        """Return the coded picture of ``frame`` (yuv420p of the coding's size); zero latency gives exactly one."""
        frame.pts = time_90k
        frame.time_base = Fraction(1, VIDEO_CLOCK_HZ)
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        pictures = []
        for packet in self._coder.encode(frame):
            nals = tuple(
                nal for nal in split_annexb(bytes(packet)) if nal_type(self.coding.codec, nal) not in self._left_out
            )
            pictures.append(Picture(nals, packet.pts or 0, packet.is_keyframe))
        return pictures


def to_frame(rgb: npt.NDArray[np.uint8]) -> VideoFrame:
    """Return a yuv420p frame (BT.709, limited range) of an (H, W, 3) RGB picture with even sides."""
    return VideoFrame.from_numpy_buffer(np.ascontiguousarray(rgb), format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation="FAST_BILINEAR",
    )


def scale(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """Return ``frame`` in another size."""
    return frame.reformat(width=width, height=height, format="yuv420p", interpolation="AREA")


def restored(planes: npt.NDArray[np.uint8], like: VideoFrame) -> VideoFrame:
    """Return a yuv420p frame of ``planes`` (H * 3/2, W) with the colour space of ``like``."""
    frame = VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.colorspace, frame.color_range = like.colorspace, like.color_range
    return frame
