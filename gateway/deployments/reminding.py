"""What becomes due is said once, and once more when it is overdue: a line of the log, told to whoever listens.

That it is a line is what keeps it from being said again after a restart, and shows later that somebody was told.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog

from gateway.db.errors import DatabaseError
from gateway.db.turns import by_turns
from gateway.deployments.deployment import Reminded
from gateway.deployments.due import Due
from gateway.deployments.service import Deployments
from gateway.deployments.steps import Remind
from gateway.deployments.why import TOLD_OTHERWISE, Why
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError

log = structlog.get_logger()

LOOK_S = 60.0
SIGNS_NS = 3600 * NS_PER_S
"""Whoever takes a unit down takes the signs down next, and need not be told so at once."""


def unsaid(found: Iterable[Due], *, now_ns: int) -> list[Due]:
    """Return what is due and was not said to be: as it is now, due or overdue, and by when."""
    return [
        one
        for one in found
        if one.why not in TOLD_OTHERWISE
        # Of a referral whoever decides knows from its list; that it waits for too long is news.
        and (one.overdue or one.why is not Why.DECISION)
        and (one.why is not Why.SIGNS or one.by_ns + SIGNS_NS <= now_ns)
        and one.deployment.reminded.get(one.why) != Reminded(one.by_ns, one.overdue)
    ]


class Reminding:
    """Made by :func:`open_reminding`."""

    def __init__(self, deployments: Deployments, *, clock: Clock) -> None:
        self._deployments = deployments
        self._clock = clock

    async def look(self) -> None:
        """Say what became due since the last look."""
        for one in unsaid(await self._deployments.due(), now_ns=self._deployments.now_ns()):
            step = Remind(why=one.why, by_ns=one.by_ns, overdue=one.overdue)
            try:
                await self._deployments.noted(one.deployment.id, step)
            except DatabaseError:
                raise
            except SightlineError as error:
                # Somebody did it meanwhile, or another process said it.
                log.info("deployment.not_reminded", deployment=one.deployment.id, error=error.code)
            else:
                log.info("deployment.reminded", deployment=one.deployment.id, why=one.why.value, overdue=one.overdue)

    async def run(self) -> None:
        """Look, for ever; with a failing database at a later turn."""
        await by_turns(self.look, clock=self._clock, period_s=LOOK_S, failed="deployments.reminders_failed")


@asynccontextmanager
async def open_reminding(deployments: Deployments, *, clock: Clock) -> AsyncIterator[Reminding]:
    """Have what becomes due said for the time of the block."""
    reminding = Reminding(deployments, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(reminding.run(), name="reminders")
        try:
            yield reminding
        finally:
            running.cancel()
