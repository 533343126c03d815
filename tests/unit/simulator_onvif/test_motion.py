"""An axis moves as physics lets it, and arrives exactly."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.motion import Track, brake, reach, rest

LOW, HIGH = -170.0, 170.0
positions = st.floats(LOW, HIGH)
speeds = st.floats(0.1, 200.0)
accelerations = st.floats(5.0, 1000.0)
shares = st.floats(0.0, 1.0)


def sampled(track: Track, start_s: float) -> list[tuple[float, float, float]]:
    """Return (time, position, velocity) all along a move, and a little past it."""
    end_s = track.legs[-1].start_s + 0.5
    times = [start_s + (end_s - start_s) * step / 200 for step in range(201)]
    return [(time_s, *track.at(time_s)) for time_s in times]


@given(positions, positions, speeds, accelerations)
def test_it_arrives_exactly(start: float, target: float, speed: float, acceleration: float) -> None:
    """A move ends at its target to the last bit, at rest."""
    track = reach(3.0, (start, 0.0), target, speed, acceleration)
    end_s = track.legs[-1].start_s
    assert track.at(end_s + 1.0) == (target, 0.0)
    assert not track.moving(end_s)


@given(positions, positions, speeds, accelerations)
def test_it_stays_between_start_and_target(start: float, target: float, speed: float, acceleration: float) -> None:
    """From rest it neither overshoots nor goes faster than its speed."""
    for _, position, velocity in sampled(reach(3.0, (start, 0.0), target, speed, acceleration), 3.0):
        assert min(start, target) - 1e-6 <= position <= max(start, target) + 1e-6
        assert abs(velocity) <= speed * (1 + 1e-9)


@given(positions, positions, positions, speeds, accelerations, shares)
def test_a_change_of_mind_never_jumps(  # noqa: PLR0917 - each is one number of the case
    start: float, first: float, second: float, speed: float, acceleration: float, when: float
) -> None:
    """Turned to another target at any moment, position and velocity stay continuous within the acceleration."""
    before = reach(0.0, (start, 0.0), first, speed, acceleration)
    turn_s = before.legs[-1].start_s * when
    state = before.at(turn_s)
    after = reach(turn_s, state, second, speed, acceleration)
    assert math.isclose(after.at(turn_s)[0], state[0], abs_tol=1e-6)
    samples = sampled(after, turn_s)
    for (time_a, position_a, velocity_a), (time_b, position_b, velocity_b) in pairwise(samples):
        assert abs(velocity_b - velocity_a) <= acceleration * (time_b - time_a) * (1 + 1e-6) + 1e-6
        assert abs(position_b - position_a) <= speed * (time_b - time_a) * (1 + 1e-6) + 1e-6
    assert after.at(after.legs[-1].start_s) == (second, 0.0)


@given(positions, positions, speeds, accelerations, shares)
def test_braking_takes_as_long_as_it_must(
    start: float, target: float, speed: float, acceleration: float, when: float
) -> None:
    """Cut short, a move comes to rest after velocity by acceleration, and never past its target."""
    whole = reach(0.0, (start, 0.0), target, speed, acceleration)
    cut_s = whole.legs[-1].start_s * when
    cut = whole.until(cut_s, acceleration)
    velocity = abs(whole.at(cut_s)[1])
    assert cut.legs[-1].start_s <= cut_s + velocity / acceleration + 1e-6
    position, still = cut.at(cut.legs[-1].start_s)
    assert still == 0.0
    assert min(start, target) - 1e-6 <= position <= max(start, target) + 1e-6


def test_a_move_at_no_speed_is_a_stop() -> None:
    """To be told to go somewhere at speed zero is to brake."""
    assert reach(1.0, (5.0, 10.0), 50.0, 0.0, 100.0) == brake(1.0, 5.0, 10.0, 100.0)


def test_a_target_where_braking_ends_is_met_exactly() -> None:
    """Where the shortest stop ends at the target, that is the move."""
    assert reach(0.0, (0.0, 10.0), 0.5, 100.0, 100.0).at(9.0) == (0.5, 0.0)
    assert reach(0.0, (4.0, 0.0), 4.0, 100.0, 100.0).at(9.0) == (4.0, 0.0)


def test_a_cut_after_the_end_changes_nothing() -> None:
    """A timeout later than the arrival is no timeout."""
    track = rest(2.0, 7.0)
    assert track.until(5.0, 1.0) is track
    assert track.at(0.0) == (7.0, 0.0)
