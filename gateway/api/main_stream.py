"""Main streams of cameras behind thin links, on demand (``gateway.fleet.demand``)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.errors import NotHereError, TooManySwitchesError
from gateway.api.guard import Awake, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso_or_none
from gateway.audit.events import Action, AuditEvent
from gateway.fleet.cameras import Camera
from gateway.fleet.demand import DEMAND_MAX_S

router = APIRouter(prefix="/api/v1/cameras/{camera_id}/main-stream", tags=["cameras"])


class Demanded(models.Taken):
    """For how long somebody wants the main stream of a camera over its thin link."""

    minutes: Annotated[int, Field(ge=1, le=DEMAND_MAX_S // 60)] = 10


class MainStream(BaseModel):
    """Until when a camera's main stream is taken."""

    main_until: str | None


@router.put("", **needs(Permission.STEER))
async def demand(wish: Demanded, request: Request, camera: OneCamera, who: Awake, the: The) -> MainStream:
    """Take a camera's main stream for a time, and record it: views of the camera end, and come again with it.

    It costs money and breaks others' views, so it is for who may steer the camera, and not again and again.
    """
    urn = camera.description.identity.urn
    if not the.fleet.demand.thin(urn):
        raise NotHereError("The main stream of this camera is always taken.", cure="Just look at it.")
    if (wait_s := the.fleet.demand.count(urn)) > 0:
        raise TooManySwitchesError(wait_s)
    await the.fleet.show_main(camera, wish.minutes * 60)
    await _note(the, request, who, camera, wish.minutes)
    return MainStream(main_until=iso_or_none(the.fleet.demand.until_ns(urn)))


@router.delete("", status_code=204, **needs(Permission.STEER))
async def enough(request: Request, camera: OneCamera, who: Awake, the: The) -> None:
    """Go back to the sub stream now."""
    if the.fleet.demand.until_ns(camera.description.identity.urn) is not None:
        await the.fleet.show_main(camera, 0)
        await _note(the, request, who, camera, 0)


async def _note(the: Rooms, request: Request, who: Identity, camera: Camera, minutes: int) -> None:
    details = {"minutes": minutes}
    await the.trail.append(
        AuditEvent(action=Action.MAIN_STREAM, actor=actor(request, who), subject=camera.id, details=dict(details))
    )
