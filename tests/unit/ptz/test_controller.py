"""The controller of a head against a head that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest
import pytest_asyncio

from config.steering import SteeringSettings
from kernel.errors import SightlineError
from kernel.head import Axis, Position, Velocity
from ptz import HeadController, HeadState, open_controller
from ptz.errors import AimError, HeadBusyError, HeadSilentError, PresetsOnlyError
from tests.fakes.clock import ManualClock, settle
from tests.fakes.head import FULL, FakeHead

T = TypeVar("T")
RIGHT = Velocity(pan=1.0)


@pytest.fixture
def head(clock: ManualClock) -> FakeHead:
    """A head that does everything right."""
    return FakeHead(clock=clock)


@pytest.fixture
def seen() -> list[HeadState]:
    """Every state that was told."""
    return []


@pytest_asyncio.fixture
async def controller(head: FakeHead, clock: ManualClock, seen: list[HeadState]) -> AsyncIterator[HeadController]:
    """The controller of that head, which has looked once."""
    block = open_controller(head, clock=clock, settings=SteeringSettings(), on_state=seen.append)
    async with block as controller:
        await clock.turn(0.01)
        head.requests.clear()
        yield controller
        head.silent = head.unreachable = False
        leaving = asyncio.ensure_future(block.__aexit__(None, None, None))
        while not leaving.done():
            await clock.turn(0.1)


async def hold(controller: HeadController, clock: ManualClock, wish: Velocity, seconds: float) -> None:
    """Keep the stick there, beating every 100 ms."""
    for _ in range(round(seconds * 10)):
        controller.wish(wish)
        await clock.turn(0.1)


async def answer(clock: ManualClock, request: Awaitable[T]) -> T:
    """Turn the clock until a command is answered."""
    task = asyncio.ensure_future(request)
    for _ in range(400):
        if task.done():
            break
        await clock.turn(0.05)
    return await task


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


async def test_release_stops(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A wish to stand still sends Stop first and is believed only when the position stands."""
    await hold(controller, clock, RIGHT, 0.5)
    controller.wish(Velocity())
    await clock.turn(1.0)
    assert head.names()[-1] == "stop"
    assert head.velocity.still
    assert not controller.state.moving


async def test_standing_still_at_rest_asks_nothing(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A stick at its centre over a head at rest makes no request."""
    controller.wish(Velocity())
    await clock.turn(0.5)
    assert head.names() == []


async def test_deadman(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Without a heartbeat the head is stopped."""
    controller.wish(RIGHT)
    await clock.turn(0.39)
    assert "stop" not in head.names()
    await clock.turn(0.1)
    assert "stop" in head.names()
    assert head.velocity.still


async def test_heartbeat_keeps_moving(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Heartbeats alone keep a move going."""
    controller.wish(RIGHT)
    for _ in range(20):
        controller.heartbeat()
        await clock.turn(0.1)
    assert "stop" not in head.names()


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


async def test_failed_move_is_told_and_not_retried(
    controller: HeadController, head: FakeHead, clock: ManualClock, seen: list[HeadState]
) -> None:
    """A move that fails becomes a fault, and is not sent again before its refresh."""
    head.unreachable = True
    await hold(controller, clock, RIGHT, 0.5)
    assert head.names().count("move") == 1
    assert controller.state.fault is not None
    assert any(state.fault is not None for state in seen)


async def test_preset_overtakes_a_move_and_is_not_cut_short(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A preset recalled while turning goes at once; the deadman does not stop it."""
    await hold(controller, clock, RIGHT, 0.3)
    await answer(clock, controller.recall("1"))
    await clock.turn(2.0)
    assert head.names()[-1] == "recall"


async def test_failed_preset_while_turning_still_stops(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A preset that fails leaves no head turning."""
    await hold(controller, clock, RIGHT, 0.3)
    head.unreachable = True
    with pytest.raises(SightlineError):
        await answer(clock, controller.recall("1"))
    head.unreachable = False
    await clock.turn(2.0)
    assert head.velocity.still


async def test_store_brings_the_head_to_rest(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """SetPreset fails on moving heads, so the head is stopped first."""
    await hold(controller, clock, RIGHT, 0.3)
    preset = await answer(clock, controller.store("Corner"))
    assert preset.name == "Corner"
    assert "stop" in head.names()


async def test_store_on_an_unstoppable_head(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A preset is not stored on a head that does not stand."""
    head.stop_ignored = head.zero_ignored = True
    await hold(controller, clock, RIGHT, 0.3)
    with pytest.raises(HeadBusyError, match="stand still"):
        await answer(clock, controller.store("Corner"))


async def test_stop_refuses_waiting_moves(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A stop overtakes a preset that waits, and says so to whoever asked; questions are still answered."""
    head.delay_s = 0.2
    first = asyncio.ensure_future(controller.presets())
    await settle()
    second = asyncio.ensure_future(controller.recall("1"))
    third = asyncio.ensure_future(controller.presets())
    await settle()
    controller.stop()
    await clock.turn(3.0)
    assert (await first)[0].name == "Gate"
    with pytest.raises(HeadBusyError, match="stop came first"):
        await second
    assert (await third)[0].name == "Gate"
    assert "recall" not in head.names()


async def test_command_queue_is_bounded(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """The ninth waiting command is refused."""
    head.delay_s = 0.2
    waiting = [asyncio.ensure_future(controller.presets()) for _ in range(9)]
    await settle()
    with pytest.raises(HeadBusyError, match="still busy"):
        await waiting[-1]
    await clock.turn(3.0)
    await asyncio.gather(*waiting[:-1])


async def test_abandoned_command_is_not_sent(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A command whose asker has left before its turn is not sent."""
    head.delay_s = 0.2
    first = asyncio.ensure_future(controller.presets())
    await settle()
    second = asyncio.ensure_future(controller.remove("1"))
    await settle()
    second.cancel()
    await clock.turn(1.0)
    await first
    assert "remove" not in head.names()


Ask = Callable[[HeadController], Awaitable[object]]


@pytest.mark.parametrize(
    ("ask", "request_name"),
    [
        (lambda c: c.home(), "go_home"),
        (lambda c: c.set_home(), "set_home"),
        (lambda c: c.move_to(Position(0.5, 0.1, 0.2)), "move_to"),
        (lambda c: c.remove("1"), "remove"),
        (lambda c: c.auxiliary("tt:Wiper|On"), "auxiliary"),
        (lambda c: c.move_in_view(0.5, -0.5), "move_in_view"),
        (lambda c: c.zoom_box(0.25, 0.25, 0.5, 0.5), "move_to"),
    ],
)
async def test_commands(
    controller: HeadController, head: FakeHead, clock: ManualClock, ask: Ask, request_name: str
) -> None:
    """Each command makes its one request."""
    await answer(clock, ask(controller))
    assert head.names()[-1] == request_name


async def test_unadvertised_auxiliary(controller: HeadController, head: FakeHead) -> None:
    """Only auxiliary commands that the head advertises are sent."""
    with pytest.raises(AimError, match="no auxiliary command"):
        await controller.auxiliary("tt:Washer|On")
    assert head.names() == []


async def test_centre_without_fov_space(head: FakeHead, controller: HeadController, clock: ManualClock) -> None:
    """Where the FOV space is missing, click to centre is computed and sent as an absolute move."""
    head.abilities = replace(FULL, fov_relative=False)
    await answer(clock, controller.move_in_view(1.0, 0.0))
    _, position = [request for request in head.requests if request[0] == "move_to"][-1]
    assert isinstance(position, Position)
    assert position.pan == pytest.approx(30.0 / 180.0, abs=0.03)


@pytest.mark.parametrize(("right", "up"), [(1.2, 0.0), (0.0, float("nan"))])
async def test_click_outside(controller: HeadController, right: float, up: float) -> None:
    """A point outside the picture is refused."""
    with pytest.raises(AimError, match="outside"):
        await controller.move_in_view(right, up)


async def test_box_outside(controller: HeadController) -> None:
    """A box outside the picture is refused."""
    with pytest.raises(AimError, match="outside"):
        await controller.zoom_box(0.0, 0.0, 1.5, 0.5)


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


async def test_failed_look_is_a_fault(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A head that stops answering is said to, once, and the fault goes when it answers again."""
    head.unreachable = True
    await clock.turn(6.0)
    assert controller.state.fault is not None
    head.unreachable = False
    await clock.turn(6.0)
    assert controller.state.fault is None


async def test_leaving_stops_a_moving_head(head: FakeHead, clock: ManualClock) -> None:
    """Shutting down while a head turns brings it to rest, and gives up waiting commands."""
    block = open_controller(head, clock=clock, settings=SteeringSettings())
    controller = await block.__aenter__()
    await clock.turn(0.01)
    controller.wish(RIGHT)
    await clock.turn(0.05)
    head.delay_s = 0.2
    asked = [asyncio.ensure_future(controller.presets()) for _ in range(2)]
    await settle()
    leaving = asyncio.ensure_future(block.__aexit__(None, None, None))
    for _ in range(60):
        await clock.turn(0.1)
    await leaving
    assert head.velocity.still
    assert all(ask.cancelled() for ask in asked)


async def test_answers_after_the_asker_left(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Whoever gives up waiting while the request is under way disturbs nothing, whether it works or fails."""
    head.delay_s = 0.2
    for unreachable in (False, True):
        head.unreachable = unreachable
        ask = asyncio.ensure_future(controller.presets())
        await settle()
        ask.cancel()
        await clock.turn(1.0)
    head.unreachable = False
    assert (await answer(clock, controller.presets()))[0].name == "Gate"


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
