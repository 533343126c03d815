"""Holds: footage that no retention may delete, until somebody lets go of it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from gateway.access.approvals import Act
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.errors import BadRequestError
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import Instant, iso, iso_or_none, span_ns
from gateway.audit.events import Action, AuditEvent
from gateway.fleet.changes import HoldChanged
from gateway.fleet.held import Held, HoldWish
from gateway.fleet.hosts import HostClient, HostError
from kernel.clock import NS_PER_S, to_ns

router = APIRouter(prefix="/api/v1", tags=["holds"])

DAY_NS = 86_400 * NS_PER_S
REVIEW_NS = 31 * DAY_NS
"""A hold for which nobody says when is looked at again after a month, as retention would have been."""
REVIEW_MAX_NS = 366 * DAY_NS
"""What nobody looks at for longer is not held but forgotten."""


class NewHold(models.Taken):
    """A hold to be: a range of both streams, what is recorded of it and what is still to be."""

    start: Instant
    end: Instant
    reason: Annotated[str, StringConstraints(strip_whitespace=True), Field(min_length=3, max_length=500)]
    reference: models.Word = ""
    """The incident or request that it is for."""
    authority: models.Word = ""
    """By whose word: the officer, court or statute that asks for it."""
    review: Instant | None = None
    """When somebody is to look whether it is still needed; without it in 31 days, at most in a year."""


class Review(models.Taken):
    """That a hold is still needed, and when to look again."""

    review: Instant


class Hold(BaseModel):
    """A hold. ``due``: its review date is past."""

    id: str
    camera: str
    start: str
    end: str
    reason: str
    authority: str
    placed_by: str
    placed: str
    review: str | None
    due: bool


class EveryHold(BaseModel):
    """Holds of many cameras; ``away`` counts the camera hosts that could not be asked for theirs."""

    holds: list[Hold]
    away: int


@router.get("/holds", **needs(Permission.VIEW_RECORDED))
async def every(who: Who, the: The, *, due: Annotated[bool, Query(description="Those alone")] = False) -> EveryHold:
    """Return the holds of every camera whose recordings one may see, those first whose review is next."""
    seen = the.decider.rights(who).cameras(Permission.VIEW_RECORDED)
    answers = await asyncio.gather(*(_of_host(link.client) for link in the.fleet.links))
    found = [one for answer in answers for one in answer or () if seen is None or one.camera in seen]
    found.sort(key=lambda one: (one.review_ns is None, one.review_ns or 0, one.id))
    shown = [_hold(the, one) for one in found]
    return EveryHold(holds=[one for one in shown if one.due or not due], away=sum(answer is None for answer in answers))


@router.get("/cameras/{camera_id}/holds", **needs(Permission.VIEW_RECORDED))
async def holds(camera: OneCamera, the: The) -> list[Hold]:
    """Return the holds of a camera, oldest first."""
    return [_hold(the, one) for one in await the.fleet.host_of(camera).holds(camera.id)]


@router.post("/cameras/{camera_id}/holds", status_code=201, **needs(Permission.HOLD))
async def place(wish: NewHold, request: Request, camera: OneCamera, who: Who, the: The) -> Hold:
    """Keep footage from being deleted."""
    start_ns, end_ns = span_ns(wish.start, wish.end)
    reason = f"{wish.reference}: {wish.reason}" if wish.reference else wish.reason
    review_ns = _in_time(the, to_ns(wish.review)) if wish.review is not None else the.clock.wall_ns() + REVIEW_NS
    held = await the.fleet.host_of(camera).hold(
        camera.id,
        HoldWish(
            start_ns=start_ns,
            end_ns=end_ns,
            reason=reason,
            authority=wish.authority,
            placed_by=who.name,
            review_ns=review_ns,
        ),
    )
    details = {"hold": held.id, "start": iso(start_ns), "end": iso(end_ns), "reason": reason}
    details |= {"authority": wish.authority, "review": iso(review_ns)}
    await the.trail.append(
        AuditEvent(action=Action.HOLD_PLACED, actor=actor(request, who), subject=camera.id, details=dict(details))
    )
    the.fleet.tell(
        HoldChanged(
            camera=camera.id,
            hold=held.id,
            what="placed",
            start_ns=start_ns,
            end_ns=end_ns,
            review_ns=review_ns,
            reference=wish.reference,
        )
    )
    return _hold(the, held)


@router.patch("/cameras/{camera_id}/holds/{hold_id}", **needs(Permission.HOLD))
async def review(hold_id: str, wish: Review, request: Request, camera: OneCamera, who: Who, the: The) -> Hold:
    """Say that a hold is still needed, and when somebody is to look again."""
    review_ns = _in_time(the, to_ns(wish.review))
    held = await the.fleet.host_of(camera).review_hold(camera.id, hold_id, review_ns)
    await the.trail.append(
        AuditEvent(
            action=Action.HOLD_CHANGED,
            actor=actor(request, who),
            subject=camera.id,
            details={"hold": hold_id, "review": iso(review_ns)},
        )
    )
    the.fleet.tell(HoldChanged(camera=camera.id, hold=hold_id, what="reviewed", review_ns=review_ns))
    return _hold(the, held)


@router.delete(
    "/cameras/{camera_id}/holds/{hold_id}",
    status_code=204,
    **needs(Permission.HOLD, step_up=True, act=Act.RELEASE_HOLD),
)
async def release(hold_id: str, request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Let go of a hold: what is past its retention is deleted."""
    # Recorded first: afterwards the footage may be gone.
    await the.trail.append(
        AuditEvent(
            action=Action.HOLD_RELEASED, actor=actor(request, who), subject=camera.id, details={"hold": hold_id}
        ),
        first=True,
    )
    await the.fleet.host_of(camera).release_hold(camera.id, hold_id)
    the.fleet.tell(HoldChanged(camera=camera.id, hold=hold_id, what="released"))


async def _of_host(host: HostClient) -> tuple[Held, ...] | None:
    try:
        return await host.every_hold()
    except HostError:
        return None


def _in_time(the: Rooms, review_ns: int) -> int:
    now_ns = the.clock.wall_ns()
    if not now_ns < review_ns <= now_ns + REVIEW_MAX_NS:
        raise BadRequestError(
            "A hold is looked at again later than now, and within a year.", cure="Choose another review date."
        )
    return review_ns


def _hold(the: Rooms, held: Held) -> Hold:
    return Hold(
        id=held.id,
        camera=held.camera,
        start=iso(held.start_ns),
        end=iso(held.end_ns),
        reason=held.reason,
        authority=held.authority,
        placed_by=held.placed_by,
        placed=iso(held.created_ns),
        review=iso_or_none(held.review_ns),
        due=held.review_ns is not None and held.review_ns <= the.clock.wall_ns(),
    )
