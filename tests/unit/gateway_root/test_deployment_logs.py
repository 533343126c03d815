"""Whoever alters a deployment's log around the database's own refusal is found by what the audit was told of it."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.events import Actor
from gateway.audit.trail import Trail, open_trail
from gateway.db.audit import AuditRows
from gateway.db.deployments import DeploymentRows
from gateway.db.engine import open_database, sqlite_url
from gateway.db.tables import deployment_entries
from gateway.deployments import proof
from gateway.deployments.kept import digest_of
from gateway.deployments.proof import LogsReport
from gateway.deployments.service import Deployments, Taken, open_deployments
from gateway.deployments.steps import Note
from gateway.stationed import check_logs, step_event
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock
from tests.unit.audit.test_tampering import kinds
from tests.unit.deployments.conftest import SETTINGS
from tests.unit.deployments.test_life import REFERRAL, TEAM

LINES = 5
"""Of the first log; the second has two."""
NOT_COVERED = {"key"}
"""What a phone calls a step by, so that it is done once: nothing that anybody said."""
COLUMNS = [
    *(("deployment_entries", column.name) for column in deployment_entries.columns if column.name not in NOT_COVERED),
    ("deployments", "id"),
    ("deployments", "entries"),
]
UNLOCK = (
    "DROP TRIGGER deployment_entries_no_update",
    "DROP TRIGGER deployment_entries_no_delete",
    "DROP TRIGGER audit_entries_no_update",
    "DROP TRIGGER audit_entries_no_delete",
    "PRAGMA defer_foreign_keys = ON",
)
HOUR_NS = 3600 * NS_PER_S
Logs = tuple[Path, str, str]


@asynccontextmanager
async def at_work(path: Path, clock: ManualClock) -> AsyncIterator[tuple[Deployments, Trail]]:
    """Give deployments whose audit is told of every step, as a gateway has them."""
    async with (
        open_database(sqlite_url(path)) as database,
        open_trail(database, clock=clock) as trail,
        open_deployments(database, clock=clock, settings=SETTINGS) as known,
    ):

        def heard(taken: Taken) -> None:
            trail.note(step_event(taken, Actor(id="team", name="Team", address="192.0.2.1")))

        known.follow(heard)
        yield known, trail


async def write(path: Path) -> tuple[str, str]:
    """Write two logs, and return whose they are."""
    async with at_work(path, ManualClock()) as (known, trail):
        first, second = [(await known.refer(REFERRAL, by=TEAM)).deployment.id for _ in range(2)]
        for number in range(2, LINES + 1):
            await known.step(first, Note(text=f"Visit {number}."), by=TEAM, key=f"phone-{number}")
        await known.step(second, Note(text="Nothing new."), by=TEAM)
        await trail.settled()
    return first, second


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Return a database with the logs, and whose they are: ``{0}`` and ``{1}`` in what is done to them."""
    path = tmp_path_factory.mktemp("logs") / "a.db"
    return path, *asyncio.run(write(path))


async def checked(connection: AsyncConnection, now_ns: int | None = None) -> LogsReport:
    """Return what the check finds, an hour later."""
    if now_ns is None:
        now_ns = ManualClock().wall_ns() + HOUR_NS
    return await check_logs(AuditRows(connection), DeploymentRows(connection), now_ns=now_ns)


@asynccontextmanager
async def intruder(path: Path) -> AsyncIterator[AsyncConnection]:
    """Give a connection whose transaction is rolled back in the end, and that nothing refuses."""
    async with open_database(sqlite_url(path)) as database, database.write() as connection:
        for statement in UNLOCK:
            await connection.exec_driver_sql(statement)
        yield connection
        await connection.rollback()


async def test_untouched_logs_are_sound(written: Logs) -> None:
    """Two logs of seven lines."""
    async with intruder(written[0]) as connection:
        assert await checked(connection) == LogsReport(deployments=2, lines=LINES + 2, on_their_way=0, problems=())


@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_every_value_of_every_column_is_covered(written: Logs, table: str, column: str) -> None:
    """Whichever stored value is altered, to one of its own kind or of another, the check finds it."""
    tried = 0
    async with intruder(written[0]) as connection:
        declared = {row.name: row.type for row in await connection.exec_driver_sql(f"PRAGMA table_info({table})")}
        rows = [row[0] for row in await connection.exec_driver_sql(f"SELECT rowid FROM {table}")]  # noqa: S608
        for rowid, value in itertools.product(rows, kinds(declared[column])):
            statement = f"UPDATE {table} SET {column} = {value} WHERE rowid = {rowid} AND {column} IS NOT {value}"  # noqa: S608
            async with connection.begin_nested() as deed:
                if (await connection.exec_driver_sql(statement)).rowcount:
                    tried += 1
                    assert not (await checked(connection)).sound, statement
                await deed.rollback()
    assert tried >= len(rows)


SWAP = (
    "UPDATE deployment_entries SET n = 100 WHERE deployment_id = '{0}' AND n = 2;"
    "UPDATE deployment_entries SET n = 2 WHERE deployment_id = '{0}' AND n = 3;"
    "UPDATE deployment_entries SET n = 3 WHERE deployment_id = '{0}' AND n = 100"
)


CUT = (
    "DELETE FROM deployment_entries WHERE deployment_id = '{0}' AND n > 3;"
    "UPDATE deployments SET entries = 3 WHERE id = '{0}'"
)
BOTH = (
    "DELETE FROM deployment_entries WHERE deployment_id = '{0}' AND n = 2;"
    "DELETE FROM audit_entries WHERE subject = '{0}' AND details LIKE '%\"line\":2%'"
)
SLIP_IN = (
    "INSERT INTO deployment_entries SELECT deployment_id, 6, at_ns, done_ns, clock_offset_ms, doubt, step,"
    " user_id, name, said, 'new', digest FROM deployment_entries WHERE deployment_id = '{0}' AND n = 2;"
    "UPDATE deployments SET entries = 6 WHERE id = '{0}'"
)


@pytest.mark.parametrize(
    ("deeds", "problems"),
    [
        ("UPDATE deployment_entries SET said = '{{}}' WHERE deployment_id = '{0}' AND n = 3", ["line 3 was altered."]),
        (
            "UPDATE deployment_entries SET digest = 'x' WHERE deployment_id = '{0}' AND n = 3",
            ["the digest of line 3 was altered."],
        ),
        ("DELETE FROM deployment_entries WHERE deployment_id = '{0}' AND n = 2", ["line 2 is missing."]),
        (
            CUT,
            ["lines 4 to 5 are missing.", "its summary tells of 3 lines, not of 5."],
        ),
        (SWAP, ["where line 2 was stands line 3.", "where line 3 was stands line 2."]),
        (
            SLIP_IN,
            ["line 6 is unknown to the audit.", "its summary tells of 6 lines, not of 5."],
        ),
        (
            "DELETE FROM deployment_entries WHERE deployment_id = '{0}'; DELETE FROM deployments WHERE id = '{0}'",
            ["lines 1 to 5 are missing.", "its summary is missing."],
        ),
        (
            "UPDATE audit_entries SET details = replace(details, '\"line\":2', '\"line\":1') WHERE subject = '{0}'",
            [
                "the audit has line 1 twice, and not the same.",
                "line 2 is unknown to the audit.",
            ],
        ),
        (
            BOTH,
            ["nothing is known of the line before line 3."],
        ),
    ],
    ids=["altered", "digest", "removed", "cut", "reordered", "slipped-in", "all-removed", "told-twice", "both-removed"],
)
async def test_what_was_done_is_named(written: Logs, deeds: str, problems: list[str]) -> None:
    """Each is told in a sentence, of the log it was done to, and nothing else is."""
    path, first, second = written
    async with intruder(path) as connection:
        for deed in deeds.format(first, second).split(";"):
            assert (await connection.exec_driver_sql(deed)).rowcount
        assert (await checked(connection)).problems == tuple(f"Deployment {first}: {what}" for what in problems)


async def test_a_line_of_another_log_is_known_as_that(written: Logs) -> None:
    """Somebody's words in a log in which they were not said."""
    path, first, second = written
    taken = (
        "UPDATE deployment_entries SET ({0}) = (SELECT {0} FROM deployment_entries WHERE deployment_id = ? AND n = 2)"
    )
    async with intruder(path) as connection:
        await connection.exec_driver_sql(
            taken.format("at_ns, done_ns, said, digest") + " WHERE deployment_id = ? AND n = 4", (second, first)
        )
        told = f"Deployment {first}: where line 4 was stands line 2 of deployment {second}."
        assert (await checked(connection)).problems == (told,)


async def test_a_log_computed_anew_is_found_at_the_line_that_says_something_else(written: Logs) -> None:
    """All its digests follow from each other; what was said is told from what only follows it."""
    path, first, _ = written
    async with intruder(path) as connection:
        before = ""
        for line in await DeploymentRows(connection).log(first):
            said = line.said if line.n != 3 else json.dumps({"text": "Nobody came."})
            before = digest_of(replace(line, said=said), before)
            await connection.exec_driver_sql(
                "UPDATE deployment_entries SET said = ?, digest = ? WHERE deployment_id = ? AND n = ?",
                (said, before, first, line.n),
            )
        found = (await checked(connection)).problems
    told = ["line 3 was altered.", "the digest of line 4 was altered.", "the digest of line 5 was altered."]
    assert found == tuple(f"Deployment {first}: {what}" for what in told)


@pytest.mark.parametrize("details", ["[]", "{", '{"deployment":1}'])
async def test_an_audit_that_says_nothing_of_the_line_is_told(written: Logs, details: str) -> None:
    """Its own check finds what was done to it; this one does not break at it."""
    path, first, _ = written
    async with intruder(path) as connection:
        alter = "UPDATE audit_entries SET details = ? WHERE subject = ? AND seq = 1"
        assert (await connection.exec_driver_sql(alter, (details, first))).rowcount
        assert (await checked(connection)).problems == (
            "Audit entry 1 does not say which line of which log it is about.",
            f"Deployment {first}: line 1 is unknown to the audit.",
        )


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("deployment_id", "The list of deployments holds bytes that are no text: it was altered."),
        ("said", "its log holds bytes that are no text: it was altered."),
    ],
)
async def test_what_the_database_cannot_read_is_told(written: Logs, column: str, told: str) -> None:
    """Bytes that are no text end no check."""
    async with intruder(written[0]) as connection:
        await connection.exec_driver_sql(f"UPDATE deployment_entries SET {column} = CAST(x'ff' AS TEXT) WHERE n = 3")  # noqa: S608
        assert any(told in problem for problem in (await checked(connection)).problems)


async def test_an_audit_that_cannot_be_read_is_told(written: Logs) -> None:
    """What it was told before that is held against the logs all the same."""
    async with intruder(written[0]) as connection:
        await connection.exec_driver_sql("UPDATE audit_entries SET details = CAST(x'ff' AS TEXT) WHERE seq = 5")
        problems = (await checked(connection)).problems
    assert problems[0] == "An audit entry after 0 holds bytes that are no text: it was altered."


async def test_a_line_of_just_now_may_be_on_its_way_to_the_audit(tmp_path: Path) -> None:
    """A gateway at work is not accused of what it is about to tell; a minute later it is."""
    clock = ManualClock()
    async with at_work(tmp_path / "a.db", clock) as (known, trail):
        taken = await known.refer(REFERRAL, by=TEAM)
        await trail.settled()
    async with (
        open_database(sqlite_url(tmp_path / "a.db")) as database,
        open_deployments(database, clock=clock, settings=SETTINGS) as untold,
    ):
        await untold.step(taken.deployment.id, Note(text="Nobody is told."), by=TEAM)
        async with database.read() as connection:
            now = await checked(connection, clock.wall_ns())
            later = await checked(connection, clock.wall_ns() + HOUR_NS)
    assert (now.sound, now.on_their_way, now.lines) == (True, 1, 2)
    assert later.problems == (
        f"Deployment {taken.deployment.id}: line 2 is unknown to the audit.",
        f"Deployment {taken.deployment.id}: its summary tells of 2 lines, not of 1.",
    )


async def test_a_flood_of_problems_is_cut(written: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs that were altered altogether do not print for ever."""
    monkeypatch.setattr(proof, "SHOWN_MAX", 3)
    async with intruder(written[0]) as connection:
        await connection.exec_driver_sql("UPDATE deployment_entries SET name = 'eve'")
        assert len((await checked(connection)).problems) == 3
