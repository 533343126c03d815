"""What the chained audit of the first version held is in the log of today, and its own check is told."""

import asyncio
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import create_engine

from gateway.audit.leaves import Entry
from gateway.audit.proof import AuditReport
from gateway.audit.trail import Trail, open_trail
from gateway.db.audit import AuditFilter
from gateway.db.dialects import prepare
from gateway.db.engine import configuration, open_database, sqlite_url
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock

AT_NS = 1_790_000_000 * NS_PER_S
OLD: list[dict[str, Any]] = [
    {"action": "view.started", "subject": "c1", "details": {"stream": "main"}},
    {"action": "view.ended", "subject": "c1", "details": {"reason": "left", "seconds": 90, "stream": "main"}},
    {"action": "playback.still", "subject": "c1", "details": {"at": "2026-05-01T12:00:00Z", "stream": "main"}},
    {"action": "access.refused", "subject": "", "details": {"path": "/x"}, "outcome": "refused"},
]


def write_chain(path: Path) -> str:
    """Write the first version's database with its chain, and return the hash it ends in."""
    engine = create_engine(f"sqlite:///{path}")
    prepare(engine)
    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    database = sqlite3.connect(path)
    previous = "0" * 64
    for seq, old in enumerate(OLD, start=1):
        kept = {"seq": seq, "at_ns": str(AT_NS + seq), "action": old["action"], "outcome": old.get("outcome", "done")}
        kept |= {"actor_id": "u1", "actor": "Ann", "address": "192.0.2.1", "subject": old["subject"]}
        kept["details"] = canonical(old["details"])
        digest = hashlib.sha256(f"{previous}\n{canonical(kept)}".encode()).hexdigest()
        values = [*kept.values(), previous, digest]
        database.execute(f"INSERT INTO audit VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
        previous = digest
    database.execute("UPDATE audit_head SET seq = ?, hash = ?", (len(OLD), previous))
    database.commit()
    database.close()
    return previous


def canonical(value: dict[str, Any]) -> str:
    """Return canonical JSON as the first version wrote it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


async def carried(path: Path) -> tuple[list[Entry], AuditReport]:
    """Bring the database to today and return its entries, oldest first, and what checking them finds."""
    clock = ManualClock()
    async with open_database(sqlite_url(path)) as database, open_trail(database, clock=clock) as trail:
        return (await trail.entries(AuditFilter(), limit=100))[::-1], await trail.verify()


async def test_old_entries_are_leaves_of_the_new_log(tmp_path: Path) -> None:
    """With all they said, and after them how many they were, what their chain ended in, and that it was sound."""
    head = await asyncio.to_thread(write_chain, tmp_path / "a.db")
    entries, report = await carried(tmp_path / "a.db")
    assert report.problems == ()
    assert [entry.action for entry in entries] == [*(old["action"] for old in OLD), "audit.carried-over"]
    assert [json.loads(entry.details) for entry in entries[:-1]] == [old["details"] for old in OLD]
    assert {(entry.actor_id, entry.actor, entry.address) for entry in entries[:-1]} == {("u1", "Ann", "192.0.2.1")}
    assert [entry.at_ns - AT_NS for entry in entries[:-1]] == [1, 2, 3, 4]
    assert json.loads(entries[-1].details) == {"entries": len(OLD), "head": head, "sound": True}
    assert entries[-1].outcome == "done"


async def test_old_views_are_found_by_when_they_were(tmp_path: Path) -> None:
    """An end said how long the view had lasted; a still was at its instant."""
    await asyncio.to_thread(write_chain, tmp_path / "a.db")
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        trail = Trail(database, clock=ManualClock())
        found = await trail.seen(
            camera="c1", person=None, start_ns=AT_NS - 60 * NS_PER_S, end_ns=AT_NS + NS_PER_S, limit=10
        )
    assert [entry.action for entry in found] == ["playback.still", "view.ended"]


async def test_a_chain_that_was_altered_is_carried_over_as_such(tmp_path: Path) -> None:
    """What stands there is kept, and the log says for ever that it was not sound."""
    path = tmp_path / "a.db"
    await asyncio.to_thread(write_chain, path)
    await asyncio.to_thread(_alter, path, "UPDATE audit SET actor = 'Eve', details = 'nonsense' WHERE seq = 2")
    entries, report = await carried(path)
    assert report.problems == ()
    assert json.loads(entries[-1].details)["sound"] is False
    assert entries[-1].outcome == "failed"
    assert (entries[1].actor, entries[1].details) == ("Eve", '{"unreadable":"nonsense"}')


async def test_an_emptied_chain_is_told(tmp_path: Path) -> None:
    """Its head knew of entries that are no more."""
    path = tmp_path / "a.db"
    await asyncio.to_thread(write_chain, path)
    await asyncio.to_thread(_alter, path, "DELETE FROM audit")
    entries, report = await carried(path)
    assert report.problems == ()
    assert [entry.action for entry in entries] == ["audit.carried-over"]
    assert json.loads(entries[0].details)["sound"] is False


def _alter(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(f"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; {statement}")
    connection.close()
