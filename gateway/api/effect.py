"""What rights come to: what somebody may do now and by which rule, and what goes on by one of them."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.access.errors import UnknownError
from gateway.access.permissions import Permission
from gateway.access.rights import Right
from gateway.api.guard import needs
from gateway.api.rooms import Rooms, The
from gateway.api.spans import Span
from gateway.api.times import iso, iso_or_none
from gateway.audit.events import Action

router = APIRouter(prefix="/api/v1", tags=["rights"])


class HeldRight(BaseModel):
    """What one rule allows somebody now; ``cameras`` and ``group`` are null where it is over all of them."""

    rule: str
    """As the audit has it: ``role:operator``, ``grant:ID``, ``glass:ID``, ``share:ID``."""
    permissions: list[Permission]
    cameras: list[str] | None
    role: str | None
    """The role that it gives; null for a share."""
    team: str | None
    """The team through which somebody has it."""
    group: str | None
    end: str | None


class GoingOn(BaseModel):
    """Something that somebody does now."""

    what: Literal["view", "stick", "playback"]
    camera: str
    user: str
    who: str
    since: str


_WHAT: dict[Action, Literal["view", "stick", "playback"]] = {
    Action.VIEW_STARTED: "view",
    Action.STICK_TAKEN: "stick",
    Action.PLAYBACK_STARTED: "playback",
}


@router.get("/users/{user_id}/rights", **needs(Permission.ADMINISTER))
async def rights_of(user_id: str, the: The) -> list[HeldRight]:
    """Return what somebody may do now, by each rule that allows something; of who is disabled, nothing."""
    user = await the.people.get(user_id)
    return [_held(the, right) for right in the.decider.rights_of(user.id).each]


@router.get("/users/{user_id}/going-on", **needs(Permission.ADMINISTER))
async def going_on_of(user_id: str, the: The) -> list[GoingOn]:
    """Return what somebody does now: it ends when they are disabled or removed."""
    user = await the.people.get(user_id)
    return [_shown(span) for span in the.ledger.of_user(user.id)]


@router.get("/grants/{grant_id}/going-on", **needs(Permission.ADMINISTER))
async def going_on_by(grant_id: str, the: The) -> list[GoingOn]:
    """Return what goes on by a grant and by no other rule: it ends when the grant is taken away."""
    grant = next((row for row in the.decider.tables().grants if row.id == grant_id), None)
    if grant is None:
        raise UnknownError("There is no such grant.", cure="See the list of grants.")
    return [_shown(span) for span in the.ledger.only_by(f"{grant.kind}:{grant.id}", the.decider)]


def _held(the: Rooms, right: Right) -> HeldRight:
    kind, _, name = right.rule.partition(":")
    grant = next((row for row in the.decider.tables().grants if f"{row.kind}:{row.id}" == right.rule), None)
    return HeldRight(
        rule=right.rule,
        permissions=sorted(right.permissions),
        cameras=sorted(right.cameras) if right.cameras is not None else None,
        role=grant.role if grant is not None else name if kind == "role" else None,
        team=grant.team_id if grant is not None else None,
        group=grant.group_id if grant is not None else None,
        end=iso_or_none(grant.ends_ns) if grant is not None else None,
    )


def _shown(span: Span) -> GoingOn:
    return GoingOn(
        what=_WHAT[span.action], camera=span.camera, user=span.actor.id, who=span.actor.name, since=iso(span.from_ns)
    )
