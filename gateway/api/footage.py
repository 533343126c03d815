"""Footage by where its cameras stood then: on a map, in a range of time (docs/design/deployments.md)."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel

from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.errors import BadRequestError
from gateway.api.guard import Who, needs
from gateway.api.rooms import Rooms, The
from gateway.api.there import hidden
from gateway.api.times import End, Start, iso, iso_after, iso_or_none, span_ns
from gateway.db.stays import StayRow
from gateway.deployments.stays import place_of
from gateway.fleet.hosts import HostError
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName

router = APIRouter(prefix="/api/v1", tags=["recordings"])

CORNERS_MAX = 100
RANGE_MAX_NS = 31 * 86_400 * NS_PER_S
FOUND_MAX = 200
AT_ONCE = 8


def _corners(area: str) -> str:
    corners_of(area)
    return area


def corners_of(area: str) -> list[tuple[float, float]]:
    """Return the corners of an area as it is asked for.

    Raises:
        ValueError: they are not three or more points on Earth.
    """
    corners = []
    for corner in area.split(";"):
        latitude, comma, longitude = corner.partition(",")
        try:
            place = float(latitude), float(longitude if comma else "none")
        except ValueError:
            msg = "should be latitude,longitude;latitude,longitude;... in degrees"
            raise ValueError(msg) from None
        if not (-90 <= place[0] <= 90 and -180 <= place[1] <= 180):
            msg = "has a corner that is not on Earth"
            raise ValueError(msg)
        corners.append(place)
    if not 3 <= len(corners) <= CORNERS_MAX:
        msg = f"should have 3 to {CORNERS_MAX} corners"
        raise ValueError(msg)
    return corners


Area = Annotated[
    str,
    Query(
        max_length=4000,
        pattern=r"^[0-9.,;+-]+$",
        description="Corners in degrees, as in 51.50,-0.11;51.51,-0.11;51.51,-0.10",
    ),
    AfterValidator(_corners),
]


class Stay(BaseModel):
    """A camera at a place, from an instant to another; ``end`` is null where it stands there now."""

    start: str
    end: str | None
    street: str
    place: models.PlaceModel | None
    bearing_deg: float | None
    deployment: str | None
    """Identifier of the deployment by which it stood there."""


class Piece(BaseModel):
    """Footage of the main stream without a break."""

    start: str
    end: str


class Found(BaseModel):
    """A camera that stood in the area, and what was recorded there; ``recorded`` is null where that cannot be told."""

    camera: str
    number: int
    name: str
    stood: Stay
    start: str
    end: str
    recorded: list[Piece] | None


class Finds(BaseModel):
    """What was found, by the number of the camera and time. ``left_off``: there is more; ask for less."""

    found: list[Found]
    left_off: bool


@router.get("/footage", **needs(Permission.VIEW_RECORDED))
async def search(who: Who, the: The, area: Area, start: Start, end: End) -> Finds:
    """Return what was recorded in an area in a range of time, of cameras as they stood then, wherever they are now.

    Of where it stood before, only what was recorded where one may see recordings as well.
    """
    start_ns, end_ns = span_ns(start, end)
    if end_ns - start_ns > RANGE_MAX_NS:
        raise BadRequestError("More than 31 days are asked for.", cure="Ask for less at once.")
    seen = the.decider.rights(who).cameras(Permission.VIEW_RECORDED)
    cameras = {camera.id: camera for camera in the.fleet.cameras() if seen is None or camera.id in seen}
    stays = [one for one in await the.stays.within(corners_of(area), start_ns, end_ns) if one.camera_id in cameras]
    unseen = {
        it
        for camera in {one.camera_id for one in stays}
        for it in hidden(
            the, who, Permission.VIEW_RECORDED, cameras[camera], [one for one in stays if one.camera_id == camera]
        )
    }
    stays = [one for one in stays if one.id not in unseen]
    stays.sort(key=lambda one: (cameras[one.camera_id].number, one.from_ns))
    listed = stays[:FOUND_MAX]
    slots = asyncio.Semaphore(AT_ONCE)
    spans = [(max(start_ns, one.from_ns), min(end_ns, one.to_ns or end_ns)) for one in listed]
    pieces = await asyncio.gather(
        *(_recorded(the, one.camera_id, *span, slots=slots) for one, span in zip(listed, spans, strict=True))
    )
    shown = await stay_models(the, listed)
    found = [
        Found(
            camera=one.camera_id,
            number=cameras[one.camera_id].number,
            name=cameras[one.camera_id].name,
            stood=stood,
            start=iso(from_ns),
            end=iso(to_ns),
            recorded=recorded,
        )
        for one, stood, (from_ns, to_ns), recorded in zip(listed, shown, spans, pieces, strict=True)
    ]
    return Finds(found=found, left_off=len(stays) > len(listed))


async def _recorded(
    the: Rooms, camera_id: CameraId, start_ns: int, end_ns: int, *, slots: asyncio.Semaphore
) -> list[Piece] | None:
    async with slots:
        try:
            host = the.fleet.host_of(the.fleet.camera(camera_id))
            known = await host.timeline(camera_id, StreamName.MAIN, start_ns, end_ns)
        except HostError:
            return None
    return [Piece(start=iso_after(span.start_ns), end=iso(span.end_ns)) for span in known.spans]


async def stay_models(the: Rooms, rows: Sequence[StayRow]) -> list[Stay]:
    """Return stays as the API says them, each with the deployment that it belongs to."""
    wanted = {one.camera_id for one in rows}
    urns = {camera.id: camera.description.identity.urn for camera in the.fleet.cameras() if camera.id in wanted}
    known = await the.deployments.of_devices({*urns.values()})
    shown = []
    for one in rows:
        by = (it.id for it in known if it.urn == urns.get(one.camera_id) and it.stood(one.from_ns))
        shown.append(
            Stay(
                start=iso(one.from_ns),
                end=iso_or_none(one.to_ns),
                street=one.street,
                place=_place(one),
                bearing_deg=one.bearing_deg,
                deployment=next(by, None),
            )
        )
    return shown


def _place(stay: StayRow) -> models.PlaceModel | None:
    place = place_of(stay)
    if place is None:
        return None
    return models.PlaceModel(latitude=place.latitude_deg, longitude=place.longitude_deg, height_m=place.height_m)
