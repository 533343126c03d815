"""The trail is written in order, whole, and without making anybody wait."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.audit import trail as trail_module
from gateway.audit.chain import GENESIS, canonical, entry_hash, link
from gateway.audit.errors import AuditUnwrittenError
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent
from gateway.audit.trail import Trail, open_trail
from gateway.db.audit import AuditFilter
from gateway.db.engine import Database, open_database, sqlite_url
from tests.fakes.clock import ManualClock, settle
from tests.fakes.waiting import until

ANN = Actor(id="u1", name="ann", address="192.0.2.1")
EVERYTHING = AuditFilter()


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


def view(number: int = 1) -> AuditEvent:
    """Return an event."""
    return AuditEvent(action=Action.VIEW_STARTED, actor=ANN, subject=f"camera{number}", details={"stream": "main"})


async def refuse_writing(database: Database, *, refuse: bool) -> None:
    """Make the audit table refuse entries, or take them again."""
    statement = (
        "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'database is locked'); END"
        if refuse
        else "DROP TRIGGER broken"
    )
    async with database.write() as connection:
        await connection.exec_driver_sql(statement)


async def test_who_when_what_and_from_where_are_kept(trail: Trail, clock: ManualClock) -> None:
    """An entry says all of it."""
    await trail.append(view())
    (entry,) = await trail.entries(EVERYTHING, limit=10)
    assert (entry.actor_id, entry.actor, entry.address) == ("u1", "ann", "192.0.2.1")
    assert (entry.action, entry.subject, entry.outcome) == ("view.started", "camera1", "done")
    assert (entry.at_ns, entry.details) == (clock.wall_ns(), '{"stream":"main"}')


async def test_entries_follow_each_other(trail: Trail) -> None:
    """Each hash covers the entry before it, from the first on."""
    for number in range(3):
        trail.note(view(number))
    await trail.settled()
    entries = (await trail.entries(EVERYTHING, limit=10))[::-1]
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.previous_hash for entry in entries] == [GENESIS, entries[0].hash, entries[1].hash]
    assert (await trail.verify()).sound


async def test_two_processes_share_one_chain(tmp_path: Path, clock: ManualClock) -> None:
    """The command and the service append to one chain without breaking it."""
    url = sqlite_url(tmp_path / "b.db")
    async with open_database(url) as one, open_database(url) as other:
        async with open_trail(one, clock=clock) as first, open_trail(other, clock=clock) as second:
            for number in range(40):
                first.note(view(number))
                second.note(view(number))
                await settle(1)
        report = await Trail(one, clock=clock).verify()
    assert report.sound
    assert report.entries == 80


async def test_leaving_writes_what_was_noted(database: Database, clock: ManualClock) -> None:
    """Nothing noted before the end is lost."""
    async with open_trail(database, clock=clock) as trail:
        for number in range(700):
            trail.note(view(number))
    assert (await Trail(database, clock=clock).verify()).entries == 700


async def test_noting_goes_on_while_the_database_fails(trail: Trail, database: Database, clock: ManualClock) -> None:
    """Events wait in memory, and are written with their own times once the database works."""
    await refuse_writing(database, refuse=True)
    trail.note(view(1))
    noted_ns = clock.wall_ns()
    await until(lambda: clock.sleepers, what="the writer to wait")
    trail.note(view(2))
    await refuse_writing(database, refuse=False)
    await clock.turn(trail_module.RETRY_S)
    await trail.settled()
    entries = await trail.entries(EVERYTHING, limit=10)
    assert [entry.subject for entry in entries] == ["camera2", "camera1"]
    assert entries[1].at_ns == noted_ns


async def test_an_act_that_cannot_be_recorded_is_refused(
    trail: Trail, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What must be recorded first is not done when it cannot be."""
    monkeypatch.setattr(trail_module, "PATIENCE_S", 0.05)
    await refuse_writing(database, refuse=True)
    with pytest.raises(AuditUnwrittenError):
        await trail.append(view())
    await refuse_writing(database, refuse=False)
    await until(lambda: clock.sleepers, what="the writer to wait")
    await clock.turn(trail_module.RETRY_S)
    await trail.settled()


async def test_events_beyond_what_memory_holds_are_counted(
    trail: Trail, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood while the database is away does not fill memory; how many were lost is itself recorded."""
    monkeypatch.setattr(trail_module, "WAITING_MAX", 5)
    await refuse_writing(database, refuse=True)
    for number in range(8):
        trail.note(view(number))
    await until(lambda: clock.sleepers, what="the writer to wait")
    await refuse_writing(database, refuse=False)
    await clock.turn(trail_module.RETRY_S)
    await trail.settled()
    newest = (await trail.entries(EVERYTHING, limit=1))[0]
    assert (newest.action, newest.details, newest.seq) == ("audit.lost", '{"events":3}', 6)
    assert (await trail.verify()).sound


async def test_a_broken_database_at_the_end_is_no_hang(database: Database, clock: ManualClock) -> None:
    """The service stops although the last events cannot be written."""
    async with open_trail(database, clock=clock) as trail:
        await refuse_writing(database, refuse=True)
        trail.note(view())
    assert (await Trail(database, clock=clock).verify()).entries == 0


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit"])
async def test_the_database_itself_refuses_changes(trail: Trail, database: Database, statement: str) -> None:
    """Rows cannot be changed or removed by a slip or through a hole in our own code."""
    await trail.append(view())
    with pytest.raises((IntegrityError, DBAPIError), match="append-only"):
        await execute(database, statement)


async def test_entries_are_found_by_what_is_asked(trail: Trail, clock: ManualClock) -> None:
    """By person, subject, action and time, page by page."""
    for number in range(4):
        trail.note(view(number))
    trail.note(AuditEvent(action=Action.EXPORTED, actor=SYSTEM, subject="camera1"))
    await trail.settled()

    async def found(wanted: AuditFilter, limit: int = 10) -> list[int]:
        return [entry.seq for entry in await trail.entries(wanted, limit=limit)]

    assert await found(AuditFilter(actor_id="system")) == [5]
    assert await found(AuditFilter(subject="camera1")) == [5, 2]
    assert await found(AuditFilter(action="view.started"), limit=2) == [4, 3]
    assert await found(AuditFilter(before_seq=3)) == [2, 1]
    assert await found(AuditFilter(start_ns=clock.wall_ns() + 1)) == []
    assert await found(AuditFilter(end_ns=clock.wall_ns())) == []


Details = dict[str, str | int | bool | None]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(TEXT, TEXT, st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.booleans(), st.none()), max_size=4))
def test_any_change_to_an_entry_changes_its_hash(
    name: str, other: str, details: dict[str, str | int | bool | None]
) -> None:
    """The hash covers every field, whatever is in it."""
    event = AuditEvent(action=Action.CHANGED, actor=Actor(id="u", name=name, address="a"), details=details)
    row = link(event, at_ns=1, seq=1, previous_hash=GENESIS)
    assert entry_hash(row) == row.hash
    for field in ("actor_id", "actor", "address", "subject", "details", "action", "outcome", "previous_hash"):
        if getattr(row, field) != other:
            assert entry_hash(replace(row, **{field: other})) != row.hash  # type: ignore[arg-type]
    assert entry_hash(replace(row, seq=2)) != row.hash
    assert entry_hash(replace(row, at_ns=2)) != row.hash


def test_long_texts_fit_the_table() -> None:
    """What somebody typed cannot overflow a column."""
    event = AuditEvent(action=Action.SIGN_IN, actor=Actor(id="i" * 99, name="n" * 999, address="a" * 99))
    row = link(event, at_ns=1, seq=1, previous_hash=GENESIS)
    assert (len(row.actor_id), len(row.actor), len(row.address)) == (64, 120, 64)


def test_canonical_json_does_not_depend_on_order() -> None:
    """The same entry has one form."""
    assert canonical({"b": 1, "a": "ä"}) == canonical({"a": "ä", "b": 1}) == '{"a":"ä","b":1}'


async def execute(database: Database, statement: str) -> None:
    """Run a statement."""
    async with database.write() as connection:
        await connection.exec_driver_sql(statement)
