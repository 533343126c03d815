"""The stop ladder and the deadman."""

import asyncio
from dataclasses import replace

import pytest

from config.steering import SteeringSettings
from kernel.errors import SightlineError
from kernel.head import Velocity
from ptz import HeadController, HeadState, open_controller
from ptz.errors import HeadSilentError, PresetsOnlyError
from tests.fakes.clock import ManualClock, settle
from tests.fakes.head import FULL, FakeHead
from tests.unit.ptz.stick import RIGHT, answer, hold


async def test_release_stops(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A wish to stand still sends Stop first and is believed only when the position stands."""
    await hold(controller, clock, RIGHT, 0.5)
    controller.wish(Velocity())
    await clock.turn(1.0)
    assert head.names()[-1] == "stop"
    assert head.velocity.still
    assert not controller.state.moving


async def test_deadman(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Without a heartbeat the head is stopped."""
    controller.wish(RIGHT)
    await clock.turn(0.39)
    assert "stop" not in head.names()
    await clock.turn(0.1)
    assert "stop" in head.names()
    assert head.velocity.still


async def test_a_late_beat_starts_the_head_again(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """On a thin link beats come late: the hand is still there, so what the deadman stopped is wished again."""
    controller.wish(RIGHT)
    await clock.turn(2.0)
    assert head.velocity.still
    controller.heartbeat()
    await clock.turn(0.3)
    assert head.velocity.pan > 0
    await clock.turn(2.0)
    assert head.velocity.still


@pytest.mark.parametrize("end", ["stop", "let_go", "still"])
async def test_no_beat_starts_what_was_stopped(
    controller: HeadController, head: FakeHead, clock: ManualClock, end: str
) -> None:
    """A beat that was on its way as the hand, or anybody, stopped the head does not turn it."""
    controller.wish(RIGHT)
    await clock.turn(2.0)
    if end == "still":
        controller.wish(Velocity())
    else:
        getattr(controller, end)()
    head.requests.clear()
    controller.heartbeat()
    await clock.turn(1.0)
    assert head.velocity.still
    assert "move" not in head.names()


async def test_no_beat_starts_what_a_preset_replaced(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """Who recalls a preset does not wish any more what the deadman stopped."""
    controller.wish(RIGHT)
    await clock.turn(2.0)
    await answer(clock, controller.orders.recall("1"))
    head.requests.clear()
    controller.heartbeat()
    await clock.turn(1.0)
    assert "move" not in head.names()


@pytest.mark.parametrize("knob", ["stop_unsupported", "stop_ignored"])
async def test_second_rung(controller: HeadController, head: FakeHead, clock: ManualClock, knob: str) -> None:
    """Where Stop is unknown or does nothing, zero velocity follows."""
    setattr(head, knob, True)
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await clock.turn(1.5)
    assert head.names()[-2:] == ["stop", "zero"]
    assert head.velocity.still
    assert not controller.state.presets_only


async def test_stuck_move_status_is_not_believed(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A head whose MoveStatus stays MOVING is at rest when its position stands."""
    head.stuck_moving = True
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await clock.turn(1.0)
    assert head.names().count("stop") == 1
    assert not controller.state.moving


async def test_unstoppable_head_becomes_presets_only(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A head that nothing stops is marked, and refuses to be turned freely from then on."""
    head.stop_ignored = head.zero_ignored = True
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await clock.turn(6.0)
    assert controller.state.presets_only
    assert controller.state.moving
    with pytest.raises(PresetsOnlyError):
        controller.wish(RIGHT)


async def test_repeated_stop_does_not_hurry_the_look(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """Hammering Esc over a head that ignores Stop does not make two looks fall together and pass for standstill."""
    head.stop_ignored = True
    await hold(controller, clock, RIGHT, 0.3)
    for _ in range(40):
        controller.stop()
        await clock.turn(0.01)
    await clock.turn(2.0)
    assert "zero" in head.names()
    assert head.velocity.still


async def test_new_wish_ends_the_ladder(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Tapping again right after letting go turns again at once, after the Stop."""
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await settle()
    controller.wish(Velocity(pan=-1.0))
    await clock.turn(0.05)
    assert head.names()[-2:] == ["stop", "move"]
    assert head.velocity.pan == -1.0


async def test_wish_during_the_look_ends_the_ladder(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A wish that comes while the ladder is looking takes over without a second rung."""
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await clock.turn(0.1)
    controller.wish(Velocity(pan=-1.0))
    await clock.turn(0.05)
    assert head.names()[-2:] == ["stop", "move"]


async def test_stop_is_owed_until_the_head_answers(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A stop that cannot be delivered is tried until it can."""
    await hold(controller, clock, RIGHT, 0.3)
    head.unreachable = True
    controller.stop()
    await clock.turn(5.0)
    assert isinstance(controller.state.fault, HeadSilentError)
    assert 3 <= head.names().count("stop") <= 8
    head.unreachable = False
    await clock.turn(2.0)
    assert head.velocity.still
    assert controller.state.fault is None


async def test_hanging_move_is_given_up_for_a_stop(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A stop waits half a second for a hanging request, and then goes."""
    head.silent = True
    controller.wish(RIGHT)
    await settle()
    head.silent = False
    controller.stop()
    await clock.turn(0.4)
    assert "stop" not in head.names()
    await clock.turn(0.2)
    assert "stop" in head.names()


async def test_failed_preset_while_turning_still_stops(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A preset that fails leaves no head turning."""
    await hold(controller, clock, RIGHT, 0.3)
    head.unreachable = True
    with pytest.raises(SightlineError):
        await answer(clock, controller.orders.recall("1"))
    head.unreachable = False
    await clock.turn(2.0)
    assert head.velocity.still


async def test_head_without_status_is_stopped_blind(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A head that tells nothing gets both rungs, and no polls."""
    head.abilities = replace(FULL, status=False)
    await hold(controller, clock, RIGHT, 0.3)
    head.requests.clear()
    controller.stop()
    await clock.turn(1.0)
    assert [name for name, _ in head.requests] == ["stop", "zero"]


async def test_head_without_positions(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Where only MoveStatus is told, that is believed."""
    head.tells_position = False
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await clock.turn(1.0)
    assert head.names().count("stop") == 1
    assert "zero" not in head.names()


async def test_position_is_followed_while_moving(
    controller: HeadController, head: FakeHead, clock: ManualClock, seen: list[HeadState]
) -> None:
    """The position is asked several times a second while a head moves, and seldom while it stands."""
    await hold(controller, clock, RIGHT, 2.0)
    looks = [name for name, _ in head.requests].count("status")
    assert 6 <= looks <= 9
    controller.stop()
    await clock.turn(1.0)
    head.requests.clear()
    await clock.turn(10.0)
    assert len(head.requests) <= 3


async def test_leaving_stops_a_moving_head(head: FakeHead, clock: ManualClock) -> None:
    """Shutting down while a head turns brings it to rest, and gives up waiting commands."""
    block = open_controller(head, clock=clock, settings=SteeringSettings())
    controller = await block.__aenter__()
    await clock.turn(0.01)
    controller.wish(RIGHT)
    await clock.turn(0.05)
    head.delay_s = 0.2
    asked = [asyncio.ensure_future(controller.orders.presets()) for _ in range(2)]
    await settle()
    leaving = asyncio.ensure_future(block.__aexit__(None, None, None))
    for _ in range(60):
        await clock.turn(0.1)
    await leaving
    assert head.velocity.still
    assert all(ask.cancelled() for ask in asked)


async def test_wish_before_the_second_rung(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A wish that comes while an unknown Stop is refused takes over before zero velocity is sent."""
    head.stop_unsupported = True
    await hold(controller, clock, RIGHT, 0.3)
    head.delay_s = 0.2
    controller.stop()
    await clock.turn(0.1)
    controller.wish(Velocity(pan=-1.0))
    await clock.turn(0.25)
    assert "zero" not in head.names()
    assert head.names()[-1] == "move"
