"""Limits and no-look zones of a head (docs/design/steering.md, *Limits and no-look zones*)."""

import json
from dataclasses import asdict
from typing import Annotated, Self

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints, model_validator

from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.errors import BadRequestError, NotHereError
from gateway.api.guard import Who, actor, confirmed, needs
from gateway.api.rooms import Rooms, The
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.fleet.cameras import Camera
from kernel.head import Axis
from kernel.ids import new_id
from ptz.bounds import Binds, Bounds, Limits, Zone

router = APIRouter(prefix="/api/v1/cameras/{camera_id}/bounds", tags=["steering"])

Pan = Annotated[float, Field(ge=-360.0, le=360.0, allow_inf_nan=False)]
Tilt = Annotated[float, Field(ge=-90.0, le=90.0, allow_inf_nan=False)]
Lens = Annotated[float, Field(gt=0.0, le=170.0, allow_inf_nan=False)]
ZONES_MAX = 32
NARROWEST_ARC_DEG = 2.0


class LimitsModel(models.Taken):
    """How far the picture's centre may go; ``null`` is as far as the head goes. Degrees of the head's own."""

    binds: Binds = Binds.EVERYBODY
    left_deg: Pan | None = None
    right_deg: Pan | None = None
    lower_deg: Tilt | None = None
    upper_deg: Tilt | None = None
    narrowest_deg: Lens | None = None
    """The narrowest field of view."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower_deg is not None and self.upper_deg is not None and self.lower_deg >= self.upper_deg:
            msg = "the lower limit lies above the upper one"
            raise ValueError(msg)
        if self.left_deg is not None and self.right_deg is not None:
            width = (self.right_deg - self.left_deg) % 360.0
            if width < NARROWEST_ARC_DEG:
                msg = "the left and the right limit leave less than two degrees between them"
                raise ValueError(msg)
        return self


class ZoneModel(models.Taken):
    """A sector that is not looked into, clockwise from one pan to another. Equal pans are the whole circle."""

    id: Annotated[str, StringConstraints(max_length=32, pattern="^[0-9a-f]*$")] = ""
    """Empty for a new one."""
    name: models.Name
    pan_from_deg: Pan
    pan_to_deg: Pan
    tilt_from_deg: Tilt
    tilt_to_deg: Tilt
    binds: Binds = Binds.EVERYBODY
    narrower_than_deg: Lens | None = None
    """It may be passed with a field of view as wide as this or wider."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.tilt_from_deg >= self.tilt_to_deg:
            msg = "the zone ends below where it begins"
            raise ValueError(msg)
        return self


class NewBounds(models.Taken):
    """All limits and zones of a head; they replace what was there, and are confirmed for where the camera stands."""

    limits: Annotated[list[LimitsModel], Field(max_length=2, default_factory=list)]
    zones: Annotated[list[ZoneModel], Field(max_length=ZONES_MAX, default_factory=list)]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len({one.binds for one in self.limits}) < len(self.limits):
            msg = "there is one set of limits for everybody, and one for guests"
            raise ValueError(msg)
        return self


class BoundsModel(NewBounds):
    """A head's limits and zones as they are."""

    confirmed: bool
    """False since the camera stands at another place: nothing is kept, and guests do not steer."""
    told: bool
    """Whether the head tells where it looks. Where it does not, those whom a bound binds do not steer it freely."""


@router.get("", **needs(Permission.VIEW_LIVE, room=True))
async def bounds(camera: OneCamera) -> BoundsModel:
    """Return the limits and no-look zones of a head."""
    return shown(camera)


@router.put("", **needs(Permission.ENROL))
async def change(wish: NewBounds, request: Request, camera: OneCamera, who: Who, the: The) -> BoundsModel:
    """Set the limits and no-look zones of a head, for where the camera stands now.

    Whoever forbids less than was forbidden here must have proved lately who they are.
    """
    after = bounds_of(camera, wish)
    if camera.bounds.confirmed and loosened(camera, after):
        await confirmed(request, who, Permission.ENROL)
    return shown(await bind(the, camera, after, actor(request, who)))


def bounds_of(camera: Camera, wish: NewBounds) -> Bounds:
    """Return the bounds that somebody wishes for a camera's head.

    Raises:
        NotHereError: it has none.
        BadRequestError: they depend on what is not known of it.
    """
    _check(camera, wish)
    return Bounds(
        limits=tuple(Limits(**one.model_dump()) for one in wish.limits),
        zones=tuple(Zone(**{**one.model_dump(), "id": one.id or new_id()}) for one in wish.zones),
    )


def loosened(camera: Camera, after: Bounds) -> tuple[str, ...]:
    """Return the names of a camera's limits and zones, of whichever place, that would forbid less."""
    abilities = camera.view.head
    return camera.bounds.loosened(after, abilities) if abilities is not None else ()


async def bind(the: Rooms, camera: Camera, after: Bounds, by: Actor) -> Camera:
    """Set them, have the audit told, and return the camera after it."""
    changed = await the.fleet.bind(camera, after)
    await the.trail.append(
        AuditEvent(
            action=Action.BOUNDS_CHANGED,
            actor=by,
            subject=camera.id,
            details={"before": _told(camera.bounds), "after": _told(changed.bounds)},
        )
    )
    return changed


def _check(camera: Camera, wish: NewBounds) -> None:
    abilities = camera.view.head
    if abilities is None:
        raise NotHereError("This camera has no head to keep within bounds.", cure="Choose a camera that moves.")
    by_lens = [one.narrowest_deg for one in wish.limits] + [one.narrower_than_deg for one in wish.zones]
    if Axis.ZOOM in abilities.axes and abilities.hfov_deg is None and any(one is not None for one in by_lens):
        raise BadRequestError(
            "The field of view of this camera's lens is not known, so nothing can depend on it.",
            cure="Bound its turning only.",
        )


def _told(bounds: Bounds) -> str:
    return json.dumps(asdict(bounds), separators=(",", ":"))


def shown(camera: Camera) -> BoundsModel:
    """Return what is shown of a camera's."""
    abilities = camera.view.head
    known = camera.bounds
    limits, zones = models_of(known)
    return BoundsModel(
        limits=limits,
        zones=zones,
        confirmed=known.confirmed,
        told=abilities is not None
        and abilities.status
        and abilities.pan_deg is not None
        and abilities.tilt_deg is not None,
    )


def models_of(known: Bounds) -> tuple[list[LimitsModel], list[ZoneModel]]:
    """Return limits and zones as the API tells them."""
    return [LimitsModel(**asdict(one)) for one in known.limits], [ZoneModel(**asdict(one)) for one in known.zones]
