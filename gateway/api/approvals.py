"""Approvals: the second of two people allows or denies what the first asked for."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.access.approvals import Act, Approval
from gateway.access.permissions import Permission
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso
from gateway.audit.events import Action, AuditEvent

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"])


class Waiting(BaseModel):
    """An act that waits for a second person."""

    id: str
    act: Act
    what: str
    subject: str
    asked_by: str
    asked: str
    mine: bool


@router.get("", **needs(Permission.APPROVE))
async def waiting(who: Who, the: The) -> list[Waiting]:
    """Return what waits for a second person, the oldest first; one's own too, which somebody else must approve."""
    return [
        Waiting(
            id=one.id,
            act=one.act,
            what=one.what,
            subject=one.subject,
            asked_by=one.asked_by.shown,
            asked=iso(one.asked_ns),
            mine=one.asked_by.user_id == who.user_id,
        )
        for one in the.approvals.waiting()
    ]


@router.post("/{approval_id}", status_code=204, **needs(Permission.APPROVE, step_up=True))
async def approve(approval_id: str, request: Request, who: Who, the: The) -> None:
    """Allow what somebody else asked for: they may now do it once."""
    one = the.approvals.decide(approval_id, who, allow=True)
    await _note(the, request, who, Action.APPROVED, one)


@router.delete("/{approval_id}", status_code=204, **needs(Permission.APPROVE))
async def deny(approval_id: str, request: Request, who: Who, the: The) -> None:
    """Deny it."""
    one = the.approvals.decide(approval_id, who, allow=False)
    await _note(the, request, who, Action.APPROVAL_REFUSED, one)


async def _note(the: Rooms, request: Request, who: Who, action: Action, one: Approval) -> None:
    details = {"act": one.act.value, "approval": one.id, "asked_by": one.asked_by.shown}
    await the.trail.append(
        AuditEvent(action=action, actor=actor(request, who), subject=one.subject, details=dict(details))
    )
