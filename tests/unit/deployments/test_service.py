"""Deployments as they are kept: over restarts, by the clock, and where something fails."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError as Refused

from gateway.db.engine import Database
from gateway.db.errors import DatabaseUnusableError
from gateway.deployments.deployment import Stage
from gateway.deployments.errors import StepError, UnknownDeploymentError, WishError
from gateway.deployments.geofence import Kind, Position, Shock, Tilt
from gateway.deployments.service import LOOK_S, Deployments, Taken, open_deployments
from gateway.deployments.steps import (
    Check,
    Extend,
    Grant,
    Install,
    Note,
    Picture,
    Remove,
    Unpictured,
    Without,
)
from gateway.deployments.why import Why
from kernel.clock import NS_PER_S
from kernel.geography import LocalPlane, Place
from tests.fakes.clock import ManualClock
from tests.fakes.estate import FakeEstate
from tests.fakes.waiting import until
from tests.unit.deployments.conftest import DAY_S, SETTINGS, URN, brought
from tests.unit.deployments.test_life import CHIEF, HERE, INSTALL, OFF, PLAN, SHOWN, STANDING, TEAM


async def test_a_unit_may_be_recorded_while_a_deployment_stands(deployments: Deployments, estate: FakeEstate) -> None:
    """From its installation to its removal, and its hosts are told both times; a fixed camera always."""
    assert deployments.may_record("urn:fixed")
    assert not deployments.may_record(URN)
    one = await brought(deployments, *STANDING)
    assert deployments.may_record(URN)
    assert (estate.places[URN], estate.judged) == (HERE, [URN, URN])
    await deployments.step(one, Remove(reason="x"), by=TEAM)
    assert not deployments.may_record(URN)
    assert (estate.places[URN], estate.judged) == (None, [URN, URN, URN])


async def test_an_administrator_may_say_otherwise(database: Database, clock: ManualClock) -> None:
    """By a setting deployable units record without a deployment too."""
    settings = SETTINGS.model_copy(update={"record_without": True})
    async with open_deployments(database, clock=clock, settings=settings) as deployments:
        await deployments.mark(URN, "D017", by=CHIEF)
        assert deployments.may_record(URN)


async def test_what_stands_is_known_from_the_first_moment_of_a_restart(
    database: Database, deployments: Deployments, clock: ManualClock
) -> None:
    """No host is told wrongly for a while."""
    await brought(deployments, *STANDING)
    await deployments.mark("urn:2", "D018", by=CHIEF)
    again = Deployments(database, clock=clock, settings=SETTINGS)
    await again.load()
    assert (again.may_record(URN), again.may_record("urn:2")) == (True, False)


async def test_a_stay_lapses_by_the_clock_and_is_told(
    deployments: Deployments, clock: ManualClock, estate: FakeEstate
) -> None:
    """Its unit records no more, its log says so, and whoever listens hears it once."""
    heard: list[Taken] = []
    stop = deployments.listen(heard.append)
    one = await brought(deployments, *STANDING)
    clock.pass_by(20 * DAY_S)
    assert not deployments.may_record(URN)
    await clock.turn(2 * LOOK_S)
    await until(lambda: len(heard) == 1, what="the end of the stay")
    assert (await deployments.log(one))[-1].step == "lapsed"
    assert heard[0].deployment.stage is Stage.DEPLOYED
    assert estate.judged == [URN, URN, URN]
    longer = Extend(reason="x", until_ns=clock.wall_ns() + 10 * DAY_S * 10**9)
    await deployments.step(one, longer, by=CHIEF)
    assert deployments.may_record(URN)
    stop()


async def test_a_stay_is_over_though_no_line_can_say_so(
    deployments: Deployments, clock: ManualClock, estate: FakeEstate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk too every unit that overstays is judged; the lines are written once there is room."""

    @asynccontextmanager
    async def full(_: Database) -> AsyncIterator[None]:
        raise DatabaseUnusableError("full")
        yield

    other = replace(PLAN, urn="urn:2", unit="D018")
    estate.urns.add(other.urn)
    await deployments.mark(other.urn, other.unit, by=CHIEF)
    ids = [await brought(deployments, *STANDING)]
    install = replace(INSTALL, unit=other.unit)
    theirs = [other if step is PLAN else install if step is INSTALL else step for step in STANDING]
    ids.append(await brought(deployments, *theirs))
    estate.judged.clear()
    clock.pass_by(20 * DAY_S)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", full)
        with pytest.raises(DatabaseUnusableError):
            await deployments.look()
    assert estate.judged == [URN, other.urn]
    await deployments.look()
    assert [(await deployments.log(one))[-1].step for one in ids] == ["lapsed", "lapsed"]


async def test_a_move_that_fails_leaves_the_step_untaken(deployments: Deployments, estate: FakeEstate) -> None:
    """It is tried anew as if nothing had been said."""
    one = await brought(deployments, *STANDING[:-1])
    estate.fails = DatabaseUnusableError("full")
    with pytest.raises(DatabaseUnusableError):
        await deployments.step(one, STANDING[-1], by=TEAM)
    assert (await deployments.one(one)).stage is Stage.PLANNED
    assert not deployments.may_record(URN)
    estate.fails = None
    await deployments.step(one, STANDING[-1], by=TEAM)
    assert deployments.may_record(URN)


async def test_a_host_that_could_not_be_told_is_told_before_long(
    deployments: Deployments, estate: FakeEstate, clock: ManualClock
) -> None:
    """The unit is down and the log says so; that it records no more is said again until it is heard."""
    one = await brought(deployments, *STANDING)
    estate.deaf = DatabaseUnusableError("full")
    await deployments.step(one, Remove(reason="x"), by=TEAM)
    told = len(estate.judged)
    estate.deaf = None
    await clock.turn(2 * LOOK_S)
    await until(lambda: len(estate.judged) == told + 1, what="the host to be told")
    await clock.turn(3 * LOOK_S)
    assert len(estate.judged) == told + 1


async def test_a_unit_that_is_gone_is_not_installed(deployments: Deployments, estate: FakeEstate) -> None:
    """A camera that was removed meanwhile stands nowhere."""
    one = await brought(deployments, *STANDING[:-1])
    estate.urns.clear()
    with pytest.raises(WishError, match="not enrolled"):
        await deployments.step(one, Install(unit="D017", place=HERE, street="", bearing_deg=None), by=TEAM)


async def test_a_unit_that_leaves_its_place_raises_an_alarm(
    database: Database, deployments: Deployments, clock: ManualClock
) -> None:
    """It is a line of the log, told to whoever listens, and kept over a restart; the unit goes on recording."""
    heard: list[Taken] = []
    deployments.listen(heard.append)
    one = await brought(deployments, *STANDING)
    away = Position(Place(51.51, -0.1), 5.0)
    for _ in range(4):
        await deployments.reported(URN, away)
        clock.pass_by(10)
    assert [taken.entry.step for taken in heard] == ["alarm"]
    said = json.loads((await deployments.log(one))[-1].said)
    assert (said["kind"], said["place"]["latitude_deg"]) == ("left", 51.51)
    assert deployments.may_record(URN)
    assert (await deployments.due())[0].why is Why.ALARM
    again = Deployments(database, clock=clock, settings=SETTINGS)
    await again.load()
    for _ in range(4):
        assert await again.reported(URN, away) == []
        clock.pass_by(10)


async def test_how_a_unit_was_put_up_is_kept(database: Database, deployments: Deployments, clock: ManualClock) -> None:
    """Learnt once after its installation, so that a restart does not take a leaning unit for a straight one."""
    one = await brought(deployments, *STANDING)
    for _ in range(6):
        await deployments.reported(URN, Tilt(3.0, -1.0))
    assert [line.step for line in (await deployments.log(one))[-2:]] == ["installed", "hung"]
    again = Deployments(database, clock=clock, settings=SETTINGS)
    await again.load()
    taken = []
    for _ in range(3):
        taken += await again.reported(URN, Tilt(30.0, -1.0))
        clock.pass_by(10)
    assert [json.loads(line.entry.said)["kind"] for line in taken] == ["tilted"]


async def test_what_a_unit_kept_is_judged_by_when_it_was(deployments: Deployments, clock: ManualClock) -> None:
    """A burst of fixes that lead off raises what they would have raised then, with the time of then."""
    one = await brought(deployments, *STANDING)
    clock.pass_by(2400)
    began_ns = clock.wall_ns() - 1800 * NS_PER_S
    taken = []
    for number in range(60):
        away = Position(LocalPlane(HERE).to_place(0.0, 20.0 * number), 5.0)
        taken += await deployments.reported(URN, away, happened_ns=began_ns + number * 10 * NS_PER_S)
    (left,) = taken
    said = json.loads(left.entry.said)
    assert (said["kind"], left.entry.at_ns) == ("left", clock.wall_ns())
    assert began_ns < said["happened_ns"] < began_ns + 120 * NS_PER_S
    known = await deployments.one(one)
    assert set(known.alarms.values()) == {known.unseen[Kind.LEFT].since_ns} == {said["happened_ns"]}
    assert known.unseen[Kind.LEFT].told_ns == clock.wall_ns()


async def test_what_happened_before_it_stood_there_is_nothing_of_its_place(
    deployments: Deployments, clock: ManualClock
) -> None:
    """It was knocked in the van, and its link came back at the post."""
    await brought(deployments, *STANDING)
    clock.pass_by(600)
    assert await deployments.reported(URN, Shock(9.0), happened_ns=clock.wall_ns() - 700 * NS_PER_S) == []
    assert len(await deployments.reported(URN, Shock(9.0), happened_ns=clock.wall_ns() - 500 * NS_PER_S)) == 1


async def test_a_place_from_a_phone_is_as_good_as_the_phone_says(deployments: Deployments, clock: ManualClock) -> None:
    """It stands in the log, and over a restart a good fix at the true place is no alarm."""
    off = replace(INSTALL, accuracy_m=65.0)
    one = await brought(deployments, *STANDING[:-1], off)
    assert json.loads((await deployments.log(one))[-1].said)["accuracy_m"] == 65.0
    true = Position(LocalPlane(HERE).to_place(60.0, 0.0), 5.0)
    for _ in range(6):
        assert await deployments.reported(URN, true) == []
        clock.pass_by(10)


async def test_no_picture_is_kept_where_nothing_may_be_recorded(deployments: Deployments, clock: ManualClock) -> None:
    """Neither after its stay nor of another place: the service itself refuses."""
    picture = Picture(kind=Kind.LEFT, sha256="ab", size_bytes=1, camera="c", recorded_ns=None)
    one = await brought(deployments, *STANDING)
    assert (deployments.blind(one, URN), deployments.blind("another", URN)) == (None, Without.DOWN)
    await deployments.noted(one, picture)
    clock.pass_by(21 * DAY_S)
    assert deployments.blind(one, URN) is Without.OVER
    with pytest.raises(StepError):
        await deployments.noted(one, picture)
    await deployments.step(one, Remove(reason="x"), by=TEAM)
    assert deployments.blind(one, URN) is Without.DOWN
    with pytest.raises(StepError):
        await deployments.noted(one, picture)
    await deployments.noted(one, Unpictured(kind=Kind.LEFT, why=Without.DOWN))


async def test_a_unit_that_stands_nowhere_is_not_watched(deployments: Deployments) -> None:
    """In a van it is knocked as it likes."""
    assert await deployments.reported(URN, Shock(9.0)) == []
    one = await brought(deployments, *STANDING)
    assert len(await deployments.reported(URN, Shock(9.0))) == 1
    await deployments.step(one, Remove(reason="x"), by=TEAM)
    assert await deployments.reported(URN, Shock(9.0)) == []


async def test_the_log_cannot_be_edited(database: Database, deployments: Deployments) -> None:
    """The database itself refuses to change or delete a line."""
    await brought(deployments)
    for statement in ("UPDATE deployment_entries SET said = '{}'", "DELETE FROM deployment_entries"):
        with pytest.raises(Refused, match="append-only"):
            async with database.write() as connection:
                await connection.execute(text(statement))


async def test_each_line_is_chained_to_the_one_before(deployments: Deployments) -> None:
    """Its digest is over the line and the digest before it, so that the last stands for them all."""
    one = await brought(deployments, *STANDING)
    before = ""
    for line in await deployments.log(one):
        when = (str(line.done_ns), line.clock_offset_ms, line.doubt)
        whole = [before, one, line.n, str(line.at_ns), *when, line.step, line.user_id, line.name, line.said]
        before = sha256(json.dumps(whole, separators=(",", ":")).encode()).hexdigest()
        assert line.digest == before


async def test_what_is_of_another_place_is_not_signed_off(deployments: Deployments, estate: FakeEstate) -> None:
    """Zones or presets that nobody confirmed here are named, whatever was ticked."""
    one = await brought(deployments, *STANDING, SHOWN)
    estate.void = ("presets",)
    with pytest.raises(StepError, match="Of another place still: presets"):
        await deployments.step(one, OFF, by=TEAM)
    estate.void = ()
    assert (await deployments.step(one, OFF, by=TEAM)).deployment.signed_off_by == TEAM.name


async def test_a_refused_step_leaves_no_line(deployments: Deployments) -> None:
    """What was not done is not in the log."""
    one = await brought(deployments, Note(text="x"))
    with pytest.raises(WishError):
        await deployments.step(one, Check(criterion="none", met=True, found="x"), by=TEAM)
    assert [line.step for line in await deployments.log(one)] == ["referred", "note"]


async def test_one_that_is_not_there_is_told(deployments: Deployments) -> None:
    """Neither read nor changed."""
    for asked in (
        deployments.one("x"),
        deployments.log("x"),
        deployments.step("x", Grant(reason="x", max_days=1), by=CHIEF),
    ):
        with pytest.raises(UnknownDeploymentError):
            await asked
