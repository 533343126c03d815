"""Bounds, hands, and a hand on a stick."""

from dataclasses import replace

from kernel.head import Velocity
from ptz import HeadController, Priority
from ptz.bounds import Binds, Bounds, Zone
from tests.fakes.clock import ManualClock
from tests.fakes.heavy_head import HeavyHead

GUEST, ROOM = Priority.GUEST, Priority.ROOM
FLATS = Zone("1", "flats, east side", 40.0, 80.0, -90.0, 90.0, binds=Binds.GUESTS)
FOR_GUESTS = Bounds(zones=(FLATS,))
FOR_ALL = Bounds(zones=(replace(FLATS, binds=Binds.EVERYBODY),))
RIGHT, LEFT = Velocity(pan=1.0), Velocity(pan=-1.0)
TELE = 0.9
"""A zoom at which the picture is some 5 degrees wide."""


async def hold(
    controller: HeadController, clock: ManualClock, wish: Velocity, seconds: float, *, hand: Priority = GUEST
) -> None:
    """Keep the stick there."""
    for _ in range(round(seconds * 10)):
        controller.wish(wish, hand)
        await clock.turn(0.1)


def pan_deg(head: HeavyHead) -> float:
    """Return where it looks."""
    return head.now().pan * 180.0
