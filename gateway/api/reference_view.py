"""Reference views: what a camera is to show where it stands now (docs/design/health.md)."""

import struct
import zlib

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.cameras import OneCamera
from gateway.api.errors import NotHereError
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso, iso_or_none
from gateway.audit.events import Action, AuditEvent
from gateway.db.reference_views import ReferenceView
from gateway.fleet.cameras import Camera
from gateway.health.view import COLUMNS, ROWS

router = APIRouter(prefix="/api/v1", tags=["health"])

OF_CAMERA = "/cameras/{camera_id}/reference-view"


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


class TakenThere(ReferenceViewModel):
    """The same of a unit's camera."""

    camera: str


@router.get(OF_CAMERA, **needs(Permission.VIEW_LIVE, room=True))
async def reference_view(camera: OneCamera) -> ReferenceViewModel:
    """Return whether a camera has a reference view."""
    return _model(camera.reference)


@router.get(
    OF_CAMERA + "/picture",
    response_class=Response,
    responses={200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}},
    **needs(Permission.VIEW_LIVE, room=True),
)
async def picture(request: Request, camera: OneCamera, who: Who, the: The) -> Response:
    """Return what a camera is to show, small and grey as it is kept, so that people can compare it too."""
    if camera.reference is None:
        raise NotHereError("This camera has no reference view.", cure="Confirm what it shows now, and it has.")
    note_reference(the, request, who, camera, camera.reference)
    return Response(png(camera.reference.grey), media_type="image/png")


def note_reference(the: Rooms, request: Request, who: Identity, camera: Camera, view: ReferenceView) -> None:
    """Record that somebody saw what a camera was to show: it is a picture of it, however small."""
    shown = {"stream": "reference view", "at": iso(view.taken_ns)}
    the.trail.note(AuditEvent(action=Action.STILL, actor=actor(request, who), subject=camera.id, details=shown))


@router.put(OF_CAMERA, **needs(Permission.ENROL))
async def confirm(request: Request, camera: OneCamera, who: Who, the: The) -> ReferenceViewModel:
    """Say that a camera shows now what it is to show: its picture of now becomes its reference view."""
    return _model(await _confirm(request, camera, who, the))


@router.put("/deployments/{deployment_id}/reference-view", **needs(Permission.DEPLOY))
async def confirm_there(deployment_id: str, request: Request, who: Who, the: The) -> list[TakenThere]:
    """Say the same of every camera of a unit that stands by a deployment: by whoever has just put it up."""
    known = await the.deployments.one(deployment_id)
    standing = the.deployments.standing(known.urn)
    if standing is None or standing.id != known.id:
        raise NotHereError("No unit stands by this deployment now.", cure="Say first that its unit is up.")
    cameras = [one for one in the.fleet.cameras() if one.description.identity.urn == known.urn]
    views = [(camera.id, await _confirm(request, camera, who, the)) for camera in cameras]
    return [TakenThere(camera=camera, **_model(view).model_dump()) for camera, view in views]


async def _confirm(request: Request, camera: Camera, who: Identity, the: Rooms) -> ReferenceView:
    """Take what a camera shows now as its reference view.

    Raises:
        HostError: its host has seen nothing of it yet, its head has turned since, or it is zoomed in too far.
        NotHereError: its head does not say where it stands.
    """
    seen = await the.fleet.host_of(camera).look(camera.id)
    if camera.view.head is not None and seen.at is None:
        raise NotHereError("Its head does not say where it stands.", cure="A camera like that cannot be compared.")
    view = ReferenceView(the.clock.wall_ns(), seen.grey, seen.at)
    await the.fleet.refer(camera, view)
    await the.trail.append(
        AuditEvent(action=Action.REFERENCE_VIEW, actor=actor(request, who), subject=camera.id, details={"on": True})
    )
    return view


@router.delete(OF_CAMERA, status_code=204, **needs(Permission.ENROL))
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
