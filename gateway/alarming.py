"""What units report reaches their deployments, each with the time at which it happened.

A report is acknowledged once the register has stored it, and nobody says it again. So in the same transaction it is
stored that it is to be judged; it waits there, and not in memory, until it was. Killed in between, we judge it at the
next start: an alarm may be raised twice then, and none is lost. Only what says something of the place of a unit that
stands somewhere, or stood there a day ago and may tell of it late, waits at all. What a unit had to keep while its link
was away is judged by when it happened, as far as its clock can be believed (:mod:`gateway.units.clocks`).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.belonging import Belonging
from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.db.sealed import Writing
from gateway.db.unjudged import UnjudgedReports, UnjudgedRow
from gateway.deployments.errors import TakenError
from gateway.deployments.geofence import Case, Moved, Position, Report, Shock, Tampered, Tilt
from gateway.deployments.service import Deployments, Taken
from gateway.fleet.cameras import Camera
from gateway.units import Change, Register, Said
from gateway.units.clocks import LATE_NS, late
from gateway.units.report import Stored, Value
from kernel.clock import Clock
from kernel.errors import SightlineError
from kernel.geography import Place

log = structlog.get_logger()

TAMPER = "event/tamper"
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
    TAMPER: lambda _: Tampered(),
}


class Alarming:
    """Made by :func:`open_alarming`."""

    def __init__(
        self, database: Database, register: Register, belonging: Belonging, deployments: Deployments, *, clock: Clock
    ) -> None:
        self._database = database
        self._register = register
        self._belonging = belonging
        self._deployments = deployments
        self._clock = clock
        self._by_cameras: list[UnjudgedRow] = []
        """What cameras have said themselves and is not stored yet."""
        self._judged: set[int] = set()
        """What was judged and waits still, for the database would not forget it."""
        self._stored = False
        self._waits = asyncio.Event()
        self._waits.set()  # what was stored before we began

    # --- what is to be judged

    async def keep(self, transaction: Writing, said: Sequence[Said]) -> None:
        """Store with what units say that it is to be judged, where it is of their place and they have one."""
        meant = [one for one in said if one.now.name in _MEANT]
        carried = self._belonging.of_all() if meant else {}
        rows = [row for one in meant if (row := self._row_of(one, carried.get(one.label, ()))) is not None]
        await UnjudgedReports(transaction).add(rows)
        self._stored = self._stored or bool(rows)

    def heard(self, change: Change) -> None:
        """Judge what was stored, now that it is committed."""
        if isinstance(change, Said) and self._stored:
            self._stored = False
            self._waits.set()

    def tampered(self, camera: Camera, *, at_ns: int) -> None:
        """Have it judged that a camera says somebody was at it at an instant, where it stands, or stood lately."""
        urn, now_ns = camera.description.identity.urn, self._clock.wall_ns()
        if self._deployments.watched(urn):
            row = UnjudgedRow(
                urn=urn, label="", kind=TAMPER, boot="", seq=0, unit_ns=at_ns, taken_ns=now_ns, payload="{}"
            )
            self._by_cameras.append(row)

    async def kept(self) -> None:
        """Return once what cameras have said is stored; with a failing database later, and nobody is acknowledged."""
        while self._by_cameras:
            rows = tuple(self._by_cameras)
            try:
                async with self._database.write() as connection:
                    await UnjudgedReports(connection).add(rows)
            except DatabaseError as error:
                log.warning("alarms.report_unkept", error=error.code)
                await self._clock.sleep(RETRY_S)
                continue
            del self._by_cameras[: len(rows)]
            self._waits.set()

    def _row_of(self, said: Said, cameras: Sequence[Camera]) -> UnjudgedRow | None:
        urns = {one.description.identity.urn for one in cameras}
        watched = [urn for urn in sorted(urns) if self._deployments.watched(urn)]
        if not watched:
            return None
        standing = next((urn for urn in watched if self._deployments.standing(urn) is not None), watched[0])
        return UnjudgedRow(
            urn=standing,
            label=said.label,
            kind=said.now.name,
            boot=said.now.boot,
            seq=said.now.seq,
            unit_ns=said.now.unit_ns,
            taken_ns=said.now.taken_ns,
            payload=json.dumps(dict(said.now.values)),
        )

    # --- the judging

    async def run(self) -> None:
        """Judge what waits, for ever; what the database does not take is judged later."""
        while True:
            await self._waits.wait()
            self._waits.clear()
            try:
                await self.judge()
            except DatabaseError as error:
                log.warning("alarms.report_late", error=error.code)
                await self._clock.sleep(RETRY_S)
                self._waits.set()

    async def judge(self) -> None:
        """Judge all that waits, in its order.

        Raises:
            DatabaseError: what was not judged waits.
        """
        while rows := await self._first():
            try:
                for row in rows:
                    if row.n in self._judged:
                        continue
                    raised = await self._raised_by(row)
                    self._judged.add(row.n)
                    if raised:
                        break  # written: it is forgotten first, or a restart would raise it again
            finally:
                await self._forget()

    async def _first(self) -> list[UnjudgedRow]:
        async with self._database.read() as connection:
            return await UnjudgedReports(connection).first()

    async def _forget(self) -> None:
        if not self._judged:
            return
        async with self._database.write() as connection:
            await UnjudgedReports(connection).remove(self._judged)
        self._judged.clear()

    async def _raised_by(self, row: UnjudgedRow) -> bool:
        report = report_of(row.kind, json.loads(row.payload))
        assert report is not None
        try:
            return bool(await self._reported(row, report))
        except DatabaseError:
            raise
        except SightlineError as error:
            log.warning("alarms.report_untaken", urn=row.urn, error=error.code)
            return False

    async def _reported(self, row: UnjudgedRow, report: Report) -> list[Taken]:
        happened_ns = self._happened_ns(row)
        try:
            return await self._deployments.reported(row.urn, report, happened_ns=happened_ns, told_ns=row.taken_ns)
        except TakenError:
            # Somebody took a step meanwhile, at another process. Of what stood there it is an alarm still.
            return await self._deployments.reported(row.urn, report, happened_ns=happened_ns, told_ns=row.taken_ns)

    def _happened_ns(self, row: UnjudgedRow) -> int | None:
        """Return when it was, where it was told late, or was told in time and is judged late."""
        if row.label:
            said = Stored(
                name=row.kind, boot=row.boot, seq=row.seq, unit_ns=row.unit_ns, taken_ns=row.taken_ns, values={}
            )
            told_late = self._register.happened_ns(row.label, said)
        else:
            told_late = late(row.unit_ns, row.taken_ns)
        if told_late is not None:
            return told_late
        return row.taken_ns if self._clock.wall_ns() - row.taken_ns > LATE_NS else None


@asynccontextmanager
async def open_alarming(
    database: Database, register: Register, belonging: Belonging, deployments: Deployments, *, clock: Clock
) -> AsyncIterator[Alarming]:
    """Have deployments told what units report, for the time of the block; at first what was not judged when we ended.

    What waits at its end is judged then; what the database does not take, at the next start.
    """
    alarming = Alarming(database, register, belonging, deployments, clock=clock)
    register.keep = alarming.keep
    detach = register.listen(alarming.heard)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(alarming.run(), name="units' reports")
        try:
            yield alarming
        finally:
            detach()
            register.keep = None
            running.cancel()
    try:
        await alarming.judge()
    except DatabaseError as error:
        log.warning("alarms.report_late", error=error.code)
