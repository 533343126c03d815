"""What the map is drawn on."""

import asyncio

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api.description import answers
from gateway.api.errors import NotHereError
from gateway.api.guard import Who, needs
from gateway.api.rooms import The

router = APIRouter(prefix="/api/v1/map", tags=["map"])


class Centre(BaseModel):
    """Where the map opens."""

    latitude: float
    longitude: float


class Map(BaseModel):
    """Tiles, if there are any, and where the map opens: the configured place, or the middle of the cameras."""

    tiles_url: str | None
    attribution: str
    centre: Centre | None


@router.get("", **needs(Permission.VIEW_LIVE, room=True))
async def about(who: Who, the: The) -> Map:
    """Return what the map is drawn from."""
    known = the.settings.map
    centre = None
    seen = the.decider.rights(who).cameras(Permission.VIEW_LIVE)
    places = [
        camera.place
        for camera in the.fleet.cameras()
        if camera.place is not None and (seen is None or camera.id in seen)
    ]
    if known.centre is not None:
        centre = Centre(latitude=known.centre[0], longitude=known.centre[1])
    elif places:
        centre = Centre(
            latitude=sum(place.latitude_deg for place in places) / len(places),
            longitude=sum(place.longitude_deg for place in places) / len(places),
        )
    return Map(tiles_url=known.tiles_url, attribution=known.attribution, centre=centre)


@router.get(
    "/ground",
    response_class=Response,
    responses=answers("application/geo+json"),
    **needs(Permission.VIEW_LIVE, room=True),
)
async def ground(the: The) -> Response:
    """Return the ground as GeoJSON."""
    path = the.settings.map.ground_file
    if path is None:
        raise NotHereError("No ground is configured.", cure="Set map.ground_file to draw one.")
    try:
        body = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotHereError(
            f"The map's ground cannot be read: {error.strerror}.", cure="Check map.ground_file."
        ) from None
    return Response(body, media_type="application/geo+json")
