"""The one place that knows SQLite from PostgreSQL."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection

WRITING = "sightline_writing"
"""Execution option of a connection whose transaction will write."""


def prepare(engine: Engine) -> None:
    """Give a SQLite engine WAL, enforced foreign keys, deletion for good and transactions that begin when they say so.

    The driver's own implicit BEGIN starts a read that may fail to become a write under load; BEGIN IMMEDIATE waits
    its turn instead.
    """
    if engine.dialect.name != "sqlite":
        return

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "busy_timeout=10000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def append_only(table: str, dialect: str, execute: Callable[[str], object]) -> None:
    """Make the database itself refuse to change or delete rows of ``table``."""
    _refuse(("UPDATE", "DELETE"), f"{table} is append-only", table, dialect, execute)


def unchangeable(table: str, dialect: str, execute: Callable[[str], object]) -> None:
    """Make the database itself refuse to change rows of ``table``; they can be deleted."""
    _refuse(("UPDATE",), f"rows of {table} cannot be changed", table, dialect, execute)


def _refuse(verbs: tuple[str, ...], said: str, table: str, dialect: str, execute: Callable[[str], object]) -> None:
    if dialect == "sqlite":
        for verb in verbs:
            execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        return
    execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    )
    refused = " OR ".join([*verbs, "TRUNCATE"] if "DELETE" in verbs else verbs)
    execute(
        f"CREATE TRIGGER {table}_{'append_only' if 'DELETE' in verbs else 'unchangeable'} BEFORE {refused} ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
