"""Main streams behind thin links: asked for, for a time."""

from gateway.fleet.demand import Demand
from tests.fakes.clock import ManualClock


def demand(clock: ManualClock) -> Demand:
    """Return what is asked for of two devices, one of them behind a thin link."""
    return Demand(lambda urn: urn == "thin", clock=clock)


def test_behind_a_thin_link_it_is_the_sub_stream(clock: ManualClock) -> None:
    """But not of a device whose link carries both."""
    asked = demand(clock)
    assert (asked.small_only("thin"), asked.small_only("fixed")) == (True, False)


async def test_it_ends_by_itself(clock: ManualClock) -> None:
    """After the time that was asked for; until then it is said until when."""
    asked = demand(clock)
    asked.ask("thin", 600)
    assert asked.until_ns("thin") == clock.wall_ns() + 600_000_000_000
    await clock.turn(599.0)
    assert (asked.small_only("thin"), asked.lapsed()) == (False, [])
    await clock.turn(1.0)
    assert (asked.small_only("thin"), asked.until_ns("thin")) == (True, None)


async def test_its_end_is_told_until_it_is_forgotten(clock: ManualClock) -> None:
    """A host that could not be told is told at the next look."""
    asked = demand(clock)
    asked.ask("thin", 60)
    await clock.turn(61.0)
    assert asked.lapsed() == ["thin"] == asked.lapsed()
    asked.forget("thin")
    assert asked.lapsed() == []


def test_it_can_be_enough_at_once(clock: ManualClock) -> None:
    """Nothing is asked for any more."""
    asked = demand(clock)
    asked.ask("thin", 600)
    asked.ask("thin", 0)
    assert asked.small_only("thin")


async def test_it_is_not_switched_again_and_again(clock: ManualClock) -> None:
    """Each time breaks views and the recording: three times at once, then one in five minutes."""
    asked = demand(clock)
    for _ in range(3):
        assert asked.count("thin") == 0
        asked.ask("thin", 60)
        assert asked.count("thin") == 0
        asked.ask("thin", 0)
    assert 0 < asked.count("thin") <= 300
    await clock.turn(300.0)
    assert asked.count("thin") == 0
