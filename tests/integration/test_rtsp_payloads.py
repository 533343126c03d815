"""A camera's own payloads, over real sockets."""

import pytest

from drivers.rtsp.nal_units import H264_KINDS
from drivers.rtsp.payloads import exact_payloads
from tests.fakes.rtsp import pulling, reel_camera, source
from tests.fakes.waiting import until


async def test_a_session_keeps_them_while_somebody_watches() -> None:
    """Pictures have no payloads before somebody watches, and then those that carry them."""
    watching = False
    async with reel_camera() as camera, pulling(source(camera.url()), keep_payloads=lambda: watching) as (_, sink):
        await until(lambda: len(sink.units) > 5, what="pictures that nobody watches")
        assert not any(unit.payloads for unit in sink.units)
        watching, before = True, len(sink.units)
        await until(lambda: len(sink.units) > before + 60, what="pictures that somebody watches")
    watched = sink.units[before + 2 :]
    assert all(unit.payloads for unit in watched)
    assert any(unit.keyframe for unit in watched)
    assert all(exact_payloads(unit.payloads, unit.nals, H264_KINDS) == unit.payloads for unit in watched)


@pytest.mark.parametrize(("transport", "faults"), [("udp", ()), ("tcp", ("annexb_in_rtp",))])
async def test_libav_and_odd_cameras_give_none(transport: str, faults: tuple[str, ...]) -> None:
    """Over UDP, and from a camera with start codes inside its payloads, pictures come without them."""
    async with (
        reel_camera(*faults) as camera,
        pulling(source(camera.url(), transport=transport), keep_payloads=lambda: True) as (_, sink),
    ):
        await until(lambda: len(sink.units) > 30, what="pictures")
    assert not any(unit.payloads for unit in sink.units)
