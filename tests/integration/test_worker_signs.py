"""What a real camera host tells of a camera, as health judges it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.fleet import rpc
from gateway.health.need import Kind, Need
from gateway.health.urgency import Round, needs
from gateway.tended import signs_of
from kernel.clock import SystemClock
from tests.fakes.onecamera import one_camera
from tests.fakes.waiting import until
from tests.integration.test_worker_host import Site, site_of

CLOCK = SystemClock()
pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a host that owns no camera yet."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        yield site


def judged(state: rpc.CameraState) -> list[Need]:
    """Return what the camera needs."""
    return needs(Round(cameras=[signs_of(state, missed=True)]), now_ns=CLOCK.wall_ns())


@pytest.mark.parametrize(("enrolled_s", "error_s"), [(0.0, 3600.0), (-200.0, -200.0)])
async def test_a_clock_that_is_wrong_needs_a_person_though_its_times_are_put_right(
    site: Site, enrolled_s: float, error_s: float
) -> None:
    """Whether it has moved since the camera was enrolled, or was wrong then already: its pictures show it."""
    assignment = site.assignment(recording=False)
    description = assignment.description.model_copy(update={"clock_offset_s": enrolled_s})
    site.device.faults.clock_error_s = error_s
    await site.client.assign(assignment.model_copy(update={"description": description}))
    await until(
        lambda: site.state(lambda s: s.clock_measured_ns and abs((s.clock_offset_s or 0.0) - error_s) < 2.0),
        timeout_s=60.0,
        what="a reading of its clock",
    )
    state = site.state()
    assert state is not None
    assert state.clock_off_s is not None
    assert state.clock_off_s < 1.0
    (need,) = [one for one in judged(state) if one.kind is Kind.CLOCK]
    assert f"{abs(error_s):.0f} s {'ahead' if error_s > 0 else 'behind'}" in need.cause
