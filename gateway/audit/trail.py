"""Writing and reading the audit trail. Media never waits for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.audit.checkpoints import Checkpoint
from gateway.audit.errors import AuditBrokenError, AuditUnwrittenError
from gateway.audit.events import SEEING, SYSTEM, Action, AuditEvent, Detail, Outcome
from gateway.audit.leaves import Entry, link, name_in, opens, shown
from gateway.audit.proof import AuditReport, check
from gateway.audit.repeats import Repeats
from gateway.audit.tree import Edge
from gateway.db.audit import AuditFilter, AuditRow, AuditRows, HeadRow, PersonalRow
from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.db.seen import SeenQuestion, SeenRows
from gateway.listeners import Listeners
from kernel.clock import Clock

log = structlog.get_logger()

WAITING_MAX = 50_000
"""Events kept while the database cannot take them; beyond it they are counted, and the count is recorded."""
BATCH = 500
ERASE_BATCH = 2000
RETRY_S = 1.0
PATIENCE_S = 10.0
"""How long an act that must be recorded first waits for that."""
SEEING_NAMES = frozenset(action.value for action in SEEING)


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
        self._listening: Listeners[[AuditEvent]] = Listeners("audit.untold")
        self.repeats = Repeats(self.note, clock=clock)

    # --- writing

    def note(self, event: AuditEvent) -> bool:
        """Record what happened, in order, without waiting.

        Return whether it was taken: so much may wait that it is only counted as lost.
        """
        if len(self._waiting) >= WAITING_MAX:
            self._lost += 1
            return False
        self._waiting.append((event, self._clock.wall_ns()))
        self._idle.clear()
        self._wake.set()
        self._listening.tell(event)
        return True

    def listen(self, call: Callable[[AuditEvent], None]) -> Callable[[], None]:
        """Call ``call`` with what is recorded, before it is on disk; returns the detaching call."""
        return self._listening.add(call)

    def note_again(self, event: AuditEvent, *key: str) -> None:
        """Record what may happen as often as somebody likes: at once, then what is alike once a minute with a count.

        ``key`` says what is alike, beside the action and its outcome.
        """
        self.repeats.note(event, *key)

    async def append(self, event: AuditEvent, *, first: bool = False) -> None:
        """Record what happened and return when it, and everything noted before, is on disk.

        With ``first`` it is about to happen, and does not where this raises.

        Raises:
            AuditUnwrittenError: the database does not take it. It stays noted and is written once it does, unless as
                much waits as may: then it is counted.
        """
        taken = self.note(event)
        try:
            await self.settled_soon()
        except AuditUnwrittenError:
            raise _unwritten(first=first, kept=taken) from None
        if not taken:
            raise _unwritten(first=first, kept=False)

    async def kept(self) -> None:
        """Return once what was noted so far is on disk: of acts that are recorded where they happen.

        Raises:
            AuditUnwrittenError: the database does not take it. It stays noted, and is written once it does.
        """
        try:
            await self.settled_soon()
        except AuditUnwrittenError:
            raise _unwritten(first=False, kept=True) from None

    async def settled(self) -> None:
        """Return once nothing waits to be written."""
        await self._idle.wait()

    async def settled_soon(self) -> None:
        """Return once nothing waits to be written.

        Raises:
            AuditUnwrittenError: something still does after ``PATIENCE_S``.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.settled()
        except TimeoutError:
            raise _unwritten(first=True, kept=True) from None

    async def erase_personal(self, before_ns: int) -> int:
        """Erase the personal part of entries before an instant, and return of how many.

        The log says so first: a part that is missing without that was taken by somebody else.

        Raises:
            AuditUnwrittenError, DatabaseError: the database does not take it; what is left stays for the next time.
        """
        async with self._database.read() as connection:
            count = await AuditRows(connection).personal_before(before_ns)
        if not count:
            return 0
        details: dict[str, Detail] = {"before_ns": str(before_ns), "entries": count}
        await self.append(AuditEvent(action=Action.AUDIT_ERASED, actor=SYSTEM, details=details), first=True)
        erased = 0
        while True:
            async with self._database.write() as connection:
                removed = await AuditRows(connection).erase_personal(before_ns, limit=ERASE_BATCH)
            erased += removed
            if removed < ERASE_BATCH:
                return erased

    # --- reading

    async def entries(self, wanted: AuditFilter, *, limit: int) -> list[Entry]:
        """Return entries, newest first."""
        async with self._database.read() as connection:
            return [shown(entry) for entry in await AuditRows(connection).newest(wanted, limit=limit)]

    async def seen(  # noqa: PLR0913 - each narrows the question
        self,
        *,
        camera: str | None,
        person: str | None,
        start_ns: int,
        end_ns: int,
        before: tuple[int, int] | None = None,
        limit: int,
    ) -> list[Entry]:
        """Return who saw a camera, or what a person saw, from ``start_ns`` to before ``end_ns``; latest begun first.

        Of each view, playback and hold of the stick that was going on in that time this is its last entry, or its
        first where it has not ended; stills, snapshots and exports are one entry anyway. ``before`` is the beginning
        and the number of the last one of the page before.
        """
        question = SeenQuestion(
            camera=camera, person=person, start_ns=start_ns, end_ns=end_ns, actions=SEEING_NAMES, before=before
        )
        async with self._database.read() as connection:
            return [shown(entry) for entry in await SeenRows(connection).seen(question, limit=limit)]

    async def still_open(self) -> list[Entry]:
        """Return the first entry of everything that has begun and not ended."""
        async with self._database.read() as connection:
            return [shown(entry) for entry in await AuditRows(connection).still_open()]

    async def people(self) -> list[tuple[str, str]]:
        """Return everybody the log knows: identifier and newest name (empty once it was erased), sorted by it."""
        async with self._database.read() as connection:
            found = await SeenRows(connection).people()
        return sorted(((person, name_in(body)) for person, body in found), key=lambda one: (one[1].casefold(), one[0]))

    async def head(self) -> Edge:
        """Return the tree as it is stored.

        Raises:
            AuditBrokenError: it is missing or no tree.
        """
        async with self._database.read() as connection:
            return await _edge(AuditRows(connection))

    async def verify(self, checkpoints: Sequence[Checkpoint] = ()) -> AuditReport:
        """Check the whole log as it stands at this moment, and that it goes on from each of ``checkpoints``."""
        async with self._database.read() as connection:
            return await check(AuditRows(connection), checkpoints)

    # --- the writer

    async def run(self) -> None:
        """Write what is noted until :meth:`close`; a database that fails is tried again."""
        while not self._closing or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                try:
                    await self._write_batch()
                except (DatabaseError, AuditBrokenError) as error:
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
            stored = AuditRows(connection)
            edge = await _edge(stored, lock=True)
            lines = list(batch)
            if lost:
                event = AuditEvent(
                    action=Action.AUDIT_LOST, actor=SYSTEM, outcome=Outcome.FAILED, details={"events": lost}
                )
                lines.append((event, self._clock.wall_ns()))
            rows, personal = _linked(lines, edge)
            await stored.append(rows, personal, HeadRow(size=edge.size, edge=edge.pack()))
            await stored.move_open(*_moved(rows))
        self._lost -= lost
        for _ in batch:
            self._waiting.popleft()


def _unwritten(*, first: bool, kept: bool) -> AuditUnwrittenError:
    """Return what is true of an act that is not on record: whether it was done, and whether the record follows."""
    if first:
        said = "What you do cannot be recorded at the moment, so it is not done."
    elif kept:
        said = "That is done, but it is not on record yet."
    else:
        said = "That is done, but could not be put on record: too much waits to be written."
    return AuditUnwrittenError(said, cure="An administrator should look at the database's disk.")


def _linked(lines: list[tuple[AuditEvent, int]], edge: Edge) -> tuple[list[AuditRow], list[PersonalRow]]:
    """Return the rows of events at the end of the log, whose edge moves along."""
    rows, personal = [], []
    for event, at_ns in lines:
        row, part = link(event, at_ns=at_ns, seq=edge.size + 1)
        edge.push(row.leaf)
        rows.append(row)
        personal.append(part)
    return rows, personal


def _moved(rows: list[AuditRow]) -> tuple[dict[str, int], set[str]]:
    """Return which spans are open after these rows, and all that were touched by them."""
    opened: dict[str, int] = {}
    touched: set[str] = set()
    for row in rows:
        if row.span:
            touched.add(row.span)
            opened.pop(row.span, None)
            if opens(row):
                opened[row.span] = row.seq
    return opened, touched


async def _edge(rows: AuditRows, *, lock: bool = False) -> Edge:
    head = await rows.head(lock=lock)
    try:
        if head is not None:
            return Edge.unpack(head.size, head.edge)
    except ValueError:
        pass
    raise AuditBrokenError(
        "The record of where the audit ends is missing or damaged, so that nothing can be added to it.",
        cure="Run `sightline verify --audit`; restore the database from a backup.",
    )


@asynccontextmanager
async def open_trail(database: Database, *, clock: Clock) -> AsyncIterator[Trail]:
    """Give the trail for the time of the block; on leaving, what was noted is written."""
    trail = Trail(database, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(trail.run(), name="audit")
        counting = tasks.create_task(trail.repeats.run(), name="audit-repeats")
        try:
            yield trail
        finally:
            counting.cancel()
            trail.repeats.tell()
            trail.close()
