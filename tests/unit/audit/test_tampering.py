"""Whoever goes around the database's own refusal is found: by the tree, or by a checkpoint kept elsewhere."""

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from gateway.audit import proof
from gateway.audit.checkpoints import Checkpoint
from gateway.audit.proof import AuditReport, check
from gateway.audit.tree import EMPTY_ROOT
from gateway.db.audit import AuditRows
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.tables import audit_entries, audit_open, audit_personal, audit_tree
from tests.unit.audit.stored import CHECKPOINTS, ENTRIES, UNLOCK, compute_again, intrude, verified, write_log

TABLES = (audit_entries, audit_personal, audit_open, audit_tree)
COLUMNS = [(table.name, column.name) for table in TABLES for column in table.columns]
Log = tuple[Path, list[Checkpoint]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """Return a log on disk that nobody touches, and checkpoints of it as a witness holds them."""
    path = tmp_path_factory.mktemp("log") / "a.db"
    return path, asyncio.run(write_log(path))


async def test_an_untouched_log_is_sound(written: Log) -> None:
    """Eleven entries, three of which have had their personal part erased, and all checkpoints."""
    path, checkpoints = written
    report = await verified(path, checkpoints)
    assert report.problems == ()
    assert (report.entries, report.erased, report.checkpoints) == (ENTRIES, 3, len(CHECKPOINTS))


async def test_an_empty_log_is_sound(tmp_path: Path) -> None:
    """Nothing happened, nothing is wrong."""
    report = await verified(tmp_path / "a.db", [Checkpoint(origin="log", size=0, root=EMPTY_ROOT)])
    assert report.sound
    assert report.head == EMPTY_ROOT.hex()


def kinds(declared: str) -> list[str]:
    """Return SQL values that a column of a type is altered to: its own kind, and kinds that never stand there."""
    if "CHAR" in declared or "TEXT" in declared:
        return ["'forged'", "''", "x'00'", "CAST(x'ff' AS TEXT)"]
    if "INT" in declared:
        return ["5000000000000000000", "-1", "'x'", "1.5", "x'00'"]
    return ["x'00'", "zeroblob(16)", "zeroblob(32)", "zeroblob(96)", "'x'", "123456789012"]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_every_value_of_every_column_is_covered(written: Log, table: str, column: str) -> None:
    """Whichever stored value is altered, to one of its own kind or of another, the check finds it."""
    path, _ = written
    tried = 0
    async with open_database(sqlite_url(path)) as database:
        async with database.read() as connection:
            declared = {row.name: row.type for row in await connection.exec_driver_sql(f"PRAGMA table_info({table})")}
            rows = [row[0] for row in await connection.exec_driver_sql(f"SELECT rowid FROM {table}")]  # noqa: S608
        for rowid, value in itertools.product(rows, kinds(declared[column])):
            statement = f"UPDATE {table} SET {column} = {value} WHERE rowid = {rowid} AND {column} IS NOT {value}"  # noqa: S608
            async with Intruder(database) as intruder:
                if await intruder.does(statement):
                    tried += 1
                    assert not (await intruder.checked()).sound, statement
    assert tried >= len(rows)


class Intruder:
    """Does as he likes in a transaction that is rolled back in the end."""

    def __init__(self, database: Database) -> None:
        self._transaction = database.write()

    async def __aenter__(self) -> Self:
        """Drop what refuses."""
        self._connection = await self._transaction.__aenter__()
        for statement in (*UNLOCK, "PRAGMA ignore_check_constraints = ON"):
            await self._connection.exec_driver_sql(statement)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave no trace."""
        await self._connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
        await self._connection.rollback()
        await self._transaction.__aexit__(None, None, None)

    async def does(self, statement: str) -> bool:
        """Return whether the statement changed anything."""
        try:
            return (await self._connection.exec_driver_sql(statement)).rowcount > 0
        except IntegrityError:
            return False  # a key that another row has, or not a number where SQLite insists on one

    async def checked(self, checkpoints: Sequence[Checkpoint] = ()) -> AuditReport:
        """Return what the check finds."""
        return await check(AuditRows(self._connection), checkpoints)


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        ("DELETE FROM audit_entries WHERE seq = 1", "Entry 1 is missing."),
        ("DELETE FROM audit_entries WHERE seq IN (2, 3)", "Entries 2 to 3 are missing."),
        ("DELETE FROM audit_entries WHERE seq = 11", "Entry 11 is missing at the end."),
        ("DELETE FROM audit_entries WHERE seq > 7", "Entries 8 to 11 are missing at the end."),
        ("DELETE FROM audit_entries", "Entries 1 to 11 are missing at the end."),
        ("DELETE FROM audit_tree", "The record of the log's end is missing."),
        ("UPDATE audit_tree SET size = 10", "Entries after 10 were added past the recorded end of the log."),
        (
            "UPDATE audit_tree SET edge = zeroblob(96)",
            "The entries are not those that the record of the log's end was made of.",
        ),
        ("UPDATE audit_entries SET subject = 'c' WHERE seq = 3", "Entry 3 was altered."),
        ("UPDATE audit_personal SET body = '{}' WHERE seq = 9", "The personal part of entry 9 was altered."),
        (
            "DELETE FROM audit_personal WHERE seq = 9",
            "The personal part of entry 9 is missing, and no erasure covers it.",
        ),
        ("INSERT INTO audit_personal VALUES (99, 1, x'00', '{}')", "There are personal parts that belong to no entry."),
        ("DELETE FROM audit_open", "The table of what has not ended is not what the entries say."),
        (
            "UPDATE audit_entries SET details = CAST(x'ff' AS TEXT) WHERE seq = 3",
            "An entry after 0 holds bytes that are no text: it was altered.",
        ),
        ("UPDATE audit_entries SET seq = -5 WHERE seq = 3", "Entry -5 stands where it does not belong."),
    ],
)
async def test_what_was_done_is_named(written: Log, statements: str, problem: str) -> None:
    """Missing and altered entries, a cut end and loose parts are each told in a sentence."""
    async with open_database(sqlite_url(written[0])) as database, Intruder(database) as intruder:
        assert await intruder.does(statements)
        assert problem in (await intruder.checked()).problems


async def test_a_flood_of_problems_is_cut(written: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wholly altered log does not print for ever."""
    monkeypatch.setattr(proof, "SHOWN_MAX", 5)
    async with open_database(sqlite_url(written[0])) as database, Intruder(database) as intruder:
        await intruder.does("UPDATE audit_entries SET actor_id = 'eve'")
        assert len((await intruder.checked()).problems) == 5


async def test_a_cut_end_with_everything_put_right_is_found_by_a_checkpoint(written: Log) -> None:
    """The log alone looks whole; whoever holds a checkpoint from before knows that it is not."""
    path, checkpoints = written
    copy = path.with_name("cut.db")
    cut = "DELETE FROM audit_entries WHERE seq > 8; DELETE FROM audit_personal WHERE seq > 8;"
    await asyncio.to_thread(intrude, path, copy, cut, compute_again)
    assert (await verified(copy)).sound
    assert (await verified(copy, checkpoints[:2])).sound
    assert (await verified(copy, checkpoints)).problems == (
        "A checkpoint tells of 11 entries: Entries 9 to 11 are missing at the end.",
    )


async def test_a_log_computed_anew_is_found_by_a_checkpoint(written: Log) -> None:
    """Everything is consistent with a name changed in it; every checkpoint over that entry says no."""
    path, checkpoints = written
    copy = path.with_name("anew.db")
    name = "UPDATE audit_personal SET body = replace(body, 'ann', 'eve') WHERE seq = 5;"
    await asyncio.to_thread(intrude, path, copy, name, compute_again)
    assert (await verified(copy)).sound
    report = await verified(copy, checkpoints)
    told = "entries are not those of a checkpoint: something in them was altered, removed or reordered."
    assert report.problems == (f"The first 8 {told}", f"The first 11 {told}")


NUMBERS = st.integers(1, ENTRIES)
DEEDS = st.one_of(
    st.builds("DELETE FROM audit_entries WHERE seq = {0};".format, NUMBERS),
    st.builds("UPDATE audit_entries SET subject = 'camera99' WHERE seq = {0};".format, NUMBERS),
    st.builds("UPDATE audit_entries SET at_ns = at_ns + {1} WHERE seq = {0};".format, NUMBERS, st.integers(1, 10**9)),
    st.builds(
        "UPDATE audit_personal SET body = replace(body, 'ann', 'eve') WHERE seq = {0};".format, st.integers(5, 11)
    ),
    st.lists(NUMBERS, min_size=2, max_size=2, unique=True).map(
        lambda two: (
            f"UPDATE audit_entries SET seq = 100 WHERE seq = {two[0]};"  # noqa: S608 - an intruder's
            f"UPDATE audit_entries SET seq = {two[0]} WHERE seq = {two[1]};"
            f"UPDATE audit_entries SET seq = {two[1]} WHERE seq = 100;"
        )
    ),
    st.builds(
        "INSERT INTO audit_entries SELECT 12, {columns} FROM audit_entries WHERE seq = {0};".format,
        NUMBERS,
        columns=st.just(", ".join(column.name for column in audit_entries.columns if column.name != "seq")),
    ),
)


@given(deed=DEEDS)
@settings(max_examples=40)
def test_whatever_is_done_to_the_entries_is_found(written: Log, deed: str) -> None:
    """Any entry altered, removed, exchanged with another or slipped in is found by the log alone."""
    path, _ = written
    copy = path.with_name("c.db")
    intrude(path, copy, deed)
    assert not asyncio.run(verified(copy)).sound


@given(deed=DEEDS.filter(lambda deed: not deed.startswith("INSERT")))
@settings(max_examples=40)
def test_whatever_is_done_and_covered_up_is_found_by_checkpoints(written: Log, deed: str) -> None:
    """Although the intruder computed everything anew, so that the log alone looks whole."""
    path, checkpoints = written
    copy = path.with_name("d.db")
    intrude(path, copy, deed, compute_again)
    assert not asyncio.run(verified(copy, checkpoints)).sound
