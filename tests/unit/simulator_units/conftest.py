"""One unit of the town, on a clock that the test turns."""

from collections.abc import Callable

import pytest

from drivers.simulator.town.town import Town
from drivers.simulator.units.faults import UnitFaults
from drivers.simulator.units.movement import Post
from drivers.simulator.units.radio import Air
from drivers.simulator.units.unit import Unit
from tests.fakes.clock import ManualClock

MakeUnit = Callable[..., Unit]
POST = Post(at=(53.0, -16.0), height_m=6.0, bearing_deg=184.0, street="Station Road")
DARK_POST = Post(at=(53.0, -16.0), height_m=6.0, bearing_deg=184.0, street="Station Road", mains=False)


@pytest.fixture(scope="session")
def air() -> Air:
    """Return the radio over the town of seed 1."""
    return Air(Town(seed=1, clock=ManualClock()))


@pytest.fixture
def make_unit(air: Air, clock: ManualClock) -> MakeUnit:
    """Return a maker of units; its faults may be given by name."""

    def make(*faults: str, number: int = 3, post: Post = POST) -> Unit:
        return Unit(number, seed=1, air=air, clock=clock, post=post, faults=UnitFaults.from_names(list(faults)))

    return make


async def pass_time(unit: Unit, clock: ManualClock, seconds: float, *, step_s: float = 1.0) -> None:
    """Turn the clock step by step, the unit with it."""
    for _ in range(round(seconds / step_s)):
        await clock.turn(step_s)
        unit.step()
