"""Migrations bring any database to the tables of today."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import IntegrityError

from gateway.db.engine import Database, configuration, head, migrate, open_database, sqlite_url
from gateway.db.errors import DatabaseUnusableError
from gateway.db.tables import metadata, sessions


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    """What the migrations build and what the repositories expect is the same."""
    path = tmp_path / "a.db"
    migrate(sqlite_url(path))
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    """Every start runs the migrations."""
    url = sqlite_url(tmp_path / "a.db")
    migrate(url)
    migrate(url)


def test_the_migrations_can_be_written_for_postgresql(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in them is SQLite's alone; append-only is a trigger there too."""
    config = configuration()
    config.attributes["dialect"] = "postgresql"
    command.upgrade(config, "head", sql=True)
    said = capsys.readouterr().out
    assert "CREATE TABLE cameras" in said
    assert "BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries" in said
    assert "BEFORE UPDATE ON audit_personal" in said
    assert head() in said


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A database that a later version wrote is left alone, with a plain reason."""
    path = tmp_path / "a.db"
    await asyncio.to_thread(migrate, sqlite_url(path))
    await asyncio.to_thread(_execute, path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnusableError, match="another version of Sightline"):
        async with open_database(sqlite_url(path)):
            pass


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Something else under our name is not overwritten."""
    path = tmp_path / "a.db"
    await asyncio.to_thread(path.write_bytes, b"not a database at all" * 400)
    with pytest.raises(DatabaseUnusableError, match="damaged or is not a Sightline database"):
        async with open_database(sqlite_url(path)):
            pass


async def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A database that cannot be opened is a plain error."""
    with pytest.raises(DatabaseUnusableError):
        async with open_database(sqlite_url(tmp_path / "none" / "a.db")):
            pass


async def test_a_disk_that_fails_later_is_told_plainly(tmp_path: Path) -> None:
    """What the database says of its disk becomes one plain error, whichever transaction meets it."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        with pytest.raises(DatabaseUnusableError, match="cannot be written"):
            await _write(database, "PRAGMA query_only = ON", "DELETE FROM users")


async def test_a_full_disk_is_told_plainly(tmp_path: Path) -> None:
    """A database that may not grow any more says that its disk is full."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        grow = "INSERT INTO one_time_codes VALUES (hex(randomblob(4000)), 'setup', NULL, 1, 2)"
        with pytest.raises(DatabaseUnusableError, match="is full"):
            await _write(database, "PRAGMA max_page_count = 1", *[grow] * 100)


async def test_a_mistake_of_ours_stays_what_it_is(tmp_path: Path) -> None:
    """A broken constraint is no broken database."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        with pytest.raises(IntegrityError):
            async with database.write() as connection:
                await connection.execute(
                    insert(sessions).values(
                        id="s", secret_hash="h", user_id="nobody", created_ns=1, used_ns=1, expires_ns=1, address=""
                    )
                )


async def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """What was written before the error is rolled back."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        with pytest.raises(IntegrityError):
            await _write(database, *["INSERT INTO one_time_codes VALUES ('h', 'setup', NULL, 1, 2)"] * 2)
        async with database.read() as connection:
            assert (await connection.exec_driver_sql("SELECT count(*) FROM one_time_codes")).scalar_one() == 0
        await database.ping()


async def _write(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


def _execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()
