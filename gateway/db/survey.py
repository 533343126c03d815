"""What a database holds, without what is in it: its version, its tables and how many rows each has."""

from dataclasses import dataclass

from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSurvey:
    """A table: its columns with their types, and its rows."""

    columns: dict[str, str]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A database. ``version`` is the migration that it is at; ``journal`` how it keeps its transactions."""

    version: str | None
    sqlite: str
    journal: str
    tables: dict[str, TableSurvey]


async def survey(connection: AsyncConnection) -> Survey:
    """Return what the database of a reading transaction holds."""
    columns = await connection.run_sync(_columns)
    rows = {
        name: int((await connection.execute(select(func.count()).select_from(table(name)))).scalar_one())
        for name in columns
    }
    version = None
    if "alembic_version" in columns:
        version = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    return Survey(
        version=version,
        sqlite=str((await connection.execute(text("SELECT sqlite_version()"))).scalar_one()),
        journal=str((await connection.execute(text("PRAGMA journal_mode"))).scalar_one()),
        tables={name: TableSurvey(columns=columns[name], rows=rows[name]) for name in columns},
    )


def _columns(connection: Connection) -> dict[str, dict[str, str]]:
    found = inspect(connection)
    return {
        name: {str(column["name"]): str(column["type"]) for column in found.get_columns(name)}
        for name in sorted(found.get_table_names())
    }
