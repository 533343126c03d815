"""One camera's health: all that is known of it, and of the unit that carries it (docs/design/health.md)."""

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api.cameras import OneCamera
from gateway.api.guard import Awake, needs
from gateway.api.health import Need, need_models
from gateway.api.rooms import The
from gateway.api.times import iso_or_none
from gateway.health.urgency import UnitSigns
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
    recording: bool | None
    """Whether its main stream reaches the disk; null where its camera host does not say."""
    recording_cause: str
    """Why not; empty where it does, or nothing is known."""
    picture: PictureFault | None
    """What was wrong with its picture when it was last looked at."""
    picture_looked: str | None
    """When that was; null where it was not since pictures come."""
    reference: str | None
    """When its reference view was taken."""
    head: bool
    """Whether it has one: it is compared with its reference view while the head stands where it stood then."""
    clock_offset_s: float | None
    """How far its clock is ahead (positive) of ours or behind, and what it writes into its pictures with it."""
    clock_off_s: float | None
    """By how much the times that we keep of its pictures may be off, after they were put right."""
    manufacturer: str
    model: str
    firmware: str
    newest_firmware: str
    """That another camera of its make and model has, or its own."""
    certificate_ends: str | None
    """Of that which it shows; null where it is not asked over TLS."""
    unit: UnitHealth | None
    needs: list[Need]


@router.get("/health", **needs(Permission.VIEW_LIVE, room=True))
async def checkup(camera: OneCamera, who: Awake, the: The) -> CheckUp:
    """Return what is known of a camera's link, picture, clock and firmware, and of the unit that carries it."""
    signs, unit = the.ward.signs.get(camera.id), the.ward.unit_of(camera.id)
    mine = [one for one in the.ward.needs if camera.id in one.cameras]
    identity = camera.description.identity
    make = (identity.manufacturer, identity.model)
    return CheckUp(
        camera=camera.id,
        looked=iso_or_none(the.ward.looked_ns) if signs is not None else None,
        missed=signs is not None and signs.missed,
        live=signs is not None and signs.live,
        last_picture=iso_or_none(signs.last_frame_ns) if signs is not None else None,
        recording=signs.recording if signs is not None else None,
        recording_cause=signs.recording_cause if signs is not None else "",
        picture=signs.picture.fault if signs is not None and signs.picture is not None else None,
        picture_looked=iso_or_none(signs.looked_ns if signs is not None else None),
        reference=iso_or_none(camera.reference.taken_ns if camera.reference is not None else None),
        head=camera.view.head is not None,
        clock_offset_s=signs.clock_offset_s if signs is not None else None,
        clock_off_s=signs.clock_off_s if signs is not None else None,
        manufacturer=identity.manufacturer,
        model=identity.model,
        firmware=identity.firmware,
        newest_firmware=the.ward.newest.get(make, identity.firmware),
        certificate_ends=iso_or_none(signs.certificate_ends_ns if signs is not None else None),
        unit=_unit(unit) if unit is not None else None,
        needs=need_models(the, who, mine),
    )


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
