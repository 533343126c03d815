"""What was said of units that stand somewhere, from its commit until it was judged."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import unjudged_reports

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjudgedRow:
    """One report. ``label`` is empty where the camera said it itself, and ``unit_ns`` is then by our clock.

    ``n`` orders them, and is given when it is stored. ``payload`` is JSON.
    """

    n: int = 0
    urn: str
    label: str
    kind: str
    boot: str
    seq: int
    unit_ns: int
    taken_ns: int
    payload: str


class UnjudgedReports:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, rows: Sequence[UnjudgedRow]) -> None:
        """Store reports, in their order."""
        if rows:
            names = [name for name in UnjudgedRow.__slots__ if name != "n"]
            await self._connection.execute(
                insert(unjudged_reports), [{name: getattr(row, name) for name in names} for row in rows]
            )

    async def first(self) -> list[UnjudgedRow]:
        """Return those that have waited longest, in their order."""
        query = select(unjudged_reports).order_by(unjudged_reports.c.n).limit(AT_ONCE)
        return [UnjudgedRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def remove(self, numbers: Collection[int]) -> None:
        """Forget those that were judged."""
        await self._connection.execute(delete(unjudged_reports).where(unjudged_reports.c.n.in_(numbers)))
