"""The glass, which an emergency breaks; and telling who supervises, until one of them says that they have seen it."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gateway.access.errors import ForbiddenError
from gateway.access.grants import REASON_MIN
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.guard import Who, needs
from gateway.api.rights import Grant, note, shown_grant
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso
from gateway.audit.events import Action
from gateway.db.glass import GlassBreak
from gateway.db.rights import GrantRow

router = APIRouter(prefix="/api/v1", tags=["rights"])


class BrokenGlass(Grant):
    """Where the glass is broken, and by whom; ``name`` as people say it."""

    name: str


class OwnGlass(BaseModel):
    """What one has broken oneself, and how: minutes at most, and characters that a reason has at least."""

    broken: list[BrokenGlass]
    minutes_max: int
    reason_min: int


class UnseenGlass(BaseModel):
    """Who broke the glass, why, and from when to when every camera is or was open to them."""

    id: str
    user: str
    name: str
    reason: str
    start: str
    end: str


class Glass(models.Taken):
    """Why somebody needs every camera now, and for how long."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    minutes: Annotated[int, Field(ge=1)] = 15


@router.get("/glass", **needs(Permission.SUPERVISE))
async def broken_glass(the: The) -> list[BrokenGlass]:
    """Return where the glass is broken now."""
    return await _broken(the, the.grants.broken())


@router.get("/glass/own", **needs(Permission.BREAK_GLASS))
async def own_glass(who: Who, the: The) -> OwnGlass:
    """Return what one has broken oneself, and what one may."""
    mine = [row for row in the.grants.broken() if row.user_id == who.user_id]
    return OwnGlass(
        broken=await _broken(the, mine),
        minutes_max=the.settings.access.glass_max_minutes,
        reason_min=REASON_MIN,
    )


@router.get("/glass/unacknowledged", **needs(Permission.SUPERVISE))
async def unacknowledged_glass(the: The) -> list[UnseenGlass]:
    """Return where the glass is or was broken and nobody who supervises has said that they know, the oldest first."""
    return [_unseen(row) for row in the.grants.unacknowledged()]


@router.post("/glass", status_code=201, **needs(Permission.BREAK_GLASS))
async def break_glass(wish: Glass, request: Request, who: Who, the: The) -> Grant:
    """Take an operator's rights on every camera for a while. Supervisors are told, and the audit names it."""
    if who.token_name is not None:
        raise ForbiddenError("Only a person breaks the glass.", cure="Sign in, and do it yourself.")
    row = await the.grants.break_glass(who, reason=wish.reason, minutes=wish.minutes)
    said: dict[str, object] = {"reason": row.reason, "minutes": wish.minutes, "user": who.user_id}
    await note(the, request, who, Action.GLASS_BROKEN, row.id, said)
    return shown_grant(row)


@router.delete("/glass/{grant_id}", status_code=204, **needs(Permission.BREAK_GLASS))
async def close_glass(grant_id: str, request: Request, who: Who, the: The) -> None:
    """Give back what was taken: one's own, or as a supervisor anybody's."""
    supervisor = the.decider.rights(who).rule(Permission.SUPERVISE) is not None
    row = await the.grants.close_glass(grant_id, by=who, anybodys=supervisor)
    await note(the, request, who, Action.GLASS_CLOSED, row.id, {"user": row.user_id})


@router.post("/glass/{grant_id}/acknowledgement", status_code=204, **needs(Permission.SUPERVISE))
async def acknowledge_glass(grant_id: str, request: Request, who: Who, the: The) -> None:
    """Say that one has seen that somebody else broke the glass, also once it is over: nobody is told of it any more."""
    row = await the.grants.acknowledge_glass(grant_id, by=who)
    await note(the, request, who, Action.GLASS_ACKNOWLEDGED, row.id, {"user": row.user_id})


async def _broken(the: Rooms, rows: Iterable[GrantRow]) -> list[BrokenGlass]:
    names = {user.id: user.name or user.username for user in await the.people.users()}
    return [BrokenGlass(**dict(shown_grant(row)), name=names.get(row.user_id or "", "")) for row in rows]


def _unseen(row: GlassBreak) -> UnseenGlass:
    return UnseenGlass(
        id=row.id,
        user=row.user_id,
        name=row.name,
        reason=row.reason,
        start=iso(row.starts_ns),
        end=iso(row.ends_ns),
    )
