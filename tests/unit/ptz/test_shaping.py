"""From wishes to what is worth sending."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.head import Axis, Velocity
from ptz.shaping import differs, shape, zoom_scale
from tests.fakes.head import FULL

any_float = st.floats(allow_nan=True, allow_infinity=True)


@given(pan=any_float, tilt=any_float, zoom=any_float, at=st.one_of(st.none(), st.floats(0, 1)))
def test_shaped_is_always_in_range(pan: float, tilt: float, zoom: float, at: float | None) -> None:
    """Whatever the browser sends, velocities stay within -1..+1."""
    shaped = shape(Velocity(pan, tilt, zoom), FULL, at)
    assert all(-1.0 <= value <= 1.0 for value in (shaped.pan, shaped.tilt, shaped.zoom))


def test_missing_axes_are_left_out() -> None:
    """An axis that the head does not have is zero."""
    only_pan = replace(FULL, axes=frozenset({Axis.PAN}))
    assert shape(Velocity(1, 1, 1), only_pan, 0.0) == Velocity(1.0, 0.0, 0.0)


def test_zoomed_in_turns_slower() -> None:
    """At the long end turning is slowed by the ratio of the fields of view."""
    assert shape(Velocity(1, 0, 1), FULL, 1.0) == Velocity(4.0 / 60.0, 0.0, 1.0)


def test_unknown_lens_is_taken_for_tenfold() -> None:
    """Where the lens is unknown a tenfold zoom is assumed."""
    assert zoom_scale(replace(FULL, hfov_deg=None), 1.0) == pytest.approx(0.1)


@pytest.mark.parametrize("at", [None, 0.0])
def test_wide_turns_at_full_speed(at: float | None) -> None:
    """At the wide end, or where the zoom is unknown, nothing is slowed."""
    assert zoom_scale(FULL, at) == 1.0


def test_fov_velocity_is_not_scaled_twice() -> None:
    """A head that scales by its field of view itself is left to."""
    assert zoom_scale(replace(FULL, fov_velocity=True), 1.0) == 1.0


def test_nonsense_lens_is_ignored() -> None:
    """A camera that claims no field of view at all does not stand still for it."""
    assert zoom_scale(replace(FULL, hfov_deg=(60.0, 0.0)), 1.0) == 1.0


@pytest.mark.parametrize(
    ("new", "old", "worth"),
    [
        (Velocity(0.50), Velocity(0.51), False),
        (Velocity(0.50), Velocity(0.55), True),
        (Velocity(0.010), Velocity(0.011), True),
        (Velocity(0.0), Velocity(0.001), True),
        (Velocity(0.001), Velocity(-0.001), True),
        (Velocity(0.5, 0.0, 0.2), Velocity(0.5, 0.0, 0.2), False),
    ],
)
def test_what_is_worth_sending(new: Velocity, old: Velocity, worth: bool) -> None:  # noqa: FBT001
    """Starting, stopping, turning round, and changes of more than four per cent are."""
    assert differs(new, old, change=0.04) is worth
