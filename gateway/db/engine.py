"""Opening the database: migrations first, then a pool of connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import create_engine, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.db.dialects import WRITING, prepare
from gateway.db.errors import DatabaseUnusableError

log = structlog.get_logger()

MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """Transactions on one database. Made by :func:`open_database`."""

    __slots__ = ("_engine", "_writer")

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITING: True})

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that only reads."""
        async with self._mapped(), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that commits on leaving and rolls back on an error."""
        async with self._mapped(), self._writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _mapped(self) -> AsyncIterator[None]:
        """Turn a database that has failed into one plain error; what the caller did wrong stays as it is."""
        try:
            yield
        except DBAPIError as error:
            if _broken(error):
                raise _unusable(str(self._engine.url.database), error) from error
            raise

    async def ping(self) -> None:
        """Prove that the database answers.

        Raises:
            DatabaseUnusableError: it does not.
        """
        async with self.read() as connection:
            await connection.execute(select(1))


def sqlite_url(path: Path) -> str:
    """Return the address of the embedded database at ``path``."""
    return f"sqlite+aiosqlite:///{path}"


def sqlite_path(url: str) -> Path:
    """Return where the embedded database of an address lies."""
    return Path(str(make_url(url).database))


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Migrate the database at ``url`` and give it for the time of the block.

    Raises:
        DatabaseUnusableError: it cannot be opened or written, is not ours, or is newer than this program.
    """
    await asyncio.to_thread(migrate, url)
    engine = await asyncio.to_thread(_engine, url)
    try:
        yield Database(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def read_database(path: Path) -> AsyncIterator[Database]:
    """Give the embedded database at ``path`` as it is: never made, migrated or written.

    Raises:
        DatabaseUnusableError: it is not there, or is no database.
    """
    if not await asyncio.to_thread(path.exists):
        raise DatabaseUnusableError(f"There is no database {path}.", cure="The first start makes it.")
    engine = create_async_engine(f"sqlite+aiosqlite:///file:{quote(str(path))}?mode=ro&uri=true")
    try:
        yield Database(engine)
    finally:
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url)
    prepare(engine.sync_engine)
    return engine


def migrate(url: str) -> None:
    """Bring the tables to this program's version. Blocks; call it in a thread.

    Raises:
        DatabaseUnusableError: see :func:`open_database`.
    """
    parsed = make_url(url)
    name = str(parsed.database)
    # The migrations run on the blocking twin of the driver: psycopg is its own.
    engine = create_engine(parsed.set(drivername=parsed.drivername.replace("+aiosqlite", "")))
    prepare(engine)
    try:
        with engine.execution_options(**{WRITING: True}).begin() as connection:
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseUnusableError(
            f"The database {name} was written by another version of Sightline ({error}).",
            cure="Run that version, or restore the backup made before it was installed.",
        ) from None
    except SQLAlchemyError as error:
        raise _unusable(name, error) from error
    finally:
        engine.dispose()


def configuration() -> Config:
    """Return Alembic's configuration, which needs no file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """Return the newest migration's name."""
    newest = ScriptDirectory.from_config(configuration()).get_current_head()
    assert newest is not None
    return newest


def _broken(error: DBAPIError) -> bool:
    said = str(error.orig).lower()
    return error.connection_invalidated or any(
        sign in said
        for sign in (
            "readonly",
            "read-only",
            "full",
            "disk i/o",
            "unable to open",
            "malformed",
            "not a database",
            "locked",
        )
    )


def _unusable(name: str, error: SQLAlchemyError) -> DatabaseUnusableError:
    said = str(getattr(error, "orig", None) or error).lower()
    if "full" in said:
        return DatabaseUnusableError(f"The disk of the database {name} is full.", cure="Make room on it.")
    if "readonly" in said or "read-only" in said:
        return DatabaseUnusableError(
            f"The database {name} cannot be written.", cure="Let the user who runs Sightline write its directory."
        )
    if "not a database" in said or "malformed" in said:
        return DatabaseUnusableError(
            f"{name} is damaged or is not a Sightline database.", cure="Restore it from a backup, or move it away."
        )
    log.error("database.failed", error=said)
    return DatabaseUnusableError(f"The database {name} does not work: {said}.", cure="Look at its disk and its rights.")
