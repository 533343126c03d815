"""Presets of a head."""

from fastapi import APIRouter, Request

from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import The
from gateway.audit.events import Action, AuditEvent

router = APIRouter(prefix="/api/v1/cameras/{camera_id}/presets", tags=["steering"])


@router.get("", **needs(Permission.VIEW_LIVE, room=True))
async def presets(camera: OneCamera, the: The) -> list[models.PresetModel]:
    """Return the presets of a head, placeholders hidden."""
    known = await the.fleet.host_of(camera).presets(camera.id)
    void = await the.stays.void_presets(camera.id, [preset.token for preset in known.presets])
    return [
        models.PresetModel(token=preset.token, name=preset.name, confirmed=preset.token not in void)
        for preset in known.presets
    ]


@router.post("", status_code=201, **needs(Permission.STEER, room=True))
async def store(wish: models.NewPreset, request: Request, camera: OneCamera, who: Who, the: The) -> models.PresetModel:
    """Store where the head points now. One of another place, stored anew, is confirmed for this one."""
    preset = await the.fleet.host_of(camera).store_preset(camera.id, wish.name, wish.token)
    await the.stays.confirm_preset(camera.id, preset.token, preset.name)
    await the.trail.append(
        AuditEvent(
            action=Action.PRESET_STORED,
            actor=actor(request, who),
            subject=camera.id,
            details={"name": preset.name, "token": preset.token, "overwritten": wish.token is not None},
        )
    )
    return models.PresetModel(token=preset.token, name=preset.name, confirmed=True)


@router.delete("/{token:path}", status_code=204, **needs(Permission.STEER, room=True))
async def remove(token: str, request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Forget a preset."""
    await the.fleet.host_of(camera).remove_preset(camera.id, token)
    await the.stays.forget_preset(camera.id, token)
    await the.trail.append(
        AuditEvent(action=Action.PRESET_REMOVED, actor=actor(request, who), subject=camera.id, details={"token": token})
    )
