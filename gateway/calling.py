"""Units that call in, joined with the settings: their room, the broker where it is ours to be, and what is heard."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from config.settings import Settings
from gateway.db.engine import Database
from gateway.mqtt import BrokerAddress
from gateway.startup import PortError
from gateway.telemetry.broker import open_broker
from gateway.telemetry.commands import Commands
from gateway.telemetry.eviction import open_eviction
from gateway.telemetry.floods import Floods
from gateway.telemetry.onvif_inbox import EventInbox
from gateway.telemetry.outward.rights import rights
from gateway.telemetry.service import door_to, telemetry_of
from gateway.telemetry.shown import watch_shown
from gateway.units import Units, open_units
from gateway.vault import Vault
from kernel.clock import Clock

FOLDER = "telemetry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """Units that are heard, and what they can be told."""

    units: Units
    commands: Commands
    events: EventInbox
    """What devices tell over MQTT; nobody hears it until it is joined."""
    hearing: Callable[[], AbstractAsyncContextManager[None]]
    """Hears them for the time of its block: inside all who hear of it, for what was heard is acknowledged."""


@asynccontextmanager
async def open_calling(
    settings: Settings, database: Database, vault: Vault, *, clock: Clock
) -> AsyncIterator[Calling | None]:
    """Give units for the time of the block, where the settings name a broker; else there are none.

    Raises:
        PortError: the embedded broker's port cannot be had.
        SealedElsewhereError: the key of the units' authority opens with none of our keys.
    """
    wanted = settings.telemetry
    if not wanted.wanted:
        yield None
        return
    folder = wanted.pki_dir or settings.server.data_dir / FOLDER
    async with AsyncExitStack() as stack:
        units = await stack.enter_async_context(
            open_units(database, vault, folder=folder, silence_s=wanted.silence_s, clock=clock)
        )
        address = BrokerAddress.of(wanted.url)
        pair = await units.credentials.broker(tuple(dict.fromkeys((*wanted.broker_names, address.host))))
        if wanted.embedded:
            try:
                broker = await stack.enter_async_context(
                    open_broker(units, pair, host=wanted.host, port=wanted.port, others=rights(settings.outward))
                )
            except OSError as error:
                raise PortError(str(error), cure="Set telemetry.host and telemetry.port.") from error
            see_out = broker.turn_out
        else:
            eviction = await stack.enter_async_context(open_eviction(units, address, ca=wanted.broker_ca, clock=clock))
            see_out = eviction.begin
        door = door_to(units, address, ca=wanted.broker_ca, modern=not wanted.embedded, keepalive_s=wanted.keepalive_s)
        if not wanted.embedded:
            await stack.enter_async_context(watch_shown(door, units.credentials, clock=clock))
        floods = Floods(units, see_out, per_minute=wanted.flood_per_minute, clock=clock)
        telemetry = telemetry_of(units, door, floods=floods, clock=clock)
        yield Calling(
            units=units, commands=telemetry.commands, events=telemetry.inbox.events, hearing=telemetry.hearing
        )
