"""What is believed of a head whose looks fail, and how long a mark lasts."""

import asyncio
from dataclasses import replace

from kernel.head import Velocity
from ptz import HeadController
from ptz.commands import Command
from ptz.errors import HeadBusyError, HeadSilentError
from tests.fakes.clock import ManualClock
from tests.fakes.head import FULL, FakeHead
from tests.unit.ptz.stick import RIGHT, hold


async def test_failing_look_is_no_evidence_of_moving(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A head that takes every Stop and fails every look is owed its stop, and not marked."""
    await hold(controller, clock, RIGHT, 0.3)
    head.status_fails = True
    controller.stop()
    await clock.turn(6.0)
    assert not controller.state.presets_only
    assert isinstance(controller.state.fault, HeadSilentError)
    head.requests.clear()
    await clock.turn(3.0)
    assert "stop" in head.names()
    head.status_fails = False
    await clock.turn(4.0)
    assert controller.state.fault is None
    assert not controller.state.moving


async def test_mark_is_forgiven_when_the_head_stands(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A head that was marked while nothing stopped it turns freely again once it was seen to stand."""
    head.stop_ignored = head.zero_ignored = True
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await clock.turn(6.0)
    assert controller.state.presets_only
    head.velocity = Velocity()
    head.stop_ignored = head.zero_ignored = False
    await clock.turn(2.0)
    assert not controller.state.presets_only
    controller.wish(RIGHT)
    await clock.turn(0.05)
    assert head.names()[-1] == "move"


async def test_enrolment_mark_stays(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """What enrolment found is not forgiven by a head that stands."""
    head.abilities = replace(FULL, presets_only=True)
    await clock.turn(12.0)
    assert controller.state.presets_only


async def test_move_status_alone_marks_nothing(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A MoveStatus that sticks at MOVING, with no position beside it, does not mark the head."""
    head.tells_position, head.stuck_moving = False, True
    await hold(controller, clock, RIGHT, 0.3)
    controller.stop()
    await clock.turn(6.0)
    assert not controller.state.presets_only


async def test_blind_head_without_zero(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A head that tells nothing and refuses zero velocity is believed to stand after one Stop."""
    head.abilities, head.zero_refused = replace(FULL, status=False), True
    await hold(controller, clock, RIGHT, 0.3)
    head.requests.clear()
    controller.stop()
    await clock.turn(3.0)
    assert head.names() == ["stop", "zero"]
    assert not controller.state.moving


async def test_refusal_of_a_command_already_answered() -> None:
    """Refusing a command whose asker was answered changes nothing."""

    async def call() -> None: ...

    command = Command("x", call, moves=False, needs_rest=False)
    command.finish(1)
    command.fail(HeadBusyError("Late.", cure="Wait."))
    command.finish(2)
    assert await asyncio.wait_for(command.answer, 1) == 1


async def test_wish_after_an_accepted_stop_ends_the_ladder(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A wish that comes while the Stop is under way takes over as soon as it is answered, without a look."""
    await hold(controller, clock, RIGHT, 0.3)
    head.delay_s = 0.2
    controller.stop()
    await clock.turn(0.1)
    controller.wish(Velocity(pan=-1.0))
    await clock.turn(0.15)
    assert [name for name, _ in head.requests[-2:]] == ["stop", "move"]
