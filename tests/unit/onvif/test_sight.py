"""Measuring how far the picture moved."""

import io

import numpy as np
import pytest
from PIL import Image

from drivers.onvif.sight import measure_shift, shift_between
from tests.fakes.hasty import HastyClock
from tests.fakes.onvif_camera import onvif_camera


def jpeg(luma: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]") -> bytes:
    """Return a picture as JPEG."""
    written = io.BytesIO()
    Image.fromarray(luma).save(written, "JPEG", quality=90)
    return written.getvalue()


SCENE = np.kron(np.random.default_rng(3).integers(0, 255, (90, 120), dtype=np.uint8), np.ones((8, 8), dtype=np.uint8))


def window(left: int, top: int) -> bytes:
    """Return 480x270 of the scene."""
    return jpeg(SCENE[top : top + 270, left : left + 480])


@pytest.mark.parametrize(("right", "down"), [(0, 0), (40, 0), (-33, 0), (0, 25), (24, -17)])
def test_a_shifted_scene_is_measured(right: int, down: int) -> None:
    """The shift is found to a pixel, in half widths and half heights, right and up positive."""
    shift = measure_shift(window(200, 200), window(200 - right, 200 - down))
    assert shift is not None
    assert shift.sure
    assert shift.right == pytest.approx(right / 240, abs=1 / 240)
    assert shift.up == pytest.approx(-down / 135, abs=1 / 135)


def test_two_different_scenes_are_not_believed() -> None:
    """Unrelated pictures, and pictures of nothing, give no sure shift."""
    other = jpeg(np.random.default_rng(4).integers(0, 255, (270, 480), dtype=np.uint8))
    unsure = measure_shift(window(0, 0), other)
    assert unsure is None or not unsure.sure
    grey = jpeg(np.full((270, 480), 90, dtype=np.uint8))
    nothing = measure_shift(grey, grey)
    assert nothing is None or not nothing.sure or nothing.right == 0.0


def test_an_overlay_along_the_edge_does_not_hold_the_scene() -> None:
    """A name and a clock drawn into the picture stand still, and the scene's shift is still found."""
    pictures = []
    for left in (200, 160):
        picture = SCENE[200:470, left : left + 480].copy()
        picture[:24], picture[-24:] = 255, 0
        picture[4:18, 10:200:7] = 0
        pictures.append(jpeg(picture))
    shift = measure_shift(*pictures)
    assert shift is not None
    assert shift.right == pytest.approx(40 / 240, abs=2 / 240)


async def test_what_is_no_picture_gives_none() -> None:
    """Bytes that are no JPEG, and pictures of different shapes, give nothing."""
    assert await shift_between(b"nonsense", window(0, 0)) is None
    assert measure_shift(window(0, 0), jpeg(SCENE[:270, :270].copy())) is None


async def test_without_a_snapshot_fov_moves_are_not_believed() -> None:
    """A head whose camera gives no picture is not trusted with the FOV space, and that is said."""
    async with onvif_camera(HastyClock()) as camera:
        camera.device.feeds.clear()
        told = (await camera.enrol(try_head=True)).description
    head = told.views[0].head
    assert head is not None
    assert not head.fov_relative
    assert head.stop_works
    assert any("no clear snapshot" in remark.text for remark in told.remarks)
