"""Which cameras move: marked so, and by which deployment each stands where it stands (docs/design/deployments.md)."""

from fastapi import APIRouter, Request

from gateway.access.permissions import Permission
from gateway.api import deployment_models as shapes
from gateway.api.cameras import OneCamera
from gateway.api.guard import Who, needs
from gateway.api.hands import as_printed, hand, note_mark
from gateway.api.rooms import Rooms, The
from gateway.audit.events import Action
from gateway.db.errors import ConflictError

router = APIRouter(prefix="/api/v1", tags=["deployments"])


@router.get("/deployments/units", **needs(Permission.DEPLOY))
async def deployables(the: The) -> list[shapes.DeployableUnit]:
    """Return the units that move, by label."""
    cameras: dict[str, list[str]] = {}
    for camera in the.fleet.cameras():
        cameras.setdefault(camera.description.identity.urn, []).append(camera.id)
    return [
        shapes.DeployableUnit(
            unit=one.unit,
            cameras=cameras.get(one.urn, []),
            deployment=standing.id if (standing := the.deployments.standing(one.urn)) is not None else None,
        )
        for one in the.deployments.deployables()
    ]


@router.get("/cameras/{camera_id}/deployable", **needs(Permission.VIEW_LIVE, room=True))
async def deployable(camera: OneCamera, the: The) -> shapes.Deployable:
    """Return whether a camera moves, and whether it may be recorded now."""
    return _deployable(the, camera)


@router.put("/cameras/{camera_id}/deployable", **needs(Permission.ENROL))
async def mark(wish: shapes.Mark, request: Request, camera: OneCamera, who: Who, the: The) -> shapes.Deployable:
    """Have a camera's unit be one that moves: all its cameras record only where a deployment says why."""
    urn = camera.description.identity.urn
    label = as_printed(the, wish.unit)
    await the.deployments.mark(urn, label, by=hand(the, who), thin_link=wish.thin_link)
    await note_mark(the, request, who, Action.DEPLOYABLE_MARKED, camera, label)
    return _deployable(the, camera)


@router.delete("/cameras/{camera_id}/deployable", status_code=204, **needs(Permission.ENROL, step_up=True))
async def unmark(request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Have it be a fixed one, which is always recorded; not while it is deployed, or a unit's."""
    urn = camera.description.identity.urn
    unit = the.units.register.by_device(camera.device_id) if the.units is not None else None
    if unit is not None and unit.retired_ns is None:
        raise ConflictError(f"This camera is that of unit {unit.label}.", cure="Take it off the unit first.")
    known = the.deployments.deployable(urn)
    await the.deployments.unmark(urn)
    if known is not None:
        await note_mark(the, request, who, Action.DEPLOYABLE_UNMARKED, camera, known.unit)


def _deployable(the: Rooms, camera: OneCamera) -> shapes.Deployable:
    urn = camera.description.identity.urn
    known, standing, why_not = (
        the.deployments.deployable(urn),
        the.deployments.standing(urn),
        the.deployments.withheld(urn),
    )
    return shapes.Deployable(
        deployable=known is not None,
        unit=known.unit if known is not None else "",
        thin_link=known is not None and known.thin_link,
        records=camera.recording and not why_not,
        why_not=why_not if camera.recording else "recording is switched off for this camera",
        deployment=standing.id if standing is not None else None,
    )
