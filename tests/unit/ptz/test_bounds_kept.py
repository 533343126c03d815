"""Whatever a hand that is bound wishes, the head never looks where it must not."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.steering import SteeringSettings
from kernel.head import Position, Velocity
from ptz import HeadController, Priority, SteeringError, open_controller
from ptz.bounds import Binds, Bounds, Limits, Reach, Zone, aim_of
from tests.fakes.clock import ManualClock
from tests.fakes.head import FULL
from tests.fakes.heavy_head import HeavyHead

WISHES = 60
GUEST = Priority.GUEST


def zones(dice: random.Random) -> tuple[Zone, ...]:
    """Return one to three sectors somewhere, some of which bind only a narrow picture."""
    return tuple(
        Zone(
            id=str(number),
            name=f"flats {number}",
            pan_from_deg=(start := dice.uniform(-180, 180)),
            pan_to_deg=start + dice.uniform(2, 60),
            tilt_from_deg=(low := dice.uniform(-60, 5)),
            tilt_to_deg=low + dice.uniform(2, 40),
            binds=dice.choice(list(Binds)),
            narrower_than_deg=dice.choice([None, 10.0, 25.0]),
        )
        for number in range(dice.randint(1, 3))
    )


def limits(dice: random.Random) -> tuple[Limits, ...]:
    """Return limits of some axes, or none."""
    if dice.random() < 0.5:
        return ()
    left = dice.uniform(-180, 0)
    return (
        Limits(
            binds=dice.choice(list(Binds)),
            left_deg=left,
            right_deg=left + dice.uniform(90, 300),
            lower_deg=dice.choice([None, -70.0]),
            upper_deg=dice.choice([None, 10.0]),
            narrowest_deg=dice.choice([None, 8.0]),
        ),
    )


class Watch:
    """Looks at every position a head goes through."""

    def __init__(self, bounds: Bounds) -> None:
        self._rules = bounds.rules(FULL, GUEST)
        self.seen: list[tuple[str, Position]] = []
        self.looked = 0

    def __call__(self, position: Position) -> None:
        """Note a picture that shows what it must not."""
        aim = aim_of(FULL, position)
        assert aim is not None
        self.looked += 1
        self.seen += [(rule.name, position) for rule in self._rules if rule.met_by(Reach.between(aim, aim), 0.0)]

    def permits(self, position: Position) -> bool:
        """Return whether nothing is met there, with some room about it."""
        aim = aim_of(FULL, position)
        assert aim is not None
        return not any(rule.met_by(Reach.between(aim, aim), 1.0) for rule in self._rules)


def somewhere(dice: random.Random) -> Position:
    """Return any position."""
    return Position(dice.uniform(-1, 1), dice.uniform(-1, 1), dice.choice([0.0, 0.0, dice.random()]))


class Guest:
    """Does whatever somebody with the stick can do."""

    def __init__(self, dice: random.Random, controller: HeadController) -> None:
        self._dice = dice
        self._controller = controller
        self.asked: list[asyncio.Task[None]] = []

    def wish(self) -> None:
        """Do one thing."""
        controller, orders, dice = self._controller, self._controller.orders, self._dice
        x, y = dice.uniform(0, 0.8), dice.uniform(0, 0.8)
        deeds: list[tuple[int, Callable[[], object]]] = [
            (60, self._move),
            (20, controller.heartbeat),
            (8, lambda: controller.stop(GUEST)),
            (4, lambda: self._order(orders.recall(dice.choice(["a", "b", "unknown", "missing"]), GUEST))),
            (4, lambda: self._order(orders.move_in_view(dice.uniform(-1, 1), dice.uniform(-1, 1), GUEST))),
            (4, lambda: self._order(orders.zoom_box(x, y, x + 0.2, y + 0.2, GUEST))),
            (1, lambda: self._order(orders.home(GUEST))),
            (2, lambda: controller.let_go(GUEST)),
        ]
        dice.choices([deed for _, deed in deeds], [often for often, _ in deeds])[0]()

    def _move(self) -> None:
        dice, way = self._dice, self._dice.choice([-1.0, 1.0, 0.3])
        anywhere = Velocity(dice.uniform(-1, 1), dice.uniform(-1, 1), dice.uniform(-1, 1))
        one = dice.choice([Velocity(pan=way), Velocity(tilt=way), Velocity(zoom=way)])
        self._controller.wish(dice.choice([anywhere, anywhere, one]), GUEST)

    def _order(self, call: Awaitable[None]) -> None:
        async def given() -> None:
            with suppress(SteeringError):
                await call

        self.asked.append(asyncio.ensure_future(given()))


async def play(seed: int) -> Watch:
    """Let a guest do what they like to a head of some weight among some bounds."""
    dice = random.Random(seed)  # noqa: S311 - a game
    clock = ManualClock()
    bounds = Bounds(limits=limits(dice), zones=zones(dice))
    watch = Watch(bounds)
    head = HeavyHead(
        clock=clock,
        delay_s=dice.uniform(0.0, 0.09),
        lag_s=dice.uniform(0.02, 0.15),
        speed=Velocity(dice.uniform(0.1, 1.5), dice.uniform(0.1, 2.0), dice.uniform(0.1, 0.6)),
        stored={"a": somewhere(dice), "b": somewhere(dice), "unknown": None},
    )
    head.abilities = FULL if dice.random() < 0.5 else replace(FULL, fov_relative=False)
    start = next((one for one in (somewhere(dice) for _ in range(400)) if watch.permits(one)), None)
    if start is None:
        return watch
    head.put(start)
    head.told = watch
    block = open_controller(head, clock=clock, settings=SteeringSettings())
    controller = await block.__aenter__()
    controller.keep_within(bounds)
    guest = Guest(dice, controller)
    for _ in range(WISHES):
        with suppress(SteeringError):
            guest.wish()
        await clock.turn(dice.choice([0.04, 0.1, 0.1, 0.3]))
    leaving = asyncio.ensure_future(block.__aexit__(None, None, None))
    while not leaving.done():
        await clock.turn(0.1)
    await asyncio.gather(*guest.asked, return_exceptions=True)
    return watch


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_a_guest_never_looks_into_a_zone(seed: int) -> None:
    """No wish, order, stop or pause of a guest's brings a head with lag and latency beyond a bound."""
    watch = asyncio.run(play(seed))
    assert watch.seen == []
