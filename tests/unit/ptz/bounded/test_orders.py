"""What may be ordered of a head that has limits and no-look zones."""

from dataclasses import replace

import pytest

from kernel.head import Position
from ptz import HeadController, Priority
from ptz.bounds import Bounds, Limits
from ptz.errors import AimError, OutOfBoundsError
from tests.fakes.clock import ManualClock
from tests.fakes.heavy_head import HeavyHead
from tests.unit.ptz.bounded.stick import FLATS, FOR_ALL, GUEST, ROOM, pan_deg
from tests.unit.ptz.stick import answer


@pytest.mark.parametrize("hand", [GUEST, ROOM])
async def test_a_preset_in_a_zone_is_refused(
    controller: HeadController, head: HeavyHead, clock: ManualClock, hand: Priority
) -> None:
    """Nothing is sent, and the zone is named; whom the zone does not bind goes there."""
    if hand is ROOM:
        await answer(clock, controller.orders.recall("flats"))
        return
    with pytest.raises(OutOfBoundsError, match="no-look zone flats, east side") as refused:
        await answer(clock, controller.orders.recall("flats", hand))
    assert refused.value.code == "steering.out-of-bounds"
    assert refused.value.facts == {"kind": "zone", "bound": "flats, east side"}
    assert "recall" not in head.names()


async def test_the_way_through_a_zone_is_refused_to_a_guest(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A preset beyond a zone is not recalled across it: a stop on the way would look into it."""
    with pytest.raises(OutOfBoundsError, match="leads through"):
        await answer(clock, controller.orders.recall("beyond", GUEST))
    assert "recall" not in head.names()
    await answer(clock, controller.orders.recall("near", GUEST))
    assert head.names()[-1] == "recall"


async def test_the_room_passes_a_zone_to_a_preset_and_does_not_rest_in_it(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """For the room only where the preset looks counts; stopped in a zone for everybody, the head is brought back."""
    controller.keep_within(FOR_ALL)
    await answer(clock, controller.orders.recall("beyond"))
    while pan_deg(head) < 50.0:
        await clock.turn(0.05)
    controller.stop()
    await clock.turn(6.0)
    assert pan_deg(head) < 38.0


@pytest.mark.parametrize("token", ["secret", "missing"])
async def test_a_preset_of_an_unknown_position(
    controller: HeadController, head: HeavyHead, clock: ManualClock, token: str
) -> None:
    """Where nobody knows where a preset looks, only those whom no bound binds recall it."""
    with pytest.raises(OutOfBoundsError, match="does not tell"):
        await answer(clock, controller.orders.recall(token, GUEST))
    assert "recall" not in head.names()


async def test_home_and_patrols(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """A guest is refused home and commands that may turn the head; the wiper is theirs."""
    with pytest.raises(OutOfBoundsError, match="home"):
        await answer(clock, controller.orders.home(GUEST))
    with pytest.raises(OutOfBoundsError, match="may move"):
        await answer(clock, controller.orders.auxiliary("Patrol|1", GUEST))
    assert head.names() == []
    await answer(clock, controller.orders.auxiliary("tt:Wiper|On", GUEST))
    await answer(clock, controller.orders.auxiliary("Patrol|1"))
    await answer(clock, controller.orders.home())
    assert head.names() == ["auxiliary", "auxiliary", "go_home"]


@pytest.mark.parametrize("relative", [True, False])
async def test_a_click_into_a_zone_is_refused(
    controller: HeadController, head: HeavyHead, clock: ManualClock, *, relative: bool
) -> None:
    """Click to centre is judged by where it leads, whatever the head is asked for it."""
    head.abilities = replace(head.abilities, fov_relative=relative)
    head.put(Position(20 / 180, 0.6, 0.0))
    controller.keep_within(Bounds(zones=(replace(FLATS, pan_from_deg=51.0),)))
    with pytest.raises(OutOfBoundsError, match="flats"):
        await answer(clock, controller.orders.move_in_view(0.9, 0.0, GUEST))
    assert head.names() == []
    await answer(clock, controller.orders.move_in_view(-0.5, 0.0, GUEST))
    assert head.names() == ["move_in_view" if relative else "move_to"]


async def test_a_box_and_a_position_in_a_zone_are_refused(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """So are a dragged box that zooms beyond the limit, and a position."""
    controller.keep_within(Bounds(limits=(Limits(narrowest_deg=4.5, right_deg=60.0, left_deg=-60.0),)))
    with pytest.raises(OutOfBoundsError, match="zoom limit"):
        await answer(clock, controller.orders.zoom_box(0.4, 0.4, 0.5, 0.5))
    with pytest.raises(OutOfBoundsError, match="pan limit"):
        await answer(clock, controller.orders.move_to(Position(0.5, 0.6, 0.0)))
    assert head.names() == []
    await answer(clock, controller.orders.move_to(Position(0.1, 0.6, 0.0)))
    assert head.names() == ["move_to"]


async def test_a_lens_that_is_not_known_cannot_be_aimed(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """Where the lens is unknown a click cannot be judged, and is refused to whom a bound binds."""
    head.abilities = replace(head.abilities, hfov_deg=None, fov_relative=True)
    with pytest.raises(AimError):
        await answer(clock, controller.orders.move_in_view(0.1, 0.0, GUEST))
    assert head.names() == []
