"""A unit's camera is reached where the unit says that it is now: by its URN and serial number, never by its address.

What a unit says is turned by the rules of ``telemetry.reach`` into where it is reached from here; the camera is met
there, and only if it is the one that it should be its host is told. Else nothing changes, and it is tried again until
the unit says another address: it tells its address as soon as it has it, and its camera answers a moment later.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import structlog

from config.telemetry import ReachRule
from gateway.audit.events import SYSTEM, Action, AuditEvent, Detail
from gateway.audit.trail import Trail
from gateway.belonging import Belonging
from gateway.fleet.changes import Announced, FleetChange
from gateway.fleet.errors import AnotherDeviceError
from gateway.fleet.pointing import DEFAULT_PORTS, Spot
from gateway.fleet.service import Fleet
from gateway.units import Cause, Change, Said, UnitChanged, Units
from gateway.units.report import Value
from kernel.clock import Clock
from kernel.errors import SightlineError

log = structlog.get_logger()

ADDRESS = "state/address"
AT_ONCE = 32
"""So many cameras are met at once: one that does not answer keeps its turn for some seconds."""
RETRIES_S = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
"""How long after a failure it is tried again; the last one goes on."""


class Repointing:
    """Made by :func:`open_repointing`."""

    def __init__(  # noqa: PLR0913 - what it joins
        self,
        units: Units,
        fleet: Fleet,
        belonging: Belonging,
        trail: Trail,
        *,
        rules: Sequence[ReachRule],
        clock: Clock,
        group: asyncio.TaskGroup,
    ) -> None:
        self._units = units
        self._fleet = fleet
        self._belonging = belonging
        self._trail = trail
        self._rules = tuple(rules)
        self._clock = clock
        self._group = group
        self._running: dict[str, tuple[Mapping[str, Value], asyncio.Task[None]]] = {}
        """By label: which address is tried, or was last, and who tries it."""
        self._turns = asyncio.Semaphore(AT_ONCE)

    def heard(self, change: Change) -> None:
        """Follow a unit that says an address; or whose camera people have named, where it said one before."""
        match change:
            case Said(label, now) if now.name == ADDRESS:
                self.follow(label, now.values)
            case UnitChanged(label):
                self.look(label)
            case _:
                pass

    def look(self, label: str) -> None:
        """Follow a unit to where it said last that it is."""
        told = self._units.register.states(label).get(ADDRESS)
        if told is not None:
            self.follow(label, told.values)

    def look_at_all(self) -> None:
        """Follow every unit: which cameras there are, or whose, has changed."""
        for unit in self._units.register.units():
            self.look(unit.label)

    def announced(self, change: FleetChange) -> None:
        """Follow a unit whose camera said Hello, on a network that we share with it."""
        if not isinstance(change, Announced) or not change.addresses:
            return
        unit = self._units.register.by_urn(change.urn)
        cameras = self._belonging.said_so(unit.label, change.urn) if unit is not None else []
        if unit is None or not cameras:
            return
        parts = urlsplit(change.addresses[0])
        told = self._units.register.states(unit.label).get(ADDRESS)
        said: dict[str, Value] = {
            "rtsp_port": urlsplit(cameras[0].view.main.rtsp_url).port or DEFAULT_PORTS["rtsp"],
            **(told.values if told is not None else {}),
            "host": parts.hostname or "",
            "http_port": parts.port or DEFAULT_PORTS.get(parts.scheme, 80),
            "urn": change.urn,
            "serial": cameras[0].description.identity.serial,
        }
        self.follow(unit.label, said)

    def follow(self, label: str, told: Mapping[str, Value]) -> None:
        """Follow a unit to an address; what was tried for an older one ends."""
        values, trying = self._running.get(label, (None, None))
        if trying is not None and not trying.done():
            if values == told:
                return
            trying.cancel()
        if self._units.register.unit(label).retired_ns is None:
            trying = self._group.create_task(self._try(label, told), name=f"{label} is re-pointed")
            self._running[label] = told, trying

    def close(self) -> None:
        """Follow nobody any more."""
        for _, trying in self._running.values():
            trying.cancel()

    async def _try(self, label: str, told: Mapping[str, Value]) -> None:
        tries = 0
        while not await self._pointed(label, told, first=not tries):
            await self._clock.sleep(RETRIES_S[min(tries, len(RETRIES_S) - 1)])
            tries += 1

    async def _pointed(self, label: str, told: Mapping[str, Value], *, first: bool) -> bool:
        """Return whether there is nothing more to be tried."""
        urn, serial = str(told["urn"]), str(told["serial"])
        cameras = self._belonging.said_so(label, urn)
        if not cameras:
            if first and (self._belonging.strangers(urn) or self._belonging.cameras(label)):
                self._units.refusals.count(Cause.WRONG_UNIT, label, said=f"the camera {urn} is not known as its own")
            return True
        known = cameras[0]
        if known.description.identity.serial != serial:
            said = f"the serial number {serial} is not that of its camera"
            self._units.refusals.count(Cause.WRONG_UNIT, label, said=said)
            return True
        spot = self.spot(label, told)
        try:
            async with self._turns:
                moved = await self._fleet.repoint(known.device_id, spot)
        except AnotherDeviceError as error:
            self._units.refusals.count(Cause.WRONG_UNIT, label, said=f"at {spot.host}: {error.message}")
            return False
        except SightlineError as error:
            if first:
                log.info("unit.not_met", unit=label, host=spot.host, error=error.code)
            return False
        if moved:
            log.info("unit.repointed", unit=label, host=spot.host)
            details: dict[str, Detail] = {"host": spot.host, "http_port": spot.http_port, "rtsp_port": spot.rtsp_port}
            # A unit says as often as it likes where it is reached.
            self._trail.note_again(
                AuditEvent(action=Action.UNIT_MOVED, actor=SYSTEM, subject=label, details=details), label
            )
        return True

    def spot(self, label: str, told: Mapping[str, Value]) -> Spot:
        """Return where a unit is reached from here."""
        host, http_port, rtsp_port = str(told["host"]), told["http_port"], told["rtsp_port"]
        assert isinstance(http_port, int)
        assert isinstance(rtsp_port, int)
        rule = next((one for one in self._rules if one.is_for(label, host)), None)
        if rule is None:
            return Spot(host=host, http_port=http_port, rtsp_port=rtsp_port)
        return Spot(
            host=rule.host_for(host),
            http_port=rule.ports.get(http_port, http_port),
            rtsp_port=rule.ports.get(rtsp_port, rtsp_port),
            port_map=rule.ports,
        )


@asynccontextmanager
async def open_repointing(  # noqa: PLR0913 - what it joins
    units: Units,
    fleet: Fleet,
    belonging: Belonging,
    trail: Trail,
    *,
    rules: Sequence[ReachRule],
    clock: Clock,
) -> AsyncIterator[Repointing]:
    """Follow units for the time of the block, at first to where they were when we stopped."""
    async with asyncio.TaskGroup() as group:
        repointing = Repointing(units, fleet, belonging, trail, rules=rules, clock=clock, group=group)
        leaving = (units.register.listen(repointing.heard), fleet.listen(repointing.announced))
        try:
            repointing.look_at_all()
            yield repointing
        finally:
            for leave in leaving:
                leave()
            repointing.close()
