"""Places and angles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.geography import LocalPlane, Place, bearing_wrap, distance_m, inside

angle = st.floats(-10_000, 10_000)
metres = st.floats(-5000, 5000)
ORIGIN = Place(51.5, -0.1)


@given(angle)
def test_bearings_wrap(bearing: float) -> None:
    """Any angle becomes 0 <= bearing < 360."""
    assert 0.0 <= bearing_wrap(bearing) < 360.0


def test_tiny_negative_bearing_is_north() -> None:
    """A rounding error below zero does not become 360."""
    assert bearing_wrap(-1e-20) == 0.0


@given(metres, metres)
def test_plane_is_inverse(east: float, north: float) -> None:
    """Metres survive the way to degrees and back."""
    plane = LocalPlane(ORIGIN)
    assert plane.to_metres(plane.to_place(east, north)) == pytest.approx((east, north), abs=1e-6)


def test_a_degree_of_latitude() -> None:
    """One minute of latitude at London is 1,854 m (WGS 84)."""
    assert distance_m(ORIGIN, Place(51.5 + 1 / 60, -0.1)) == pytest.approx(1854.3, abs=1.0)


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (0, 181), (float("nan"), 0)])
def test_not_on_earth(latitude: float, longitude: float) -> None:
    """What is not on Earth is refused."""
    with pytest.raises(ValueError, match="not a place"):
        Place(latitude, longitude)


@given(st.floats(-0.999, 0.999), st.floats(-0.999, 0.999))
def test_a_place_is_inside_a_polygon_by_its_sides(north: float, east: float) -> None:
    """Of an arrowhead, everything between its sides is inside, and its notch is not."""
    arrow = ((1.0, -1.0), (1.0, 1.0), (0.0, 0.0), (-1.0, 1.0), (-1.0, -1.0))
    if abs(abs(north) - east) > 1e-6:
        assert inside(arrow, Place(north, east)) == (east < abs(north))
    assert not inside(arrow, Place(north, east + 2.0))
    assert inside(arrow[::-1], Place(north, -0.9999)) == inside(arrow, Place(north, -0.9999))
