"""What became of each camera's main stream, day by day (UTC): figures outlive the recordings that they are of."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import camera_days


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """Of a whole day, in ns; what was lost by its cause."""

    recorded_ns: int
    lost_camera_ns: int
    lost_network_ns: int
    lost_host_ns: int
    lost_storage_ns: int
    withheld_ns: int
    off_ns: int
    unknown_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDay:
    """``day`` counts from 1970-01-01; ``figures`` is ``None`` until the day is over and its footage was told of."""

    camera_id: str
    day: int
    figures: DayFigures | None
    clock_offset_s: float | None
    """The furthest that its clock was seen to be before (positive) or behind ours."""


_FIGURES = tuple(DayFigures.__dataclass_fields__)


class CameraDays:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def within(self, cameras: Collection[str] | None, first: int, end: int) -> list[CameraDay]:
        """Return what is known of days from the first until before ``end``, in order; ``None``: of every camera."""
        query = select(camera_days).where(camera_days.c.day >= first, camera_days.c.day < end)
        if cameras is not None:
            query = query.where(camera_days.c.camera_id.in_(sorted(cameras)))
        rows = await self._connection.execute(query.order_by(camera_days.c.camera_id, camera_days.c.day))
        return [
            CameraDay(
                camera_id=row.camera_id,
                day=row.day,
                figures=DayFigures(**{name: getattr(row, name) for name in _FIGURES})
                if row.recorded_ns is not None
                else None,
                clock_offset_s=row.clock_offset_s,
            )
            for row in rows
        ]

    async def settle(self, camera: str, figures: Sequence[tuple[int, DayFigures]]) -> None:
        """Store the figures of days of a camera, whether it is there still or not."""
        for day, known in figures:
            await self._put(camera, day, asdict(known))

    async def clock(self, camera: str, day: int, offset_s: float) -> None:
        """Store how far a camera's clock was off on a day."""
        await self._put(camera, day, {"clock_offset_s": offset_s})

    async def forget(self, before: int) -> None:
        """Forget all days before one."""
        await self._connection.execute(delete(camera_days).where(camera_days.c.day < before))

    async def _put(self, camera: str, day: int, values: dict[str, int] | dict[str, float]) -> None:
        here = (camera_days.c.camera_id == camera) & (camera_days.c.day == day)
        if not (await self._connection.execute(update(camera_days).where(here).values(values))).rowcount:
            await self._connection.execute(insert(camera_days).values(camera_id=camera, day=day, **values))
