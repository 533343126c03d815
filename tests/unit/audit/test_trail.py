"""The trail is written in order, whole, and without making anybody wait."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.audit import trail as trail_module
from gateway.audit.errors import AuditBrokenError, AuditUnwrittenError
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent
from gateway.audit.leaves import canonical, leaf_of, link
from gateway.audit.trail import Trail, open_trail
from gateway.audit.tree import Edge
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
        "CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'database is locked'); END"
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


async def test_the_rule_and_the_reference_are_kept(trail: Trail) -> None:
    """An entry says what allowed it and what it was for."""
    event = AuditEvent(action=Action.STILL, actor=ANN, rule="grant:g1", reference="INC-2026-0007")
    await trail.append(event)
    (entry,) = await trail.entries(EVERYTHING, limit=10)
    assert (entry.rule, entry.reference) == ("grant:g1", "INC-2026-0007")


async def test_entries_are_the_leaves_of_one_tree(trail: Trail) -> None:
    """The stored edge is the one over all leaves in their order."""
    for number in range(5):
        trail.note(view(number))
    await trail.settled()
    entries = (await trail.entries(EVERYTHING, limit=10))[::-1]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    edge = Edge()
    for entry in entries:
        edge.push(entry.leaf)
    assert (await trail.head()).root == edge.root
    report = await trail.verify()
    assert report.sound
    assert report.head == edge.root.hex()


async def test_nothing_is_added_to_a_log_whose_end_is_unknown(
    trail: Trail, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events wait, acts are refused, and the reason is told."""
    monkeypatch.setattr(trail_module, "PATIENCE_S", 0.05)
    await execute(database, "UPDATE audit_tree SET edge = x'00'")
    with pytest.raises(AuditUnwrittenError):
        await trail.append(view())
    with pytest.raises(AuditBrokenError):
        await trail.head()
    await execute(database, "UPDATE audit_tree SET edge = x''")
    await until(lambda: clock.sleepers, what="the writer to wait")
    await clock.turn(trail_module.RETRY_S)
    await trail.settled()
    assert (await trail.verify()).entries == 1


async def test_two_processes_share_one_log(tmp_path: Path, clock: ManualClock) -> None:
    """The command and the service append to one log without breaking it."""
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
    """What must be recorded first is not done when it cannot be; of what was done nobody says that it is not."""
    monkeypatch.setattr(trail_module, "PATIENCE_S", 0.05)
    await refuse_writing(database, refuse=True)
    with pytest.raises(AuditUnwrittenError, match="so it is not done"):
        await trail.append(view(), first=True)
    with pytest.raises(AuditUnwrittenError, match="That is done, but it is not on record yet"):
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


@pytest.mark.parametrize(("first", "said"), [(False, "could not be put on record"), (True, "it is not done")])
async def test_an_act_whose_entry_was_dropped_is_not_called_recorded(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, *, first: bool, said: str
) -> None:
    """Where as much waits as may, the entry is lost, whether or not what waits is written in time."""
    monkeypatch.setattr(trail_module, "WAITING_MAX", 1)
    async with open_trail(database, clock=clock) as trail:
        await refuse_writing(database, refuse=True)
        assert trail.note(view(1))
        assert not trail.note(view(2))
        dropped = asyncio.create_task(trail.append(view(3), first=first))
        await until(lambda: clock.sleepers, what="the writer to wait")
        await refuse_writing(database, refuse=False)
        await clock.turn(trail_module.RETRY_S)
        with pytest.raises(AuditUnwrittenError, match=said):
            await dropped
        assert [entry.action for entry in await trail.entries(EVERYTHING, limit=10)] == ["audit.lost", "view.started"]


async def test_a_broken_database_at_the_end_is_no_hang(database: Database, clock: ManualClock) -> None:
    """The service stops although the last events cannot be written."""
    async with open_trail(database, clock=clock) as trail:
        await refuse_writing(database, refuse=True)
        trail.note(view())
    assert (await Trail(database, clock=clock).verify()).entries == 0


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor_id = 'eve'", "DELETE FROM audit_entries"])
async def test_the_database_itself_refuses_changes(trail: Trail, database: Database, statement: str) -> None:
    """Rows cannot be changed or removed by a slip or through a hole in our own code."""
    await trail.append(view())
    with pytest.raises((IntegrityError, DBAPIError), match="append-only"):
        await execute(database, statement)


async def test_the_database_itself_refuses_changes_to_personal_parts(trail: Trail, database: Database) -> None:
    """They can be erased, and nothing else."""
    await trail.append(view())
    with pytest.raises((IntegrityError, DBAPIError), match="cannot be changed"):
        await execute(database, "UPDATE audit_personal SET body = '{}'")


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
TEXT = st.text(max_size=200)
FIELDS = ("actor_id", "subject", "details", "action", "outcome", "rule", "span")


@given(TEXT, TEXT, st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.booleans(), st.none()), max_size=4))
def test_any_change_to_an_entry_changes_its_leaf(name: str, other: str, details: Details) -> None:
    """The hash covers every field, whatever is in it; half a surrogate pair does not stop the writer."""
    other = other.encode("utf-8", "replace").decode()
    event = AuditEvent(action=Action.CHANGED, actor=Actor(id="u", name=name, address="a"), details=details)
    row, personal = link(event, at_ns=1, seq=1)
    assert leaf_of(row) == row.leaf
    for field in FIELDS:
        if getattr(row, field) != other:
            assert leaf_of(replace(row, **{field: other})) != row.leaf  # type: ignore[arg-type]
    for field in ("seq", "at_ns", "from_ns", "to_ns"):
        assert leaf_of(replace(row, **{field: 7})) != row.leaf  # type: ignore[arg-type]
    assert leaf_of(replace(row, commitment=b"x" * 32)) != row.leaf
    assert len(personal.salt) == 16


def test_what_people_typed_is_only_committed_to() -> None:
    """Name, address, reference and free text are in no column of the entry; our own words and identifiers are."""
    details: Details = {"stream": "main", "reason": "Mr Smith said so", "seconds": 4}
    actor = Actor(id="u1", name="Ann Jones", address="192.0.2.1")
    event = AuditEvent(action=Action.SHARE_MADE, actor=actor, reference="INC 5", details=details)
    row, personal = link(event, at_ns=1, seq=1)
    assert row.details == '{"seconds":4,"stream":"main"}'
    for secret in ("Ann Jones", "192.0.2.1", "INC 5", "Mr Smith"):
        assert secret in personal.body
        assert secret not in str(row)


def test_a_repeated_entry_has_another_commitment() -> None:
    """Salt keeps anybody from telling that the same person acted twice, or from trying names."""
    (one, _), (other, _) = (link(view(), at_ns=1, seq=1) for _ in range(2))
    assert one.commitment != other.commitment


def test_long_texts_fit_the_table() -> None:
    """What somebody typed cannot overflow a column."""
    event = AuditEvent(action=Action.SIGN_IN, actor=Actor(id="i" * 99, name="n" * 999, address="a" * 99))
    row, personal = link(event, at_ns=1, seq=1)
    assert len(row.actor_id) == 64
    assert personal.body == canonical({"actor": "n" * 120, "address": "a" * 64, "reference": "", "details": "{}"})


def test_canonical_json_does_not_depend_on_order() -> None:
    """The same entry has one form."""
    assert canonical({"b": 1, "a": "ä"}) == canonical({"a": "ä", "b": 1}) == '{"a":"ä","b":1}'


async def execute(database: Database, statement: str) -> None:
    """Run a statement."""
    async with database.write() as connection:
        await connection.exec_driver_sql(statement)
