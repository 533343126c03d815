"""Bounds kept by a camera host over ONVIF, on a simulated head with weight and a true lens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from drivers.simulator.device import HeadModel
from gateway.fleet import wishes
from gateway.fleet.hosts import HostError
from kernel.clock import SystemClock
from ptz import Priority
from ptz.bounds import Aim, Binds, Bounds, Reach, Zone
from tests.fakes.onecamera import one_camera
from tests.fakes.waiting import until
from tests.integration.test_worker_host import Site, site_of

CLOCK = SystemClock()
FLATS = "Flats, east side"


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a host that owns no camera yet."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        yield site


def looking_at(head: HeadModel) -> Reach:
    """Return where the head truly looks."""
    aim = head.aim()
    here = Aim(aim.pan_deg, aim.tilt_deg, aim.hfov_deg)
    return Reach.between(here, here)


@asynccontextmanager
async def watched(head: HeadModel, zone: Zone) -> AsyncIterator[list[Reach]]:
    """Look at a head all the time, and give the looks in which it showed something of the zone."""
    seen: list[Reach] = []

    async def watch() -> None:
        while True:
            if zone.met_by(looking_at(head), 0.0):
                seen.append(looking_at(head))
            await CLOCK.sleep(0.01)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def bound(site: Site) -> tuple[HeadModel, Zone]:
    """Assign the camera with a zone for guests some way to the right of what it shows."""
    await site.client.assign(site.assignment(recording=False))
    await until(lambda: site.state(lambda s: s.head and s.head.pan_deg is not None), what="the head's position")
    head = site.device.head
    assert head is not None
    aim = head.aim()
    start = aim.pan_deg + aim.hfov_deg / 2.0 + 25.0
    zone = Zone("1", FLATS, start, start + 60.0, -90.0, 90.0, Binds.GUESTS)
    actor = site.host.camera(site.id)
    await site.client.assign(site.assignment(recording=False).model_copy(update={"bounds": Bounds(zones=(zone,))}))
    assert site.host.camera(site.id) is actor, "bounds do not disturb the streams"
    return head, zone


async def steer(site: Site, wish: wishes.AnyWish, hand: Priority) -> None:
    """Wish something with the stick."""
    await site.client.steer(site.id, wishes.SteerWish(holder=hand.name, wish=wish, priority=hand))


async def take(site: Site, hand: Priority) -> None:
    """Take the stick."""
    await site.client.stick(site.id, wishes.StickWish(holder=hand.name, name=hand.name, priority=hand))


async def hold_right(site: Site, hand: Priority, ended: Callable[[], object]) -> None:
    """Keep the stick to the right until something is so."""

    async def holding() -> None:
        while True:
            await steer(site, wishes.Move(pan=1.0), hand)
            await CLOCK.sleep(0.1)

    held = asyncio.create_task(holding())
    try:
        await until(ended, what="the head")
    finally:
        held.cancel()
        await asyncio.wait([held])


async def test_a_guest_is_kept_out_of_a_zone_and_the_room_is_not(site: Site) -> None:
    """A guest's head stands before the zone and says why, its presets are judged; the room turns on into it."""
    head, zone = await bound(site)
    await take(site, Priority.GUEST)
    async with watched(head, zone) as seen:
        await hold_right(site, Priority.GUEST, lambda: site.state(lambda s: s.head and s.head.bar is not None))
        await until(lambda: not head.aim().moving, what="the head to stand")
        state = site.state()
        assert state is not None
        assert state.head is not None
        assert state.head.bar is not None
        assert state.head.bar.name == FLATS
    assert seen == []
    await take(site, Priority.ROOM)
    await hold_right(site, Priority.ROOM, lambda: zone.met_by(looking_at(head), 0.0))
    await steer(site, wishes.Stop(), Priority.ROOM)
    stored = await site.client.store_preset(site.id, "Window")
    await site.client.drop_stick(site.id, Priority.ROOM.name)
    await take(site, Priority.GUEST)
    with pytest.raises(HostError, match=FLATS) as error:
        await steer(site, wishes.RecallPreset(token=stored.token), Priority.GUEST)
    assert (error.value.code, error.value.status) == ("steering.out-of-bounds", 409)
    with pytest.raises(HostError, match="home"):
        await steer(site, wishes.GoHome(), Priority.GUEST)
