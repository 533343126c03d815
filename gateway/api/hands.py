"""Whose hand takes a step of a deployment, and what that hand may; and what the audit is told of deployable units."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.guard import actor
from gateway.api.rooms import Rooms
from gateway.audit.events import Action, AuditEvent
from gateway.db.deployments import DeployableRow
from gateway.deployments.deployment import Deployment
from gateway.deployments.hands import Hand, Right
from gateway.fleet.cameras import Camera
from gateway.units.errors import UnknownUnitError
from kernel.errors import SightlineError

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


class UnitMark:
    """The mark of a device that is about to be a unit's: put first, and taken back where the rest fails."""

    def __init__(self, the: Rooms, label: str, by: Hand) -> None:
        self._the = the
        self.label = label
        self._by = by
        self._before: dict[str, DeployableRow | None] = {}

    async def put(self, urn: str) -> None:
        """Mark a device."""
        deployments = self._the.deployments
        before = deployments.deployable(urn)
        thin_link = before is None or before.thin_link
        await deployments.mark(urn, self.label, by=self._by, thin_link=thin_link)
        self._before[urn] = before

    async def take_back(self) -> None:
        """Have what was marked be as it was."""
        for urn, before in self._before.items():
            if before is None:
                await self._the.deployments.unmark(urn)
            else:
                await self._the.deployments.mark(urn, before.unit, by=self._by, thin_link=before.thin_link)


async def note_mark(the: Rooms, request: Request, who: Identity, action: Action, camera: Camera, unit: str) -> None:
    """Record that a camera was marked as a deployable unit's, or no more."""
    details = {"urn": camera.description.identity.urn, "unit": unit}
    await the.trail.append(
        AuditEvent(action=action, actor=actor(request, who), subject=camera.id, details=dict(details))
    )


@asynccontextmanager
async def moving(the: Rooms, request: Request, who: Identity, camera_id: str | None, label: str) -> AsyncIterator[None]:
    """Have a unit's camera be one that moves before it is the unit's: nothing of it is recorded without a reason.

    Where the block fails it is as it was.
    """
    if camera_id is None:
        yield
        return
    camera = the.fleet.camera(camera_id)
    urn = camera.description.identity.urn
    before, mark = the.deployments.deployable(urn), UnitMark(the, label, hand(the, who))
    await mark.put(urn)
    try:
        yield
    except SightlineError:
        await mark.take_back()
        raise
    if before is None or before.unit != label:
        await note_mark(the, request, who, Action.DEPLOYABLE_MARKED, camera, label)
