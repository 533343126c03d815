"""Reference views: the picture, small and grey, that each camera is to show where it stands."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import reference_views


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """``grey`` is as ``gateway.health.view`` compares it."""

    taken_ns: int
    grey: bytes


class ReferenceViews:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> dict[str, ReferenceView]:
        """Return that of every camera that has one."""
        rows = await self._connection.execute(select(reference_views))
        return {row.camera_id: ReferenceView(row.taken_ns, row.grey) for row in rows}

    async def of(self, camera_id: str) -> ReferenceView | None:
        """Return that of one camera."""
        query = select(reference_views).where(reference_views.c.camera_id == camera_id)
        row = (await self._connection.execute(query)).one_or_none()
        return ReferenceView(row.taken_ns, row.grey) if row is not None else None

    async def put(self, camera_id: str, view: ReferenceView | None) -> None:
        """Store a camera's anew, or forget it."""
        await self._connection.execute(delete(reference_views).where(reference_views.c.camera_id == camera_id))
        if view is not None:
            values = {"camera_id": camera_id, "taken_ns": view.taken_ns, "grey": view.grey}
            await self._connection.execute(insert(reference_views).values(values))
