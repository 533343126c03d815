"""Real coded footage, made by libav and cut into access units as a camera driver would hand them over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from kernel.clock import NS_PER_S
from kernel.media import (
    VIDEO_CLOCK_HZ,
    AccessUnit,
    AudioCodec,
    AudioFrame,
    AudioParameters,
    VideoCodec,
    VideoParameters,
)

START_NS = 1_790_000_000 * NS_PER_S
PCMU = AudioParameters(codec=AudioCodec.PCMU, clock_hz=8000, channels=1)
PCMA = AudioParameters(codec=AudioCodec.PCMA, clock_hz=8000, channels=1)


@dataclass(frozen=True)
class Coded:
    """One GOP-aligned loop of coded pictures: NAL units per picture, and whether it is a keyframe."""

    parameters: VideoParameters
    pictures: tuple[tuple[tuple[bytes, ...], bool], ...]
    frame_rate: int


def split_annexb(data: bytes) -> list[bytes]:
    """Return the NAL units of an Annex B byte stream."""
    return [part.rstrip(b"\0") for part in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if part]


def luma_of(number: int) -> int:
    """Return the grey of picture ``number`` of the loop: it tells which one was decoded."""
    return 30 + 4 * (number % 50)


@cache
def coded(
    codec: VideoCodec = VideoCodec.H264, *, width: int = 160, height: int = 96, frame_rate: int = 25,
    gop_frames: int = 25, gops: int = 2,
) -> Coded:  # fmt: skip
    """Code a loop of ``gops`` GOPs, each picture of its own grey."""
    name = "libx264" if codec is VideoCodec.H264 else "libx265"
    context = VideoCodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, frame_rate), Fraction(frame_rate, 1)
    context.gop_size = gop_frames
    fixed = f"keyint={gop_frames}:min-keyint={gop_frames}:scenecut=0:bframes=0"
    context.options = (
        {"preset": "ultrafast", "tune": "zerolatency", "x264-params": fixed, "forced-idr": "1"}
        if codec is VideoCodec.H264
        else {"preset": "ultrafast", "tune": "zerolatency",
              "x265-params": f"{fixed}:log-level=none:repeat-headers=1:pools=1:open-gop=0"}
    )  # fmt: skip
    packets = []
    for number in range(gop_frames * gops):
        image = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
        image[:height] = luma_of(number)
        frame = VideoFrame.from_ndarray(image, format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    sets: dict[str, bytes] = {}
    pictures = []
    for packet in packets:
        kept, keyframe = [], False
        for nal in split_annexb(bytes(packet)):
            kind = nal[0] & 31 if codec is VideoCodec.H264 else nal[0] >> 1 & 63
            known = {7: "sps", 8: "pps"} if codec is VideoCodec.H264 else {32: "vps", 33: "sps", 34: "pps"}
            if kind in known:
                sets[known[kind]] = nal
            elif kind not in ((9,) if codec is VideoCodec.H264 else (35,)):
                keyframe |= kind == 5 if codec is VideoCodec.H264 else 16 <= kind <= 21
                kept.append(nal)
        pictures.append((tuple(kept), keyframe))
    parameters = VideoParameters(codec=codec, width=width, height=height, sps=sets["sps"], pps=sets["pps"],
                                 vps=sets.get("vps", b""))  # fmt: skip
    return Coded(parameters, tuple(pictures), frame_rate)


def units(
    source: Coded, *, seconds: float, start_ns: int = START_NS, start_90k: int = 0, first: int = 0,
    received_ns: int = 0, parameters: VideoParameters | None = None,
) -> Iterator[AccessUnit]:  # fmt: skip
    """Give ``seconds`` of the loop as access units, wall and media time agreeing."""
    for number in range(round(seconds * source.frame_rate)):
        nals, keyframe = source.pictures[(first + number) % len(source.pictures)]
        yield AccessUnit(
            nals=nals, time_90k=start_90k + number * VIDEO_CLOCK_HZ // source.frame_rate,
            wall_ns=start_ns + number * NS_PER_S // source.frame_rate, keyframe=keyframe,
            parameters=parameters or source.parameters,
            received_ns=received_ns + number * NS_PER_S // source.frame_rate,
        )  # fmt: skip


def sound(*, seconds: float, start_ns: int = START_NS, parameters: AudioParameters = PCMU) -> Iterator[AudioFrame]:
    """Give ``seconds`` of G.711 in packets of 20 ms; the bytes count up, so order can be told."""
    for number in range(round(seconds * 50)):
        yield AudioFrame(data=bytes([number % 256]) * 160, time_clock=number * 160,
                         wall_ns=start_ns + number * 20_000_000, parameters=parameters)  # fmt: skip


def altered(source: Coded, **changes: int) -> VideoParameters:
    """Return the loop's parameters with other facts, as a camera that changed its format."""
    return replace(source.parameters, **changes)  # type: ignore[arg-type]
