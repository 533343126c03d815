"""Reference views: the picture, small and grey, that each camera is to show where it stands."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import reference_views
from kernel.head import Position


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """``grey`` is as ``gateway.health.view`` compares it; ``at`` where the camera's head stood, where it has one."""

    taken_ns: int
    grey: bytes
    at: Position | None = None


class ReferenceViews:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> dict[str, ReferenceView]:
        """Return that of every camera that has one."""
        rows = await self._connection.execute(select(reference_views))
        return {row.camera_id: _view(row) for row in rows}

    async def of(self, camera_id: str) -> ReferenceView | None:
        """Return that of one camera."""
        query = select(reference_views).where(reference_views.c.camera_id == camera_id)
        row = (await self._connection.execute(query)).one_or_none()
        return _view(row) if row is not None else None

    async def put(self, camera_id: str, view: ReferenceView | None) -> None:
        """Store a camera's anew, or forget it."""
        await self._connection.execute(delete(reference_views).where(reference_views.c.camera_id == camera_id))
        if view is not None:
            values = {"camera_id": camera_id, "taken_ns": view.taken_ns, "grey": view.grey}
            at = {"pan": view.at.pan, "tilt": view.at.tilt, "zoom": view.at.zoom} if view.at is not None else {}
            await self._connection.execute(insert(reference_views).values(values | at))


def _view(row: Row[Any]) -> ReferenceView:
    at = Position(row.pan, row.tilt, row.zoom) if row.pan is not None else None
    return ReferenceView(row.taken_ns, row.grey, at)
