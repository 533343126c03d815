"""The white van drives its round, and flees where it is told to."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.town.streets import street
from drivers.simulator.town.van import ROUTES, Van
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock

LEAVES_BY = {"north": "Station Road", "east": "High Street", "south": "Church Street", "west": "Mill Lane"}


async def test_drives_its_round(clock: ManualClock) -> None:
    """Untold, it drives at town speed and comes back to where it was."""
    van = Van(clock)
    places = [van.where(clock.wall_ns() + second * NS_PER_S) for second in range(400)]
    assert all(math.dist((a.x, a.y), (b.x, b.y)) < 9.0 for a, b in itertools.pairwise(places))
    assert min(math.dist((places[0].x, places[0].y), (p.x, p.y)) for p in places[60:]) < 8.0
    assert {place.colour for place in places} == {(238, 240, 238)}
    assert van.fleeing is None


@pytest.mark.parametrize("route", list(ROUTES))
async def test_flees_out_of_town(clock: ManualClock, route: str) -> None:
    """Told to flee, it goes on from where it is, gathers speed, and leaves town by the route's street."""
    van = Van(clock)
    await clock.turn(33.0)
    start = van.where(clock.wall_ns())
    van.flee(route)
    assert van.fleeing == route
    flight = [van.where(clock.wall_ns() + step * NS_PER_S // 10) for step in range(900)]
    assert math.dist((flight[0].x, flight[0].y), (start.x, start.y)) < 0.5
    assert all(math.dist((a.x, a.y), (b.x, b.y)) < 2.2 for a, b in itertools.pairwise(flight))
    assert max(place.speed_m_s for place in flight) > 20.0
    end = flight[-1]
    assert end.speed_m_s == 0.0
    assert max(abs(end.x), abs(end.y)) > 380.0
    assert min(math.dist((end.x, end.y), point) for point in street(LEAVES_BY[route]).path.points) < 15.0


async def test_the_past_stays(clock: ManualClock) -> None:
    """An order changes nothing about where the van was before it."""
    van, free = Van(clock), Van(clock)
    await clock.turn(10.0)
    van.flee("east")
    await clock.turn(10.0)
    assert van.where(clock.wall_ns() - 15 * NS_PER_S) == free.where(clock.wall_ns() - 15 * NS_PER_S)
    assert van.where(clock.wall_ns()) != free.where(clock.wall_ns())


async def test_returns(clock: ManualClock) -> None:
    """Sent back, it is on its round again, as if it had never left; told so on its round it stays there."""
    van, free = Van(clock), Van(clock)
    van.flee(None)
    assert van.where(clock.wall_ns()) == free.where(clock.wall_ns())
    van.flee("south")
    await clock.turn(5.0)
    van.flee(None)
    assert van.fleeing is None
    assert van.where(clock.wall_ns()) == free.where(clock.wall_ns())


async def test_changes_its_mind(clock: ManualClock) -> None:
    """Fleeing one way it can be sent another, from where it is."""
    van = Van(clock)
    van.flee("north")
    await clock.turn(8.0)
    here = van.where(clock.wall_ns())
    van.flee("west")
    there = van.where(clock.wall_ns())
    assert math.dist((here.x, here.y), (there.x, there.y)) < 0.5
    assert van.fleeing == "west"


def test_unknown_route(clock: ManualClock) -> None:
    """A route that is not there is refused with the names of those that are."""
    with pytest.raises(ValueError, match=r"no route 'up'.*north, east, south, west"):
        Van(clock).flee("up")


@given(st.integers(0, 10_000_000))
def test_where_is_a_function_of_time(seconds: int) -> None:
    """Two vans with the same orders are in the same place."""
    clock = ManualClock()
    one, two = Van(clock), Van(clock)
    assert one.where(seconds * NS_PER_S) == two.where(seconds * NS_PER_S)
    assert set(one.routes) == set(ROUTES)
