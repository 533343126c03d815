"""The client and the server on the event loop that the processes run on."""

import asyncio

import pytest
import uvloop

from tests.fakes.rtsp import pulling, reel_camera, source
from tests.fakes.waiting import until


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_pictures_arrive_on_uvloop(transport: str) -> None:
    """Uvloop's transports and buffers, which are asyncio's by shape only, serve as well."""

    async def run() -> None:
        async with reel_camera() as camera, pulling(source(camera.url(), transport=transport)) as (stream, sink):
            await until(lambda: len(sink.units) > 30, what="pictures")
            sent = {unit.nals for unit in camera.main.sent}
            assert all(unit.nals in sent for unit in sink.units)
            assert stream.stats.sessions == 1

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
