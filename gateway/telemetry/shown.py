"""Until when the certificate is good that the broker shows: what it was given is not what it shows before it was read.

Sightline renews the broker's certificate in its file. Mosquitto reads that when it is told to; where nobody tells it,
every unit is locked out one day, and nothing else would say so before.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from gateway.mqtt import ANSWER_S
from gateway.telemetry.client import BrokerDoor
from gateway.units.credentials import Credentials
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

EVERY_S = 3_600.0
AGAIN_S = 60.0
"""So soon it is tried again where there was no broker."""
EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED."""


@asynccontextmanager
async def watch_shown(
    door: Callable[[], Awaitable[BrokerDoor]], credentials: Credentials, *, clock: Clock
) -> AsyncIterator[None]:
    """Look every hour for the time of the block. The embedded broker says itself what it shows."""
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(_look(door, credentials, clock), name="certificate of the units' broker")
        try:
            yield
        finally:
            looking.cancel()


async def _look(door: Callable[[], Awaitable[BrokerDoor]], credentials: Credentials, clock: Clock) -> None:
    while True:
        try:
            credentials.broker_shows(await _shown_until_ns(await door()))
        except (OSError, TimeoutError) as error:
            log.info("telemetry.certificate_unseen", error=str(error))
            await clock.sleep(AGAIN_S)
        else:
            await clock.sleep(EVERY_S)


async def _shown_until_ns(door: BrokerDoor) -> int:
    """Return when the certificate ends that the broker shows; 0 where it has.

    Raises:
        OSError: there is no broker, or it is not who it should be.
        TimeoutError: it does not answer.
    """
    async with asyncio.timeout(ANSWER_S):
        try:
            _, writer = await asyncio.open_connection(door.host, door.port, ssl=door.tls)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code == EXPIRED:
                return 0
            raise
        try:
            shown = writer.get_extra_info("peercert") or {}
            return int(ssl.cert_time_to_seconds(str(shown["notAfter"]))) * NS_PER_S
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
