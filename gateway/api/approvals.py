"""Approvals: the second of two people allows or refuses what the first asked for."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from gateway.access.approvals import REASON_MIN, Act, Approval, Standing
from gateway.access.errors import ForbiddenError
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.acts import REASON_MAX, until
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso
from gateway.audit.events import Action, AuditEvent

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"])


class Fact(BaseModel):
    """One thing about an act: times in ISO 8601, cameras by identifier, all else as people say it."""

    name: str
    value: str


class Waiting(BaseModel):
    """An act that waits for a second person. ``mine``: somebody else must approve it."""

    id: str
    act: Act
    what: str
    subject: str
    facts: list[Fact]
    reason: str
    asked_by: str
    asked: str
    until: str
    mine: bool


class Own(BaseModel):
    """How what one asked for stands; ``by`` and ``answer``: who decided it, and why it was refused."""

    id: str
    standing: Standing
    by: str
    answer: str
    until: str


class Refusal(models.Taken):
    """Why not."""

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True), Field(min_length=REASON_MIN, max_length=REASON_MAX)
    ]


@router.get("", **needs(Permission.APPROVE))
async def waiting(who: Who, the: The) -> list[Waiting]:
    """Return what waits for a second person, the oldest first; one's own too, which somebody else must approve."""
    return [
        Waiting(
            id=one.id,
            act=one.asked.act,
            what=one.asked.what,
            subject=one.asked.subject,
            facts=[Fact(name=name, value=value) for name, value in one.asked.facts],
            reason=one.asked.reason,
            asked_by=one.asked_by.shown,
            asked=iso(one.asked_ns),
            until=until(the, one),
            mine=one.asked_by.user_id == who.user_id,
        )
        for one in the.approvals.waiting()
    ]


@router.get("/acts", **needs(Permission.SIGNED_IN))
async def acts(the: The) -> list[Act]:
    """Return the acts that take two people at this site."""
    return sorted(the.approvals.acts)


@router.get("/{approval_id}", **needs(Permission.SIGNED_IN))
async def own(approval_id: str, who: Who, the: The) -> Own:
    """Return how it stands with what one asked for; 404 once it is done or forgotten."""
    one = the.approvals.own(approval_id, who)
    by = one.decided_by.shown if one.decided_by is not None else ""
    return Own(id=one.id, standing=one.standing, by=by, answer=one.answer, until=until(the, one))


@router.delete("/{approval_id}", status_code=204, **needs(Permission.SIGNED_IN))
async def withdraw(approval_id: str, request: Request, who: Who, the: The) -> None:
    """Take back what one asked for."""
    await _note(the, request, who, Action.APPROVAL_WITHDRAWN, the.approvals.withdraw(approval_id, who))


@router.post("/{approval_id}/allowance", status_code=204, **needs(Permission.APPROVE, step_up=True))
async def allow(approval_id: str, request: Request, who: Who, the: The) -> None:
    """Allow what somebody else asked for: they may now do it once."""
    _a_person(who)
    await _note(the, request, who, Action.APPROVED, the.approvals.decide(approval_id, who, allow=True))


@router.post("/{approval_id}/refusal", status_code=204, **needs(Permission.APPROVE))
async def refuse(approval_id: str, wish: Refusal, request: Request, who: Who, the: The) -> None:
    """Refuse it, and say why."""
    _a_person(who)
    one = the.approvals.decide(approval_id, who, allow=False, answer=wish.reason)
    await _note(the, request, who, Action.APPROVAL_REFUSED, one)


def _a_person(who: Who) -> None:
    if who.token_name is not None:
        raise ForbiddenError("A program is nobody's second person.", cure="Sign in, and decide it yourself.")


async def _note(the: Rooms, request: Request, who: Who, action: Action, one: Approval) -> None:
    details = {"act": one.asked.act.value, "approval": one.id, "asked_by": one.asked_by.shown}
    details |= {"reason": one.answer or one.asked.reason}
    await the.trail.append(
        AuditEvent(action=action, actor=actor(request, who), subject=one.asked.subject, details=dict(details))
    )
