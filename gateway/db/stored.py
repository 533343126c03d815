"""Rows just as they are stored, for whoever checks them: nothing is converted on the way, nothing is believed."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, TextClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection


async def as_stored(
    connection: AsyncConnection, query: TextClause, values: Mapping[str, object]
) -> list[tuple[Any, ...]] | None:
    """Return the rows of a query; ``None`` where the database cannot make anything of what is stored there."""
    try:
        rows: Sequence[Row[Any]] = (await connection.execute(query, dict(values))).fetchall()
    except DBAPIError as error:
        if "decode" not in str(error.orig).lower():
            raise
        return None
    return [tuple(row) for row in rows]
