"""The lens trial where the picture or the head does not help."""

import pytest

from drivers.onvif.lens import STEP, _agrees
from drivers.onvif.sight import Shift
from tests.fakes.hasty import HastyClock
from tests.fakes.onvif_camera import onvif_camera


@pytest.mark.parametrize(
    ("right", "up", "agrees"), [(-STEP, 0.0, True), (-STEP * 1.7, 0.0, False), (STEP, 0.0, False), (-STEP, 0.5, False)]
)
def test_a_faint_peak_counts_only_where_a_true_move_puts_it(right: float, up: float, *, agrees: bool) -> None:
    """An unsure measurement is believed only if it lies exactly where it was expected."""
    assert _agrees(Shift(right, up, sure=False)) is agrees


async def test_a_picture_that_stands_still_proves_nothing() -> None:
    """A frozen snapshot neither proves nor damns FOV moves: they are left alone, and that is said."""
    async with onvif_camera(HastyClock()) as camera:
        frozen = await next(iter(camera.device.feeds.values())).jpeg()

        async def still() -> bytes:
            return frozen

        for feed in camera.device.feeds.values():
            feed.jpeg = still  # type: ignore[method-assign]
        told = (await camera.enrol(try_head=True)).description
    head = told.views[0].head
    assert head is not None
    assert not head.fov_relative
    assert "fov-untrue" not in told.quirks
    assert any("could not be tried" in remark.text for remark in told.remarks)
