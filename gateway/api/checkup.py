"""One camera's health: all that is known of it, and putting off what of that needs a person (docs/design/health.md)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, StringConstraints

from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.guard import Who, actor, needs
from gateway.api.health import Need, need_model
from gateway.api.rooms import Rooms, The
from gateway.api.times import Instant, iso, iso_or_none
from gateway.audit.events import Action, AuditEvent
from gateway.fleet.cameras import Camera
from gateway.health.urgency import Kind, UnitSigns
from kernel.clock import to_ns
from kernel.media import PictureFault

router = APIRouter(prefix="/api/v1/cameras/{camera_id}", tags=["health"])


class UnitHealth(BaseModel):
    """What is known of the unit that carries a camera; null where it does not say."""

    label: str
    missed: bool
    heard: str | None
    battery_h: float | None
    """For how many hours its battery lasts as it goes now; null where it is charged, or too little is known."""
    disk_free_share: float | None
    disk_fault: bool
    certificate_ends: str | None


class CheckUp(BaseModel):
    """A camera's health as it was last looked at; all but what it is made of is null before it ever was."""

    camera: str
    looked: str | None
    missed: bool
    """Whether it is to give pictures now: a mobile one in store is not."""
    live: bool
    last_picture: str | None
    picture: PictureFault | None
    """What is wrong with its picture."""
    reference: str | None
    """When its reference view was taken."""
    head: bool
    """Whether it has one: what it shows changes then, and it has no reference view."""
    clock_off_s: float | None
    """By how much the times of its pictures may be off."""
    manufacturer: str
    model: str
    firmware: str
    newest_firmware: str
    """That another camera of its make and model has, or its own."""
    unit: UnitHealth | None
    needs: list[Need]


class NewPutOff(models.Taken):
    """Until when a need is to wait, null for as long as it lasts; and why, which everybody reads."""

    until: Instant | None = None
    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=models.ONE_LINE)
    ]


@router.get("/health", **needs(Permission.VIEW_LIVE, room=True))
async def checkup(camera: OneCamera, the: The) -> CheckUp:
    """Return what is known of a camera's link, picture, clock and firmware, and of the unit that carries it."""
    signs = the.ward.signs.get(camera.id)
    identity = camera.description.identity
    make = (identity.manufacturer, identity.model)
    return CheckUp(
        camera=camera.id,
        looked=iso_or_none(the.ward.looked_ns) if signs is not None else None,
        missed=signs is not None and signs.missed,
        live=signs is not None and signs.live,
        last_picture=iso_or_none(signs.last_frame_ns) if signs is not None else None,
        picture=signs.picture.fault if signs is not None and signs.picture is not None else None,
        reference=iso_or_none(camera.reference.taken_ns if camera.reference is not None else None),
        head=camera.view.head is not None,
        clock_off_s=signs.clock_off_s if signs is not None else None,
        manufacturer=identity.manufacturer,
        model=identity.model,
        firmware=identity.firmware,
        newest_firmware=the.ward.newest.get(make, identity.firmware),
        unit=_unit(signs.unit) if signs is not None and signs.unit is not None else None,
        needs=_needs(the, camera),
    )


@router.put("/needs/{kind}/put-off", **needs(Permission.STEER, room=True))
async def put_off(kind: Kind, wish: NewPutOff, request: Request, camera: OneCamera, who: Who, the: The) -> list[Need]:
    """Have a need wait; it is still told of, with who had it wait and why. Return what the camera needs."""
    until_ns = to_ns(wish.until) if wish.until is not None else None
    need = await the.ward.put_off(camera.id, kind, until_ns=until_ns, reason=wish.reason, by_name=who.shown)
    details = {
        "kind": kind.value,
        "cause": need.cause,
        "reason": wish.reason,
        **({"until": iso(until_ns)} if until_ns is not None else {}),
    }
    await the.trail.append(
        AuditEvent(action=Action.NEED_PUT_OFF, actor=actor(request, who), subject=camera.id, details=details)
    )
    return _needs(the, camera)


@router.delete("/needs/{kind}/put-off", **needs(Permission.STEER, room=True))
async def take_up(kind: Kind, request: Request, camera: OneCamera, who: Who, the: The) -> list[Need]:
    """Have a need that was put off come up again now. Return what the camera needs."""
    await the.ward.take_up(camera.id, kind)
    await the.trail.append(
        AuditEvent(
            action=Action.NEED_TAKEN_UP, actor=actor(request, who), subject=camera.id, details={"kind": kind.value}
        )
    )
    return _needs(the, camera)


def _needs(the: Rooms, camera: Camera) -> list[Need]:
    return [need_model(the, one, camera) for one in the.ward.needs if one.camera == camera.id]


def _unit(unit: UnitSigns) -> UnitHealth:
    return UnitHealth(
        label=unit.label,
        missed=unit.missed,
        heard=iso_or_none(unit.heard_ns),
        battery_h=unit.battery_h,
        disk_free_share=unit.disk_free_share,
        disk_fault=unit.disk_fault,
        certificate_ends=iso_or_none(unit.certificate_ends_ns),
    )
