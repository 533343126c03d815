"""Whoever goes around the database's own refusal is found by the chain."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gateway.audit.chain import GENESIS, ChainReport
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.audit.trail import Trail, open_trail
from gateway.db.engine import open_database, sqlite_url
from tests.fakes.clock import ManualClock

LAST_IS_ANOTHER = "The last entry is not the one that was recorded as the end of the chain."
UNLOCK = "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;"
FORGED = "INSERT INTO audit SELECT {seq}, at_ns, action, outcome, 'u9', 'eve', address, subject, details, "


async def verified(tmp_path: Path, statements: str, *, entries: int = 5) -> ChainReport:
    """Write a trail, run ``statements`` on its file as an intruder would, and check it."""
    path, clock = tmp_path / "a.db", ManualClock()
    async with open_database(sqlite_url(path)) as database, open_trail(database, clock=clock) as trail:
        for number in range(entries):
            actor = Actor(id="u1", name="ann", address="192.0.2.1")
            trail.note(AuditEvent(action=Action.STILL, actor=actor, subject=f"camera{number}"))
    await asyncio.to_thread(_run, path, UNLOCK + statements)
    async with open_database(sqlite_url(path)) as database:
        return await Trail(database, clock=clock).verify()


def _run(path: Path, statements: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(statements)
    connection.close()


async def test_an_untouched_trail_is_sound(tmp_path: Path) -> None:
    """Five entries, no problem."""
    report = await verified(tmp_path, "")
    assert report.sound
    assert report.entries == 5


async def test_an_empty_trail_is_sound(tmp_path: Path) -> None:
    """Nothing happened, nothing is wrong."""
    report = await verified(tmp_path, "", entries=0)
    assert report.sound
    assert report.head == GENESIS


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at_ns", 1),
        ("action", "view.ended"),
        ("outcome", "refused"),
        ("actor_id", "u2"),
        ("actor", "eve"),
        ("address", "198.51.100.1"),
        ("subject", "camera9"),
        ("details", '{"a":1}'),
    ],
)
async def test_a_changed_field_is_found(tmp_path: Path, column: str, value: str | int) -> None:
    """Whichever field of a row is altered, that row is named."""
    report = await verified(tmp_path, f"UPDATE audit SET {column} = '{value}' WHERE seq = 3;")  # noqa: S608 - an intruder's
    assert report.problems == ("Entry 3 was altered.",)


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        ("DELETE FROM audit WHERE seq = 1;", "Entry 1 is missing."),
        ("DELETE FROM audit WHERE seq IN (2, 3);", "Entries 2 to 3 are missing."),
        ("DELETE FROM audit WHERE seq = 5;", "Entry 5 is missing at the end."),
        ("DELETE FROM audit WHERE seq > 3;", "Entries 4 to 5 are missing at the end."),
        ("DELETE FROM audit;", "Entries 1 to 5 are missing at the end."),
        ("DELETE FROM audit_head;", "The record of the chain's end is missing."),
        ("UPDATE audit_head SET seq = 4;", "Entries after 4 were added past the recorded end of the chain."),
        (
            "UPDATE audit_head SET hash = 'x';",
            "The last entry is not the one that was recorded as the end of the chain.",
        ),
        ("UPDATE audit SET previous_hash = 'x' WHERE seq = 4;", "Entry 4 does not follow from the entry before it."),
    ],
)
async def test_removed_and_broken_entries_are_found(tmp_path: Path, statements: str, problem: str) -> None:
    """Missing entries, a cut end and a broken link are each named."""
    assert problem in (await verified(tmp_path, statements)).problems


async def test_an_entry_slipped_in_is_found(tmp_path: Path) -> None:
    """A forged entry in place of a real one does not fit its neighbours."""
    forged = FORGED.format(seq=3) + "previous_hash, hash FROM kept;"
    keep = "CREATE TABLE kept AS SELECT * FROM audit WHERE seq = 3; DELETE FROM audit WHERE seq = 3;"
    report = await verified(tmp_path, keep + forged)
    assert "Entry 3 was altered." in report.problems


async def test_swapped_entries_are_found(tmp_path: Path) -> None:
    """The order of what happened cannot be turned round."""
    report = await verified(
        tmp_path,
        "UPDATE audit SET seq = 100 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;"
        "UPDATE audit SET seq = 3 WHERE seq = 100;",
    )
    assert not report.sound
    assert "Entry 2 was altered." in report.problems


async def test_a_rewritten_entry_with_a_fresh_hash_breaks_the_next(tmp_path: Path) -> None:
    """Whoever recomputes one hash has to recompute all that follow, up to the head that is kept elsewhere."""
    report = await verified(tmp_path, "UPDATE audit SET hash = 'f00d' WHERE seq = 2;")
    assert "Entry 3 does not follow from the entry before it." in report.problems


async def test_a_flood_of_problems_is_cut(tmp_path: Path) -> None:
    """A wholly altered trail does not print for ever."""
    report = await verified(tmp_path, "UPDATE audit SET actor = 'eve';", entries=150)
    assert len(report.problems) == 100
