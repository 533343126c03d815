"""Reference views: what a camera is to show where it stands now (docs/design/health.md)."""

import struct
import zlib

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from gateway.access.errors import ForbiddenError
from gateway.access.permissions import Permission
from gateway.api.cameras import OneCamera
from gateway.api.errors import NotHereError
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import The
from gateway.api.times import iso_or_none
from gateway.audit.events import Action, AuditEvent
from gateway.db.reference_views import ReferenceView
from gateway.health.view import COLUMNS, ROWS

router = APIRouter(prefix="/api/v1/cameras/{camera_id}/reference-view", tags=["health"])


class HeadPosition(BaseModel):
    """Where a head stands, in the generic spaces: pan and tilt from -1 to 1, zoom from 0 to 1."""

    pan: float
    tilt: float
    zoom: float


class ReferenceViewModel(BaseModel):
    """When it was taken; null where the camera has none."""

    taken: str | None
    at: HeadPosition | None
    """Where the camera's head stood then: its picture is compared while it stands there. Null where it has no head."""


@router.get("", **needs(Permission.VIEW_LIVE, room=True))
async def reference_view(camera: OneCamera) -> ReferenceViewModel:
    """Return whether a camera has a reference view."""
    return _model(camera.reference)


@router.get(
    "/picture",
    response_class=Response,
    responses={200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}},
    **needs(Permission.VIEW_LIVE, room=True),
)
async def picture(camera: OneCamera) -> Response:
    """Return what a camera is to show, small and grey as it is kept, so that people can compare it too."""
    if camera.reference is None:
        raise NotHereError("This camera has no reference view.", cure="Confirm what it shows now, and it has.")
    return Response(png(camera.reference.grey), media_type="image/png")


@router.put("", **needs(Permission.STEER, room=True))
async def confirm(request: Request, camera: OneCamera, who: Who, the: The) -> ReferenceViewModel:
    """Say that a camera shows now what it is to show: its picture of now becomes its reference view.

    By who enrols; where the camera stands by a deployment, by who deploys as well: they have put it up.
    """
    rights = the.decider.rights(who)
    stands = the.deployments.standing(camera.description.identity.urn) is not None
    deploys = stands and rights.rule(Permission.DEPLOY) is not None
    if not deploys and rights.rule(Permission.ENROL) is None:
        raise ForbiddenError("You may not say how this camera should look.", cure="Ask whoever enrols cameras.")
    seen = await the.fleet.host_of(camera).look(camera.id)
    if camera.view.head is not None and seen.at is None:
        raise NotHereError("Its head does not say where it stands.", cure="A camera like that cannot be compared.")
    view = ReferenceView(the.clock.wall_ns(), seen.grey, seen.at)
    await the.fleet.refer(camera, view)
    await the.trail.append(
        AuditEvent(action=Action.REFERENCE_VIEW, actor=actor(request, who), subject=camera.id, details={"on": True})
    )
    return _model(view)


@router.delete("", status_code=204, **needs(Permission.ENROL))
async def forget(request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Compare a camera's picture with nothing any more."""
    await the.fleet.refer(camera, None)
    await the.trail.append(
        AuditEvent(action=Action.REFERENCE_VIEW, actor=actor(request, who), subject=camera.id, details={"on": False})
    )


def _model(view: ReferenceView | None) -> ReferenceViewModel:
    at = view.at if view is not None else None
    return ReferenceViewModel(
        taken=iso_or_none(view.taken_ns if view is not None else None),
        at=HeadPosition(pan=at.pan, tilt=at.tilt, zoom=at.zoom) if at is not None else None,
    )


def png(grey: bytes) -> bytes:
    """Return a reference view as a picture (PNG specification, 8 bits of grey, no filter)."""
    rows = b"".join(b"\0" + grey[row * COLUMNS : (row + 1) * COLUMNS] for row in range(ROWS))
    header = struct.pack("!IIBBBBB", COLUMNS, ROWS, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    told = b"".join(
        struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body)) for name, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + told
