"""A camera's own password: a random one that nobody sees, in place of the one that it came with."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api.cameras import OneCamera
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import The
from gateway.api.times import iso, iso_or_none
from gateway.audit.events import Action, AuditEvent, Outcome
from kernel.errors import SightlineError

router = APIRouter(prefix="/api/v1/cameras/{camera_id}/password", tags=["cameras"])


class CameraPassword(BaseModel):
    """How the password stands by which we come to a camera. It is never told."""

    random_since: str | None
    """Since when it is one that we made and nobody knows; null: it is the one that was typed when it was enrolled."""
    under_way: bool
    """A new one was sent, and the link broke: which it takes is found out as soon as the camera answers."""


class Account(BaseModel):
    """An account of the camera, and what it may."""

    name: str
    level: str


class NewCameraPassword(CameraPassword):
    """A password that was just given to a camera."""

    other_accounts: list[Account]
    """Accounts of the camera beside ours. They are as they were: whoever knows their passwords comes in by them."""
    in_clear: bool
    """It was told over plain HTTP, as ONVIF has it: whoever listened on that network knows it."""


@router.get("", **needs(Permission.ENROL, room=True))
async def password(camera: OneCamera, the: The) -> CameraPassword:
    """Return how the password of a camera's device stands."""
    row = await the.passwords.standing(camera.device_id)
    return CameraPassword(random_since=iso_or_none(row.changed_ns), under_way=row.next_sealed is not None)


@router.post("", **needs(Permission.ENROL, room=True, step_up=True))
async def renew(request: Request, camera: OneCamera, who: Who, the: The) -> NewCameraPassword:
    """Give a camera's device a random password, and answer once it was seen to take it. Nobody is told which.

    It is sealed and kept before the camera hears of it, and beside the old one until the camera takes it.
    """
    try:
        done = await the.passwords.renew(camera.device_id)
    except SightlineError as error:
        details = {"why": error.code}
        await the.trail.append(
            AuditEvent(
                action=Action.CAMERA_PASSWORD,
                actor=actor(request, who),
                subject=camera.id,
                outcome=Outcome.FAILED,
                details=details,
            )
        )
        raise
    event = AuditEvent(
        action=Action.CAMERA_PASSWORD,
        actor=actor(request, who),
        subject=camera.id,
        details={"other_accounts": len(done.others), "in_clear": done.in_clear},
    )
    await the.trail.append(event)
    return NewCameraPassword(
        random_since=iso(done.changed_ns),
        under_way=False,
        other_accounts=[Account(name=one.name, level=one.level) for one in done.others],
        in_clear=done.in_clear,
    )
