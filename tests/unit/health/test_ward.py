"""What needs a person, kept: since when, and what of it was put off."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.db.devices import CameraRow, DeviceRow, Devices
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.units import UnitRow, UnitRows
from gateway.health.errors import NoSuchNeedError, PutOffError
from gateway.health.need import Kind, Urgency, Whose
from gateway.health.urgency import Round, Signs, UnitSigns
from gateway.health.ward import LOOK_S, OVER_NS, PUT_OFF_MOST_NS, Ward
from gateway.health.watch import Finding
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import PictureFault
from tests.fakes.clock import ManualClock

ONE = CameraId("c1")
WELL = Signs(camera=ONE, live=True)
OFF = replace(WELL, clock_offset_s=9.0, clock_off_s=0.1)
HOUR_NS = 3600 * NS_PER_S
UNIT, CAMERAS = Whose(unit="D017"), Whose(camera=ONE)
DEVICE = DeviceRow(
    id="d1",
    urn="urn:uuid:1",
    address="",
    username="",
    password_sealed=b"",
    connection="{}",
    description="{}",
    measured_ns=0,
)
CAMERA = CameraRow(
    id=ONE,
    device_id="d1",
    source_token="v",
    number=1,
    name="One",
    street="",
    camera_group="",
    latitude_deg=None,
    longitude_deg=None,
    height_m=None,
    bearing_deg=None,
    hfov_deg=None,
    recording=True,
    host=0,
    enrolled_ns=0,
)


class Room:
    """A ward over one camera, of which ``signs`` is known."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.signs = OFF
        self.units: tuple[UnitSigns, ...] = ()
        self.clock = clock
        self.database = database
        self.ward = self.anew()

    def anew(self) -> Ward:
        """Return the ward of a gateway that was started again."""

        async def given() -> Round:
            return Round(cameras=[self.signs], units=self.units)

        return Ward(given, self.database, clock=self.clock)

    async def put_off(self, kind: Kind = Kind.CLOCK, *, hours: float | None = 4.0, whose: Whose = CAMERAS) -> None:
        """Put a need off."""
        until_ns = self.clock.wall_ns() + round(hours * HOUR_NS) if hours is not None else None
        await self.ward.put_off(whose, kind, until_ns=until_ns, reason="A van is ordered.", by_name="mary")

    def waits(self) -> bool:
        """Return whether its only need was put off."""
        (need,) = self.ward.needs
        return self.ward.put_off_of(need) is not None


@pytest_asyncio.fixture
async def room(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Room]:
    """Give a ward that has looked once at a camera whose clock is off."""
    async with open_database(sqlite_url(tmp_path / "gateway.db")) as database:
        async with database.write() as connection:
            await Devices(connection).add_device(DEVICE)
            await Devices(connection).add_camera(CAMERA)
            await UnitRows(connection).add(UnitRow(label="D017", enrolled_ns=0))
        room = Room(database, clock)
        await room.ward.look()
        yield room


async def test_what_does_not_say_since_when_is_known_since_it_was_seen(room: Room) -> None:
    """And begins anew after it was well."""
    ward, clock = room.ward, room.clock
    first_ns = clock.wall_ns()
    await clock.turn(LOOK_S)
    await ward.look()
    assert [one.since_ns for one in ward.needs] == [first_ns]
    room.signs = WELL
    await ward.look()
    assert (ward.needs, ward.looked_ns) == ((), clock.wall_ns())
    room.signs = OFF
    await ward.look()
    assert [one.since_ns for one in ward.needs] == [clock.wall_ns()]


async def test_what_was_put_off_says_who_until_when_and_why(room: Room) -> None:
    """It is told of all the same."""
    await room.put_off()
    await room.ward.look()
    (need,) = room.ward.needs
    said = room.ward.put_off_of(need)
    assert said is not None
    until_ns = room.clock.wall_ns() + 4 * HOUR_NS
    assert (said.by_name, said.reason, said.until_ns) == ("mary", "A van is ordered.", until_ns)


async def test_what_was_put_off_comes_up_at_its_time(room: Room) -> None:
    """Not before."""
    await room.put_off(hours=4.0)
    await room.clock.turn(3.9 * 3600)
    await room.ward.look()
    before = room.waits()
    await room.clock.turn(0.2 * 3600)
    await room.ward.look()
    assert (before, room.waits()) == (True, False)


async def test_what_was_put_off_without_end_waits_while_it_lasts(room: Room) -> None:
    """Also for a month."""
    await room.put_off(hours=None)
    await room.clock.turn(31 * 86_400)
    await room.ward.look()
    assert room.waits()


async def test_it_is_remembered_over_a_restart(room: Room) -> None:
    """Who put it off did not do so for this process."""
    await room.put_off()
    room.ward = room.anew()
    await room.ward.look()
    assert room.waits()


async def test_what_becomes_more_urgent_comes_up_again(room: Room) -> None:
    """A battery that lasts two days was put off; now it lasts three hours."""
    unit = UnitSigns(label="D017", missed=False, battery_h=50.0)
    room.signs, room.units = WELL, (unit,)
    await room.ward.look()
    await room.put_off(Kind.BATTERY, whose=UNIT)
    room.units = (replace(unit, battery_h=49.0),)
    await room.ward.look()
    before = room.waits()
    room.units = (replace(unit, battery_h=3.0),)
    await room.ward.look()
    assert (before, room.waits(), room.ward.needs[0].urgency) == (True, False, Urgency.NOW)


async def test_another_fault_of_the_picture_is_another_need(room: Room) -> None:
    """Whoever put off that it is frozen has not seen that it is blurred."""
    room.signs = replace(WELL, picture=Finding(PictureFault.FROZEN, 1))
    await room.ward.look()
    await room.put_off(Kind.PICTURE)
    room.signs = replace(WELL, picture=Finding(PictureFault.BLURRED, 1))
    await room.ward.look()
    assert not room.waits()


@pytest.mark.parametrize(("over_ns", "waits"), [(OVER_NS - NS_PER_S, True), (OVER_NS, False)])
async def test_what_comes_and_goes_stays_put_off(room: Room, over_ns: int, waits: bool) -> None:  # noqa: FBT001 - a case
    """What was over for a quarter of an hour and comes anew is another trouble."""
    await room.put_off(hours=None)
    room.signs = WELL
    await room.ward.look()
    await room.clock.turn(over_ns / NS_PER_S)
    await room.ward.look()
    room.signs = OFF
    await room.ward.look()
    assert room.waits() is waits


async def test_what_is_taken_up_waits_no_more(room: Room) -> None:
    """Nor after a restart; taken up twice, it says that it was."""
    await room.put_off()
    await room.ward.take_up(CAMERAS, Kind.CLOCK)
    room.ward = room.anew()
    await room.ward.look()
    assert not room.waits()
    with pytest.raises(NoSuchNeedError):
        await room.ward.take_up(CAMERAS, Kind.CLOCK)


async def test_what_a_unit_without_a_camera_needs_is_put_off_over_a_restart(room: Room) -> None:
    """It is the unit's own: the camera's of the same kind is not put off with it."""
    ends_ns = room.clock.wall_ns() + HOUR_NS
    room.signs = replace(WELL, certificate_ends_ns=ends_ns)
    room.units = (UnitSigns(label="D017", missed=False, certificate_ends_ns=ends_ns),)
    await room.ward.look()
    await room.put_off(Kind.CERTIFICATE, whose=UNIT)
    room.ward = room.anew()
    await room.ward.look()
    assert {one.whose: room.ward.put_off_of(one) is not None for one in room.ward.needs} == {
        UNIT: True,
        CAMERAS: False,
    }
    await room.ward.take_up(UNIT, Kind.CERTIFICATE)
    assert [room.ward.put_off_of(one) for one in room.ward.needs] == [None, None]


async def test_what_needs_nobody_is_not_put_off(room: Room) -> None:
    """There is nothing to wait for."""
    with pytest.raises(NoSuchNeedError):
        await room.put_off(Kind.BATTERY)


@pytest.mark.parametrize("hours", [0.0, -1.0, PUT_OFF_MOST_NS / HOUR_NS + 1.0])
async def test_it_waits_for_a_month_at_most(room: Room, hours: float) -> None:
    """And not until yesterday."""
    with pytest.raises(PutOffError):
        await room.put_off(hours=hours)
