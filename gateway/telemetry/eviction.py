"""A unit whose certificate is revoked leaves the broker, though its connection stands.

Mosquitto reads its list of revoked certificates when it is told to, and asks nobody again who is there already. So we
come in the unit's name, for a moment: a broker has one client of a name, and the other one has to go (MQTT 5 section
3.1.4). Coming again it is asked for its certificate. That is done some times, since nobody tells us when the broker has
read the list; a unit that has another good certificate connects anew, and nothing else is lost.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from gateway.mqtt import BrokerAddress
from gateway.telemetry.client import BrokerDoor, pass_by
from gateway.telemetry.errors import BrokerAwayError
from gateway.units import Units
from kernel.clock import Clock

log = structlog.get_logger()

AGAIN_S = (1.0, 5.0, 25.0)
"""How long after the revocation, or after the time before."""


class Eviction:
    """Made by :func:`open_eviction`."""

    def __init__(
        self, units: Units, address: BrokerAddress, ca: Path | None, *, clock: Clock, group: asyncio.TaskGroup
    ) -> None:
        self._units = units
        self._address = address
        self._ca = ca
        self._clock = clock
        self._group = group
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, label: str) -> None:
        """See a unit out."""
        task = self._group.create_task(self._see_out(label), name=f"{label} is seen out")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def close(self) -> None:
        """See nobody out any more."""
        for task in tuple(self._running):
            task.cancel()

    async def _see_out(self, label: str) -> None:
        for wait_s in AGAIN_S:
            await self._clock.sleep(wait_s)
            try:
                tls = await self._units.credentials.stand_in(label, ca=self._ca)
                host, port = self._address.host, self._address.port
                await pass_by(BrokerDoor(host=host, port=port, identifier=label, tls=tls, keepalive_s=20))
            except (BrokerAwayError, OSError) as error:
                log.warning("unit.not_seen_out", unit=label, error=str(error))
            else:
                log.info("unit.seen_out", unit=label)


@asynccontextmanager
async def open_eviction(
    units: Units, address: BrokerAddress, *, ca: Path | None = None, clock: Clock
) -> AsyncIterator[None]:
    """See units out whose certificates are revoked, for the time of the block."""
    async with asyncio.TaskGroup() as group:
        eviction = Eviction(units, address, ca, clock=clock, group=group)
        leave = units.credentials.when_revoked(eviction.begin)
        try:
            yield
        finally:
            leave()
            eviction.close()
