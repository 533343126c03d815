"""Units are carried along streets, and nobody jumps."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.town.streets import STREETS, Point
from drivers.simulator.units.movement import DRIVING_M_S, Where, flight, journey, kerbside

points = st.tuples(st.floats(-400.0, 400.0), st.floats(-400.0, 400.0))


def _here(at: Point, height_m: float = 6.0) -> Where:
    return Where(at, height_m, None, 0.0)


def _off_street_m(at: Point) -> float:
    found = math.inf
    for line in STREETS:
        for (x0, y0), (x1, y1) in itertools.pairwise(line.path.points):
            share = ((at[0] - x0) * (x1 - x0) + (at[1] - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
            share = min(max(share, 0.0), 1.0)
            found = min(found, math.dist(at, (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)))
    return found


@given(points, points, st.floats(0.0, 1.0), st.floats(0.05, 5.0))
def test_no_teleporting(start: Point, goal: Point, share: float, later_s: float) -> None:
    """Between two instants of a journey nobody gets farther than a van drives, and nobody is lifted by leaps."""
    move = journey(100.0, _here(start), kerbside(goal, 90.0))
    first_s = 100.0 + share * (move.ends_s - 100.0)
    before, after = move.where(first_s), move.where(first_s + later_s)
    assert math.dist(before.at, after.at) <= DRIVING_M_S * later_s + 1e-6
    if math.dist(before.at, after.at) == 0.0:
        assert abs(after.height_m - before.height_m) <= 0.12 * later_s + 1e-6


@given(points, points)
def test_a_journey_begins_here_and_ends_there(start: Point, goal: Point) -> None:
    """It starts where the unit is and ends at the post, at its height."""
    post = kerbside(goal, 90.0)
    move = journey(0.0, _here(start), post)
    assert math.dist(move.where(0.0).at, start) < 0.06
    end = move.where(move.ends_s + 1.0)
    assert math.dist(end.at, post.at) < 0.06
    assert math.isclose(end.height_m, post.height_m)
    assert end.course_deg is None


@given(points, points, st.floats(0.0, 1.0))
def test_vans_keep_to_the_streets(start: Point, goal: Point, share: float) -> None:
    """Whatever moves at a van's speed moves along the middle of a street."""
    move = journey(0.0, _here(start), kerbside(goal, 0.0))
    where = move.where(share * move.ends_s)
    if where.speed_m_s == DRIVING_M_S:
        assert _off_street_m(where.at) < 0.5


@given(points)
def test_a_thief_leaves_town(start: Point) -> None:
    """A flight ends where a street leaves the town."""
    move = flight(0.0, _here(start))
    end = move.where(move.ends_s + 1.0).at
    assert any(
        math.dist(end, corner) < 0.1 for line in STREETS for corner in (line.path.points[0], line.path.points[-1])
    )


def test_the_shortest_way_is_taken() -> None:
    """From Market Square to Park Avenue the van takes the High Street, not a detour."""
    post = kerbside((212.0, 60.0), 0.0)
    move = journey(0.0, _here((0.0, 0.0), 0.8), post)
    ridden = sum(leg.path.length_m for leg in move.legs if leg.path is not None)
    assert 212.0 < ridden < 212.0 + 60.0 + 20.0
