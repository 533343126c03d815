"""What units report reaches their deployments, each with the time at which it happened.

Reports wait here one after the other, in bounded room: a database that is away makes them late, and loses none of the
last few thousand. Only those of units that stand somewhere wait at all. What a unit had to keep while its link was away
is judged by when it happened, as far as its clock can be believed (:mod:`gateway.units.clocks`).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog

from gateway.belonging import Belonging
from gateway.db.errors import DatabaseError
from gateway.deployments.geofence import Case, Moved, Position, Report, Shock, Tampered, Tilt
from gateway.deployments.service import Deployments
from gateway.fleet.cameras import Camera
from gateway.units import Change, Register, Said
from gateway.units.clocks import late
from gateway.units.report import Value
from kernel.clock import Clock
from kernel.errors import SightlineError
from kernel.geography import Place

log = structlog.get_logger()

WAITING_MAX = 4096
RETRY_S = 2.0


def report_of(name: str, values: Mapping[str, Value]) -> Report | None:
    """Return what a unit's message means where it stands; ``None`` for one that says nothing of that."""
    meant = _MEANT.get(name)
    return meant(values) if meant is not None else None


def _position(values: Mapping[str, Value]) -> Report:
    place = Place(_number(values["latitude"]), _number(values["longitude"]))
    return Position(place=place, accuracy_m=_number(values["accuracy_m"]))


def _tilt(values: Mapping[str, Value]) -> Report:
    return Tilt(pitch_deg=_number(values["pitch_deg"]), roll_deg=_number(values["roll_deg"]))


def _number(value: Value) -> float:
    assert isinstance(value, (int, float))
    return float(value)


_MEANT: Mapping[str, Callable[[Mapping[str, Value]], Report]] = {
    "state/position": _position,
    "state/tilt": _tilt,
    "state/case": lambda values: Case(open=bool(values["open"])),
    "event/shock": lambda values: Shock(peak_g=_number(values["peak_g"])),
    "event/moved": lambda _: Moved(),
    "event/tamper": lambda _: Tampered(),
}


class Alarming:
    """Made by :func:`open_alarming`."""

    def __init__(self, register: Register, belonging: Belonging, deployments: Deployments, *, clock: Clock) -> None:
        self._register = register
        self._belonging = belonging
        self._deployments = deployments
        self._clock = clock
        self._waiting: deque[tuple[str, Report, int | None]] = deque()
        """URN of the device, what its unit reports, and when that was, where it was told late."""
        self._reported = asyncio.Event()
        self.lost = 0

    def heard(self, change: Change) -> None:
        """Have a unit's message wait, where it says something of its place and it has one."""
        if not isinstance(change, Said):
            return
        report = report_of(change.now.name, change.now.values)
        if report is None:
            return
        standing = next(
            (
                urn
                for urn in {one.description.identity.urn for one in self._belonging.cameras(change.label)}
                if self._deployments.standing(urn) is not None
            ),
            None,
        )
        if standing is not None:
            self._wait(standing, report, self._register.happened_ns(change.label, change.now))

    def tampered(self, camera: Camera, *, at_ns: int) -> None:
        """Have it wait that a camera says somebody was at it at an instant, where it stands by a deployment."""
        urn = camera.description.identity.urn
        if self._deployments.standing(urn) is not None:
            self._wait(urn, Tampered(), late(at_ns, self._clock.wall_ns()))

    def _wait(self, standing: str, report: Report, happened_ns: int | None) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.lost += 1
            if self.lost == 1:
                log.error("alarms.reports_lost", waiting=WAITING_MAX)
        self._waiting.append((standing, report, happened_ns))
        self._reported.set()

    async def run(self) -> None:
        """Hand on what waits, for ever; what the database does not take is given again."""
        while True:
            await self._reported.wait()
            self._reported.clear()
            while self._waiting:
                urn, report, happened_ns = self._waiting[0]
                try:
                    await self._deployments.reported(urn, report, happened_ns=happened_ns)
                except DatabaseError as error:
                    log.warning("alarms.report_late", urn=urn, error=error.code)
                    await self._clock.sleep(RETRY_S)
                    continue
                except SightlineError as error:
                    # Somebody took the unit down meanwhile, at another process: it is nobody's alarm.
                    log.warning("alarms.report_untaken", urn=urn, error=error.code)
                if self._waiting and self._waiting[0][1] is report:
                    self._waiting.popleft()


@asynccontextmanager
async def open_alarming(
    register: Register, belonging: Belonging, deployments: Deployments, *, clock: Clock
) -> AsyncIterator[Alarming]:
    """Have deployments told what units report, for the time of the block."""
    alarming = Alarming(register, belonging, deployments, clock=clock)
    detach = register.listen(alarming.heard)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(alarming.run(), name="units' reports")
        try:
            yield alarming
        finally:
            detach()
            running.cancel()
