"""Cameras that were removed: what a report says of one for as long as its days are kept."""

from dataclasses import dataclass, fields

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import past_cameras


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCameraRow:
    """A row of past_cameras, as the camera was when it was removed. ``host`` has its recordings still."""

    camera_id: str
    number: int
    name: str
    camera_group: str
    latitude_deg: float | None
    longitude_deg: float | None
    height_m: float | None
    host: int
    enrolled_ns: int
    removed_ns: int


class PastCameras:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: PastCameraRow) -> None:
        """Store one."""
        values = {field.name: getattr(row, field.name) for field in fields(row)}
        await self._connection.execute(insert(past_cameras).values(values))

    async def since(self, at_ns: int) -> list[PastCameraRow]:
        """Return those that were removed after an instant, by number, and by when."""
        query = select(past_cameras).where(past_cameras.c.removed_ns > at_ns)
        rows = await self._connection.execute(query.order_by(past_cameras.c.number, past_cameras.c.removed_ns))
        return [PastCameraRow(**row._asdict()) for row in rows]

    async def forget(self, before_ns: int) -> None:
        """Forget those that were removed before an instant."""
        await self._connection.execute(delete(past_cameras).where(past_cameras.c.removed_ns < before_ns))
