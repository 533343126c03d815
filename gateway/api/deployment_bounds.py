"""Limits and no-look zones that a field team says for where its unit stands (docs/design/deployments.md)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from gateway.access.permissions import Permission
from gateway.api import bounds as shapes
from gateway.api.guard import Who, actor, needs
from gateway.api.hands import hand
from gateway.api.rooms import The
from gateway.deployments.errors import StepError, WishError
from gateway.deployments.steps import Bind
from gateway.stationed import step_event

router = APIRouter(prefix="/api/v1/deployments/{deployment_id}/bounds", tags=["deployments"])


class DeployedBounds(shapes.NewBounds):
    """All limits and zones of one of the unit's cameras; they replace what was there."""

    camera: Annotated[str, Field(max_length=32)]


@router.put("", **needs(Permission.DEPLOY))
async def change(deployment_id: str, wish: DeployedBounds, request: Request, who: Who, the: The) -> shapes.BoundsModel:
    """Set the limits and no-look zones of a unit's camera, for where this deployment has it stand now.

    Who deploys need not be one who enrols; but must see the camera, and the unit must stand by this deployment. What
    was set is a line of the deployment's log.
    """
    known = await the.deployments.one(deployment_id)
    camera = the.fleet.camera(wish.camera)
    the.decider.decide(who, Permission.VIEW_LIVE, camera.id)
    if camera.description.identity.urn != known.urn:
        raise WishError("That is no camera of this deployment's unit.", cure="Load the deployment again.")
    standing = the.deployments.standing(known.urn)
    if standing is None or standing.id != known.id:
        raise StepError("The unit does not stand by this deployment.", cure="Load it again.")
    changed = await shapes.bind(the, camera, wish, actor(request, who))
    taken = await the.deployments.step(deployment_id, Bind(camera=camera.id, bounds=changed.bounds), by=hand(the, who))
    await the.trail.append(step_event(taken, actor(request, who)))
    return shapes.shown(changed)
