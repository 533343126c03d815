"""Where a camera stands, as it is written down when that changes; and what of it held only where it stood."""

from dataclasses import replace

from pydantic import TypeAdapter

from gateway.db.bounds import BoundsTable
from gateway.db.devices import CameraRow
from gateway.db.stays import StayRow, StayRows
from kernel.geography import Place, distance_m
from kernel.ids import CameraId, new_id
from ptz.bounds import Bounds

CORRECTION_M = 5.0
"""A camera whose place changes by less stands where it stood."""
BOUNDS: TypeAdapter[Bounds] = TypeAdapter(Bounds)


async def settled(  # noqa: PLR0913 - before and after, and where both are kept
    kept: BoundsTable, stays: StayRows, before: CameraRow | None, after: CameraRow, *, now_ns: int, anew: bool = False
) -> str | None:
    """Write down where a camera stands after a change, and return the bounds of its head as they stand then.

    Those of another place are not confirmed for this one; the stay that ends keeps them. ``anew``: it was put up, or
    taken down, also where the place is the same.
    """
    said = await kept.of(after.id)
    here = _stay(after, now_ns)
    if before is None:
        await stays.begin(here)
    elif anew or _moved(before, after):
        await stays.end(after.id, now_ns, said)
        await stays.begin(here)
        if said is not None:
            said = BOUNDS.dump_json(replace(BOUNDS.validate_json(said), confirmed=False)).decode()
            await kept.put(after.id, said)
    elif _place(before) != _place(after):
        await stays.correct(here)
    return said


def _place(row: CameraRow) -> tuple[object, ...]:
    return row.street, row.latitude_deg, row.longitude_deg, row.height_m, row.bearing_deg


def _moved(before: CameraRow, after: CameraRow) -> bool:
    """Return whether a camera was taken elsewhere; a correction on the map is not that, nor a first survey."""
    here = place_of(before.latitude_deg, before.longitude_deg, None)
    there = place_of(after.latitude_deg, after.longitude_deg, None)
    return here is not None and (there is None or distance_m(here, there) > CORRECTION_M)


def _stay(row: CameraRow, now_ns: int) -> StayRow:
    return StayRow(
        id=new_id(),
        camera_id=CameraId(row.id),
        from_ns=now_ns,
        to_ns=None,
        street=row.street,
        latitude_deg=row.latitude_deg,
        longitude_deg=row.longitude_deg,
        height_m=row.height_m,
        bearing_deg=row.bearing_deg,
    )


def place_of(latitude: float | None, longitude: float | None, height_m: float | None) -> Place | None:
    """Return the place of coordinates, where both are given."""
    if latitude is None or longitude is None:
        return None
    return Place(latitude, longitude, height_m or 0.0)
