"""Units at work: heard, followed to their addresses, and watched where they stand."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from config.settings import Settings
from gateway.alarming import open_alarming
from gateway.audit.trail import Trail
from gateway.belonging import Belonging
from gateway.calling import open_calling
from gateway.db.engine import Database
from gateway.deployments.photos import Photos
from gateway.deployments.service import Deployments
from gateway.eventing import eventing
from gateway.fleet.passwords import CameraPasswords, open_passwords
from gateway.fleet.service import Fleet
from gateway.health.days import Days
from gateway.health.ward import Ward
from gateway.picturing import open_picturing
from gateway.publishing import open_publishing
from gateway.raising import Rooms
from gateway.referring import open_referring
from gateway.repointing import open_repointing
from gateway.sharing import Sharing
from gateway.telemetry.commands import Commands
from gateway.telemetry.outward.service import Outward
from gateway.tended import Bedside, open_ward
from gateway.units import Units
from gateway.vault import Vault
from kernel.clock import Clock

PHOTOS = "photos"
PICTURES = "alarm-pictures"


@dataclass(frozen=True, slots=True)
class House:
    """What units at work are joined with."""

    database: Database
    vault: Vault
    fleet: Fleet
    deployments: Deployments
    trail: Trail
    sharing: Sharing


@dataclass(frozen=True, slots=True)
class Fielded:
    """Units at work; with no broker there are none, and cameras are watched over all the same."""

    ward: Ward
    days: Days
    passwords: CameraPasswords
    units: Units | None = None
    commander: Commands | None = None
    outward: Outward | None = None
    """What other systems are told; ``None`` where that is nothing."""


def photos_of(settings: Settings) -> Photos:
    """Return where photos of deployments are kept."""
    return Photos(settings.server.data_dir / PHOTOS)


def pictures_of(settings: Settings) -> Photos:
    """Return where pictures of alarms are kept: apart, for they are footage, and go when footage goes."""
    return Photos(settings.server.data_dir / PICTURES)


@asynccontextmanager
async def open_fielded(settings: Settings, house: House, *, clock: Clock) -> AsyncIterator[Fielded]:
    """Have units and cameras watched over for the time of the block.

    Raises:
        PortError, SealedElsewhereError: see :func:`gateway.calling.open_calling`.
        BadValueError: see :func:`gateway.publishing.open_publishing`.
    """
    fleet, deployments = house.fleet, house.deployments
    async with AsyncExitStack() as stack:
        passwords = await stack.enter_async_context(open_passwords(house.database, house.vault, fleet, clock=clock))
        calling = await stack.enter_async_context(open_calling(settings, house.database, house.vault, clock=clock))
        units = calling.units if calling is not None else None
        belonging = Belonging(units.register, fleet, deployments) if units is not None else None
        carried = belonging.of_all if belonging is not None else dict
        if units is not None and belonging is not None:
            units.register.is_anothers = belonging.is_anothers
        bedside = Bedside(fleet, deployments, units, carried, clock=clock)
        retention_days = settings.recording.retention_days
        ward, days = await stack.enter_async_context(
            open_ward(bedside, deployments, house.database, retention_days=retention_days, clock=clock)
        )
        await stack.enter_async_context(open_referring(fleet, deployments, house.trail, clock=clock))
        await stack.enter_async_context(
            open_picturing(fleet, deployments, pictures_of(settings), clock=clock, retention_days=retention_days)
        )
        if calling is not None and units is not None and belonging is not None:
            alarming = await stack.enter_async_context(
                open_alarming(house.database, units.register, belonging, deployments, clock=clock)
            )
            await stack.enter_async_context(
                open_repointing(
                    units,
                    fleet,
                    belonging,
                    house.trail,
                    rules=settings.telemetry.reach,
                    networks=settings.telemetry.unit_networks(loopback=settings.cameras.allow_loopback),
                    clock=clock,
                )
            )
            stack.enter_context(eventing(calling.events, units, fleet, belonging, alarming))
        rooms = Rooms(
            fleet=fleet, ward=ward, deployments=deployments, sharing=house.sharing, trail=house.trail, units=units
        )
        outward = await stack.enter_async_context(open_publishing(settings, rooms, clock=clock))
        if calling is not None:
            await stack.enter_async_context(calling.hearing())
        yield Fielded(ward, days, passwords, units, calling.commands if calling is not None else None, outward)
