"""Outlets of shares: which systems outside have a credential. The credential itself is sealed."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import share_outlets


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletRow:
    """A share, as one system of its partner takes it."""

    id: str
    share_id: str
    name: str
    """Which system, in words."""
    path: str
    """First segment of its address."""
    username: str
    made_by: str
    maker: str
    created_ns: int


class OutletRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[tuple[OutletRow, bytes]]:
        """Return every outlet with its sealed credential, in the order that they were made."""
        rows = await self._connection.execute(select(share_outlets).order_by(share_outlets.c.created_ns))
        found = []
        for row in rows:
            values = row._asdict()
            sealed = bytes(values.pop("credential_sealed"))
            found.append((OutletRow(**values), sealed))
        return found

    async def add(self, row: OutletRow, sealed: bytes) -> None:
        """Store an outlet.

        Raises:
            ConflictError: its share is gone.
        """
        values = {column.name: getattr(row, column.name, sealed) for column in share_outlets.columns}
        try:
            await self._connection.execute(insert(share_outlets).values(values))
        except IntegrityError:
            raise ConflictError("The share is not there any more.", cure="See the list of shares.") from None

    async def remove(self, outlet_ids: Collection[str]) -> None:
        """Forget outlets, credentials and all."""
        await self._connection.execute(delete(share_outlets).where(share_outlets.c.id.in_(outlet_ids)))
