"""Where the glass was broken and no supervisor has said yet that they know.

It outlives the grant, which goes once it is closed, and its user: they are told of it all the same. What was
acknowledged is the audit's alone.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import glass_breaks


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassBreak:
    """Who broke the glass, why, and from when to when."""

    id: str
    """That of the grant which it gave."""
    user_id: str
    name: str
    """As they were called then."""
    reason: str
    starts_ns: int
    ends_ns: int
    """When it ends by itself; once it was closed sooner, when that was."""


class GlassBreaks:
    """The repository, on one transaction. Who changes anything raises the version of rights with it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> tuple[GlassBreak, ...]:
        """Return every one that nobody acknowledged, the oldest first."""
        query = select(glass_breaks).order_by(glass_breaks.c.starts_ns, glass_breaks.c.id)
        return tuple(GlassBreak(**row._asdict()) for row in await self._connection.execute(query))

    async def add(self, row: GlassBreak) -> None:
        """Store one."""
        await self._connection.execute(insert(glass_breaks).values(asdict(row)))

    async def close(self, grant_id: str, at_ns: int) -> None:
        """Have one end at an instant, unless it is over."""
        await self._end(glass_breaks.c.id == grant_id, at_ns)

    async def close_of(self, user_id: str, at_ns: int) -> None:
        """Have all of a user's end at an instant that are not over."""
        await self._end(glass_breaks.c.user_id == user_id, at_ns)

    async def remove(self, grant_id: str) -> bool:
        """Forget one that was acknowledged; return whether it was there."""
        return (await self._connection.execute(delete(glass_breaks).where(glass_breaks.c.id == grant_id))).rowcount > 0

    async def _end(self, whose: ColumnElement[bool], at_ns: int) -> None:
        still = glass_breaks.c.ends_ns > at_ns
        await self._connection.execute(update(glass_breaks).where(whose & still).values(ends_ns=at_ns))
