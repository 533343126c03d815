"""Decoder configuration records of the profiles that real cameras use, judged by what libav itself writes."""

from dataclasses import replace
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from kernel.media import VideoCodec, VideoParameters
from recording.mux.parameter_sets import decoder_configuration
from tests.fakes.footage import coded


@pytest.mark.parametrize("profile", ["baseline", "main", "high", "high10", "high422", "high444"])
def test_avcc_is_what_libav_writes(profile: str) -> None:
    """Byte for byte, chroma format and bit depths of the high profiles included."""
    formats = {"high10": "yuv420p10le", "high422": "yuv422p", "high444": "yuv444p"}
    out = BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"profile": profile, "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, formats.get(profile, "yuv420p")
        stream.time_base = Fraction(1, 25)
        frame = VideoFrame.from_ndarray(np.zeros((144, 160), dtype=np.uint8), format="yuv420p")
        for packet in [*stream.encode(frame.reformat(format=stream.pix_fmt)), *stream.encode(None)]:
            container.mux(packet)
    data = out.getvalue()
    at = data.index(b"avcC")
    theirs = data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]
    sps_bytes = int.from_bytes(theirs[6:8], "big")
    sps = theirs[8 : 8 + sps_bytes]
    pps_at = 8 + sps_bytes + 1
    pps = theirs[pps_at + 2 : pps_at + 2 + int.from_bytes(theirs[pps_at : pps_at + 2], "big")]
    assert decoder_configuration(VideoParameters(VideoCodec.H264, 160, 96, sps, pps)) == theirs


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_a_cut_parameter_set_does_not_stop_recording(codec: VideoCodec) -> None:
    """An SPS that ends too early gives a record of the usual 4:2:0, 8 bit, not a crash."""
    whole = coded(codec).parameters
    short = replace(whole, sps=bytes([whole.sps[0], 100, *whole.sps[2:4]]))
    assert decoder_configuration(short)[0] == 1
