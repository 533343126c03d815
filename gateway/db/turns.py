"""Work with the database that is done again and again, and that outlives a failing one."""

from collections.abc import Awaitable, Callable
from typing import Never

import structlog

from gateway.db.errors import DatabaseError
from kernel.clock import Clock, every

log = structlog.get_logger()


async def by_turns(work: Callable[[], Awaitable[object]], *, clock: Clock, period_s: float, failed: str) -> Never:
    """Do ``work`` every ``period_s`` seconds, for ever; with a failing database at a later turn.

    ``failed`` is the event that is logged at the first of the turns that fail, not at each: a disk that is full for an
    hour is one fault.
    """
    failing = False
    async with every(clock, period_s) as ticks:
        async for _ in ticks:
            try:
                await work()
            except DatabaseError as error:
                if not failing:
                    log.error(failed, error=error.code)  # noqa: TRY400 - a plain reason
                failing = True
            else:
                failing = False
    raise AssertionError  # pragma: no cover - the clock ticks for ever
