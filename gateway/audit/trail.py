"""Writing and reading the audit trail. Media never waits for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from gateway.audit.chain import GENESIS, ChainReport, check, link
from gateway.audit.errors import AuditUnwrittenError
from gateway.audit.events import SYSTEM, Action, AuditEvent, Outcome
from gateway.db.audit import AuditFilter, AuditRow, AuditRows
from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from kernel.clock import Clock

log = structlog.get_logger()

WAITING_MAX = 50_000
"""Events kept while the database cannot take them; beyond it they are counted, and the count is recorded."""
BATCH = 500
RETRY_S = 1.0
PATIENCE_S = 10.0
"""How long an act that must be recorded first waits for that."""


class Trail:
    """The audit trail. Made by :func:`open_trail`."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[tuple[AuditEvent, int]] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._lost = 0
        self._closing = False

    def note(self, event: AuditEvent) -> None:
        """Record what happened, in order, without waiting."""
        if len(self._waiting) >= WAITING_MAX:
            self._lost += 1
            return
        self._waiting.append((event, self._clock.wall_ns()))
        self._idle.clear()
        self._wake.set()

    async def append(self, event: AuditEvent) -> None:
        """Record what happened and return when it, and everything noted before, is on disk.

        Raises:
            AuditUnwrittenError: the database does not take it. It stays noted and is written once it does.
        """
        self.note(event)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.settled()
        except TimeoutError:
            raise AuditUnwrittenError(
                "What you do cannot be recorded at the moment, so it is not done.",
                cure="An administrator should look at the database's disk.",
            ) from None

    async def settled(self) -> None:
        """Return once nothing waits to be written."""
        await self._idle.wait()

    async def entries(self, wanted: AuditFilter, *, limit: int) -> list[AuditRow]:
        """Return entries, newest first."""
        async with self._database.read() as connection:
            return await AuditRows(connection).newest(wanted, limit=limit)

    async def verify(self) -> ChainReport:
        """Check the whole chain, as it stands at this moment."""
        async with self._database.read() as connection:
            rows = AuditRows(connection)
            head = await rows.head()
            return await check(rows.in_order(), head)

    async def run(self) -> None:
        """Write what is noted until :meth:`close`; a database that fails is tried again."""
        while not self._closing or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                try:
                    await self._write_batch()
                except DatabaseError as error:
                    log.error("audit.waiting", error=error.code, events=len(self._waiting))  # noqa: TRY400
                    if self._closing:
                        return
                    await self._clock.sleep(RETRY_S)
            self._idle.set()

    def close(self) -> None:
        """Let :meth:`run` end once everything is written."""
        self._closing = True
        self._wake.set()

    async def _write_batch(self) -> None:
        batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
        lost = self._lost
        async with self._database.write() as connection:
            rows = AuditRows(connection)
            seq, previous = await rows.head(lock=True) or (0, GENESIS)
            linked: list[AuditRow] = []
            for event, at_ns in batch:
                row = link(event, at_ns=at_ns, seq=seq + 1, previous_hash=previous)
                linked.append(row)
                seq, previous = row.seq, row.hash
            if lost:
                event = AuditEvent(
                    action=Action.AUDIT_LOST, actor=SYSTEM, outcome=Outcome.FAILED, details={"events": lost}
                )
                linked.append(link(event, at_ns=self._clock.wall_ns(), seq=seq + 1, previous_hash=previous))
            await rows.append(linked)
        self._lost -= lost
        for _ in batch:
            self._waiting.popleft()


@asynccontextmanager
async def open_trail(database: Database, *, clock: Clock) -> AsyncIterator[Trail]:
    """Give the trail for the time of the block; on leaving, what was noted is written."""
    trail = Trail(database, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(trail.run(), name="audit")
        try:
            yield trail
        finally:
            trail.close()
