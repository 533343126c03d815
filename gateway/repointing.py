"""A unit's camera is reached where the unit says that it is now: by its URN and serial number, never by its address.

What a unit says is turned by the rules of ``telemetry.reach`` into where it is reached from here; the camera is met
there, and only if it is the one that it should be its host is told. Else nothing changes, and it is tried again until
the unit says another address: it tells its address as soon as it has it, and its camera answers a moment later.

A unit is believed only as long as people let it: one that is retired, or whose certificates are revoked, is followed no
further, and a camera that is where nobody but that unit said is left alone until somebody says where it is.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import structlog

from config.telemetry import Network, ReachRule
from gateway.audit.events import SYSTEM, Action, AuditEvent, Detail
from gateway.audit.trail import Trail
from gateway.belonging import Belonging
from gateway.fleet.changes import Announced, FleetChange
from gateway.fleet.errors import AnotherDeviceError
from gateway.fleet.pointing import DEFAULT_PORTS, Spot
from gateway.fleet.rpc import LiveState
from gateway.fleet.service import Fleet
from gateway.units import Cause, Change, Said, UnitChanged, Units
from gateway.units.report import Value
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError

log = structlog.get_logger()

ADDRESS = "state/address"
AT_ONCE = 32
"""So many cameras are met at once: one that does not answer keeps its turn for some seconds."""
RETRIES_S = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
"""How long after a failure it is tried again; the last one goes on."""
HINT_NS = 120 * NS_PER_S
"""So long a Hello counts: a camera that has moved is taken for live where it was for some seconds more."""
HEED_EVERY_S = 2.0
SAID_NS = 60 * NS_PER_S
"""So long what a unit said itself, by its certificate, is tried alone."""


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
        networks: Sequence[Network],
        clock: Clock,
        group: asyncio.TaskGroup,
    ) -> None:
        self._units = units
        self._fleet = fleet
        self._belonging = belonging
        self._trail = trail
        self._rules = tuple(rules)
        self._networks = tuple(networks)
        self._clock = clock
        self._group = group
        self._running: dict[str, tuple[Mapping[str, Value], asyncio.Task[None]]] = {}
        """By label: which address is tried, or was last, and who tries it."""
        self._hints: dict[str, tuple[Mapping[str, Value], int]] = {}
        """By label: what a Hello said last, and until when it counts."""
        self._heeding: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    def heard(self, change: Change) -> None:
        """Follow a unit that says an address; or whose camera people have named, where it said one before."""
        match change:
            case Said(label, now) if now.name == ADDRESS:
                self._hints.pop(label, None)
                self.follow(label, now.values)
            case UnitChanged(label, device_before):
                self.look(label, device_before)
            case _:
                pass

    def look(self, label: str, device_before: str | None = None) -> None:
        """Follow a unit to where it said last that it is, or no further where it is not to be believed any more.

        ``device_before`` was its own until now.
        """
        told = self._units.register.states(label).get(ADDRESS)
        if not self._believed(label):
            self._stop(label, device_before)
        elif told is not None:
            self.follow(label, told.values)

    def look_at_all(self) -> None:
        """Follow every unit: which cameras there are, or whose, has changed."""
        for unit in self._units.register.units():
            self.look(unit.label)

    def follow(self, label: str, told: Mapping[str, Value]) -> None:
        """Follow a unit to an address; what was tried for an older one ends."""
        if not self._believed(label):
            return
        values, trying = self._running.get(label, (None, None))
        if trying is not None and not trying.done():
            if values == told:
                return
            trying.cancel()
        trying = self._group.create_task(self._try(label, told), name=f"{label} is re-pointed")
        self._running[label] = told, trying

    def _believed(self, label: str) -> bool:
        """Return whether a unit is to be followed: it is in use, and has a certificate that is good."""
        in_use = self._units.register.unit(label).retired_ns is None
        return in_use and self._units.credentials.good(label)

    def _stop(self, label: str, device_before: str | None) -> None:
        """Follow a unit no further; if people ended it, its cameras are left where nobody else said that they are."""
        self._hints.pop(label, None)
        _, trying = self._running.pop(label, (None, None))
        ended = [task for task in (trying, self._heeding.pop(label, None)) if task is not None]
        for task in ended:
            task.cancel()
        retired = self._units.register.unit(label).retired_ns is not None
        # A certificate that has merely run out is our own omission: the camera stays where it is.
        if retired or self._units.credentials.ended(label):
            cameras = (*self._belonging.cameras(label), *self._belonging.of_device(device_before))
            devices = {one.device_id for one in cameras}
            self._group.create_task(self._desert(label, devices, ended), name=f"{label} is left")

    async def _desert(self, label: str, devices: Collection[str], ended: Sequence[asyncio.Task[None]]) -> None:
        """Leave a unit's cameras; last, once who was about to follow it has ended."""
        if ended:
            await asyncio.wait(ended)
        for device_id in devices:
            try:
                if await self._fleet.desert(device_id):
                    log.warning("unit.deserted", unit=label, device=device_id)
            except SightlineError as error:
                log.error("unit.not_deserted", unit=label, error=error.code)  # noqa: TRY400 - a plain reason

    def close(self) -> None:
        """Follow nobody any more."""
        for _, trying in self._running.values():
            trying.cancel()
        for trying in self._heeding.values():
            trying.cancel()

    # --- what anybody on the network may say

    def announced(self, change: FleetChange) -> None:
        """Heed a Hello of a unit's camera, on a network that we share with it."""
        if not isinstance(change, Announced):
            return
        unit = self._units.register.by_urn(change.urn)
        cameras = self._belonging.said_so(unit.label, change.urn) if unit is not None else []
        place = _place_in(change.addresses)
        if unit is None or not cameras or place is None or not self._believed(unit.label):
            return
        said: dict[str, Value] = {
            "host": place[0],
            "http_port": place[1],
            "rtsp_port": None,  # a Hello does not say it: the camera is asked
            "urn": change.urn,
            "serial": cameras[0].description.identity.serial,
        }
        self._hints[unit.label] = said, self._clock.monotonic_ns() + HINT_NS
        heeding = self._heeding.get(unit.label)
        if heeding is None or heeding.done():
            task = self._group.create_task(self._heed(unit.label), name=f"{unit.label} said hello")
            self._heeding[unit.label] = task

    async def _heed(self, label: str) -> None:
        """Try where a Hello says, for as long as it counts: only while the camera is not live where it is.

        However many come, the newest is tried, and seldom; what the unit itself said lately has its turn first.
        """
        while (hint := self._hints.get(label)) is not None:
            said, until_ns = hint
            if self._clock.monotonic_ns() >= until_ns or not self._believed(label):
                self._hints.pop(label, None)
            elif not self._is_live(label) and not self._said_lately(label) and await self._pointed(label, said):
                if self._hints.get(label) is hint:
                    self._hints.pop(label, None)
                await self._clock.sleep(HEED_EVERY_S)
            else:
                await self._clock.sleep(HEED_EVERY_S)

    def _is_live(self, label: str) -> bool:
        states = [self._fleet.state(one.id) for one in self._belonging.cameras(label)]
        return any(one is not None and one.live is LiveState.LIVE for one in states)

    def _said_lately(self, label: str) -> bool:
        told = self._units.register.states(label).get(ADDRESS)
        return told is not None and abs(self._clock.wall_ns() - told.taken_ns) < SAID_NS

    # --- the trying

    async def _try(self, label: str, told: Mapping[str, Value]) -> None:
        tries = 0
        while self._believed(label) and not await self._pointed(label, told, first=not tries):
            await self._clock.sleep(RETRIES_S[min(tries, len(RETRIES_S) - 1)])
            tries += 1

    async def _pointed(self, label: str, told: Mapping[str, Value], *, first: bool = True) -> bool:
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
        if spot is None:
            self._units.refusals.count(Cause.OFF_NETWORK, label, said=f"its camera at {told['host']}")
            return True
        try:
            async with self._turns:
                moved = await self._fleet.repoint(known.device_id, spot, still=lambda: self._believed(label))
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

    def spot(self, label: str, told: Mapping[str, Value]) -> Spot | None:
        """Return where a unit is reached from here; ``None`` where it is none of the networks in which units are.

        Where a rule says by which address it is reached that is people's word, and not the unit's.
        """
        host, http_port, rtsp_port = str(told["host"]), told["http_port"], told["rtsp_port"]
        assert isinstance(http_port, int)
        assert rtsp_port is None or isinstance(rtsp_port, int)
        rule = next((one for one in self._rules if one.is_for(label, host)), None)
        if (rule is None or rule.via is None) and not self._is_inside(host):
            return None
        if rule is None:
            return Spot(host=host, http_port=http_port, rtsp_port=rtsp_port)
        return Spot(
            host=rule.host_for(host),
            http_port=rule.ports.get(http_port, http_port),
            rtsp_port=rule.ports.get(rtsp_port, rtsp_port) if rtsp_port is not None else None,
            port_map=rule.ports,
        )

    def _is_inside(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _place_in(addresses: Sequence[str]) -> tuple[str, int] | None:
    """Return IP address and port of the first address of a Hello; ``None`` where it has none: it is anybody's text."""
    try:
        parts = urlsplit(addresses[0])
        return str(ipaddress.ip_address(parts.hostname or "")), parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
    except (IndexError, ValueError):
        return None


@asynccontextmanager
async def open_repointing(  # noqa: PLR0913 - what it joins
    units: Units,
    fleet: Fleet,
    belonging: Belonging,
    trail: Trail,
    *,
    rules: Sequence[ReachRule],
    networks: Sequence[Network],
    clock: Clock,
) -> AsyncIterator[Repointing]:
    """Follow units for the time of the block, at first to where they were when we stopped."""
    async with asyncio.TaskGroup() as group:
        repointing = Repointing(
            units, fleet, belonging, trail, rules=rules, networks=networks, clock=clock, group=group
        )
        leaving = (
            units.register.listen(repointing.heard),
            units.credentials.when_revoked(repointing.look),
            fleet.listen(repointing.announced),
        )
        try:
            repointing.look_at_all()
            yield repointing
        finally:
            for leave in leaving:
                leave()
            repointing.close()
