"""A camera host with a camera behind a thin link: its sub stream is all that is taken, and stands for main."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.fleet import rpc
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import StreamName
from tests.fakes.onecamera import one_camera
from tests.fakes.waiting import until
from tests.integration.test_worker_host import Site, site_of
from tests.unit.live.test_offer import CHROMIUM

pytestmark = pytest.mark.timeout(60)
CLOCK = SystemClock()


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a host that owns no camera yet."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        yield site


async def recording(site: Site, *, small_only: bool) -> rpc.CameraState:
    """Assign the camera, and return its state once main is on the disk."""
    seen = len(site.lines)
    await site.client.assign(site.assignment().model_copy(update={"small_only": small_only}))
    await until(
        lambda: (
            len(site.lines) > seen
            and site.state(lambda s: s.small_only is small_only and s.main.recording and s.main.recording.on)
        ),
        what="main on the disk",
    )
    state = site.state()
    assert state is not None
    return state


async def test_one_stream_is_taken_and_recorded(site: Site) -> None:
    """It is the small one, as main; there is no other session at the camera."""
    state = await recording(site, small_only=True)
    assert (state.main.width, state.main.height, state.sub) == (160, 90, None)
    health = await site.client.health()
    assert (health.streams_live, health.recording) == (1, 1)


async def test_either_stream_can_be_watched(site: Site) -> None:
    """Who asks for main, or for sub, is shown what there is."""
    await recording(site, small_only=True)
    for stream in StreamName:
        answer = await site.client.live_offer(site.id, stream, CHROMIUM.encode(), who="anne", address="10.0.0.9")
        assert answer.stream is stream


async def test_main_comes_on_demand_and_goes_again(site: Site) -> None:
    """The recording is one timeline: small, large, small."""
    for small_only, width in ((True, 160), (False, 320), (True, 160)):
        assert (await recording(site, small_only=small_only)).main.width == width
    now_ns = CLOCK.wall_ns()
    line = await site.client.timeline(site.id, StreamName.MAIN, now_ns - 60 * NS_PER_S, now_ns)
    assert [span.width for span in line.spans] == [160, 320, 160]
