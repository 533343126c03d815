"""Holds: footage that no retention may delete, until somebody lets go of it."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from gateway.access.approvals import Act
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import The
from gateway.api.times import iso, span_ns
from gateway.audit.events import Action, AuditEvent
from gateway.fleet.held import Held, HoldWish

router = APIRouter(prefix="/api/v1/cameras/{camera_id}/holds", tags=["holds"])


class NewHold(models.Taken):
    """A hold to be: a range of both streams, what is recorded of it and what is still to be."""

    start: AwareDatetime
    end: AwareDatetime
    reason: Annotated[str, Field(min_length=3, max_length=500)]
    reference: models.Word = ""
    """The incident or request that it is for."""


class Hold(BaseModel):
    """A hold."""

    id: str
    start: str
    end: str
    reason: str
    placed: str


@router.get("", **needs(Permission.VIEW_RECORDED))
async def holds(camera: OneCamera, the: The) -> list[Hold]:
    """Return the holds of a camera, oldest first."""
    return [_hold(one) for one in await the.fleet.host_of(camera).holds(camera.id)]


@router.post("", status_code=201, **needs(Permission.HOLD))
async def place(wish: NewHold, request: Request, camera: OneCamera, who: Who, the: The) -> Hold:
    """Keep footage from being deleted."""
    start_ns, end_ns = span_ns(wish.start, wish.end)
    reason = f"{wish.reference}: {wish.reason}" if wish.reference else wish.reason
    held = await the.fleet.host_of(camera).hold(camera.id, HoldWish(start_ns=start_ns, end_ns=end_ns, reason=reason))
    await the.trail.append(
        AuditEvent(
            action=Action.HOLD_PLACED,
            actor=actor(request, who),
            subject=camera.id,
            details={"hold": held.id, "start": iso(start_ns), "end": iso(end_ns), "reason": reason},
        )
    )
    return _hold(held)


@router.delete("/{hold_id}", status_code=204, **needs(Permission.HOLD, step_up=True, act=Act.RELEASE_HOLD))
async def release(hold_id: str, request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Let go of a hold: what is past its retention is deleted."""
    # Recorded first: afterwards the footage may be gone.
    await the.trail.append(
        AuditEvent(action=Action.HOLD_RELEASED, actor=actor(request, who), subject=camera.id, details={"hold": hold_id})
    )
    await the.fleet.host_of(camera).release_hold(camera.id, hold_id)


def _hold(held: Held) -> Hold:
    return Hold(
        id=held.id,
        start=iso(held.start_ns),
        end=iso(held.end_ns),
        reason=held.reason,
        placed=iso(held.created_ns),
    )
