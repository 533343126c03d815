"""The guard alone: ways out, ways there, and what it says where it knows too little."""

from dataclasses import replace

import pytest

from config.steering import SteeringSettings
from kernel.clock import NS_PER_S
from kernel.head import HeadAbilities, Position, Velocity
from ptz import Priority
from ptz.aiming import centre_on
from ptz.bounds import Bounds, Limits, Zone
from ptz.errors import AimError, OutOfBoundsError
from ptz.guard import Guard
from tests.fakes.clock import ManualClock
from tests.fakes.head import FULL, FakeHead

GUEST = Priority.GUEST
FLATS = Zone("1", "flats", 20.0, 40.0, -90.0, 20.0)
NEXT_DOOR = replace(FLATS, id="2", name="next door", pan_from_deg=41.0, pan_to_deg=80.0)
NO_LENS = replace(FULL, hfov_deg=None)


def guard_of(clock: ManualClock, *zones: Zone, at: Position | None, abilities: HeadAbilities = NO_LENS) -> Guard:
    """Return the guard of a head that looks somewhere, in a guest's hand."""
    guard = Guard(FakeHead(clock=clock, abilities=abilities), clock=clock, settings=SteeringSettings())
    guard.bounds = Bounds(zones=zones)
    guard.begins(GUEST)
    if at is not None:
        guard.saw(at, asked_ns=clock.monotonic_ns())
    return guard


def pan(degrees: float, tilt: float = 0.3) -> Position:
    """Return the position of a pan."""
    return Position(degrees / 180.0, tilt, 0.0)


def test_out_is_not_into_the_next(clock: ManualClock) -> None:
    """From a zone whose nearest end borders on another the way out leads the other way round."""
    guard = guard_of(clock, FLATS, NEXT_DOOR, at=pan(38.0))
    assert guard.trim(Velocity(pan=1.0))[0].still
    assert guard.trim(Velocity(pan=-1.0))[0].pan < 0.0
    assert guard.way_out().pan < 0.0


def test_out_by_two_axes_does_not_cut_a_third(clock: ManualClock) -> None:
    """Where both axes lead out, but together through another zone, one of them stands."""
    low = replace(FLATS, tilt_from_deg=-20.0, tilt_to_deg=0.0)
    corner = replace(FLATS, id="3", pan_from_deg=16.0, pan_to_deg=19.0, tilt_from_deg=1.0, tilt_to_deg=4.0)
    tilt = (-1.0 + 90.0) / 55.0 - 1.0
    guard = guard_of(clock, low, corner, at=pan(21.0, tilt))
    both = guard.trim(Velocity(pan=-1.0, tilt=1.0))[0]
    assert (both.pan == 0.0) != (both.tilt == 0.0)


def test_nowhere_to_go(clock: ManualClock) -> None:
    """Where everything is forbidden nothing leads out, nor where the head was never seen."""
    everything = replace(FLATS, pan_from_deg=0.0, pan_to_deg=0.0, tilt_to_deg=90.0)
    assert guard_of(clock, everything, at=pan(0.0)).way_out().still
    assert guard_of(clock, FLATS, at=pan(0.0)).way_out().still
    assert guard_of(clock, FLATS, at=None).way_out().still


def test_two_looks_at_once_tell_no_speed(clock: ManualClock) -> None:
    """Looks of the same instant say nothing of how fast a head runs."""
    guard = guard_of(clock, FLATS, at=pan(0.0))
    guard.saw(pan(18.5), asked_ns=clock.monotonic_ns())
    assert guard.verdict(restless=True, driven=True) is None
    guard.saw(pan(18.9), asked_ns=clock.monotonic_ns() + NS_PER_S // 20)
    assert guard.verdict(restless=True, driven=True) is not None


def test_unseen_nothing_is_let_through(clock: ManualClock) -> None:
    """Before the first look no bound hand turns the head."""
    guard = guard_of(clock, FLATS, at=None)
    assert guard.trim(Velocity(pan=1.0)) == (Velocity(), None)
    assert guard.verdict(restless=True, driven=True) is None


def test_the_way_of_a_head_with_ends(clock: ManualClock) -> None:
    """A head that cannot go round is judged by the one way it has; one that can, by both."""
    ends = replace(NO_LENS, pan_deg=(-170.0, 170.0))
    near, far = Position(-100 / 170, 0.3), Position(100 / 170, 0.3)
    behind = replace(FLATS, pan_from_deg=171.0, pan_to_deg=-171.0)
    guard_of(clock, behind, at=near, abilities=ends).judge(far, GUEST, near)
    with pytest.raises(OutOfBoundsError, match="leads through"):
        guard_of(clock, behind, at=pan(-100.0)).judge(pan(100.0), GUEST, pan(-100.0))


def test_beyond_a_limit(clock: ManualClock) -> None:
    """A way beyond a limit is refused in a limit's words."""
    guard = guard_of(clock, at=pan(0.0))
    guard.bounds = Bounds(limits=(Limits(left_deg=-120.0, right_deg=120.0),))
    with pytest.raises(OutOfBoundsError, match="beyond this camera's pan limit"):
        guard.judge(pan(110.0), GUEST, pan(-110.0))


def test_what_is_not_told_in_degrees_is_refused(clock: ManualClock) -> None:
    """A target of a head that told no ranges may be anywhere."""
    guard = guard_of(clock, FLATS, at=pan(0.0), abilities=replace(FULL, pan_deg=None))
    with pytest.raises(OutOfBoundsError):
        guard.judge(pan(0.0), GUEST, None)


def test_a_head_without_positions_is_not_sent_to_one() -> None:
    """Click to centre needs a head that goes to positions."""
    with pytest.raises(AimError):
        centre_on(replace(FULL, absolute=False), Position(), 0.5, 0.0)
