"""The register: who units are, the order in which they may speak, and what outlives a restart."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.db.errors import ConflictError
from gateway.units import Cause, Change, Group, Link, LinkChanged, Lost, Said, UnitChanged, Units
from gateway.units.errors import LabelError, RefusedError, RetiredUnitError, UnknownUnitError
from gateway.units.order import heard_ns
from gateway.vault import Key
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock
from tests.fakes.keys import Memory
from tests.fakes.unit_voice import SILENCE_S, VALUES, Voice, enrolled, unit_room


@pytest_asyncio.fixture
async def units(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Units]:
    """Return a room."""
    async with unit_room(tmp_path, clock) as units:
        yield units


async def refused(units: Units, *args: Any, **kwargs: Any) -> Cause:
    """Return why a report is not taken."""
    with pytest.raises(RefusedError) as caught:
        await units.register.take(*args, **kwargs)
    return caught.value.cause


@pytest.mark.parametrize("label", ["", "a/b", "a b", "+", "#", "$SYS", "sightline.gateway", "x" * 33, "D017\n", "-1"])
async def test_what_cannot_be_a_label_is_refused(units: Units, label: str) -> None:
    """A label is one level of a topic, and never our own name."""
    with pytest.raises(LabelError):
        await units.register.enrol(label)


async def test_a_label_and_a_camera_are_one_units(units: Units) -> None:
    """Neither can be enrolled twice, nor moved onto another unit."""
    await units.register.enrol("D017", urn="urn:a")
    for label, urn in (("D017", None), ("D018", "urn:a")):
        with pytest.raises(ConflictError):
            await units.register.enrol(label, urn=urn)
    await units.register.enrol("D018")
    with pytest.raises(ConflictError):
        await units.register.change("D018", urn="urn:a")
    assert units.register.unit("D018").urn is None


async def test_nobody_takes_the_camera_that_people_gave_another_unit(units: Units) -> None:
    """Whoever says its URN first is refused, and the right unit is believed after that."""
    squatter, right = await enrolled(units, "X99"), await enrolled(units, "D017")
    units.register.is_anothers = lambda label, urn: (label, urn) == ("X99", "urn:uuid:d017")
    assert await refused(units, "X99", squatter.report("address")) is Cause.WRONG_UNIT
    await units.register.take("D017", right.report("address"))
    assert units.register.unit("D017").urn == "urn:uuid:d017"
    assert units.register.unit("X99").urn is None


async def test_a_label_is_found_in_capitals_or_not_and_kept_as_it_is_printed(units: Units) -> None:
    """Whoever types it is understood; a second one that differs in capitals alone is refused."""
    await units.register.enrol("D017a")
    assert units.register.unit("d017A").label == "D017a"
    assert (await units.register.change("d017A", note="Spare.")).label == "D017a"
    with pytest.raises(ConflictError, match="already a unit D017a"):
        await units.register.enrol("D017A")
    assert [row.label for row in units.register.units()] == ["D017a"]


async def test_a_unit_speaks_under_exactly_its_label(units: Units) -> None:
    """Topics and certificates are not read by people."""
    voice = await enrolled(units, "D017")
    assert not units.register.knows("d017")
    assert await refused(units, "d017", voice.report()) is Cause.UNKNOWN_UNIT


async def test_a_unit_is_heard_after_its_device_was_removed(units: Units) -> None:
    """A device that is not there any more keeps nobody from speaking, nor from being retired."""
    async with units.register._database.write() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO devices VALUES ('d', 'urn:d', 'http://a', '', x'00', '{}', '{}', 1)"
        )
    voice = await enrolled(units, device_id="d")
    async with units.register._database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM devices")
    await units.register.take("D017", voice.report())
    await units.register.retire("D017")


async def test_when_a_unit_was_heard_is_known_to_the_second(units: Units, clock: ManualClock) -> None:
    """It is written once a minute, and what it said since is newer."""
    voice = await enrolled(units)
    await units.register.take("D017", voice.report())
    await clock.turn(42)
    await units.register.take("D017", voice.report())
    written_ns = units.register.unit("D017").heard_ns
    assert written_ns == clock.wall_ns() - 42 * NS_PER_S
    assert heard_ns(written_ns, units.register.states("D017").values()) == clock.wall_ns()
    assert heard_ns(None, ()) is None


async def test_an_unknown_unit_is_told(units: Units) -> None:
    """Whoever asks for it is told so."""
    with pytest.raises(UnknownUnitError):
        units.register.states("D999")


async def test_a_number_that_was_heard_is_a_replay(units: Units) -> None:
    """The same or an earlier number of its kind, in the same boot."""
    voice = await enrolled(units)
    first, second = voice.report(), voice.report()
    await units.register.take("D017", second)
    assert await refused(units, "D017", second) is Cause.REPLAYED
    assert await refused(units, "D017", first) is Cause.REPLAYED


async def test_a_number_that_comes_late_is_out_of_order(units: Units) -> None:
    """What was not heard of its kind, after a higher number of another kind."""
    voice = await enrolled(units)
    late = voice.report("tilt")
    await units.register.take("D017", voice.report())
    assert await refused(units, "D017", late) is Cause.OUT_OF_ORDER


async def test_a_new_boot_begins_anew_and_the_old_one_does_not_come_back(units: Units) -> None:
    """Numbers start again with a boot; what was recorded of an earlier boot is a replay."""
    voice = await enrolled(units)
    await units.register.take("D017", voice.report())
    kept = voice.report("tilt")
    after = Voice("D017", boot="boot-2")
    await units.register.take("D017", after.report())
    assert await refused(units, "D017", kept) is Cause.REPLAYED
    assert units.register.states("D017")["state/battery"].boot == "boot-2"


async def test_order_outlives_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    """A replay is one after a restart too, of this boot and of one before it; so are states and units."""
    keys = Memory(Key.new())
    async with unit_room(tmp_path, clock, keys=keys) as units:
        old = await enrolled(units, note="spare")
        await units.register.take("D017", old.report())
        earlier = old.report()
        voice = Voice("D017", boot="boot-2")
        late, heard = voice.report("tilt"), voice.report("battery", percent=12, volts=11, charging=True)
        await units.register.take("D017", heard)
    async with unit_room(tmp_path, clock, keys=keys) as units:
        assert units.register.unit("D017").note == "spare"
        assert units.register.states("D017")["state/battery"].values["percent"] == 12
        assert await refused(units, "D017", heard) is Cause.REPLAYED
        assert await refused(units, "D017", earlier) is Cause.REPLAYED
        assert await refused(units, "D017", late) is Cause.OUT_OF_ORDER
        await units.register.take("D017", voice.report())


async def test_what_the_broker_had_kept_comes_in_any_order(units: Units) -> None:
    """Retained states of one boot and of an earlier one are taken, each once; they do not move the boot."""
    voice = await enrolled(units)
    early = Voice("D017", boot="boot-0").report("firmware", stored=True)
    first, second = voice.report("battery", stored=True), voice.report("tilt", stored=True)
    for report in (second, first, early):
        await units.register.take("D017", report)
    assert len(units.register.states("D017")) == 3
    assert units.register.unit("D017").firmware == "2.1.0"
    assert await refused(units, "D017", first) is Cause.REPLAYED


async def test_many_are_taken_at_once_and_the_wrong_ones_left_out(units: Units) -> None:
    """Each is judged by what came before it in the same breath."""
    voice = await enrolled(units)
    one, two = voice.report(), voice.report()
    outcomes = await units.register.take_all([("D017", one), ("D017", two), ("D017", one), ("D999", one)])
    assert [None if error is None else error.cause for error in outcomes] == [
        None,
        None,
        Cause.REPLAYED,
        Cause.UNKNOWN_UNIT,
    ]
    assert units.register.states("D017")["state/battery"].seq == two.seq


async def test_what_the_database_does_not_take_was_not_heard(units: Units) -> None:
    """A report whose transaction fails is taken when it is given again: it is no replay of itself."""
    voice = await enrolled(units)
    report = voice.report()
    database = units.register._database
    async with database.write() as connection:
        await connection.execute(text("ALTER TABLE unit_states RENAME TO away"))
    with pytest.raises(Exception, match="unit_states"):
        await units.register.take("D017", report)
    assert units.register.states("D017") == {}
    async with database.write() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO unit_states"))
    await units.register.take("D017", report)
    assert units.register.states("D017")["state/battery"].values == VALUES["battery"]


async def test_a_retired_unit_says_nothing_more(units: Units) -> None:
    """It is revoked with it, what it said stays, and nothing is issued to it."""
    voice = await enrolled(units)
    await units.register.take("D017", voice.report())
    await units.register.retire("D017")
    assert await refused(units, "D017", voice.report()) is Cause.REVOKED
    assert not units.credentials.good("D017")
    assert units.register.link("D017") is Link.RETIRED
    assert "state/battery" in units.register.states("D017")
    with pytest.raises(RetiredUnitError):
        units.register.check_in_use("D017")


async def test_what_a_retired_unit_carried_is_another_units(units: Units) -> None:
    """Its camera's URN is given, or said, under another label; what was inside of the retired one can be read still."""
    for number, label in enumerate(("D017", "D018")):
        voice = await enrolled(units, label)
        await units.register.take(label, voice.report("address", **{**VALUES["address"], "urn": f"urn:{number}"}))
        row = await units.register.retire(label)
        assert (row.urn, row.device_id, row.serial) == (None, None, "SN-17")
        again = await enrolled(units, label.replace("D0", "D1"), urn=f"urn:{number}" if number else None)
        await units.register.take(again.label, again.report("address", **{**VALUES["address"], "urn": f"urn:{number}"}))
        assert units.register.by_urn(f"urn:{number}") == units.register.unit(again.label)


async def test_a_unit_comes_falls_silent_and_goes(units: Units, clock: ManualClock) -> None:
    """Listeners are told each turn once: birth, silence, speech again, last will."""
    told: list[Change] = []
    voice = await enrolled(units)
    leave = units.register.listen(told.append)
    assert units.register.link("D017") is Link.NEVER
    await units.register.take("D017", voice.report(group=Group.ONLINE))
    await clock.turn(SILENCE_S + 10)
    await units.register.take("D017", voice.report())
    await units.register.take("D017", Lost())
    await units.register.take("D017", Lost())
    leave()
    await units.register.retire("D017")
    assert [change.link for change in told if isinstance(change, LinkChanged)] == [
        Link.ONLINE,
        Link.SILENT,
        Link.ONLINE,
        Link.GONE,
    ]
    said = [change for change in told if isinstance(change, Said)]
    assert [(change.now.name, change.before) for change in said] == [("online", None), ("state/battery", None)]


async def test_a_unit_that_was_seen_out_is_gone(units: Units) -> None:
    """The broker tells its will after its certificate was revoked: it is believed, and is no intruder's word."""
    voice = await enrolled(units)
    await units.register.take("D017", voice.report(group=Group.ONLINE))
    await units.credentials.revoke("D017")
    told: list[Change] = []
    units.register.listen(told.append)
    await units.register.take("D017", Lost())
    assert told == [LinkChanged("D017", Link.GONE)]
    assert await refused(units, "D017", voice.report(group=Group.ONLINE)) is Cause.REVOKED


async def test_enrolling_and_changing_are_told(units: Units) -> None:
    """Who shows units hears of new and of changed ones."""
    told: list[Change] = []
    units.register.listen(told.append)
    await units.register.enrol("D017")
    await units.register.change("D017", note="lent to Thames")
    assert told == [UnitChanged("D017"), UnitChanged("D017")]


async def test_silence_is_counted_from_our_own_start(tmp_path: Path, clock: ManualClock) -> None:
    """A unit that was online is so after a restart, until it has said nothing for long enough."""
    keys = Memory(Key.new())
    async with unit_room(tmp_path, clock, keys=keys) as units:
        voice = await enrolled(units)
        await units.register.take("D017", voice.report(group=Group.ONLINE))
    await clock.turn(10 * SILENCE_S)
    async with unit_room(tmp_path, clock, keys=keys) as units:
        assert units.register.link("D017") is Link.ONLINE
        await clock.turn(SILENCE_S + 10)
        assert units.register.link("D017") is Link.SILENT


async def test_a_lying_clock_is_seen(units: Units) -> None:
    """The offset is that of what came fastest: delay on the way makes a clock look late, never early."""
    voice = await enrolled(units)
    assert units.register.clock_offset_s("D017") is None
    for offset_s in (598, 600, 590):
        voice.offset_s = offset_s
        await units.register.take("D017", voice.report())
    assert units.register.clock_offset_s("D017") == 600
    stored = await enrolled(units, "D018")
    await units.register.take("D018", stored.report(stored=True))
    assert units.register.clock_offset_s("D018") is None


async def test_what_a_unit_kept_has_the_time_at_which_it_was(tmp_path: Path, clock: ManualClock) -> None:
    """By its clock less what that is off; over a restart of ours too, while its messages waited at the broker."""
    keys = Memory(Key.new())
    async with unit_room(tmp_path, clock, keys=keys) as units:
        voice = await enrolled(units)
        voice.offset_s = -3600.0
        await units.register.take("D017", voice.report())
    clock.jump_wall(2400)
    async with unit_room(tmp_path, clock, keys=keys) as units:
        heard: list[int | None] = []

        def told(change: Change) -> None:
            if isinstance(change, Said):
                heard.append(units.register.happened_ns(change.label, change.now))

        units.register.listen(told)
        for after_s in (0, 1200, 2400):
            voice.wall_ns = clock.wall_ns() - (2400 - after_s) * NS_PER_S
            await units.register.take("D017", voice.report("shock", group=Group.EVENT, peak_g=5.0))
        now_ns = clock.wall_ns()
        assert heard == [now_ns - 2400 * NS_PER_S, now_ns - 1200 * NS_PER_S, None]
        await enrolled(units, "D018")
        assert units.register.happened_ns("D018", units.register.states("D017")["event/shock"]) is None
