"""What is said of units that stand somewhere waits in the database until it is judged, for it was acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio

from gateway.alarming import RETRY_S, Alarming, open_alarming
from gateway.belonging import Belonging
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.errors import DatabaseUnusableError
from gateway.db.unjudged import UnjudgedReports
from gateway.deployments.geofence import Moved, Report, Shock, Tampered
from gateway.deployments.service import Deployments
from gateway.fleet.cameras import Camera
from gateway.units import Group, Units, open_units
from gateway.vault import Key, Vault
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock, passing, settle
from tests.fakes.descriptions import description
from tests.fakes.keys import Memory
from tests.fakes.unit_voice import SILENCE_S, Voice, enrolled
from tests.fakes.waiting import told, until

URN = "urn:uuid:d017"
CAMERA = cast("Camera", SimpleNamespace(description=description(URN)))


class Judges:
    """Deployments of which one is of D017's camera."""

    def __init__(self) -> None:
        self.stands = True
        self.lately = False
        """Whether it stood until a short while ago."""
        self.judged: list[tuple[Report, int | None]] = []
        self.failing = False
        self.asked = 0
        self.one_only = False
        """Whether what comes after the first is not judged to the end before ``free`` is set."""
        self.free = asyncio.Event()

    def of_all(self) -> dict[str, list[Camera]]:
        """See ``Belonging``."""
        return {"D017": [CAMERA]}

    def standing(self, urn: str) -> Any:
        """See ``Deployments``."""
        return object() if self.stands and urn == URN else None

    def watched(self, urn: str) -> bool:
        """See ``Deployments``."""
        return (self.stands or self.lately) and urn == URN

    async def reported(self, _: str, report: Report, *, happened_ns: int | None, told_ns: int) -> list[Any]:
        """See ``Deployments``."""
        self.asked += 1
        if self.failing:
            raise DatabaseUnusableError("Full.", cure="Make room.")
        if self.one_only and self.judged:
            await self.free.wait()
        self.judged.append((report, happened_ns))
        return [object()]


class Stage:
    """Units, a database, and what is judged."""

    def __init__(self, database: Database, units: Units, voice: Voice, clock: ManualClock) -> None:
        self.database, self.units, self.voice, self.clock = database, units, voice, clock
        self.judges = Judges()

    def opened(self) -> Any:
        """Return what hands on, as it runs."""
        return open_alarming(
            self.database,
            self.units.register,
            cast("Belonging", self.judges),
            cast("Deployments", self.judges),
            clock=self.clock,
        )

    async def says(self, kind: str, **values: Any) -> None:
        """Have the unit say an event of now."""
        self.voice.wall_ns = self.clock.wall_ns()
        await self.units.register.take("D017", self.voice.report(kind, group=Group.EVENT, **values))

    async def dies_after(self, kind: str, **values: Any) -> None:
        """Have the unit say something that is stored, and nobody come to judge it."""
        alarming = Alarming(
            self.database,
            self.units.register,
            cast("Belonging", self.judges),
            cast("Deployments", self.judges),
            clock=self.clock,
        )
        self.units.register.keep = alarming.keep
        await self.says(kind, **values)
        self.units.register.keep = None

    async def judged(self, count: int) -> None:
        """Return once so many are, and none waits."""
        await until(lambda: len(self.judges.judged) >= count, what="it to be judged")
        await told(self.waiting, lambda kinds: kinds == [], what="it to be forgotten")

    async def waiting(self) -> list[str]:
        """Return of what kinds those are that wait."""
        async with self.database.read() as connection:
            return [row.kind for row in await UnjudgedReports(connection).first()]


@pytest_asyncio.fixture
async def stage(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    """Return it, with the unit enrolled."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(sqlite_url(tmp_path / "a.db")))
        vault = Vault.of(Memory(Key.new()))
        units = await stack.enter_async_context(
            open_units(database, vault, folder=tmp_path / "pki", silence_s=SILENCE_S, clock=clock)
        )
        yield Stage(database, units, await enrolled(units), clock)


async def test_what_was_acknowledged_and_not_judged_is_judged_at_the_next_start(stage: Stage) -> None:
    """In its order, and as of when it was told."""
    told_ns = stage.clock.wall_ns()
    await stage.dies_after("shock", peak_g=8.0)
    await stage.dies_after("shock", peak_g=1.0)
    stage.clock.jump_wall(60.0)
    async with stage.opened():
        await stage.judged(2)
    assert stage.judges.judged == [(Shock(peak_g=8.0), told_ns), (Shock(peak_g=1.0), told_ns)]


async def test_what_was_judged_is_not_judged_again(stage: Stage) -> None:
    """Neither at the next start, nor with what comes then."""
    async with stage.opened():
        await stage.says("moved")
        await stage.judged(1)
    async with stage.opened():
        await stage.says("shock", peak_g=8.0)
        await stage.judged(2)
    assert stage.judges.judged == [(Moved(), None), (Shock(peak_g=8.0), None)]


async def test_an_alarm_is_forgotten_before_the_next_report_is_judged(stage: Stage) -> None:
    """Killed then, we would raise it once more; what raised nothing may be judged twice."""
    await stage.dies_after("shock", peak_g=8.0)
    await stage.dies_after("moved")
    stage.judges.one_only = True
    async with stage.opened():
        await until(lambda: stage.judges.asked == 2, what="the second to be judged")
        assert await stage.waiting() == ["event/moved"]
        stage.judges.free.set()


async def test_a_failing_database_makes_it_late(stage: Stage) -> None:
    """It waits, is judged once, and what follows comes after it."""
    stage.judges.failing = True
    await stage.dies_after("shock", peak_g=8.0)
    await stage.dies_after("moved")
    sleepers = stage.clock.sleepers
    async with stage.opened():
        await until(lambda: stage.clock.sleepers > sleepers, what="it to be put off")
        assert await stage.waiting() == ["event/shock", "event/moved"]
        stage.judges.failing = False
        async with passing(stage.clock, RETRY_S):
            await stage.judged(2)
    assert [report for report, _ in stage.judges.judged] == [Shock(peak_g=8.0), Moved()]


async def test_what_comes_as_we_stop_is_judged_before_we_have(stage: Stage) -> None:
    """Whoever was heard is acknowledged: what waits then is not left for the next start."""
    async with stage.opened():
        await stage.says("moved")
    assert [report for report, _ in stage.judges.judged] == [Moved()]


async def test_what_stands_nowhere_does_not_wait(stage: Stage) -> None:
    """A unit in the store is knocked all day; and a battery is nothing of a place."""
    await stage.dies_after("low_battery", percent=9)
    stage.judges.stands = False
    await stage.dies_after("shock", peak_g=8.0)
    assert await stage.waiting() == []


async def test_what_stood_somewhere_until_a_short_while_ago_waits(stage: Stage) -> None:
    """It may be of before it was taken down; so may what its camera says itself."""
    stage.judges.stands, stage.judges.lately = False, True
    await stage.dies_after("moved")
    async with stage.opened() as alarming:
        alarming.tampered(CAMERA, at_ns=stage.clock.wall_ns() - 60 * NS_PER_S)
        await alarming.kept()
        await stage.judged(2)
    assert [report for report, _ in stage.judges.judged] == [Moved(), Tampered()]


async def test_what_a_camera_says_is_stored_before_it_is_acknowledged(stage: Stage) -> None:
    """With a database that fails it waits for that, and so does who would acknowledge it."""
    at_ns = stage.clock.wall_ns() - 60 * NS_PER_S
    alarming = Alarming(
        stage.database,
        stage.units.register,
        cast("Belonging", stage.judges),
        cast("Deployments", stage.judges),
        clock=stage.clock,
    )
    alarming.tampered(CAMERA, at_ns=at_ns)
    assert await stage.waiting() == []
    await alarming.kept()
    assert await stage.waiting() == ["event/tamper"]
    async with stage.opened():
        await stage.judged(1)
    assert stage.judges.judged == [(Tampered(), at_ns)]


async def test_who_would_acknowledge_waits_for_a_failing_database(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker keeps what is not acknowledged; here nothing is given up either."""
    failed = asyncio.Event()

    async def fails(*_: Any) -> None:
        failed.set()
        raise DatabaseUnusableError("Full.", cure="Make room.")

    async with stage.opened() as alarming:
        alarming.tampered(CAMERA, at_ns=stage.clock.wall_ns())
        with monkeypatch.context() as patch:
            patch.setattr(UnjudgedReports, "add", fails)
            keeping = asyncio.create_task(alarming.kept())
            await failed.wait()
            await settle()
            assert not keeping.done()
        # Others sleep on this clock too: whether it has begun to wait is not seen by how many do.
        async with passing(stage.clock, RETRY_S):
            await keeping
            await stage.judged(1)
    assert [report for report, _ in stage.judges.judged] == [Tampered()]
