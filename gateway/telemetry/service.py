"""The room, joined: the connection, what is taken of it, and commands."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.mqtt import BrokerAddress, client_tls
from gateway.telemetry.client import BrokerDoor, UnitClient
from gateway.telemetry.commands import Commands
from gateway.telemetry.floods import Floods
from gateway.telemetry.inbox import Inbox
from gateway.telemetry.logbook import Logbook
from gateway.telemetry.onvif_inbox import EventInbox
from gateway.units import Units
from gateway.units.credentials import OURSELVES
from kernel.clock import Clock

KEEPALIVE_S = 20
Door = Callable[[], Awaitable[BrokerDoor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """The room's parts."""

    client: UnitClient
    inbox: Inbox
    commands: Commands

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """Hear units for the time of the block, whenever there is a broker."""
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(self.client.run(), name="units' broker")
            try:
                yield
            finally:
                hearing.cancel()


def door_to(
    units: Units,
    address: BrokerAddress,
    *,
    ca: Path | None = None,
    modern: bool = True,
    keepalive_s: int = KEEPALIVE_S,
) -> Door:
    """Return how to come to a broker at ``address`` that ``ca`` vouches for, or the units' own authority."""

    async def door() -> BrokerDoor:
        pair = await units.credentials.ourselves()
        tls = await asyncio.to_thread(
            client_tls, ca or units.credentials.ca_file, certificate=pair.certificate, key=pair.key
        )
        return BrokerDoor(
            host=address.host,
            port=address.port,
            identifier=OURSELVES,
            tls=tls,
            keepalive_s=keepalive_s,
            modern=modern,
        )

    return door


def telemetry_of(units: Units, door: Door, *, floods: Floods | None = None, clock: Clock) -> Telemetry:
    """Return the room, which hears nobody yet: what is acknowledged must have somebody to hear of it."""
    inbox = Inbox(units.register, units.refusals, EventInbox(units.refusals, clock=clock), floods)
    client = UnitClient(door, inbox, Logbook(units.refusals), clock=clock)
    commands = Commands(units.register, client.send, clock=clock)
    inbox.when_answered(commands.answered)
    return Telemetry(client=client, inbox=inbox, commands=commands)


@asynccontextmanager
async def open_telemetry(
    units: Units, door: Door, *, floods: Floods | None = None, clock: Clock
) -> AsyncIterator[Telemetry]:
    """Give the room for the time of the block, and hear units from the start."""
    telemetry = telemetry_of(units, door, floods=floods, clock=clock)
    async with telemetry.hearing():
        yield telemetry
