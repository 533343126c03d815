"""Where a camera stands, as it is written down when that changes; and what of it held only where it stood."""

import json
from dataclasses import replace

from pydantic import TypeAdapter

from gateway.db.devices import CameraRow
from gateway.db.reference_views import ReferenceView
from gateway.db.standing import Standing
from gateway.db.stays import Left, StayRow
from kernel.geography import Place, distance_m
from kernel.ids import CameraId, new_id
from ptz.bounds import Bounds

CORRECTION_M = 5.0
"""A camera whose place changes by less stands where it stood."""
BOUNDS: TypeAdapter[Bounds] = TypeAdapter(Bounds)


async def settled(
    kept: Standing, before: CameraRow | None, after: CameraRow, *, now_ns: int, moved_ns: int | None = None
) -> tuple[str | None, ReferenceView | None]:
    """Write down where a camera stands after a change; return its head's bounds and its reference view as of then.

    Bounds of another place are not confirmed for this one, and the reference view of another place is none; the stay
    that ends keeps both, with its presets and lens. ``moved_ns``: it was put up, or taken down, then, also where the
    place stays the same; who did it may have said so later, but no stay ends before it began.
    """
    stays, said = kept.stays, await kept.bounds.of(after.id)
    here = _stay(after, now_ns)
    if before is None:
        await stays.begin(here)
    elif moved_ns is not None or _moved(before, after):
        if moved_ns is not None:
            here = replace(here, from_ns=max(moved_ns, await stays.began_ns(after.id) or moved_ns))
        await stays.end(after.id, here.from_ns, await left(kept, before))
        await stays.begin(here)
        await kept.views.put(after.id, None)
        if said is not None:
            said = BOUNDS.dump_json(replace(BOUNDS.validate_json(said), confirmed=False)).decode()
            await kept.bounds.put(after.id, said)
    elif _place(before) != _place(after):
        await stays.correct(here)
    return said, await kept.views.of(after.id)


async def left(kept: Standing, row: CameraRow) -> Left:
    """Return what a camera has where it stands: whoever puts one up there again can see what it was."""
    presets = [{"token": token, "name": name} for token, name in await kept.stays.stored_here(row.id)]
    return Left(
        bounds=await kept.bounds.of(row.id),
        hfov_deg=row.hfov_deg,
        presets=json.dumps(presets) if presets else None,
        view=await kept.views.of(row.id),
    )


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
