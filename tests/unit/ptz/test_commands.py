"""Presets, aims and other commands."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from kernel.head import Position
from ptz import HeadController
from ptz.errors import AimError, HeadBusyError
from tests.fakes.clock import ManualClock, settle
from tests.fakes.head import FULL, FakeHead
from tests.unit.ptz.stick import RIGHT, answer, hold


async def test_preset_overtakes_a_move_and_is_not_cut_short(
    controller: HeadController, head: FakeHead, clock: ManualClock
) -> None:
    """A preset recalled while turning goes at once; the deadman does not stop it."""
    await hold(controller, clock, RIGHT, 0.3)
    await answer(clock, controller.orders.recall("1"))
    await clock.turn(2.0)
    assert head.names()[-1] == "recall"


async def test_store_brings_the_head_to_rest(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """SetPreset fails on moving heads, so the head is stopped first."""
    await hold(controller, clock, RIGHT, 0.3)
    preset = await answer(clock, controller.orders.store("Corner"))
    assert preset.name == "Corner"
    assert "stop" in head.names()


async def test_store_on_an_unstoppable_head(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A preset is not stored on a head that does not stand."""
    head.stop_ignored = head.zero_ignored = True
    await hold(controller, clock, RIGHT, 0.3)
    with pytest.raises(HeadBusyError, match="stand still"):
        await answer(clock, controller.orders.store("Corner"))


async def test_stop_refuses_waiting_moves(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A stop overtakes a preset that waits, and says so to whoever asked; questions are still answered."""
    head.delay_s = 0.2
    first = asyncio.ensure_future(controller.orders.presets())
    await settle()
    second = asyncio.ensure_future(controller.orders.recall("1"))
    third = asyncio.ensure_future(controller.orders.presets())
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
    waiting = [asyncio.ensure_future(controller.orders.presets()) for _ in range(9)]
    await settle()
    with pytest.raises(HeadBusyError, match="still busy"):
        await waiting[-1]
    await clock.turn(3.0)
    await asyncio.gather(*waiting[:-1])


async def test_abandoned_command_is_not_sent(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """A command whose asker has left before its turn is not sent."""
    head.delay_s = 0.2
    first = asyncio.ensure_future(controller.orders.presets())
    await settle()
    second = asyncio.ensure_future(controller.orders.remove("1"))
    await settle()
    second.cancel()
    await clock.turn(1.0)
    await first
    assert "remove" not in head.names()


Ask = Callable[[HeadController], Awaitable[object]]


@pytest.mark.parametrize(
    ("ask", "request_name"),
    [
        (lambda c: c.orders.home(), "go_home"),
        (lambda c: c.orders.set_home(), "set_home"),
        (lambda c: c.orders.move_to(Position(0.5, 0.1, 0.2)), "move_to"),
        (lambda c: c.orders.remove("1"), "remove"),
        (lambda c: c.orders.auxiliary("tt:Wiper|On"), "auxiliary"),
        (lambda c: c.orders.move_in_view(0.5, -0.5), "move_in_view"),
        (lambda c: c.orders.zoom_box(0.25, 0.25, 0.5, 0.5), "move_to"),
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
        await controller.orders.auxiliary("tt:Washer|On")
    assert head.names() == []


async def test_centre_without_fov_space(head: FakeHead, controller: HeadController, clock: ManualClock) -> None:
    """Where the FOV space is missing, click to centre is computed and sent as an absolute move."""
    head.abilities = replace(FULL, fov_relative=False)
    await answer(clock, controller.orders.move_in_view(1.0, 0.0))
    _, position = [request for request in head.requests if request[0] == "move_to"][-1]
    assert isinstance(position, Position)
    assert position.pan == pytest.approx(30.0 / 180.0, abs=0.03)


@pytest.mark.parametrize(("right", "up"), [(1.2, 0.0), (0.0, float("nan"))])
async def test_click_outside(controller: HeadController, right: float, up: float) -> None:
    """A point outside the picture is refused."""
    with pytest.raises(AimError, match="outside"):
        await controller.orders.move_in_view(right, up)


async def test_box_outside(controller: HeadController) -> None:
    """A box outside the picture is refused."""
    with pytest.raises(AimError, match="outside"):
        await controller.orders.zoom_box(0.0, 0.0, 1.5, 0.5)


async def test_answers_after_the_asker_left(controller: HeadController, head: FakeHead, clock: ManualClock) -> None:
    """Whoever gives up waiting while the request is under way disturbs nothing, whether it works or fails."""
    head.delay_s = 0.2
    for unreachable in (False, True):
        head.unreachable = unreachable
        ask = asyncio.ensure_future(controller.orders.presets())
        await settle()
        ask.cancel()
        await clock.turn(1.0)
    head.unreachable = False
    assert (await answer(clock, controller.orders.presets()))[0].name == "Gate"
