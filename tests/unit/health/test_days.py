"""Each camera's days, kept for longer than its recordings."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.db.camera_days import CameraDay
from gateway.db.devices import Devices
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.past_cameras import PastCameraRow, PastCameras
from gateway.fleet.footage import GapSpan, RunSpan
from gateway.health.days import GRACE_NS, KEPT_DAYS, Days, Enrolled, Told, day_of, removed
from gateway.health.need import DAY_NS
from gateway.health.urgency import Signs
from kernel.clock import NS_PER_S
from kernel.media import GapCause, VideoCodec
from tests.fakes.clock import ManualClock
from tests.unit.health.test_ward import CAMERA, DEVICE, ONE

REACH = 5
HOUR_NS = 3600 * NS_PER_S


class Hosts:
    """Camera hosts that recorded everything but the first hour of each day, which the network lost."""

    def __init__(self) -> None:
        self.away = False
        self.whole = True
        """All of their disks answer; else there is nothing of the second half of each day, by no host's fault."""
        self.from_ns = 0
        """What is older has been deleted."""
        self.asked: list[tuple[int, int]] = []

    async def told(self, _: Enrolled, start_ns: int, end_ns: int) -> Told | None:
        """Satisfies ``Ask``."""
        self.asked.append((start_ns, end_ns))
        if self.away:
            return None
        spans, gaps = [], []
        for day in range(day_of(max(start_ns, self.from_ns)), day_of(end_ns - 1) + 1):
            begun_ns = day * DAY_NS
            gaps.append(GapSpan(start_ns=begun_ns, end_ns=begun_ns + HOUR_NS, cause=GapCause.NETWORK))
            spans.append(
                RunSpan(
                    start_ns=begun_ns + HOUR_NS, end_ns=begun_ns + DAY_NS, codec=VideoCodec.H264, width=640, height=360
                )
            )
        if not self.whole:
            halves = [(one.start_ns - HOUR_NS + DAY_NS // 2, one.end_ns) for one in spans]
            spans = [one.model_copy(update={"end_ns": half}) for one, (half, _) in zip(spans, halves, strict=True)]
            gaps += [GapSpan(start_ns=half, end_ns=end, cause=GapCause.STORAGE) for half, end in halves]
        return Told(spans, gaps, whole=self.whole)


class Room:
    """The days of one camera, enrolled long ago."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.hosts = Hosts()
        self.clock = clock
        self.database = database
        self.days = self.anew()
        self.today = day_of(clock.wall_ns())
        self.camera = Enrolled(ONE, 0, 0)

    def anew(self) -> Days:
        """Return those of a gateway that was started again."""
        return Days(self.database, self.hosts.told, reach=REACH, clock=self.clock)

    async def turn(self) -> None:
        """Have it done what is due."""
        await self.days.turn([self.camera])

    async def known(self) -> list[CameraDay]:
        """Return all that is kept."""
        return list((await self.days.within(None, 0, self.today + 100)).get(ONE, ()))

    async def settled(self) -> list[int]:
        """Return the days that are, counted from today."""
        return [one.day - self.today for one in await self.known() if one.figures is not None]

    def leap_to(self, day: int, after_ns: int = GRACE_NS) -> None:
        """Go to so long after a day's beginning, counted from today."""
        at_ns = (self.today + day) * DAY_NS + after_ns
        self.clock.pass_by((at_ns - self.clock.wall_ns()) / NS_PER_S)


@pytest_asyncio.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Return the room, an hour after midnight."""
    clock = ManualClock()
    async with open_database(sqlite_url(tmp_path / "db")) as database:
        async with database.write() as connection:
            await Devices(connection).add_device(DEVICE)
            await Devices(connection).add_camera(CAMERA)
        room = Room(database, clock)
        room.leap_to(1, HOUR_NS)
        room.today += 1
        yield room


async def test_a_day_is_settled_once_it_is_over(room: Room) -> None:
    """A while after its end, once; as far back as there are recordings, in one question."""
    await room.turn()
    assert await room.settled() == [-5, -4, -3, -2, -1]
    assert len(room.hosts.asked) == 1
    room.leap_to(1, GRACE_NS - 1)
    await room.turn()
    assert len(room.hosts.asked) == 1
    room.leap_to(1)
    await room.turn()
    assert room.hosts.asked[1:] == [(room.today * DAY_NS, (room.today + 1) * DAY_NS)]
    (*_, last) = await room.known()
    assert last.figures is not None
    assert (last.figures.recorded_ns, last.figures.lost_network_ns, last.figures.unknown_ns) == (
        23 * HOUR_NS,
        HOUR_NS,
        0,
    )


async def test_a_wall_clock_that_leaps_settles_and_forgets_nothing(room: Room) -> None:
    """Days that are to come would be settled as lost for ever, and all before them forgotten."""
    await room.turn()
    for days in (30, KEPT_DAYS + 30):
        room.clock.jump_wall(days * 86_400)
        await room.turn()
        room.clock.jump_wall(-days * 86_400)
    assert await room.settled() == [-5, -4, -3, -2, -1]


async def test_what_was_missed_is_caught_up_with(room: Room) -> None:
    """After a stop, and when a host answers again."""
    await room.turn()
    room.leap_to(3)
    room.days, room.hosts.away = room.anew(), True
    await room.turn()
    assert await room.settled() == [-5, -4, -3, -2, -1]
    room.hosts.away = False
    await room.turn()
    assert await room.settled() == [-5, -4, -3, -2, -1, 0, 1, 2]


async def test_a_day_is_not_settled_while_a_disk_does_not_answer(room: Room) -> None:
    """It would stay wrong for ever; what lies on that disk is not known, and the camera is named until it is."""
    room.hosts.whole = False
    await room.turn()
    assert await room.settled() == []
    found = await room.days.of_range(room.camera, (), (room.today - 1) * DAY_NS, room.today * DAY_NS)
    assert (found.whole, found.known) == (False, True)
    assert (found.figures.share, found.figures.unknown_ns) == (11 / 12, 12 * HOUR_NS)
    room.hosts.whole = True
    await room.turn()
    assert await room.settled() == [-5, -4, -3, -2, -1]
    found = await room.days.of_range(room.camera, await room.known(), (room.today - 1) * DAY_NS, room.today * DAY_NS)
    assert (found.whole, found.figures.share) == (True, 23 / 24)


async def test_a_month_outlives_its_recordings(room: Room) -> None:
    """What was settled is told as it was then, and nobody is asked, when all that was recorded is gone."""
    await room.turn()
    room.leap_to(40)
    room.hosts.from_ns, room.hosts.asked = room.clock.wall_ns(), []
    stored = await room.known()
    start_ns, end_ns = (room.today - REACH) * DAY_NS, room.today * DAY_NS
    found = await room.days.of_range(room.camera, stored, start_ns, end_ns)
    assert (found.whole, found.figures.share, found.figures.unknown_ns) == (True, 23 / 24, 0)
    assert found.figures.lost_ns == {GapCause.NETWORK: REACH * HOUR_NS}
    assert room.hosts.asked == []


async def test_what_is_not_settled_is_asked_for(room: Room) -> None:
    """Today, until now; with a host that does not answer it counts as unknown, and the rest is told all the same."""
    await room.turn()
    room.hosts.asked = []
    stored, now_ns = await room.known(), room.today * DAY_NS + 2 * HOUR_NS
    found = await room.days.of_range(room.camera, stored, (room.today - 1) * DAY_NS, now_ns)
    assert room.hosts.asked == [(room.today * DAY_NS, now_ns)]
    assert (found.figures.recorded_ns, found.figures.lost_ns) == (24 * HOUR_NS, {GapCause.NETWORK: 2 * HOUR_NS})
    room.hosts.away = True
    found = await room.days.of_range(room.camera, stored, (room.today - 1) * DAY_NS, now_ns)
    assert (found.whole, found.known, found.figures.unknown_ns) == (False, True, 2 * HOUR_NS)
    found = await room.days.of_range(room.camera, (), (room.today - 1) * DAY_NS, now_ns)
    assert (found.whole, found.known) == (False, False)


async def test_nothing_is_asked_of_a_camera_before_it_was_enrolled(room: Room) -> None:
    """Its first day begins with it."""
    since_ns = (room.today - 1) * DAY_NS + 12 * HOUR_NS
    room.camera = Enrolled(ONE, since_ns, 0)
    await room.turn()
    assert room.hosts.asked == [(since_ns, room.today * DAY_NS)]
    (one,) = await room.known()
    assert one.figures is not None
    assert one.figures.recorded_ns == 12 * HOUR_NS


async def test_the_furthest_that_a_clock_was_off_is_kept_with_its_day(room: Room) -> None:
    """Whichever way, also over a restart; another day begins anew."""
    for offset_s in (0.5, -3.0, 1.0, None):
        room.days.seen([Signs(camera=ONE, clock_offset_s=offset_s)])
    await room.turn()
    room.days = room.anew()
    room.days.seen([Signs(camera=ONE, clock_offset_s=2.0)])
    await room.turn()
    room.leap_to(1)
    room.days.seen([Signs(camera=ONE, clock_offset_s=0.25)])
    await room.turn()
    offsets = [(one.day - room.today, one.clock_offset_s) for one in await room.known()]
    assert offsets[-2:] == [(0, -3.0), (1, 0.25)]


async def test_the_days_of_a_camera_outlive_it(room: Room) -> None:
    """Those that were settled stay; the last one ends with its removal, and is settled as the others are."""
    await room.turn()
    removed_ns = room.today * DAY_NS + 3 * HOUR_NS
    row = PastCameraRow(
        camera_id=ONE,
        number=7,
        name="Gone",
        camera_group="",
        latitude_deg=None,
        longitude_deg=None,
        height_m=None,
        host=0,
        enrolled_ns=0,
        removed_ns=removed_ns,
    )
    async with room.database.write() as connection:
        await Devices(connection).remove_camera(ONE)
        await PastCameras(connection).add(row)
    room.leap_to(2)
    room.hosts.asked = []
    await room.days.turn([])
    assert room.hosts.asked == [(room.today * DAY_NS, removed_ns)]
    assert await room.settled() == [-5, -4, -3, -2, -1, 0]
    month = (room.today - 1) * DAY_NS, (room.today + 2) * DAY_NS
    found = await room.days.of_range(removed(row), await room.known(), *month)
    assert (found.whole, found.figures.recorded_ns, found.figures.unknown_ns) == (True, 25 * HOUR_NS, 0)
    assert found.figures.lost_ns == {GapCause.NETWORK: 2 * HOUR_NS}
    room.leap_to(KEPT_DAYS + 2)
    await room.days.turn([])
    assert (await room.known(), await room.days.past(0)) == ([], [])


async def test_days_are_forgotten_after_thirteen_months(room: Room) -> None:
    """Nobody can ask for them any more."""
    await room.turn()
    room.leap_to(KEPT_DAYS - 2)
    await room.days.turn([])
    assert await room.settled() == [-2, -1]
