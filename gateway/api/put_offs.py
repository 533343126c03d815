"""Having wait what of a camera or unit needs a person, and taking it up again (docs/design/health.md)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from gateway.access.errors import ForbiddenError
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.guard import Awake, actor, needs
from gateway.api.health import Need, need_models
from gateway.api.rooms import Rooms, The
from gateway.api.times import Instant, iso
from gateway.api.units import Label, cameras_of, seen
from gateway.audit.events import Action, AuditEvent
from gateway.health.need import Kind, Whose
from kernel.clock import to_ns
from kernel.ids import CameraId

router = APIRouter(prefix="/api/v1", tags=["health"])

OF_CAMERA = "/cameras/{camera_id}/needs/{kind}/put-off"
OF_UNIT = "/units/{label}/needs/{kind}/put-off"


class NewPutOff(models.Taken):
    """Until when a need is to wait, null for as long as it lasts; and why, which everybody reads."""

    until: Instant | None = None
    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=models.ONE_LINE)
    ]


@router.put(OF_CAMERA, **needs(Permission.STEER, room=True))
async def put_off(kind: Kind, wish: NewPutOff, request: Request, camera: OneCamera, who: Awake, the: The) -> list[Need]:
    """Have a need wait; it is still told of, with who had it wait and why. Return what the camera needs."""
    return await _put_off(the, request, who, Whose(camera=camera.id), kind, wish)


@router.delete(OF_CAMERA, **needs(Permission.STEER, room=True))
async def take_up(kind: Kind, request: Request, camera: OneCamera, who: Awake, the: The) -> list[Need]:
    """Have a need that was put off come up again now. Return what the camera needs."""
    return await _take_up(the, request, who, Whose(camera=camera.id), kind)


@router.put(OF_UNIT, **needs(Permission.STEER, room=True))
async def put_off_of_unit(
    label: Label, kind: Kind, wish: NewPutOff, request: Request, who: Awake, the: The
) -> list[Need]:
    """Have a unit's need wait, as a camera's: by who may steer one that it carries, else by who enrols."""
    return await _put_off(the, request, who, _unit(the, who, label), kind, wish)


@router.delete(OF_UNIT, **needs(Permission.STEER, room=True))
async def take_up_of_unit(label: Label, kind: Kind, request: Request, who: Awake, the: The) -> list[Need]:
    """Have a unit's need that was put off come up again now. Return what the unit needs."""
    return await _take_up(the, request, who, _unit(the, who, label), kind)


def _unit(the: Rooms, who: Identity, label: str) -> Whose:
    """Return a unit whose needs somebody may put off.

    Raises:
        UnknownUnitError: there is none, or none that they may see.
        ForbiddenError: they see it, and no more.
    """
    row, rights = seen(the, who, label), the.decider.rights(who)
    steered = rights.cameras(Permission.STEER)
    cameras = cameras_of(the, who, row)
    some = any(steered is None or CameraId(one) in steered for one in cameras)
    if not some and rights.rule(Permission.ENROL) is None:
        raise ForbiddenError("You may not put that off.", cure="Ask somebody who may steer the unit's camera.")
    return Whose(unit=row.label)


async def _put_off(
    the: Rooms, request: Request, who: Identity, whose: Whose, kind: Kind, wish: NewPutOff
) -> list[Need]:
    until_ns = to_ns(wish.until) if wish.until is not None else None
    need = await the.ward.put_off(whose, kind, until_ns=until_ns, reason=wish.reason, by_name=who.shown)
    details = {
        "kind": kind.value,
        "cause": need.cause,
        "reason": wish.reason,
        **({"until": iso(until_ns)} if until_ns is not None else {}),
    }
    action = Action.UNIT_NEED_PUT_OFF if whose.unit else Action.NEED_PUT_OFF
    await _note(the, request, who, whose, action, details)
    return _needs(the, who, whose)


async def _take_up(the: Rooms, request: Request, who: Identity, whose: Whose, kind: Kind) -> list[Need]:
    await the.ward.take_up(whose, kind)
    action = Action.UNIT_NEED_TAKEN_UP if whose.unit else Action.NEED_TAKEN_UP
    await _note(the, request, who, whose, action, {"kind": kind.value})
    return _needs(the, who, whose)


def _needs(the: Rooms, who: Identity, whose: Whose) -> list[Need]:
    return need_models(the, who, [one for one in the.ward.needs if one.whose == whose])


async def _note(
    the: Rooms, request: Request, who: Identity, whose: Whose, action: Action, details: dict[str, str]
) -> None:
    subject = whose.camera or whose.unit
    await the.trail.append(AuditEvent(action=action, actor=actor(request, who), subject=subject, details=dict(details)))
