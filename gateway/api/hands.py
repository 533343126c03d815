"""Whose hand takes a step of a deployment, and what that hand may; and what the audit is told of deployable units."""

from fastapi import Request

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.guard import actor
from gateway.api.rooms import Rooms
from gateway.audit.events import Action, AuditEvent
from gateway.deployments.deployment import Deployment
from gateway.deployments.life import Hand, Right
from gateway.fleet.cameras import Camera
from gateway.units.errors import UnknownUnitError

_RIGHTS = {Permission.DEPLOY: Right.DEPLOY, Permission.DECIDE_DEPLOYMENT: Right.DECIDE}


def hand(the: Rooms, who: Identity) -> Hand:
    """Return who takes a step, and what they may."""
    may = the.decider.rights(who).permissions()
    return Hand(
        user_id=who.user_id,
        name=who.shown,
        rights=frozenset(right for permission, right in _RIGHTS.items() if permission in may),
        person=who.token_name is None,
    )


def answers_for(who: Identity, one: Deployment) -> bool:
    """Return whether somebody is who answers for a deployment: it names them as their account does, or by user name.

    A program answers for nothing.
    """
    named = _folded(one.responsible)
    return bool(named) and who.token_name is None and named in {_folded(who.name), _folded(who.username)}


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def as_printed(the: Rooms, label: str) -> str:
    """Return a unit's label as it is printed, where there is such a unit; else what was said."""
    try:
        return the.units.register.unit(label).label if the.units is not None else label
    except UnknownUnitError:
        return label


async def note_mark(the: Rooms, request: Request, who: Identity, action: Action, camera: Camera, unit: str) -> None:
    """Record that a camera was marked as a deployable unit's, or no more."""
    details = {"urn": camera.description.identity.urn, "unit": unit}
    await the.trail.append(
        AuditEvent(action=action, actor=actor(request, who), subject=camera.id, details=dict(details))
    )
