"""The geometry of click to centre and box zoom."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.head import HeadAbilities, Position
from ptz.aiming import ASPECT, Geometry, centre_on, frame_box, look_at
from ptz.errors import AimError
from tests.fakes.head import FULL

GEOMETRY = Geometry((-180.0, 180.0), (-90.0, 20.0), (60.0, 4.0))
half = st.floats(-1.0, 1.0)


def project(pan: float, tilt: float, hfov: float, to_pan: float, to_tilt: float) -> tuple[float, float]:
    """Return where a direction is seen (right, up), by rotating its unit vector into the camera: the inverse."""
    azimuth, elevation = math.radians(to_pan - pan), math.radians(to_tilt)
    x = math.cos(elevation) * math.sin(azimuth)
    ahead = math.cos(elevation) * math.cos(azimuth)
    z = math.sin(elevation)
    t = math.radians(tilt)
    forward, up = ahead * math.cos(t) + z * math.sin(t), z * math.cos(t) - ahead * math.sin(t)
    scale = math.tan(math.radians(hfov) / 2)
    return x / forward / scale, up / forward / scale / ASPECT


@given(pan=st.floats(-170, 170), tilt=st.floats(-80, 20), hfov=st.floats(2, 90), right=half, up=half)
def test_look_at_inverts_projection(pan: float, tilt: float, hfov: float, right: float, up: float) -> None:
    """The aim that look_at gives is the direction that projects to the clicked point."""
    to_pan, to_tilt = look_at(pan, tilt, hfov, right, up)
    assert project(pan, tilt, hfov, to_pan, to_tilt) == pytest.approx((right, up), abs=1e-6)


def test_centre_click_stays() -> None:
    """Clicking the centre moves nothing."""
    assert look_at(10.0, -20.0, 50.0, 0.0, 0.0) == pytest.approx((10.0, -20.0))


@given(zoom=st.floats(0, 1))
def test_zoom_and_field_of_view_are_inverse(zoom: float) -> None:
    """The zoom for a zoom's field of view is that zoom."""
    assert GEOMETRY.zoom_for(GEOMETRY.hfov(zoom)) == pytest.approx(zoom, abs=1e-9)


@given(pan=st.floats(-1, 1), tilt=st.floats(-1, 1))
def test_degrees_and_generic_are_inverse(pan: float, tilt: float) -> None:
    """Generic positions survive the way to degrees and back."""
    back = GEOMETRY.generic(*GEOMETRY.degrees(Position(pan, tilt)), 0.5)
    assert (back.pan, back.tilt, back.zoom) == pytest.approx((pan, tilt, 0.5))


@given(pan=st.floats(-1000, 1000), tilt=st.floats(-1000, 1000), zoom=st.floats(-5, 5))
def test_positions_stay_within_limits(pan: float, tilt: float, zoom: float) -> None:
    """Whatever is aimed at, what is asked of the head is within its spaces."""
    position = GEOMETRY.generic(pan, tilt, zoom)
    assert abs(position.pan) <= 1.0
    assert abs(position.tilt) <= 1.0
    assert 0.0 <= position.zoom <= 1.0


def test_the_way_round() -> None:
    """190 degrees on a full circle is -170."""
    assert GEOMETRY.generic(190.0, 0.0, 0.0).pan == pytest.approx(-170.0 / 180.0)


def test_fixed_axis_and_lens() -> None:
    """A head with one tilt and a fixed lens computes without dividing by zero."""
    geometry = Geometry((-180.0, 180.0), (-30.0, -30.0), (60.0, 60.0))
    assert geometry.generic(0.0, -30.0, 0.0).tilt == 0.0
    assert geometry.zoom_for(20.0) == 0.0


def test_box_zooms_to_its_width() -> None:
    """A centred box of half the picture halves the tangent of the field of view and keeps the aim."""
    position = frame_box(FULL, Position(0.2, 0.3, 0.0), (0.25, 0.25, 0.75, 0.75))
    geometry = Geometry.of(FULL)
    assert geometry is not None
    got = math.tan(math.radians(geometry.hfov(position.zoom)) / 2)
    assert got == pytest.approx(math.tan(math.radians(30.0)) / 2)
    assert (position.pan, position.tilt) == pytest.approx((0.2, 0.3))


def test_box_is_the_same_from_any_corner() -> None:
    """A box may be dragged from any of its corners."""
    at = Position(0.0, 0.0, 0.1)
    assert frame_box(FULL, at, (0.7, 0.6, 0.3, 0.2)) == frame_box(FULL, at, (0.3, 0.2, 0.7, 0.6))


def test_tiny_box_is_refused() -> None:
    """A slip of the mouse does not zoom to the end of the lens."""
    with pytest.raises(AimError, match="too small"):
        frame_box(FULL, Position(), (0.5, 0.5, 0.505, 0.505))


@pytest.mark.parametrize(
    "told", [replace(FULL, pan_deg=None), replace(FULL, tilt_deg=None), replace(FULL, hfov_deg=None)]
)
def test_unknown_geometry_is_refused(told: HeadAbilities) -> None:
    """A head that told too little cannot be aimed by the picture."""
    with pytest.raises(AimError, match="cannot turn to a point"):
        centre_on(told, Position(), 0.1, 0.1)


def test_unknown_position_is_refused() -> None:
    """Without a position there is nothing to start from."""
    with pytest.raises(AimError):
        centre_on(FULL, None, 0.1, 0.1)
