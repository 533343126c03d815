"""A head keeps to its limits, and points where its pixels say."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.device import Aim, Lens, Mount
from drivers.simulator.head import Head, point_in_view, position_at, view_position
from kernel.clock import NS_PER_S
from kernel.geography import Place
from kernel.head import Axis, Position, Velocity
from tests.fakes.clock import ManualClock

MOUNT = Mount(place=Place(51.5, -0.1, 8.0), bearing_deg=0.0)
ASPECT = 16 / 9
share = st.floats(-1.0, 1.0)
zooms = st.floats(0.0, 1.0)


class Turned(ManualClock):
    """A clock that a synchronous test turns."""

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self._advance(self._monotonic_ns + round(seconds * NS_PER_S))


def wandering() -> st.SearchStrategy[list[tuple[str, float, float, float, float]]]:
    """Return orders, each with the time until the next."""
    return st.lists(
        st.tuples(
            st.sampled_from(["drive", "pulse", "go", "halt", "pan only"]), share, share, share, st.floats(0.01, 3.0)
        ),
        min_size=1,
        max_size=8,
    )


@given(wandering())
def test_it_never_leaves_limits_speed_or_acceleration(orders: list[tuple[str, float, float, float, float]]) -> None:
    """Whatever it is told and when, it keeps to range, greatest speed and greatest acceleration."""
    clock = Turned()
    head = Head(MOUNT, clock)
    tick_s = 0.01
    for order, pan, tilt, zoom, lasts_s in orders:
        if order == "drive":
            head.drive(Velocity(pan, tilt, zoom), timeout_s=None)
        elif order == "pulse":
            head.drive(Velocity(pan, tilt, zoom), timeout_s=abs(zoom))
        elif order == "pan only":
            head.drive(Velocity(pan), timeout_s=None, axes=frozenset({Axis.PAN}))
        elif order == "go":
            head.go_to(Position(pan, tilt, abs(zoom)), speed=abs(pan))
        else:
            head.halt()
        aims, velocities = [head.aim()], [head.velocity()]
        for _ in range(int(lasts_s / tick_s)):
            clock.pass_s(tick_s)
            aims.append(head.aim())
            velocities.append(head.velocity())
        for aim in aims:
            assert MOUNT.pan_deg[0] <= aim.pan_deg <= MOUNT.pan_deg[1]
            assert MOUNT.tilt_deg[0] <= aim.tilt_deg <= MOUNT.tilt_deg[1]
            assert 0.0 <= aim.zoom <= 1.0
        for before, after in pairwise(aims):
            assert abs(after.pan_deg - before.pan_deg) <= MOUNT.speed_deg_s * tick_s + 1e-6
            assert abs(after.tilt_deg - before.tilt_deg) <= MOUNT.speed_deg_s * tick_s + 1e-6
            assert abs(after.zoom - before.zoom) <= MOUNT.zoom_per_s * tick_s + 1e-6
        for slow, fast in pairwise(velocities):
            gained = MOUNT.acceleration_deg_s2 * tick_s / MOUNT.speed_deg_s
            assert abs(fast.pan - slow.pan) <= gained + 1e-6
            assert abs(fast.tilt - slow.tilt) <= gained + 1e-6


@given(share, share, zooms, st.floats(0.05, 1.0))
def test_it_arrives_where_it_was_sent(pan: float, tilt: float, zoom: float, speed: float) -> None:
    """A move to a generic position ends there."""
    clock = Turned()
    head = Head(MOUNT, clock)
    head.go_to(Position(pan, tilt, zoom), speed=speed)
    clock.pass_s(120.0)
    here = head.position()
    assert not head.aim().moving
    assert (here.pan, here.tilt, here.zoom) == pytest.approx((pan, tilt, zoom), abs=1e-9)


def test_what_is_left_out_goes_on() -> None:
    """An order for one axis leaves the others to what they do."""
    clock = Turned()
    head = Head(MOUNT, clock)
    head.drive(Velocity(0.0, 0.0, 0.5), timeout_s=None)
    head.drive(Velocity(0.5), timeout_s=None, axes=frozenset({Axis.PAN}))
    clock.pass_s(1.0)
    moving = head.velocity()
    assert (moving.pan, moving.zoom) == pytest.approx((0.5, 0.5))
    head.halt(pan_tilt=True, zoom=False)
    clock.pass_s(0.5)
    assert head.velocity() == Velocity(0.0, 0.0, 0.5)
    head.halt(pan_tilt=False, zoom=True)
    clock.pass_s(0.5)
    assert not head.aim().moving


def test_it_stops_at_its_limit_by_itself() -> None:
    """Driven on for ever it stands at the end of its range."""
    clock = Turned()
    head = Head(MOUNT, clock)
    head.drive(Velocity(1.0, -1.0, 1.0), timeout_s=None)
    clock.pass_s(60.0)
    aim = head.aim()
    assert (aim.pan_deg, aim.tilt_deg, aim.zoom, aim.moving) == (170.0, -85.0, 1.0, False)
    assert aim.hfov_deg == pytest.approx(Lens().tele_deg)


def seen_at(aim: Aim, pan_deg: float, tilt_deg: float) -> tuple[float, float]:
    """Return where in the picture (right, up) a direction is seen, by projecting it: an independent way round."""
    turn, look, camera = math.radians(pan_deg - aim.pan_deg), math.radians(tilt_deg), math.radians(aim.tilt_deg)
    east, ahead, height = math.cos(look) * math.sin(turn), math.cos(look) * math.cos(turn), math.sin(look)
    depth = ahead * math.cos(camera) + height * math.sin(camera)
    up = height * math.cos(camera) - ahead * math.sin(camera)
    half = math.tan(math.radians(aim.hfov_deg) / 2.0)
    return east / depth / half, up / depth / half * ASPECT


@given(st.floats(-100.0, 100.0), st.floats(-80.0, 15.0), zooms, share, share)
def test_the_pixel_pointed_at_comes_to_the_middle(
    pan_deg: float, tilt_deg: float, zoom: float, right: float, up: float
) -> None:
    """The direction in which a pixel is seen, projected again, is that pixel."""
    aim = Aim(pan_deg, tilt_deg, zoom, Lens().hfov_deg(zoom), moving=False)
    target = point_in_view(aim, right, up, ASPECT)
    assert seen_at(aim, *target) == pytest.approx((right, up), abs=1e-6)


@given(st.floats(-170.0, 170.0), st.floats(-85.0, 15.0), zooms)
def test_degrees_and_generic_positions_agree(pan_deg: float, tilt_deg: float, zoom: float) -> None:
    """A head sent to degrees made generic points at those degrees."""
    clock = Turned()
    head = Head(MOUNT, clock)
    head.go_to(position_at(MOUNT, pan_deg, tilt_deg, zoom))
    clock.pass_s(60.0)
    aim = head.aim()
    assert (aim.pan_deg, aim.tilt_deg, aim.zoom) == pytest.approx((pan_deg, tilt_deg, zoom), abs=1e-9)


def test_a_pixel_beyond_the_end_stop_is_reached_the_other_way_round() -> None:
    """Where the far side of the range holds the direction, the head turns all the way round to it."""
    wide = Mount(place=MOUNT.place, bearing_deg=0.0, pan_deg=(-180.0, 180.0))
    aim = Aim(179.0, 0.0, 0.0, 60.0, moving=False)
    assert view_position(wide, aim, 0.5, 0.0, ASPECT).pan < -0.8
    narrow = Mount(place=MOUNT.place, bearing_deg=0.0, pan_deg=(-90.0, 90.0))
    assert view_position(narrow, Aim(89.0, 0.0, 0.0, 60.0, moving=False), 0.5, 0.0, ASPECT).pan == 1.0
