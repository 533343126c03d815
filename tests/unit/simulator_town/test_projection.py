"""Where a point of the town lands in a picture."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.device import Aim, Mount
from drivers.simulator.head import point_in_view
from drivers.simulator.picture.painter import view_of
from drivers.simulator.picture.projection import NEAR_M, Projection, clip_near
from drivers.simulator.town.town import ORIGIN, PLANE

bearings = st.floats(0.0, 360.0)
tilts = st.floats(-85.0, 15.0)
fovs = st.floats(4.0, 62.0)
distances = st.floats(2.0, 400.0)
W, H = 640, 360


def _view(bearing: float, tilt: float, hfov: float) -> Projection:
    return Projection.of((3.0, -4.0, 7.0), bearing_deg=bearing, tilt_deg=tilt, hfov_deg=hfov, width=W, height=H)


def _ray(bearing: float, tilt: float, distance: float) -> tuple[float, float, float]:
    b, t = math.radians(bearing), math.radians(tilt)
    return (
        3.0 + distance * math.sin(b) * math.cos(t),
        -4.0 + distance * math.cos(b) * math.cos(t),
        7.0 + distance * math.sin(t),
    )


@given(bearings, tilts, fovs, distances)
def test_aim_is_middle(bearing: float, tilt: float, hfov: float, distance: float) -> None:
    """A point straight on the aim's axis lies in the picture's middle, whatever the lens."""
    at = _view(bearing, tilt, hfov).pixel(_ray(bearing, tilt, distance))
    assert at is not None
    assert math.dist(at, (W / 2, H / 2)) < 1e-5 * W / math.radians(hfov)


@given(bearings, fovs, distances)
def test_field_of_view_ends_at_the_edges(bearing: float, hfov: float, distance: float) -> None:
    """At level tilt, half the field of view to the right is the right edge and half to the left is the left."""
    view = _view(bearing, 0.0, hfov)
    right = view.pixel(_ray(bearing + hfov / 2, 0.0, distance))
    left = view.pixel(_ray(bearing - hfov / 2, 0.0, distance))
    assert right is not None
    assert left is not None
    assert math.isclose(right[0], W, abs_tol=0.01)
    assert math.isclose(left[0], 0.0, abs_tol=0.01)


@given(bearings, st.floats(-80.0, 10.0), fovs, st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_head_and_painter_agree(bearing: float, tilt: float, hfov: float, right: float, up: float) -> None:
    """The head's idea of where a point of the picture lies is the painter's: aimed there, it is in the middle."""
    pan, turned = point_in_view(Aim(bearing, tilt, 0.0, hfov, moving=False), right, up, W / H)
    at = _view(bearing, tilt, hfov).pixel(_ray(pan, turned, 50.0))
    assert at is not None
    assert math.dist(at, (W / 2 * (1 + right), H / 2 * (1 - up))) < 0.01


@given(bearings, tilts, fovs)
def test_what_is_behind_is_not_in_the_picture(bearing: float, tilt: float, hfov: float) -> None:
    """A point behind the camera has no pixel."""
    assert _view(bearing, tilt, hfov).pixel(_ray(bearing, tilt, -5.0)) is None


@given(st.floats(-60.0, 14.0), fovs)
def test_horizon(tilt: float, hfov: float) -> None:
    """Points at the camera's own height lie on the horizon's row."""
    view = _view(30.0, tilt, hfov)
    at = view.pixel(_ray(30.0, 0.0, 300.0))
    assert at is not None
    assert math.isclose(at[1], view.horizon_px, abs_tol=0.5)


@given(bearings, tilts, fovs, st.floats(0.0, 360.0), st.floats(-80.0, 60.0), st.floats(0.1, 30.0))
def test_nothing_in_the_picture_is_culled(  # noqa: PLR0917 - one argument for each strategy
    bearing: float, tilt: float, hfov: float, away: float, rise: float, radius: float
) -> None:
    """A sphere whose middle has a pixel within the picture is never taken for one outside the view."""
    view = _view(bearing, tilt, hfov)
    point = _ray(away, rise, 60.0)
    at = view.pixel(point)
    shown = at is not None and 0 <= at[0] <= W and 0 <= at[1] <= H
    if shown:
        assert view.spheres_in_view(np.array([point]), np.array([radius]))[0]


@given(st.lists(st.tuples(*[st.floats(-50, 50)] * 3), min_size=3, max_size=8))
def test_clipping_leaves_only_what_is_in_front(corners: list[tuple[float, float, float]]) -> None:
    """A clipped polygon lies wholly in front of the near plane, and one wholly in front is left as it is."""
    seen = np.array(corners)
    clipped = clip_near(seen)
    assert (clipped[:, 2] >= NEAR_M - 1e-9).all()
    if (seen[:, 2] >= NEAR_M).all():
        assert np.array_equal(clipped, seen)


def test_mount_bearing_and_pan_add_up() -> None:
    """A camera whose mount looks east and whose head is turned 90 degrees right looks south."""
    mount = Mount(place=PLANE.to_place(0.0, 0.0, 7.0), bearing_deg=90.0)
    view = view_of(mount, Aim(90.0, 0.0, 0.0, 60.0, moving=False), W, H)
    at = view.pixel((0.0, -40.0, 7.0))
    assert at is not None
    assert math.dist(at, (W / 2, H / 2)) < 1e-3
    assert mount.place.latitude_deg == ORIGIN.latitude_deg
