"""Where every camera stood when, and which of its presets were confirmed there."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.reference_views import ReferenceView
from gateway.db.tables import camera_stays, confirmed_presets
from kernel.ids import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class StayRow:
    """A camera at a place from an instant to another; ``to_ns`` is ``None`` where it still stands there."""

    id: str
    camera_id: CameraId
    from_ns: int
    to_ns: int | None
    street: str
    latitude_deg: float | None
    longitude_deg: float | None
    height_m: float | None
    bearing_deg: float | None
    bounds: str | None = None
    """What its head was kept within when it left."""
    hfov_deg: float | None = None
    """How wide it saw when it left."""
    presets: str | None = None
    """Those that were stored while it stood there and not removed, as JSON: a list of token and name."""
    reference_ns: int | None = None
    """When the reference view was taken that it had when it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a camera had where it stood. ``bounds`` and ``presets`` are JSON, as in :class:`StayRow`."""

    bounds: str | None = None
    hfov_deg: float | None = None
    presets: str | None = None
    view: ReferenceView | None = None


_SHOWN = tuple(camera_stays.c[name] for name in StayRow.__dataclass_fields__)
"""Reference views are read by themselves: they are the most of a row."""


class StayRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, row: StayRow) -> None:
        """Have a camera stand somewhere from now on."""
        await self._connection.execute(insert(camera_stays).values(_values(row)))

    async def correct(self, row: StayRow) -> None:
        """Say better where a camera stands."""
        here = (camera_stays.c.camera_id == row.camera_id) & camera_stays.c.to_ns.is_(None)
        values = {key: value for key, value in _values(row).items() if key not in {"id", "from_ns", "to_ns"}}
        await self._connection.execute(update(camera_stays).where(here).values(values))

    async def end(self, camera_id: str, to_ns: int, left: Left) -> None:
        """Have a camera stand there no more, and keep what it had there."""
        here = (camera_stays.c.camera_id == camera_id) & camera_stays.c.to_ns.is_(None)
        kept = {
            "bounds": left.bounds,
            "hfov_deg": left.hfov_deg,
            "presets": left.presets,
            "reference_ns": left.view.taken_ns if left.view is not None else None,
            "reference": left.view.grey if left.view is not None else None,
        }
        await self._connection.execute(update(camera_stays).where(here).values(to_ns=to_ns, **kept))

    async def reference_of(self, camera_id: str, stay_id: str) -> ReferenceView | None:
        """Return the reference view that a camera had when a stay of it ended."""
        here = (camera_stays.c.camera_id == camera_id) & (camera_stays.c.id == stay_id)
        query = select(camera_stays.c.reference_ns, camera_stays.c.reference).where(here)
        row = (await self._connection.execute(query)).one_or_none()
        return ReferenceView(row.reference_ns, row.reference) if row is not None and row.reference else None

    async def of(self, camera_id: str) -> list[StayRow]:
        """Return where a camera stood, the oldest first."""
        query = select(*_SHOWN).where(camera_stays.c.camera_id == camera_id)
        return await self._read(query.order_by(camera_stays.c.from_ns, camera_stays.c.id))

    async def of_all(self, cameras: Collection[str]) -> list[StayRow]:
        """Return where these cameras stood, by camera and time."""
        query = select(*_SHOWN).where(camera_stays.c.camera_id.in_(sorted(cameras)))
        return await self._read(query.order_by(camera_stays.c.camera_id, camera_stays.c.from_ns, camera_stays.c.id))

    async def within(self, box: tuple[float, float, float, float], start_ns: int, end_ns: int) -> list[StayRow]:
        """Return which cameras stood in a box in a range of time, by camera and time.

        ``box``: least and greatest latitude, then longitude, in degrees.
        """
        south_deg, north_deg, west_deg, east_deg = box
        query = select(*_SHOWN).where(
            camera_stays.c.latitude_deg.between(south_deg, north_deg),
            camera_stays.c.longitude_deg.between(west_deg, east_deg),
            camera_stays.c.from_ns < end_ns,
            camera_stays.c.to_ns.is_(None) | (camera_stays.c.to_ns > start_ns),
            # A stay that turned out to have had no time at all is one on record alone.
            camera_stays.c.to_ns.is_(None) | (camera_stays.c.to_ns > camera_stays.c.from_ns),
        )
        return await self._read(query.order_by(camera_stays.c.camera_id, camera_stays.c.from_ns))

    async def _read(self, query: object) -> list[StayRow]:
        rows = await self._connection.execute(query)  # type: ignore[call-overload]
        return [StayRow(**{**row._asdict(), "camera_id": CameraId(row.camera_id)}) for row in rows]

    async def began_ns(self, camera_id: str) -> int | None:
        """Return since when a camera stands where it does; ``None`` where nothing is known of it."""
        query = select(camera_stays.c.from_ns).where(
            camera_stays.c.camera_id == camera_id, camera_stays.c.to_ns.is_(None)
        )
        return (await self._connection.execute(query)).scalar_one_or_none()

    # --- presets

    async def moved_ns(self, camera_id: str) -> int | None:
        """Return since when a camera stands where it does; ``None`` where it has always stood there."""
        query = select(camera_stays.c.from_ns).where(camera_stays.c.camera_id == camera_id)
        times = (await self._connection.execute(query.order_by(camera_stays.c.from_ns))).scalars().all()
        return times[-1] if len(times) > 1 else None

    async def confirm(self, camera_id: str, token: str, name: str, at_ns: int) -> None:
        """Note that a preset shows what it should from where its camera stands."""
        await self.doubt(camera_id, token)
        values = {"camera_id": camera_id, "token": token, "name": name, "at_ns": at_ns}
        await self._connection.execute(insert(confirmed_presets).values(values))

    async def doubt(self, camera_id: str, token: str) -> None:
        """Forget that it does."""
        of_it = (confirmed_presets.c.camera_id == camera_id) & (confirmed_presets.c.token == token)
        await self._connection.execute(delete(confirmed_presets).where(of_it))

    async def stored_here(self, camera_id: str) -> list[tuple[str, str]]:
        """Return token and name of the presets that were stored while a camera stood where it stands, by token."""
        began = select(camera_stays.c.from_ns).where(
            camera_stays.c.camera_id == camera_id, camera_stays.c.to_ns.is_(None)
        )
        query = select(confirmed_presets.c.token, confirmed_presets.c.name).where(
            confirmed_presets.c.camera_id == camera_id, confirmed_presets.c.at_ns >= began.scalar_subquery()
        )
        rows = await self._connection.execute(query.order_by(confirmed_presets.c.token))
        return [(row.token, row.name) for row in rows]

    async def confirmed(self, camera_id: str, since_ns: int) -> set[str]:
        """Return the tokens of a camera's presets that were confirmed since an instant."""
        query = select(confirmed_presets.c.token).where(
            confirmed_presets.c.camera_id == camera_id, confirmed_presets.c.at_ns >= since_ns
        )
        return set((await self._connection.execute(query)).scalars())


def _values(row: StayRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}
