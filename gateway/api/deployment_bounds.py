"""Limits and no-look zones that a field team says for where its unit stands (docs/design/deployments.md)."""

import json
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, TypeAdapter

from gateway.access.errors import ForbiddenError
from gateway.access.permissions import Permission
from gateway.api import bounds as shapes
from gateway.api.guard import Who, actor, confirmed, decided, needs
from gateway.api.hands import hand
from gateway.api.rooms import The
from gateway.db.deployments import EntryRow
from gateway.deployments.errors import StepError, WishError
from gateway.deployments.steps import NAMES, Bind
from gateway.fleet.cameras import Camera
from gateway.stationed import step_event
from ptz.bounds import Bounds

router = APIRouter(prefix="/api/v1/deployments/{deployment_id}/bounds", tags=["deployments"])
_BOUNDS = TypeAdapter(Bounds)


class DeployedBounds(shapes.NewBounds):
    """All limits and zones of one of the unit's cameras; they replace what was there."""

    camera: Annotated[str, Field(max_length=32)]


@router.put("", **needs(Permission.DEPLOY))
async def change(deployment_id: str, wish: DeployedBounds, request: Request, who: Who, the: The) -> shapes.BoundsModel:
    """Set the limits and no-look zones of a unit's camera, for where this deployment has it stand now.

    Who deploys need not be one who enrols; but must be a person who sees the camera, and the unit must stand by this
    deployment. Until the team signs the unit off it may draw anew what it drew alone. Apart from that what stands is
    kept, or put within something wider: to forbid less takes the permission to enrol, and a late proof of who one is.
    What was set is a line of the deployment's log.
    """
    if who.token_name is not None:
        raise ForbiddenError("Where a camera may not look is not for a program to say.", cure="Sign in, and say it.")
    known = await the.deployments.one(deployment_id)
    camera = the.fleet.camera(wish.camera)
    the.decider.decide(who, Permission.VIEW_LIVE, camera.id)
    if camera.description.identity.urn != known.urn:
        raise WishError("That is no camera of this deployment's unit.", cure="Load the deployment again.")
    lines = await the.deployments.log(deployment_id)
    standing = the.deployments.standing(known.urn)
    if standing is None or standing.id != known.id:
        raise StepError("The unit does not stand by this deployment.", cure="Load it again.")
    after = shapes.bounds_of(camera, wish)
    own = _own(camera, lines)
    settled = standing.signed_off_ns is not None or standing.again_ns is not None
    if (settled or not own) and shapes.loosened(camera, after):
        decided(request, who, Permission.ENROL, camera.id)
        await confirmed(request, who, Permission.ENROL)
    changed = await shapes.bind(the, camera, after, actor(request, who))
    step = Bind(camera=camera.id, bounds=changed.bounds, own=own)
    taken = await the.deployments.step(deployment_id, step, by=hand(the, who))
    await the.trail.append(step_event(taken, actor(request, who)))
    return shapes.shown(changed)


def _own(camera: Camera, lines: list[EntryRow]) -> bool:
    """Return whether all that holds of a camera's bounds is the team's own, drawn at this place by this deployment."""
    if camera.bounds.empty or not camera.bounds.confirmed:
        return True
    said = [json.loads(line.said) for line in lines if line.step == NAMES[Bind]]
    last = next((one for one in reversed(said) if one["camera"] == camera.id), None)
    return last is not None and last["own"] and _BOUNDS.validate_python(last["bounds"]) == camera.bounds
