"""A database that fails for a while takes nothing else with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.app import open_gateway, sweeping
from gateway.cli.run import feed_watchdog
from gateway.db.engine import Database
from gateway.db.errors import DatabaseUnusableError
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock
from tests.fakes.desk import Desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until


class Outage:
    """A database whose every read fails while it lasts."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.failing = False
        self.asked = 0
        reading = Database.read

        @asynccontextmanager
        async def read(database: Database) -> AsyncIterator[AsyncConnection]:
            self.asked += 1
            if self.failing:
                raise DatabaseUnusableError("The disk of the database is full.")
            async with AsyncExitStack() as stack:
                yield await stack.enter_async_context(reading(database))

        patch.setattr(Database, "read", read)


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    """Return the knob."""
    return Outage(monkeypatch)


class Heard:
    """A service manager that is told directly."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def notify(self, state: str) -> None:
        """Be told."""
        self.said.append(state)


async def test_a_relink_without_a_database_takes_no_camera_from_its_host(desk: Desk, outage: Outage) -> None:
    """The host keeps recording, and the link is made once the database answers again."""
    camera = await desk.enrol()
    outage.failing = True
    before = outage.asked
    desk.host.hang_up()
    await until(lambda: outage.asked > before + 1, what="the link to be tried again")
    assert camera in desk.host.assignments
    assert not desk.gateway.fleet.up
    outage.failing = False
    await until(lambda: desk.gateway.fleet.up, what="the link to heal")
    assert camera in desk.host.assignments


async def test_the_watchdog_starves_while_the_database_fails(
    tmp_path: Path, outage: Outage, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said once, nothing ends, and feeding goes on afterwards."""
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    host, manager = FakeHost(), Heard()
    async with open_gateway(settings_in(tmp_path), clock=SystemClock(), open_host=host.open) as gateway:
        with structlog.testing.capture_logs() as logs:
            feeding = asyncio.create_task(feed_watchdog(gateway, manager, clock=clock))
            outage.failing = True
            for _ in range(2):
                before = outage.asked
                await clock.turn(10)
                await until(lambda: outage.asked > before and clock.sleepers)  # noqa: B023
            assert manager.said == []
            outage.failing = False
            host.progress += 1
            await clock.turn(10)
            await until(lambda: manager.said == ["WATCHDOG=1"])
        feeding.cancel()
        await asyncio.wait([feeding])
    assert [line["event"] for line in logs].count("watchdog.database_failed") == 1


async def test_sessions_are_ended_later_when_the_database_fails(desk: Desk, outage: Outage, clock: ManualClock) -> None:
    """The sweep says so once and tries again at its next turn."""
    with structlog.testing.capture_logs() as logs:
        async with sweeping(desk.gateway.rooms.access, clock=clock):
            outage.failing = True
            for _ in range(2):
                before = outage.asked
                await clock.turn(30)
                await until(lambda: outage.asked > before and clock.sleepers)  # noqa: B023
            outage.failing = False
            before = outage.asked
            await clock.turn(30)
            await until(lambda: outage.asked > before and clock.sleepers)
    assert [line["event"] for line in logs].count("sessions.sweep_failed") == 1
