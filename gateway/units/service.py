"""The room, joined: register, certificates and refusals, and what is seen to while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.units.credentials import Credentials, open_credentials
from gateway.units.device_passwords import DevicePasswords
from gateway.units.refusals import Refusals
from gateway.units.register import Register
from gateway.vault import Vault
from kernel.clock import Clock, every

log = structlog.get_logger()

SILENCE_EVERY_S = 5.0
UPKEEP_EVERY_S = 3_600.0
LIST_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The room's parts."""

    register: Register
    credentials: Credentials
    refusals: Refusals
    passwords: DevicePasswords
    """Of cameras that tell their events over MQTT."""


@asynccontextmanager
async def open_units(
    database: Database, vault: Vault, *, folder: Path, silence_s: float, clock: Clock
) -> AsyncIterator[Units]:
    """Give the room for the time of the block. ``folder`` is where a broker's files are kept.

    Raises:
        SealedElsewhereError: the authority's key opens with none of our keys.
    """
    credentials = await open_credentials(database, vault, folder, clock=clock)
    register = Register(database, credentials, clock=clock, silence_s=silence_s)
    await register.load()
    passwords = DevicePasswords(folder)
    await passwords.prepare()
    refusals = Refusals(clock=clock, known=register.knows)
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(_look_for_silence(register, clock), name="units' silence")
        keeping = tasks.create_task(_keep_up(register, credentials, clock), name="units' upkeep")
        listing = tasks.create_task(_list_again(credentials, clock), name="units' revocations")
        try:
            yield Units(register=register, credentials=credentials, refusals=refusals, passwords=passwords)
        finally:
            listening.cancel()
            keeping.cancel()
            listing.cancel()


async def _look_for_silence(register: Register, clock: Clock) -> None:
    async with every(clock, SILENCE_EVERY_S) as ticks:
        async for _ in ticks:
            register.look_for_silence()


async def _list_again(credentials: Credentials, clock: Clock) -> None:
    """Write the broker's list where that failed: a broker beside us goes by it."""
    async with every(clock, LIST_EVERY_S) as ticks:
        async for _ in ticks:
            if credentials.unlisted:
                with suppress(OSError):  # it was told when it failed first
                    await credentials.write_crl()
                    log.info("units.list_written")


async def _keep_up(register: Register, credentials: Credentials, clock: Clock) -> None:
    """Forget old points, keep the broker's list and its certificate fresh, and say whose ends; what fails goes on."""
    async with every(clock, UPKEEP_EVERY_S) as ticks:
        async for _ in ticks:
            for work in (register.forget_old_trends, credentials.write_crl, credentials.renew_broker):
                try:
                    await work()
                except (DatabaseError, OSError) as error:
                    log.error("units.upkeep_failed", error=str(error))  # noqa: TRY400 - a plain reason
            for label in credentials.due():
                log.warning("unit.certificate_due", unit=label)
