"""Limits and no-look zones of heads, by camera."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import camera_bounds


class BoundsTable:
    """The repository, on one transaction. What it keeps is JSON, which it does not read."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> dict[str, str]:
        """Return those of every camera that has some."""
        rows = await self._connection.execute(select(camera_bounds.c.camera_id, camera_bounds.c.bounds))
        return {row.camera_id: row.bounds for row in rows}

    async def of(self, camera_id: str) -> str | None:
        """Return those of one camera."""
        query = select(camera_bounds.c.bounds).where(camera_bounds.c.camera_id == camera_id)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def put(self, camera_id: str, bounds: str | None) -> None:
        """Store a camera's anew, or forget them."""
        await self._connection.execute(delete(camera_bounds).where(camera_bounds.c.camera_id == camera_id))
        if bounds is not None:
            await self._connection.execute(insert(camera_bounds).values(camera_id=camera_id, bounds=bounds))
