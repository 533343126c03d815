"""The seat at a head: letting go, and what counts as touching the stick."""

import asyncio

import pytest

from config.steering import SteeringSettings
from gateway.fleet import wishes
from gateway.worker.head import open_seat
from ptz import Priority
from ptz.errors import StickNotHeldError
from tests.fakes.clock import ManualClock, settle
from tests.fakes.head import FakeHead


async def test_letting_go_before_a_slow_head_answers_stops_it(clock: ManualClock) -> None:
    """Whoever lets go while the first move is still unanswered leaves no wish in force; at rest nothing is sent."""
    head = FakeHead(clock=clock)
    block = open_seat(head, clock=clock, settings=SteeringSettings(), changed=lambda: None)
    seat = await block.__aenter__()
    await clock.turn(6.0)
    seat.take(wishes.StickWish(holder="a", name="Ann"))
    seat.release("a")
    await clock.turn(0.5)
    assert head.names() == []
    head.delay_s = 0.3
    seat.take(wishes.StickWish(holder="a", name="Ann"))
    await seat.steer(wishes.SteerWish(holder="a", wish=wishes.Move(pan=1.0)))
    await settle()
    seat.release("a")
    await clock.turn(0.31)
    assert head.names() == ["move", "stop"]
    await clock.turn(3.0)
    assert head.velocity.still
    await block.__aexit__(None, None, None)


async def test_a_held_deflection_is_not_idle(clock: ManualClock) -> None:
    """Beats touch the stick while a turn is wished, and do not while it rests."""
    head = FakeHead(clock=clock)
    block = open_seat(head, clock=clock, settings=SteeringSettings(), changed=lambda: None)
    seat = await block.__aenter__()
    seat.take(wishes.StickWish(holder="a", name="Ann"))
    await seat.steer(wishes.SteerWish(holder="a", wish=wishes.Move(pan=1.0)))
    for _ in range(20):
        await clock.turn(0.2)
        await seat.steer(wishes.SteerWish(holder="a", wish=wishes.Beat()))
    assert seat.stick.state.idle_s < 0.3
    await seat.steer(wishes.SteerWish(holder="a", wish=wishes.Stop()))
    for _ in range(10):
        await clock.turn(0.2)
        await seat.steer(wishes.SteerWish(holder="a", wish=wishes.Beat()))
    assert seat.stick.state.idle_s > 1.5
    leaving = asyncio.ensure_future(block.__aexit__(None, None, None))
    while not leaving.done():
        await clock.turn(0.1)


async def test_the_room_takes_a_turning_head_from_a_guest(clock: ManualClock) -> None:
    """The guest's wish ends with their hold: the head stands, and what they wish then is not heard."""
    head = FakeHead(clock=clock)
    block = open_seat(head, clock=clock, settings=SteeringSettings(), changed=lambda: None)
    seat = await block.__aenter__()
    await clock.turn(6.0)
    seat.take(wishes.StickWish(holder="g", name="PC Smith", priority=Priority.GUEST))
    await seat.steer(wishes.SteerWish(holder="g", wish=wishes.Move(pan=1.0)))
    await clock.turn(0.1)
    assert seat.take(wishes.StickWish(holder="a", name="Ann")).name == "Ann"
    await clock.turn(3.0)
    assert head.velocity.still
    with pytest.raises(StickNotHeldError):
        await seat.steer(wishes.SteerWish(holder="g", wish=wishes.Move(pan=1.0)))
    await block.__aexit__(None, None, None)
