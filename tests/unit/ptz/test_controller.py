"""Wishes: the latest wins, and only what is worth it is sent."""

from dataclasses import replace

from kernel.head import Axis, Velocity
from ptz import HeadController, HeadState
from tests.fakes.clock import ManualClock, settle
from tests.fakes.head import FULL, FakeHead
from tests.unit.ptz.stick import RIGHT, hold


async def test_first_wish_goes_at_once(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """The first move is sent without waiting for anything."""
    controller.wish(RIGHT)
    await settle()
    assert head.names() == ["move"]


async def test_unchanged_wish_is_refreshed_each_second(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A wish that stays the same is sent again once a second, not ten times."""
    await hold(controller, clock, RIGHT, 3.05)
    assert 3 <= head.names().count("move") <= 4


async def test_latest_wish_wins(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """While a request is in flight only the newest wish is kept, and one request is in flight at a time."""
    head.delay_s = 0.3
    for tenth in range(1, 10):
        controller.wish(Velocity(pan=tenth / 10))
        await clock.turn(0.03)
    await clock.turn(0.3)
    moves = [argument for name, argument in head.requests if name == "move"]
    assert moves[0] == (Velocity(pan=0.1), 2.0)
    assert moves[1] == (Velocity(pan=0.9), 2.0)
    assert head.in_flight_max == 1


async def test_changes_come_at_most_ten_a_second(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A stick that never rests makes no more than ten requests a second."""
    for step in range(100):
        controller.wish(Velocity(pan=0.2 + 0.008 * step))
        await clock.turn(0.01)
    assert head.names().count("move") <= 11


async def test_standing_still_at_rest_asks_nothing(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A stick at its centre over a head at rest makes no request."""
    controller.wish(Velocity())
    await clock.turn(0.5)
    assert head.names() == []


async def test_heartbeat_keeps_moving(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Heartbeats alone keep a move going."""
    controller.wish(RIGHT)
    for _ in range(20):
        controller.heartbeat()
        await clock.turn(0.1)
    assert "stop" not in head.names()


async def test_failed_move_is_told_and_not_retried(
    controller: HeadController, head: FakeHead, clock: ManualClock, seen: list[HeadState]
) -> None:
    """A move that fails becomes a fault, and is not sent again before its refresh."""
    head.unreachable = True
    await hold(controller, clock, RIGHT, 0.5)
    assert head.names().count("move") == 1
    assert controller.state.fault is not None
    assert any(state.fault is not None for state in seen)


async def test_pulse_head(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A head that only its own timeout stops gets short moves, refreshed often."""
    head.abilities = replace(FULL, pulse=True)
    await hold(controller, clock, RIGHT, 1.0)
    moves = [argument for name, argument in head.requests if name == "move"]
    assert 4 <= len(moves) <= 6
    assert moves[0] == (RIGHT, 0.4)


async def test_wish_on_a_missing_axis(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A zoom wish to a head without zoom sends nothing."""
    head.abilities = replace(FULL, axes=frozenset({Axis.PAN, Axis.TILT}))
    controller.wish(Velocity(zoom=1.0))
    await clock.turn(0.5)
    assert head.names() == []


async def test_failed_look_is_a_fault(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A head that stops answering is said to, once, and the fault goes when it answers again."""
    head.unreachable = True
    await clock.turn(6.0)
    assert controller.state.fault is not None
    head.unreachable = False
    await clock.turn(6.0)
    assert controller.state.fault is None
