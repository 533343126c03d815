"""What the routes work with, as the composition root joined it."""

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from config.settings import Settings
from gateway.access.approvals import Approvals
from gateway.access.decision import Decider
from gateway.access.entrance import Entrance
from gateway.access.factors import Factors
from gateway.access.grants import Grants
from gateway.access.oidc.service import Oidc
from gateway.access.people import People
from gateway.access.service import Access
from gateway.api.ledger import Ledger
from gateway.api.signalling import Signalling
from gateway.api.sockets import Places
from gateway.audit.trail import Trail
from gateway.belonging import Belonging
from gateway.deployments.photos import Photos
from gateway.deployments.service import Deployments
from gateway.deployments.stays import Stays
from gateway.fleet.passwords import CameraPasswords
from gateway.fleet.service import Fleet
from gateway.health.days import Days
from gateway.health.ward import Ward
from gateway.sharing import Sharing
from gateway.units import Commander, Units
from kernel.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The rooms behind the API."""

    settings: Settings
    clock: Clock
    access: Access
    decider: Decider
    grants: Grants
    approvals: Approvals
    entrance: Entrance
    factors: Factors
    people: People
    oidc: Oidc
    trail: Trail
    fleet: Fleet
    ledger: Ledger
    signalling: Signalling
    sharing: Sharing
    deployments: Deployments
    stays: Stays
    photos: Photos
    pictures: Photos
    """Of alarms."""
    ward: Ward
    days: Days
    passwords: CameraPasswords
    units: Units | None = None
    """Units that call in; ``None`` where the settings name no broker."""
    commander: Commander | None = None
    """Tells them something; as ``units``."""
    places: Places = field(default_factory=Places)

    @property
    def belonging(self) -> Belonging | None:
        """Return whose cameras are which unit's; as ``units``."""
        return Belonging(self.units.register, self.fleet, self.deployments) if self.units is not None else None

    @property
    def cookie(self) -> str:
        """Return the session cookie's name: by its prefix bound to host and TLS, ours or a proxy's."""
        return "__Host-sightline" if self.settings.server.behind_tls else "sightline"


def rooms_of(connection: HTTPConnection) -> Rooms:
    """Return the rooms of the application that a request or WebSocket came to."""
    return cast("Rooms", connection.app.state.rooms)


The = Annotated[Rooms, Depends(rooms_of)]
"""A route's hand on the rooms."""


def address_of(connection: HTTPConnection) -> str:
    """Return where a request came from."""
    return connection.client.host if connection.client is not None else ""


def origin_of(connection: HTTPConnection) -> str:
    """Return the address at which a browser reaches us, as it says itself or as the settings have it.

    An Origin is one of ours wherever this is asked: the guard has seen to it.
    """
    origin = connection.headers.get("origin")
    if origin:
        return origin.lower()
    public = rooms_of(connection).settings.server.public_urls
    return public[0] if public else f"{connection.scope['scheme']}://{connection.headers.get('host', '').lower()}"
