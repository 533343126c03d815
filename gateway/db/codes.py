"""One-time codes: the first administrator's way in. Only the hash of a code is stored."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import codes


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """A row of one_time_codes. ``purpose`` is gateway.access's word."""

    secret_hash: str
    purpose: str
    user_id: str | None
    created_ns: int
    expires_ns: int


class Codes:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, row: CodeRow) -> None:
        """Store a code in place of those before it for the same purpose and user."""
        await self._connection.execute(
            delete(codes).where(codes.c.purpose == row.purpose, codes.c.user_id.is_not_distinct_from(row.user_id))
        )
        await self._connection.execute(
            insert(codes).values({column.name: getattr(row, column.name) for column in codes.columns})
        )

    async def take(self, secret_hash: str, purpose: str) -> CodeRow | None:
        """Return the code and delete it: it works once."""
        wanted = codes.c.secret_hash == secret_hash, codes.c.purpose == purpose
        row = (await self._connection.execute(select(codes).where(*wanted))).one_or_none()
        if row is None:
            return None
        taken = await self._connection.execute(delete(codes).where(*wanted))
        return CodeRow(**row._asdict()) if taken.rowcount else None

    async def clear(self, purpose: str) -> None:
        """Delete every code for a purpose."""
        await self._connection.execute(delete(codes).where(codes.c.purpose == purpose))
