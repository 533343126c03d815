"""What of cameras, units and deployments needs a person today (docs/design/health.md)."""

from collections.abc import Iterable

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.guard import Awake, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso, iso_or_none
from gateway.fleet.cameras import Camera
from gateway.health import need
from gateway.health.need import Kind, Urgency

router = APIRouter(prefix="/api/v1", tags=["health"])


class PutOffModel(BaseModel):
    """Who had a need wait, since when, until when and why; ``until`` is null where that is until it is over."""

    by: str
    at: str
    until: str | None
    reason: str


class OfDeployment(BaseModel):
    """The deployment that a need is about."""

    id: str
    title: str


class Need(BaseModel):
    """One thing that a person has to see to: at which camera or unit, why, since when, and what is to be done.

    Of a unit or a deployment, the camera is the first that it carries and one may see; null, as is its number, where it
    carries none. Neither camera, unit nor deployment: it is about what serves them, as the units' broker.
    """

    camera: str | None
    number: int | None
    name: str
    """The camera's; empty where there is none."""
    unit: str | None
    """The label of the unit that it is about, where it is about one."""
    deployment: OfDeployment | None
    """The deployment that asks for it, to who may see it: it is seen to there, and is not put off."""
    kind: Kind
    urgency: Urgency
    cause: str
    since: str
    cure: str
    put_off: PutOffModel | None


class Needs(BaseModel):
    """Everything, the most urgent first; ``looked`` is when that was judged, null before it ever was."""

    looked: str | None
    needs: list[Need]


@router.get("/health", **needs(Permission.VIEW_LIVE, room=True))
async def health(who: Awake, the: The) -> Needs:
    """Return what of the cameras and units that one may see needs a person, by urgency."""
    return Needs(looked=iso_or_none(the.ward.looked_ns), needs=need_models(the, who, the.ward.needs))


def need_models(the: Rooms, who: Identity, all_needs: Iterable[need.Need]) -> list[Need]:
    """Return needs as the API tells them: of cameras that one may see, and their units.

    To who enrols also of all units, and of what serves them. What deployments ask for is told to who may see those;
    that a unit is in alarm, to who may see one of its cameras.
    """
    cameras = {camera.id: camera for camera in visible(the, who, Permission.VIEW_LIVE)}
    rights = the.decider.rights(who)
    enrols, deploys = (rights.rule(one) is not None for one in (Permission.ENROL, Permission.DEPLOY))
    told = []
    for one in all_needs:
        camera = next((cameras[each] for each in one.cameras if each in cameras), None)
        if one.whose.deployment:
            alarm = one.kind is Kind.ALARM and camera is not None
            may = deploys or alarm
        else:
            may = camera is not None or (one.whose.camera is None and enrols)
        if may:
            told.append(_need(the, one, camera, deploys=deploys))
    return told


def _need(the: Rooms, one: need.Need, camera: Camera | None, *, deploys: bool) -> Need:
    return Need(
        camera=camera.id if camera is not None else None,
        number=camera.number if camera is not None else None,
        name=camera.name if camera is not None else "",
        unit=one.unit or None,
        deployment=OfDeployment(id=one.whose.deployment, title=one.title) if one.whose.deployment and deploys else None,
        kind=one.kind,
        urgency=one.urgency,
        cause=one.cause,
        since=iso(one.since_ns or 0),  # the ward knows it of each
        cure=one.cure,
        put_off=put_off_model(the, one),
    )


def put_off_model(the: Rooms, one: need.Need) -> PutOffModel | None:
    """Return who had a need wait, as the API tells it; ``None`` where nobody did."""
    known = the.ward.put_off_of(one)
    if known is None:
        return None
    return PutOffModel(by=known.by_name, at=iso(known.at_ns), until=iso_or_none(known.until_ns), reason=known.reason)


def visible(the: Rooms, who: Identity, permission: Permission) -> list[Camera]:
    """Return the cameras for which somebody has a permission."""
    seen = the.decider.rights(who).cameras(permission)
    return [camera for camera in the.fleet.cameras() if seen is None or camera.id in seen]
