"""The RTSP client against a camera that nobody here wrote."""

from pathlib import Path

import pytest

from kernel.media import VideoCodec
from tests.fakes.ipycam import ipycam
from tests.fakes.rtsp import pulling, source
from tests.fakes.waiting import until


@pytest.mark.parametrize(("stream", "size"), [("video_main", (640, 360)), ("video_sub", (320, 180))])
async def test_its_pictures_are_received(tmp_path: Path, stream: str, size: tuple[int, int]) -> None:
    """Both of its streams arrive over TCP, with sizes, keyframes and a media time that only grows."""
    async with ipycam(tmp_path) as camera:
        wanted = source(f"rtsp://127.0.0.1:{camera.rtsp_port}/{stream}", transport="tcp")
        async with pulling(wanted) as (received, sink):
            await until(lambda: len(sink.units) > 25, timeout_s=60, what="pictures")
    assert sink.descriptions[0].video is VideoCodec.H264
    assert (sink.units[0].parameters.width, sink.units[0].parameters.height) == size
    assert sink.units[0].keyframe
    steps = [after.time_90k - before.time_90k for before, after in zip(sink.units, sink.units[1:], strict=False)]
    assert min(steps) > 0
    assert received.stats.lost == 0
    assert len(sink.breaks) == 1
