"""Footage of a unit that was down, and that was recorded all the same, is deleted: by somebody, on record.

When the unit was taken down is known from a phone alone. So nothing is deleted by itself; an administrator looks at
what there is, which nobody else may, and has it deleted.
"""

from fastapi import APIRouter, Request, Response

from gateway.access.permissions import Permission
from gateway.api import deployment_models as shapes
from gateway.api.deployments import answer
from gateway.api.guard import Who, needs
from gateway.api.hands import hand
from gateway.api.rooms import Rooms, The
from gateway.deployments.deployment import Deployment
from gateway.deployments.errors import StepError
from gateway.deployments.stays import place_of, stay_at
from gateway.deployments.steps import Erase
from gateway.fleet.cameras import Camera
from gateway.fleet.footage import ErasureReply

router = APIRouter(prefix="/api/v1/deployments/{deployment_id}/erasure", tags=["deployments"])
DETAIL = "the unit was down, and nobody had said so yet"


@router.post("", status_code=201, **needs(Permission.ADMINISTER, step_up=True))
async def erase(
    deployment_id: str, wish: shapes.Step, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Delete what the unit's cameras recorded after it was down, as nobody had said so; their timelines say why.

    What is held stays, and so does what is being written: the log says how many files. Asked for again, it goes on.
    """
    known = await the.deployments.one(deployment_id)
    cameras = [one for one in the.fleet.cameras() if known.urn and one.description.identity.urn == known.urn]
    if not known.recorded_when_down or not cameras:
        raise StepError("Nothing is there that was recorded after it was down.", cure="Load the deployment again.")
    found = [await _erased(the, known, camera) for camera in cameras]
    files, kept = (sum(getattr(one, name) for each in found for one in each) for name in ("files", "kept"))
    taken = await the.deployments.step(known.id, Erase(files=files, kept=kept), by=hand(the, who), key=wish.key)
    return await answer(the, request, response, who, taken)


async def _erased(the: Rooms, known: Deployment, camera: Camera) -> list[ErasureReply]:
    stays, host, found = await the.stays.of(camera.id), the.fleet.host_of(camera), []
    for start_ns, told_ns in known.recorded_when_down:
        # A recording ends a moment after its host is told: until it stood somewhere again nothing else was recorded.
        stay, end_ns = stay_at(stays, start_ns), told_ns
        if stay is not None and place_of(stay) is None and not the.settings.deployments.record_without:
            end_ns = stay.to_ns or the.clock.wall_ns()
        found.append(await host.erase(camera.id, start_ns, max(told_ns, end_ns), DETAIL))
    return found
