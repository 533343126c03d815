"""The register: who the units are, and the newest that each has said. It is read from memory and kept in the database.

Reports are taken many at a time: one transaction for as many as have come, and nothing counts before it is committed.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from gateway.db.engine import Database
from gateway.db.errors import ConflictError
from gateway.db.sealed import Writing
from gateway.db.units import UnitRow, UnitRows
from gateway.listeners import Listeners
from gateway.units.batch import Batch, stored_in
from gateway.units.budget import Forecast, forecast
from gateway.units.changes import Change, Link, LinkChanged, Said, UnitChanged
from gateway.units.clocks import UnitClock, clock_of, late
from gateway.units.credentials import Credentials
from gateway.units.errors import LabelError, RefusedError, RetiredUnitError, UnknownUnitError
from gateway.units.order import BOOTS_MAX, Heard
from gateway.units.recent import KEPT, Recents
from gateway.units.report import Cause, Group, Lost, Report, Stored
from gateway.units.traces import Trace, traces_of
from gateway.units.trends import KEPT_NS, Point
from kernel.clock import NS_PER_S, Clock, SteadyClock

log = structlog.get_logger()

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""A label is a level of a topic and the name on a certificate."""
ANOTHER_LABEL = "Choose another label; capitals make no difference."
HEARD_EVERY_NS = 60 * NS_PER_S
"""When a unit was last heard is written down this often; it is known to the second while we run."""
ONLINE = Group.ONLINE.value
ADDRESS = "state/address"
FIRMWARE = "state/firmware"


class Register:
    """Made by :func:`gateway.units.open_units`."""

    def __init__(self, database: Database, credentials: Credentials, *, clock: Clock, silence_s: float) -> None:
        self._database = database
        self._credentials = credentials
        self._clock = clock
        self._steady = SteadyClock(clock)
        self._silence_ns = round(silence_s * NS_PER_S)
        self._units: dict[str, UnitRow] = {}
        self._printed: dict[str, str] = {}
        """Labels as they are printed, by their lower case."""
        self._heard: dict[str, Heard] = {}
        self._states: dict[str, dict[str, Stored]] = {}
        self._clocks: dict[str, UnitClock] = {}
        self._heard_monotonic_ns: dict[str, int] = {}
        self._began_ns = clock.monotonic_ns()
        self._links: dict[str, Link] = {}
        self._traces: dict[tuple[str, str], Trace] = {}
        self._recents = Recents()
        self._listeners: Listeners[[Change]] = Listeners("unit.untold")
        self.is_anothers: Callable[[str, str], bool] = lambda _label, _urn: False
        """Says of a unit and a URN whether people have given the camera of that URN to another one."""
        self.keep: Callable[[Writing, Sequence[Said]], Awaitable[None]] | None = None
        """Stores with what units say what is still to be made of it: once it is acknowledged nobody says it again."""
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Read what was kept."""
        async with self._database.read() as connection:
            rows = UnitRows(connection)
            self._units = {row.label: row for row in await rows.all()}
            self._printed = {label.lower(): label for label in self._units}
            now_ns = self._clock.wall_ns()
            for name, keeping in KEPT.items():
                for one in await rows.outline(name, now_ns - keeping.kept_ns, keeping.step_ns):
                    self._recents.add(one.label, name, Point(one.at_ns, json.loads(one.payload)))
            for state in await rows.states():
                self._states.setdefault(state.label, {})[state.kind] = said = stored_in(state)
                self._recents.add_newer(state.label, state.kind, Point(said.taken_ns, said.values))
            self._traces = traces_of(await rows.newest_trends(), self._recents)
        for row in self._units.values():
            states = self._states.get(row.label, {})
            self._heard[row.label] = Heard(
                boot=row.boot,
                passed=row.boots,
                highest=max((one.seq for one in states.values() if one.boot == row.boot), default=-1),
                seqs={name: (one.boot, one.seq) for name, one in states.items()},
            )
            self._clocks[row.label] = clock_of(row.boot, states.values())
        self._links = {label: self.link(label) for label in self._units}

    # --- who they are

    def knows(self, label: str) -> bool:
        """Return whether there is a unit of exactly that label, as its certificate bears it."""
        return label in self._units

    def unit(self, label: str) -> UnitRow:
        """Return a unit: whoever asks by its label may write it in capitals or not.

        Raises:
            UnknownUnitError: there is none.
        """
        try:
            return self._units[self._printed[label.lower()]]
        except KeyError:
            raise UnknownUnitError(label) from None

    def units(self) -> list[UnitRow]:
        """Return every unit, those that are retired as well, by label."""
        return sorted(self._units.values(), key=lambda row: row.label)

    def by_urn(self, urn: str) -> UnitRow | None:
        """Return the unit whose camera has that URN."""
        return next((row for row in self._units.values() if row.urn == urn), None)

    def by_device(self, device_id: str) -> UnitRow | None:
        """Return the unit that a device belongs to."""
        return next((row for row in self._units.values() if row.device_id == device_id), None)

    async def enrol(self, label: str, **given: str | int | None) -> UnitRow:
        """Make a unit known. ``given`` are fields of its row.

        Raises:
            LabelError: that is no label.
            ConflictError: label (in capitals or not), camera or device is another unit's.
        """
        if LABEL.fullmatch(label) is None:
            raise LabelError(
                "A label is of letters, digits, hyphens and underscores, 32 at most.", cure="Type it as it is printed."
            )
        row = UnitRow(label=label, enrolled_ns=self._clock.wall_ns(), **given)  # type: ignore[arg-type]
        async with self._lock:
            if label.lower() in self._printed:
                raise ConflictError(f"There is already a unit {self._printed[label.lower()]}.", cure=ANOTHER_LABEL)
            async with self._database.write() as connection:
                await UnitRows(connection).add(row)
            self._units[label], self._printed[label.lower()] = row, label
            self._heard[label] = Heard()
            self._links[label] = Link.NEVER
        self._tell([UnitChanged(label)])
        return row

    async def change(self, label: str, **given: str | int | None) -> UnitRow:
        """Set fields of a unit's row.

        Raises:
            UnknownUnitError: there is none.
            ConflictError: camera or device is another unit's.
        """
        async with self._lock:
            before = self.unit(label)
            row = replace(before, **given)  # type: ignore[arg-type]
            async with self._database.write() as connection:
                await UnitRows(connection).change(row.label, **given)
            self._units[row.label] = row
        self._tell([UnitChanged(row.label, before.device_id)])
        return row

    async def retire(self, label: str) -> UnitRow:
        """Take nothing more of a unit, and revoke its certificates. What it said stays.

        Its camera is its own no more: whatever carries that from now on has another label.

        Raises:
            UnknownUnitError: there is none.
            UnlistedError: the broker's list could not be written. All else is done.
        """
        row = self.unit(label)
        if row.retired_ns is None:
            row = await self.change(row.label, retired_ns=self._clock.wall_ns(), urn=None, device_id=None)
        try:
            await self._credentials.revoke(row.label)
        finally:
            self._tell(self._link_changes())
        return row

    def check_in_use(self, label: str) -> UnitRow:
        """Return a unit that is not retired.

        Raises:
            UnknownUnitError: there is none.
            RetiredUnitError: it is.
        """
        row = self.unit(label)
        if row.retired_ns is not None:
            raise RetiredUnitError(row.label)
        return row

    def certified(self, label: str) -> bool:
        """Return whether a unit has a certificate that is good."""
        return self._credentials.good(self.unit(label).label)

    # --- what they say

    def states(self, label: str) -> Mapping[str, Stored]:
        """Return the newest of each kind, by name as in "state/battery"; also of events, and "online"."""
        return dict(self._states.get(self.unit(label).label, {}))

    def link(self, label: str) -> Link:
        """Return how a unit stands with us."""
        row = self.unit(label)
        if row.retired_ns is not None:
            return Link.RETIRED
        if row.heard_ns is None:
            return Link.NEVER
        if not row.online:
            return Link.GONE
        # What was heard before we began tells nothing of now: silence is counted from then.
        last_ns = self._heard_monotonic_ns.get(row.label, self._began_ns)
        return Link.SILENT if self._clock.monotonic_ns() - last_ns > self._silence_ns else Link.ONLINE

    def clock_offset_s(self, label: str) -> float | None:
        """Return how far a unit's clock is before (positive) or behind ours; ``None`` where it said nothing lately."""
        clock = self._clocks.get(self.unit(label).label)
        return clock.offset_ns / NS_PER_S if clock is not None and clock.offset_ns is not None else None

    def happened_ns(self, label: str, said: Stored) -> int | None:
        """Return when that was which a unit tells of late, by our clock; ``None`` where it is of now.

        What is not known of its clock is not made up: then it is of now.
        """
        clock = self._clocks.get(self.unit(label).label)
        if clock is None or clock.offset_ns is None:
            return None
        return late(said.unit_ns - clock.offset_ns, said.taken_ns)

    async def trend(self, label: str, name: str, *, from_ns: int, to_ns: int) -> list[Point]:
        """Return the points of a kind, as in "state/battery", from an instant until before another."""
        row = self.unit(label)
        async with self._database.read() as connection:
            rows = await UnitRows(connection).trend(row.label, name, from_ns, to_ns)
        return [Point(one.at_ns, json.loads(one.payload)) for one in rows]

    def recent(self, label: str, name: str) -> list[Point]:
        """Return what a unit told lately of its battery or data (:mod:`gateway.units.recent`), in order."""
        return self._recents.of(self.unit(label).label, name)

    def forecast(self, label: str) -> Forecast:
        """Return what a unit's SIM has used this month, and will have by its end."""
        row = self.unit(label)
        told = self._recents.readings(row.label)
        return forecast(told, now_ns=self._clock.wall_ns(), budget_bytes=row.budget_bytes)

    async def take(self, label: str, report: Report | Lost) -> None:
        """Take one report.

        Raises:
            RefusedError: it is not taken.
        """
        refused = (await self.take_all([(label, report)]))[0]
        if refused is not None:
            raise refused

    async def take_all(self, reports: Sequence[tuple[str, Report | Lost]]) -> list[RefusedError | None]:
        """Take reports in their order; return of each why it was refused, or ``None``. Returns once all is committed.

        Raises:
            DatabaseError: nothing of it was taken: give it again.
        """
        async with self._lock:
            batch, outcomes = Batch(), list[RefusedError | None]()
            for label, report in reports:
                try:
                    self._stage(batch, label, report)
                except RefusedError as error:
                    outcomes.append(error)
                else:
                    outcomes.append(None)
            if batch.states or batch.written:
                await self._store(batch)
            self._commit(batch)
        self._tell([*batch.changes, *self._link_changes(batch.units)])
        return outcomes

    def _stage(self, batch: Batch, label: str, report: Report | Lost) -> None:
        unit = batch.units.get(label) or self._units.get(label)
        if unit is None:
            raise RefusedError(Cause.UNKNOWN_UNIT, "there is no such unit")
        if isinstance(report, Lost):
            # Of whoever has been seen out as well: it only takes belief away.
            if unit.online:
                batch.units[label] = replace(unit, online=False)
                batch.written.add(label)
            return
        if unit.retired_ns is not None or not self._credentials.good(label):
            raise RefusedError(Cause.REVOKED, "it is retired, or has no certificate that is good")
        self._stage_report(batch, unit, report)

    def _stage_report(self, batch: Batch, unit: UnitRow, report: Report) -> None:
        label, now_ns = unit.label, self._clock.wall_ns()
        changed = self._learnt(batch, unit, report)
        heard = (batch.heard.get(label) or self._heard[label]).after(report)
        changed = replace(changed, boot=heard.boot, boots=heard.passed[-BOOTS_MAX:])
        if not report.stored or report.group is Group.ONLINE:
            changed = replace(changed, online=True)
        if not report.stored:
            batch.live.append((label, report.boot, report.unit_ns, now_ns))
        if unit.heard_ns is None or (not report.stored and now_ns - unit.heard_ns > HEARD_EVERY_NS):
            changed = replace(changed, heard_ns=now_ns)
        if changed != unit:
            batch.written.add(label)
        batch.units[label], batch.heard[label] = changed, heard
        if report.group is not Group.ANSWER:
            self._stage_state(batch, label, report, now_ns)

    def _stage_state(self, batch: Batch, label: str, report: Report, now_ns: int) -> None:
        before = batch.states.get((label, report.name)) or self._states.get(label, {}).get(report.name)
        now = Stored(
            name=report.name,
            boot=report.boot,
            seq=report.seq,
            unit_ns=report.unit_ns,
            taken_ns=now_ns,
            values=report.values,
        )
        batch.states[label, report.name] = now
        batch.changes.append(Said(label, now, before))
        if not report.stored:
            batch.tell(label, report.name, Point(now_ns, report.values), self._traces)

    def _learnt(self, batch: Batch, unit: UnitRow, report: Report) -> UnitRow:
        """Return the unit with what a report tells of who it is.

        Raises:
            RefusedError: it tells that it is another one.
        """
        values = report.values
        if report.name == ADDRESS:
            urn, serial = str(values["urn"]), str(values["serial"])
            others = (row for row in batch.units.values() if row.urn == urn)
            owner = next(others, None) or self.by_urn(urn) or unit
            if unit.urn is None and self.is_anothers(unit.label, urn):
                # Whoever says it first would have it, and the right one would be refused for ever.
                raise RefusedError(Cause.WRONG_UNIT, f"the camera {urn} was given to another unit than {unit.label}")
            if unit.urn not in {None, urn} or unit.serial not in {"", serial} or owner.label != unit.label:
                raise RefusedError(Cause.WRONG_UNIT, f"the camera {urn} {serial} is not that of {unit.label}")
            return replace(unit, urn=urn, serial=serial)
        if report.name == FIRMWARE:
            return replace(unit, firmware=str(values["version"]))
        if report.name == ONLINE:
            return replace(unit, firmware=str(values["firmware"]))
        return unit

    async def _store(self, batch: Batch) -> None:
        async with self._database.write() as connection:
            await batch.store(UnitRows(connection))
            if self.keep is not None:
                await self.keep(connection, batch.changes)

    def _commit(self, batch: Batch) -> None:
        self._units.update(batch.units)
        self._heard.update(batch.heard)
        for (label, name), stored in batch.states.items():
            self._states.setdefault(label, {})[name] = stored
        self._traces.update(batch.traces)
        for label, name, point in batch.told:
            self._recents.add(label, name, point)
        monotonic_ns = self._clock.monotonic_ns()
        for label, boot, unit_ns, wall_ns in batch.live:
            clock = self._clocks.setdefault(label, UnitClock())
            clock.heard(boot, unit_ns, wall_ns=wall_ns, monotonic_ns=monotonic_ns)
            self._heard_monotonic_ns[label] = monotonic_ns

    # --- telling

    def listen(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``callback`` on the event loop with each change; return what ends that."""
        return self._listeners.add(callback)

    def look_for_silence(self) -> None:
        """Tell of the units that have fallen silent since it was asked last."""
        self._tell(self._link_changes())

    async def forget_old_trends(self) -> None:
        """Delete points that are too old."""
        async with self._database.write() as connection:
            await UnitRows(connection).remove_trends(self._steady.wall_ns() - KEPT_NS)

    def _link_changes(self, labels: Mapping[str, object] | None = None) -> list[Change]:
        changes: list[Change] = []
        for label in self._units if labels is None else labels:
            link = self.link(label)
            if self._links.get(label) is not link:
                self._links[label] = link
                changes.append(LinkChanged(label, link))
                log.info("unit.link", unit=label, link=link.value)
        return changes

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._listeners.tell(change)
