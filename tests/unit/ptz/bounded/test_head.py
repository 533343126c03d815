"""A controller whose head has limits and no-look zones."""

from dataclasses import replace

import pytest

from kernel.head import Position, Velocity
from ptz import HeadController
from ptz.bounds import Binds, Bounds, Limits
from ptz.errors import BoundsUnkeptError, OutOfBoundsError
from ptz.state import Bar, Barring
from tests.fakes.clock import ManualClock
from tests.fakes.heavy_head import HeavyHead
from tests.unit.ptz.bounded.stick import FLATS, FOR_ALL, FOR_GUESTS, GUEST, LEFT, RIGHT, ROOM, TELE, hold, pan_deg
from tests.unit.ptz.stick import answer


async def test_a_guest_is_stopped_before_the_zone(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A guest who keeps the stick to the right comes close to the zone, stands before it, and is told why."""
    await hold(controller, clock, RIGHT, 10.0)
    assert 30.0 < pan_deg(head) < 38.0
    assert controller.state.bar == Bar("zone", "flats, east side")
    assert not controller.state.moving


async def test_the_room_is_not_hindered(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """The same stick in a hand of the room's goes into it at the speed that is wished."""
    await hold(controller, clock, RIGHT, 6.0, hand=ROOM)
    assert pan_deg(head) > 40.0
    assert len({str(argument) for name, argument in head.requests if name == "move"}) == 1
    assert controller.state.bar is None


async def test_what_binds_everybody_binds_the_room(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A zone for everybody stops the room too."""
    controller.keep_within(FOR_ALL)
    await hold(controller, clock, RIGHT, 9.0, hand=ROOM)
    assert pan_deg(head) < 38.0


async def test_along_the_edge(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """An axis that is held back does not hold back the other."""
    await hold(controller, clock, RIGHT, 9.0)
    await hold(controller, clock, Velocity(pan=1.0, tilt=-0.5), 3.0)
    assert head.now().tilt < 0.55
    assert pan_deg(head) < 38.0
    assert controller.state.bar == Bar("zone", "flats, east side")


async def test_away_from_the_edge(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """Away from it the head goes as wished, and nothing is said to hold it."""
    await hold(controller, clock, RIGHT, 9.0)
    await hold(controller, clock, LEFT, 5.0)
    assert pan_deg(head) < 20.0
    assert controller.state.bar is None


async def test_only_out_of_a_zone(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """A guest who is lent a head that looks into a zone leaves it by the nearest way, and is not brought back."""
    head.put(Position(50 / 180, 0.6, TELE))
    await hold(controller, clock, RIGHT, 2.0)
    await hold(controller, clock, Velocity(tilt=1.0), 2.0)
    assert head.names() == []
    assert controller.state.bar == Bar("zone", "flats, east side")
    await hold(controller, clock, LEFT, 8.0)
    assert pan_deg(head) < 37.0


async def test_zooming_in_is_stopped_at_the_limit(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """The field of view does not become narrower than the limit."""
    controller.keep_within(Bounds(limits=(Limits(binds=Binds.GUESTS, narrowest_deg=10.0),)))
    head.put(Position(0.0, 0.6, 0.0))
    await hold(controller, clock, Velocity(zoom=1.0), 8.0)
    assert 10.0 < 60.0 * (4.0 / 60.0) ** head.now().zoom < 14.0
    assert controller.state.bar == Bar("limit", "zoom")


async def test_a_window_is_passed_wide_and_not_zoomed_into(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """Over a zone for narrow pictures a wide one turns freely; zooming in there is stopped."""
    controller.keep_within(Bounds(zones=(replace(FLATS, narrower_than_deg=15.0),)))
    head.put(Position(50 / 180, 0.6, 0.0))
    await hold(controller, clock, Velocity(zoom=1.0), 8.0)
    assert 60.0 * (4.0 / 60.0) ** head.now().zoom > 15.0
    await hold(controller, clock, RIGHT, 2.0)
    assert pan_deg(head) > 52.0


async def test_a_head_that_strays_is_brought_back(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A head that lies about its preset and comes to look into the zone is stopped, and sent where it was last."""
    head.slips = 45 / 180
    await answer(clock, controller.orders.recall("near", GUEST))
    told = []
    for _ in range(60):
        head.slips = 0.0
        await clock.turn(0.1)
        told.append(controller.state.bar)
    assert Bar("zone", "flats, east side", Barring.RETURNED) in told
    assert "stop" in head.names()
    assert head.names()[-1] == "move_to"
    assert pan_deg(head) < 38.0


async def stray(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """Have the head knocked into the zone while a guest steers it."""
    await hold(controller, clock, RIGHT, 8.0)
    head.push(15 / 180)
    await clock.turn(0.3)


async def test_a_guest_does_not_hold_up_the_way_back(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """Stops, wishes and a let-go of the guest's do not keep the head where it strayed."""
    await stray(controller, head, clock)
    for _ in range(100):
        controller.wish(RIGHT, GUEST)
        await clock.turn(0.05)
        controller.stop(GUEST)
        controller.let_go(GUEST)
        await clock.turn(0.05)
    assert pan_deg(head) < 38.0


async def test_the_room_ends_the_way_back(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """A hand of the room's that takes over has the head as it is."""
    await stray(controller, head, clock)
    while "move_to" not in head.names():
        controller.wish(RIGHT, GUEST)
        await clock.turn(0.05)
    head.requests.clear()
    controller.taken_over(ROOM)
    await clock.turn(5.0)
    assert set(head.names()) == {"stop"}


async def test_a_stop_of_the_rooms_ends_the_way_back(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """Anybody of the room stops a head on its way back."""
    await stray(controller, head, clock)
    head.speed = Velocity(0.02, 0.02, 0.02)
    while "move_to" not in head.names():
        controller.wish(LEFT, GUEST)
        await clock.turn(0.05)
    head.requests.clear()
    controller.stop()
    await clock.turn(0.3)
    assert head.names()[0] == "stop"


async def test_a_head_without_positions_to_go_to_moves_out_by_itself(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """Where no position can be asked for, a head that strayed is moved out slowly, and stops there."""
    head.abilities = replace(head.abilities, absolute=False)
    await stray(controller, head, clock)
    for _ in range(150):
        controller.heartbeat()
        await clock.turn(0.1)
    assert pan_deg(head) < 38.0
    assert head.names()[-1] == "stop"
    assert not controller.state.moving


async def test_a_way_back_that_leads_nowhere_ends(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A head that cannot be brought back is left after some seconds, and then only leads out."""
    await stray(controller, head, clock)
    head.speed = Velocity(0.0, 0.0, 0.0)
    await hold(controller, clock, RIGHT, 16.0)
    head.speed = Velocity(0.5, 0.5, 0.5)
    head.put(Position(50 / 180, 0.6, TELE))
    head.requests.clear()
    await hold(controller, clock, RIGHT, 2.0)
    assert "move" not in head.names()
    await hold(controller, clock, LEFT, 8.0)
    assert pan_deg(head) < 38.0


async def test_a_way_back_that_is_refused_is_told(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A camera that refuses the way back shows as a fault."""
    await stray(controller, head, clock)
    head.refuses_positions = True
    controller.wish(RIGHT, GUEST)
    await clock.turn(2.0)
    assert "move_to" in head.names()
    assert controller.state.fault is not None or pan_deg(head) > 40.0
    head.refuses_positions = False
    await clock.turn(4.0)
    assert pan_deg(head) < 38.0


async def test_a_head_that_hides_is_not_steered(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """Where the position is not told, a guest is refused free steering in words; the room steers."""
    head.tells_position = False
    await clock.turn(6.0)
    with pytest.raises(BoundsUnkeptError, match="does not tell where it looks"):
        controller.wish(RIGHT, GUEST)
    controller.wish(RIGHT, ROOM)
    await clock.turn(0.2)
    assert "move" in head.names()


async def test_a_hidden_heads_preset_is_gone_on_to(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A blind head goes to presets outside its zones; a guest who stops it on the way only delays it."""
    head.tells_position = False
    await clock.turn(6.0)
    with pytest.raises(OutOfBoundsError):
        await answer(clock, controller.orders.recall("flats", GUEST))
    await answer(clock, controller.orders.recall("beyond", GUEST))
    await clock.turn(0.3)
    controller.stop(GUEST)
    await clock.turn(8.0)
    assert head.names()[-1] == "recall"
    assert pan_deg(head) == pytest.approx(108.0)
    controller.stop(ROOM)
    await clock.turn(2.0)
    assert head.names()[-1] != "recall"


async def test_a_preset_gone_on_to_in_vain(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """A camera that does not answer when it is sent on is nobody's unread error."""
    head.tells_position = False
    await clock.turn(6.0)
    await answer(clock, controller.orders.recall("beyond", GUEST))
    controller.stop(GUEST)
    while "stop" not in head.names():
        await clock.turn(0.01)
    await clock.turn(0.2)
    head.unreachable = True
    await clock.turn(3.0)
    head.unreachable = False


async def test_a_head_that_is_not_seen_is_stopped(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A bound head whose looks fail is stopped though the stick is held, and does not start again unseen."""
    await hold(controller, clock, LEFT, 1.0)
    head.status_fails = True
    head.delay_s = 0.0
    await hold(controller, clock, LEFT, 1.5)
    assert "stop" in head.names()
    head.requests.clear()
    await clock.turn(2.0)
    controller.wish(LEFT, GUEST)
    await clock.turn(0.3)
    assert "move" not in head.names()


async def test_a_head_that_ignores_an_axis_is_stopped(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A head seen to run on towards a zone is stopped before it, whatever it was told."""
    await hold(controller, clock, Velocity(pan=0.1), 0.5)
    head.requests.clear()
    head.speed = Velocity(1.5, 0.5, 0.5)
    head.velocity = Velocity(pan=1.0)
    for _ in range(30):
        controller.heartbeat()
        await clock.turn(0.1)
    assert "stop" in head.names()
    assert controller.state.bar is not None


async def test_a_bound_wish_does_not_wait_for_a_head_that_hangs(
    controller: HeadController, head: HeavyHead, clock: ManualClock
) -> None:
    """A guest's wish whose first look fails is forgotten; the same bounds again disturb nothing."""
    controller.wish(LEFT, GUEST)
    controller.stop(GUEST)
    await clock.turn(2.0)
    head.status_fails = True
    controller.wish(LEFT, GUEST)
    assert controller.wished
    await clock.turn(0.2)
    assert not controller.wished
    controller.keep_within(FOR_GUESTS)
    head.status_fails = False
    await clock.turn(0.3)
    assert "move" not in head.names()


async def test_bounds_of_another_place(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """A camera that was moved is not steered by guests until its bounds are confirmed; the room steers it."""
    controller.keep_within(replace(FOR_ALL, confirmed=False))
    with pytest.raises(BoundsUnkeptError, match="moved"):
        controller.wish(LEFT, GUEST)
    with pytest.raises(BoundsUnkeptError, match="moved"):
        await answer(clock, controller.orders.recall("near", GUEST))
    await hold(controller, clock, RIGHT, 6.0, hand=ROOM)
    assert pan_deg(head) > 40.0


async def test_a_head_with_two_ends(controller: HeadController, head: HeavyHead, clock: ManualClock) -> None:
    """On a head that does not go round, the way out of a zone at its end leads inwards only."""
    head.abilities = replace(head.abilities, pan_deg=(-90.0, 90.0))
    controller.keep_within(Bounds(zones=(replace(FLATS, pan_from_deg=60.0, pan_to_deg=120.0),)))
    head.put(Position(85 / 90, 0.6, TELE))
    await hold(controller, clock, RIGHT, 1.0)
    assert head.names() == []
    await hold(controller, clock, LEFT, 8.0)
    assert head.now().pan * 90.0 < 57.0
