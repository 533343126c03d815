"""Glass that was broken before breaks were written waits to be seen, unless a supervisor has seen it."""

import asyncio
import sqlite3
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from gateway.db.dialects import prepare
from gateway.db.engine import configuration, open_database, sqlite_url
from gateway.db.glass import GlassBreak, GlassBreaks


def write_glass(path: Path) -> None:
    """Write a database of the version before: of three grants two are glass, one of which was acknowledged."""
    engine = create_engine(f"sqlite:///{path}")
    prepare(engine)
    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
    engine.dispose()
    database = sqlite3.connect(path)
    database.execute(
        "INSERT INTO users (id, username, name, role, password_hash, disabled, created_ns)"
        " VALUES ('u', 'mo', '', 'member', '', 0, 1)"
    )
    for grant, kind in (("new", "glass"), ("seen", "glass"), ("given", "grant")):
        database.execute(
            "INSERT INTO grants (id, kind, user_id, role, starts_ns, ends_ns, reason, granted_by, created_ns)"
            " VALUES (?, ?, 'u', 'operator', 10, 20, 'A child is missing', 'u', 10)",
            (grant, kind),
        )
    database.execute(
        "INSERT INTO audit_entries"
        " (seq, at_ns, action, outcome, actor_id, subject, rule, span, details, commitment, leaf)"
        " VALUES (1, 11, 'access.glass-acknowledged', 'ok', 's', 'seen', 'role:supervisor', '', '{}', x'00', x'00')"
    )
    database.commit()
    database.close()


async def test_glass_that_nobody_has_seen_waits(tmp_path: Path) -> None:
    """Who broke it, by the name that they have, why, and from when to when."""
    path = tmp_path / "a.db"
    await asyncio.to_thread(write_glass, path)
    async with open_database(sqlite_url(path)) as database, database.read() as connection:
        breaks = await GlassBreaks(connection).all()
    assert breaks == (
        GlassBreak(id="new", user_id="u", name="mo", reason="A child is missing", starts_ns=10, ends_ns=20),
    )
