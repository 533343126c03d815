"""Cameras that tell their events over MQTT (ONVIF Profile M): told to, from here, and told to no more.

A device is told the address of our broker for cameras, a prefix of topics that is its own, and a password that nobody
is shown. All its cameras tell by it.
"""

from fastapi import APIRouter, Request
from pydantic import BaseModel, SecretStr

from drivers.model import EventBroker
from gateway.access.permissions import Permission
from gateway.api.cameras import OneCamera
from gateway.api.errors import NotHereError, UnitsOffError
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.audit.events import Action, AuditEvent
from gateway.fleet.cameras import Camera
from gateway.mqtt import DEVICES
from gateway.units import Units
from gateway.units.device_passwords import fresh

router = APIRouter(prefix="/api/v1/cameras/{camera_id}", tags=["cameras"])


class EventBrokerModel(BaseModel):
    """A broker at which a camera's device publishes, as the device tells it."""

    address: str
    prefix: str
    status: str
    """"Connected", "Connecting" or "Offline"; empty where the device does not say."""


class EventBrokersModel(BaseModel):
    """Where a camera's device publishes its events, and where it is to."""

    address: str | None
    """Our broker for cameras; null where there is none."""
    prefix: str
    """What the topics of this device begin with there."""
    brokers: list[EventBrokerModel]


@router.get("/event-brokers", **needs(Permission.ENROL))
async def event_brokers(camera: OneCamera, the: The) -> EventBrokersModel:
    """Return at which brokers a camera's device publishes its events."""
    found = await the.fleet.host_of(camera).event_brokers(camera.id)
    return EventBrokersModel(
        address=the.settings.telemetry.cameras_url,
        prefix=_prefix(camera),
        brokers=[EventBrokerModel(address=one.address, prefix=one.prefix, status=one.status) for one in found],
    )


@router.put("/event-broker", status_code=204, **needs(Permission.ENROL))
async def tell_events(request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Have a camera's device publish its events at our broker, with a new password."""
    units, address = _ours(the)
    password = fresh()
    # First the device: one that refuses goes on by the password that it has.
    await the.fleet.host_of(camera).add_event_broker(
        camera.id,
        EventBroker(address=address, prefix=_prefix(camera), username=camera.device_id, password=SecretStr(password)),
    )
    await units.passwords.put(camera.device_id, password)
    await the.trail.append(
        AuditEvent(action=Action.EVENT_BROKER, actor=actor(request, who), subject=camera.id, details={"on": True})
    )


@router.delete("/event-broker", status_code=204, **needs(Permission.ENROL))
async def tell_no_events(request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Have it publish there no more. Its password is worth nothing from the broker's next reload on."""
    units, address = _ours(the)
    # It is over whether or not the device answers.
    await units.passwords.withdraw(camera.device_id)
    await the.trail.append(
        AuditEvent(action=Action.EVENT_BROKER, actor=actor(request, who), subject=camera.id, details={"on": False})
    )
    await the.fleet.host_of(camera).remove_event_broker(camera.id, address)


def _ours(the: Rooms) -> tuple[Units, str]:
    if the.units is None:
        raise UnitsOffError
    address = the.settings.telemetry.cameras_url
    if address is None:
        raise NotHereError("Cameras have no broker here to tell events to.", cure="Set telemetry.cameras_url.")
    return the.units, address


def _prefix(camera: Camera) -> str:
    return f"{DEVICES}/{camera.device_id}"
