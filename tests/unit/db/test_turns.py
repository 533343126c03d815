"""Work that is done by turns outlives a failing database, and says so once."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from gateway.db.errors import ConflictError, DatabaseUnusableError
from gateway.db.turns import by_turns
from tests.fakes.clock import ManualClock, settle


async def test_it_is_done_again_and_each_fault_is_said_once(clock: ManualClock) -> None:
    """Two spells of a failing database are two lines, however many turns each lasts."""
    fates = iter([None, "away", "away", None, "full", "full", None])
    done: list[str | None] = []

    async def work() -> None:
        fate = next(fates)
        done.append(fate)
        if fate is not None:
            raise DatabaseUnusableError(fate, cure="")

    with capture_logs() as logs:
        turning = asyncio.create_task(by_turns(work, clock=clock, period_s=5.0, failed="work.failed"))
        await settle()
        for _ in range(6):
            await clock.turn(5.0)
            await settle()
        turning.cancel()
        with suppress(asyncio.CancelledError):
            await turning
    assert len(done) == 7
    assert [(entry["event"], entry["error"]) for entry in logs] == [("work.failed", "database.unusable")] * 2


async def test_what_is_no_fault_of_the_database_ends_it(clock: ManualClock) -> None:
    """A mistake of ours is not tried again for ever; a conflict is the database's answer, and is."""
    faults = iter([ConflictError("taken", cure=""), ZeroDivisionError()])

    async def work() -> None:
        raise next(faults)

    turning = asyncio.create_task(by_turns(work, clock=clock, period_s=5.0, failed="work.failed"))
    await settle()
    assert not turning.done()
    await clock.turn(5.0)
    await settle()
    with pytest.raises(ZeroDivisionError):
        await turning
