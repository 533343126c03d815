"""libav as the judge of what was encoded."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from kernel.media import VideoCodec, VideoParameters


class Coded(Protocol):
    """A picture of the encoder, or a unit of a feed."""

    @property
    def nals(self) -> tuple[bytes, ...]:
        """NAL units without start codes."""
        ...


def annexb(nals: Iterable[bytes]) -> bytes:
    """Return an Annex B byte stream."""
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


def luma_of(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """Return the luma plane."""
    return np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)


def decoded(parameters: VideoParameters, pictures: Sequence[Coded]) -> list[VideoFrame]:
    """Return what a decoder makes of pictures that stand under these parameter sets."""
    decoder = av.CodecContext.create("hevc" if parameters.codec is VideoCodec.H265 else "h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    sets = [part for part in (parameters.vps, parameters.sps, parameters.pps) if part]
    decoder.extradata = annexb(sets)
    frames = []
    for picture in pictures:
        frames += decoder.decode(av.Packet(annexb(picture.nals)))
    return frames + decoder.decode(None)
