"""Checkpoints are written when there is something to say, and personal detail goes when it is old."""

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from config.audit import AuditSettings
from gateway.audit import trail as trail_module
from gateway.audit.checkpoints import Checkpoint, Signer, read_notes
from gateway.audit.errors import AuditUnwrittenError
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent
from gateway.audit.keeping import ERASE_EVERY_S, append_note, open_keeping
from gateway.audit.trail import Trail, open_trail
from gateway.db.audit import AuditFilter
from gateway.db.engine import Database, open_database, sqlite_url
from tests.fakes.clock import ManualClock
from tests.fakes.waiting import until

SEED = b"k" * 32
SETTINGS = AuditSettings(origin="test/audit", checkpoint_s=60, personal_days=1)
KEY = Signer("test/audit", SEED).public
ANN = Actor(id="u1", name="Ann Jones of the night shift", address="192.0.2.77")


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Return an empty database."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        yield database


@pytest_asyncio.fixture
async def trail(database: Database, clock: ManualClock) -> AsyncIterator[Trail]:
    """Return an empty trail."""
    async with open_trail(database, clock=clock) as trail:
        yield trail


@pytest_asyncio.fixture
async def keeping(trail: Trail, clock: ManualClock, tmp_path: Path) -> AsyncIterator[AsyncExitStack]:
    """Keep the trail until the stack is closed."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(open_keeping(trail, SETTINGS, seed=SEED, data_dir=tmp_path, clock=clock))
        await until(lambda: clock.sleepers == 2, what="both keepers to wait")
        yield stack


async def written(folder: Path) -> list[Checkpoint]:
    """Return the checkpoints in the file, all of which are sound."""
    file = folder / "audit-checkpoints"
    if not await asyncio.to_thread(file.exists):
        return []
    checkpoints, problems = read_notes(await asyncio.to_thread(file.read_text), [KEY])
    assert not problems
    return checkpoints


async def recorded(trail: Trail, action: Action) -> int:
    """Return how many entries there are of an action."""
    await trail.settled()
    return len(await trail.entries(AuditFilter(action=action.value), limit=100))


async def a_turn(clock: ManualClock, trail: Trail, seconds: float = 60.0) -> None:
    """Let the keepers have their turn and come to rest."""
    await clock.turn(seconds)
    await until(lambda: clock.sleepers == 2, what="both keepers to wait")
    await trail.settled()


async def test_a_checkpoint_is_written_where_something_was_recorded(
    trail: Trail, clock: ManualClock, keeping: AsyncExitStack, tmp_path: Path
) -> None:
    """It is signed, the log goes on from it, and the log says that it was written."""
    await trail.append(AuditEvent(action=Action.STILL, actor=ANN))
    await a_turn(clock, trail)
    checkpoints = await written(tmp_path)
    assert [one.size for one in checkpoints] == [1]
    assert await recorded(trail, Action.CHECKPOINT) == 1
    assert (await trail.verify(checkpoints)).sound


async def test_a_quiet_log_does_not_grow_by_its_own_checkpoints(
    trail: Trail, clock: ManualClock, keeping: AsyncExitStack, tmp_path: Path
) -> None:
    """The entry about a checkpoint alone is no reason for the next."""
    await trail.append(AuditEvent(action=Action.STILL, actor=ANN))
    for _ in range(5):
        await a_turn(clock, trail)
    assert len(await written(tmp_path)) == 1
    await trail.append(AuditEvent(action=Action.STILL, actor=ANN))
    await a_turn(clock, trail)
    assert [one.size for one in await written(tmp_path)] == [1, 3]


async def test_the_last_word_is_a_checkpoint(trail: Trail, keeping: AsyncExitStack, tmp_path: Path) -> None:
    """What was recorded to the end is covered when the service stops."""
    for _ in range(3):
        trail.note(AuditEvent(action=Action.STILL, actor=ANN))
    await keeping.aclose()
    assert [one.size for one in await written(tmp_path)] == [3]


async def test_a_file_that_cannot_be_written_is_recorded(
    trail: Trail, clock: ManualClock, keeping: AsyncExitStack, tmp_path: Path
) -> None:
    """And the service goes on."""
    (tmp_path / "audit-checkpoints").mkdir()
    await trail.append(AuditEvent(action=Action.STILL, actor=ANN))
    await a_turn(clock, trail)
    (entry,) = await trail.entries(AuditFilter(action="audit.checkpoint"), limit=10)
    assert entry.outcome == "failed"


def notes(count: int) -> list[str]:
    """Return notes of our log."""
    signer = Signer("test/audit", SEED)
    return [signer.sign(size=size, root=bytes(32)) for size in range(count)]


@pytest.mark.parametrize("before", [0, 1, 40])
def test_what_a_power_cut_left_of_a_note_is_taken_off(tmp_path: Path, before: int) -> None:
    """Wherever it broke, also in the first one and in a long file: the next note stands alone, and is read."""
    file = tmp_path / "notes"
    *whole, torn, last = notes(before + 2)
    for length in range(len(torn.encode())):
        file.write_bytes("".join(f"{one}\n" for one in whole).encode() + torn.encode()[:length])
        append_note(file, last)
        checkpoints, problems = read_notes(file.read_text(), [KEY])
        assert ([one.size for one in checkpoints], problems) == ([*range(before), before + 1], [])


def test_a_full_disk_leaves_no_half_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went there of it is taken off, and who wrote it is told."""
    file = tmp_path / "notes"
    first, second = notes(2)
    append_note(file, first)
    before, write = file.read_bytes(), os.write

    def full(handle: int, content: bytes) -> int:
        if len(content) < len(second.encode()):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, content[:20])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            append_note(file, second)
    assert file.read_bytes() == before


def test_a_file_that_is_none_of_ours_loses_nothing(tmp_path: Path) -> None:
    """Named by mistake: what is there stays, and the note comes behind it."""
    file = tmp_path / "notes"
    file.write_text("root:x:0:0\nlast line")
    (note,) = notes(1)
    append_note(file, note)
    assert file.read_text() == f"root:x:0:0\nlast line\n\n{note}\n"


async def test_a_log_without_an_end_gives_no_checkpoint(
    trail: Trail, database: Database, clock: ManualClock, keeping: AsyncExitStack, tmp_path: Path
) -> None:
    """What is damaged is not signed for."""
    await trail.append(AuditEvent(action=Action.STILL, actor=ANN))
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE audit_tree SET edge = x'00'")
    await a_turn(clock, trail)
    assert await written(tmp_path) == []


async def test_personal_detail_is_erased_when_it_is_old(
    trail: Trail, clock: ManualClock, keeping: AsyncExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who did what to which camera stays and proves; name, address and what was typed are gone from the disk too.

    Not by a wall clock that has leapt ahead.
    """
    monkeypatch.setattr(trail_module, "ERASE_BATCH", 2)
    typed = {"reason": "Mr Smith of 4 High Street asked"}
    for _ in range(5):
        trail.note(AuditEvent(action=Action.SHARE_MADE, actor=ANN, reference="INC-7", subject="c1", details=typed))
    await trail.settled()
    checkpoint = [Checkpoint(origin="x", size=(edge := await trail.head()).size, root=edge.root)]
    clock.jump_wall(30 * 86_400)
    await a_turn(clock, trail, ERASE_EVERY_S)
    assert not any(one.erased for one in await trail.entries(AuditFilter(action="share.made"), limit=10))
    clock.jump_wall(-30 * 86_400)
    clock.pass_by(86_400)
    await a_turn(clock, trail, ERASE_EVERY_S)
    entries = await trail.entries(AuditFilter(action="share.made"), limit=10)
    assert [(one.actor_id, one.actor, one.address, one.reference, one.details, one.erased) for one in entries] == [
        ("u1", "", "", "", "{}", True)
    ] * 5
    report = await trail.verify(checkpoint)
    assert (report.problems, report.erased) == ((), 5)
    assert await recorded(trail, Action.AUDIT_ERASED) == 1
    await asyncio.to_thread(_fold_in, tmp_path / "a.db")
    held = b"".join([await asyncio.to_thread(file.read_bytes) for file in tmp_path.glob("a.db*")])
    for text in (b"Ann Jones", b"192.0.2.77", b"INC-7", b"Mr Smith"):
        assert text not in held


def _fold_in(path: Path) -> None:
    """Move what the write-ahead log holds into the database, as SQLite does by and by."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()


async def test_nothing_old_is_no_erasure(trail: Trail, clock: ManualClock, keeping: AsyncExitStack) -> None:
    """The log does not fill with erasures of nothing."""
    await trail.append(AuditEvent(action=Action.STILL, actor=ANN))
    await a_turn(clock, trail, ERASE_EVERY_S)
    assert await recorded(trail, Action.AUDIT_ERASED) == 0


async def test_an_erasure_that_cannot_be_recorded_is_not_done(
    trail: Trail, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says it first; what stands is left for the next time."""
    await trail.append(AuditEvent(action=Action.STILL, actor=SYSTEM))
    monkeypatch.setattr(trail_module, "PATIENCE_S", 0.05)
    async with database.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'database is locked'); END"
        )
    with pytest.raises(AuditUnwrittenError):
        await trail.erase_personal(clock.wall_ns() + 1)
    assert (await trail.verify()).erased == 0
    async with database.write() as connection:
        await connection.exec_driver_sql("DROP TRIGGER broken")
    await until(lambda: clock.sleepers, what="the writer to wait")
    await clock.turn(trail_module.RETRY_S)
    await trail.settled()
