"""Where a camera stood, and what it had there: for whoever puts one up at an old place again."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from gateway.access.permissions import Permission
from gateway.api.bounds import LimitsModel, ZoneModel, models_of
from gateway.api.cameras import OneCamera
from gateway.api.description import answers
from gateway.api.errors import NotHereError
from gateway.api.footage import Stay, stay_models
from gateway.api.guard import Who, decided_there, needs
from gateway.api.reference_view import note_reference, png
from gateway.api.rooms import The
from gateway.api.there import hidden, standing_then
from gateway.api.times import iso_or_none
from gateway.db.stays import StayRow
from gateway.fleet.moving import BOUNDS
from ptz.bounds import Bounds

router = APIRouter(prefix="/api/v1/cameras/{camera_id}/places", tags=["recordings"])

StayId = Annotated[str, Path(max_length=32)]


class PresetThere(BaseModel):
    """A preset that was stored while its camera stood there. The head knows it by its token, if it still does."""

    token: str
    name: str


class Left(Stay):
    """A stay with what the camera had there when it left: all of that is empty while it stands there."""

    id: str
    hfov_deg: float | None
    """How wide it saw, where that was known."""
    presets: list[PresetThere]
    limits: list[LimitsModel]
    zones: list[ZoneModel]
    confirmed: bool
    """Whether limits and zones held there."""
    reference: str | None
    """When its reference view was taken, whose picture is to be had; null where it had none."""


@router.get("", **needs(Permission.VIEW_RECORDED, room=True))
async def places(camera: OneCamera, who: Who, the: The) -> list[Left]:
    """Return where a camera stood when, the oldest first, and what it had there; a fixed one since it was enrolled.

    Of places where it stood before, only those where one may see recordings.
    """
    rows = await the.stays.of(camera.id)
    unseen = hidden(the, who, Permission.VIEW_RECORDED, camera, rows)
    rows = [row for row in rows if row.id not in unseen]
    return [_left(row, stay) for row, stay in zip(rows, await stay_models(the, rows), strict=True)]


@router.get(
    "/{stay_id}/reference-view",
    response_class=Response,
    responses=answers("image/png"),
    **needs(Permission.VIEW_RECORDED, room=True),
)
async def reference_there(camera: OneCamera, stay_id: StayId, request: Request, who: Who, the: The) -> Response:
    """Return what a camera was to show where it stood, small and grey as it is kept."""
    stay = next((one for one in await the.stays.of(camera.id) if one.id == stay_id), None)
    if stay is not None and stay.to_ns is not None:
        decided_there(request, who, Permission.VIEW_RECORDED, standing_then(camera, stay))
    view = await the.stays.reference_of(camera.id, stay_id)
    if view is None:
        raise NotHereError("The camera had no reference view there.", cure="Its recordings show what it saw.")
    note_reference(the, request, who, camera, view)
    return Response(png(view.grey), media_type="image/png")


def _left(row: StayRow, stay: Stay) -> Left:
    bounds = BOUNDS.validate_json(row.bounds) if row.bounds is not None else Bounds()
    limits, zones = models_of(bounds)
    return Left(
        **stay.model_dump(),
        id=row.id,
        hfov_deg=row.hfov_deg,
        presets=[PresetThere(**one) for one in json.loads(row.presets or "[]")],
        limits=limits,
        zones=zones,
        confirmed=bounds.confirmed,
        reference=iso_or_none(row.reference_ns),
    )
