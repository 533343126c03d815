"""Where cameras stood when, and what of them held only there."""

from collections.abc import Collection, Sequence

from gateway.db.engine import Database
from gateway.db.reference_views import ReferenceView
from gateway.db.stays import StayRow, StayRows
from kernel.clock import Clock
from kernel.geography import Place, inside
from kernel.ids import CameraId


class Stays:
    """Read by everybody; what is written of places is written with the camera itself (``gateway.fleet.moving``)."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, camera: CameraId) -> list[StayRow]:
        """Return where a camera stood, the oldest first."""
        async with self._database.read() as connection:
            return await StayRows(connection).of(camera)

    async def at(self, camera: CameraId, at_ns: int) -> StayRow | None:
        """Return where a camera stood at an instant; ``None`` before it was enrolled."""
        return stay_at(await self.of(camera), at_ns)

    async def of_all(self, cameras: Collection[str]) -> dict[str, list[StayRow]]:
        """Return where each of these cameras stood, the oldest first; what is no camera has nothing."""
        async with self._database.read() as connection:
            rows = await StayRows(connection).of_all(cameras)
        found: dict[str, list[StayRow]] = {}
        for row in rows:
            found.setdefault(row.camera_id, []).append(row)
        return found

    async def within(self, corners: Sequence[tuple[float, float]], start_ns: int, end_ns: int) -> list[StayRow]:
        """Return which cameras stood in an area in a range of time, by camera and time.

        ``corners``: (latitude, longitude) in degrees, as ``kernel.geography.inside`` takes them.
        """
        latitudes, longitudes = [one[0] for one in corners], [one[1] for one in corners]
        box = (min(latitudes), max(latitudes), min(longitudes), max(longitudes))
        async with self._database.read() as connection:
            found = await StayRows(connection).within(box, start_ns, end_ns)
        return [one for one in found if (place := place_of(one)) is not None and inside(corners, place)]

    async def void_presets(self, camera: CameraId, tokens: Collection[str]) -> set[str]:
        """Return which of a head's presets were stored where its camera stood before."""
        async with self._database.read() as connection:
            rows = StayRows(connection)
            since_ns = await rows.moved_ns(camera)
            return set(tokens) - await rows.confirmed(camera, since_ns) if since_ns is not None else set()

    async def confirm_preset(self, camera: CameraId, token: str, name: str) -> None:
        """Note that a preset was stored where its camera stands."""
        async with self._database.write() as connection:
            await StayRows(connection).confirm(camera, token, name, self._clock.wall_ns())

    async def forget_preset(self, camera: CameraId, token: str) -> None:
        """Note that a preset is not there any more."""
        async with self._database.write() as connection:
            await StayRows(connection).doubt(camera, token)

    async def reference_of(self, camera: CameraId, stay: str) -> ReferenceView | None:
        """Return the reference view that a camera had when it left a place; ``None`` where it had none."""
        async with self._database.read() as connection:
            return await StayRows(connection).reference_of(camera, stay)


def stay_at(stays: Sequence[StayRow], at_ns: int) -> StayRow | None:
    """Return which of a camera's stays, the oldest first, an instant falls into."""
    known = [one for one in stays if one.from_ns <= at_ns]
    return known[-1] if known and (known[-1].to_ns is None or at_ns < known[-1].to_ns) else None


def place_of(stay: StayRow) -> Place | None:
    """Return where it was, if that was known."""
    if stay.latitude_deg is None or stay.longitude_deg is None:
        return None
    return Place(stay.latitude_deg, stay.longitude_deg, stay.height_m or 0.0)
