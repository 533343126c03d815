"""Alarms that other systems are told: what raised them, where, and that they are over; also over a start of ours.

An alarm of a unit is told on the unit's own topic, and on that of each camera that it carries. What stands with the
readers is remembered as the broker confirms it, so that what ended unheard is told as over once we have looked.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from gateway.audit.trail import Trail
from gateway.deployments.deployment import Deployment
from gateway.deployments.geofence import LASTING, OVER, Kind
from gateway.deployments.service import Deployments, Taken
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.fleet.meaning import tampered
from gateway.fleet.service import Fleet
from gateway.health.need import Need, Urgency, Whose
from gateway.health.ward import Ward
from gateway.sharing import Sharing
from gateway.telemetry.outward.messages import (
    STAY_OVER,
    TAMPER,
    AlarmSaid,
    Source,
    UnitAlarmSaid,
)
from gateway.telemetry.outward.outbox import Outbox
from gateway.units import Units
from gateway.units.errors import UnknownUnitError
from kernel.clock import NS_PER_S, Clock, utc

ALARM, LAPSED = "alarm", "lapsed"
ENDS = frozenset({"removed"})
"""Steps of a deployment after which nothing of its unit stands there any more."""
EXTENDED = "extended"
SETTLED_S = 300.0
"""After a start cameras and units come back one by one: what was wrong before and has not come up by then is over."""


@dataclass(frozen=True, slots=True)
class _Raised:
    """A need as it was told."""

    need: Need
    put_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What is listened to of what other systems are told. ``units`` is ``None`` where none call in."""

    fleet: Fleet
    ward: Ward
    deployments: Deployments
    sharing: Sharing
    trail: Trail
    units: Units | None


class Alarms:
    """``silence_s``: after so long it is known that a unit says nothing."""

    def __init__(self, rooms: Rooms, outbox: Outbox, *, clock: Clock, silence_s: float) -> None:
        self._fleet = rooms.fleet
        self._ward = rooms.ward
        self._deployments = rooms.deployments
        self._units = rooms.units
        self._outbox = outbox
        self._clock = clock
        self._settled_ns = clock.monotonic_ns() + round((SETTLED_S + silence_s) * NS_PER_S)
        self._needs: dict[tuple[Whose, str], _Raised] = {}
        self._before = dict(outbox.standing)
        """What stood with the readers when we began, and was not told of since."""
        at = {said.number for said in self._before.values() if said.source == "camera" and isinstance(said, AlarmSaid)}
        self._tampered = {one.id for one in self._fleet.cameras() if one.number in at}

    # --- of units where they stand

    def of_deployment(self, taken: Taken) -> None:
        """Tell of an alarm of a unit where it stands, of a stay that is over, and of the end of both."""
        step, one = taken.entry.step, taken.deployment
        if step == LAPSED:
            self._of_unit(one.unit, one.urn, STAY_OVER, over=False)
        elif step == ALARM:
            said = json.loads(taken.entry.said)
            self._of_alarm(one, Kind(said["kind"]), said.get("happened_ns"), down=said.get("down", False))
        elif step == EXTENDED or step in ENDS:
            lasting = () if step == EXTENDED else tuple(kind.value for kind in LASTING)
            for kind_word in (STAY_OVER, *lasting):
                if self._stands(one.unit, one.urn, kind_word):
                    self._of_unit(one.unit, one.urn, kind_word, over=True)

    def _of_alarm(self, one: Deployment, kind: Kind, happened_ns: int | None, *, down: bool) -> None:
        alarm = OVER.get(kind, kind)
        standing = self._deployments.standing(one.urn) if down else None
        lasts = standing is not None and alarm in standing.alarms
        if not (down and kind in OVER):
            self._of_unit(one.unit, one.urn, alarm.value, over=kind in OVER, happened_ns=happened_ns)
        # Told after its unit was taken down, nothing will ever end it; what stands elsewhere by now has its own.
        if down and kind in LASTING and not lasts:
            self._of_unit(one.unit, one.urn, alarm.value, over=True)

    def _of_unit(self, unit: str, urn: str, kind: str, *, over: bool, happened_ns: int | None = None) -> None:
        urgency = Urgency.TODAY if kind == STAY_OVER else Urgency.NOW
        label, happened = self._label(unit, urn), utc(happened_ns) if happened_ns is not None else None
        self._tell("unit", kind, urgency, cameras=self._carried(urn), unit=label, over=over, happened=happened)

    def _carried(self, urn: str) -> list[Camera]:
        return [one for one in self._fleet.cameras() if one.description.identity.urn == urn]

    def _label(self, unit: str, urn: str) -> str:
        """Return the label of a unit that is enrolled; empty where none is: what people typed elsewhere is not told."""
        if self._units is None:
            return ""
        with suppress(UnknownUnitError):
            return self._units.register.unit(unit).label
        row = self._units.register.by_urn(urn) if urn else None
        return row.label if row is not None else ""

    def _stands(self, unit: str, urn: str, kind: str) -> bool:
        """Return whether that was told of a unit, as far as readers have it or are about to."""
        label = self._label(unit, urn)
        numbers = {one.number for one in self._carried(urn)}
        return any(
            said.source == "unit"
            and said.kind == kind
            and (said.unit == label if isinstance(said, UnitAlarmSaid) else said.number in numbers)
            for said in self._outbox.raised()
        )

    # --- of health

    def of_health(self) -> None:
        """Tell what needs a person since the last look, what was put off or comes up again, and what is over."""
        now = {
            (need.whose, need.kind.value): _Raised(need, self._ward.put_off_of(need) is not None)
            for need in self._ward.needs
            if not need.whose.deployment  # what deployments ask for is told with their steps
        }
        before, self._needs = self._needs, now
        for key in before.keys() - now.keys():
            self._of_need(before[key], over=True)
        for key, raised in now.items():
            told = before.get(key)
            if told is None or (told.need.urgency, told.put_off) != (raised.need.urgency, raised.put_off):
                self._of_need(raised, over=False)
        self._settle()

    def _of_need(self, raised: _Raised, *, over: bool) -> None:
        need, wanted = raised.need, frozenset(raised.need.cameras)
        self._tell(
            "health",
            need.kind.value,
            need.urgency,
            cameras=[one for one in self._fleet.cameras() if one.id in wanted],
            unit=need.whose.unit,
            over=over,
            put_off=raised.put_off and not over,
        )

    # --- of cameras

    def tamper(self, event: rpc.CameraHappened) -> None:
        """Tell that somebody is at a camera, or is not any more; it says so again whenever it is asked."""
        now = tampered(event)
        if now is None or now == (event.id in self._tampered):
            return
        self._tampered ^= {event.id}
        cameras = [one for one in self._fleet.cameras() if one.id == event.id]
        self._tell("camera", TAMPER, Urgency.NOW, cameras=cameras, unit="", over=not now)

    # --- telling

    def _tell(  # noqa: PLR0913 - what an alarm is
        self,
        source: Source,
        kind: str,
        urgency: Urgency,
        *,
        cameras: Iterable[Camera],
        unit: str,
        over: bool,
        put_off: bool = False,
        happened: datetime | None = None,
    ) -> None:
        said = {"source": source, "kind": kind, "over": over, "urgency": urgency.value}
        said |= {"put_off": put_off, "happened": happened}
        if unit:
            self._raise(UnitAlarmSaid.model_validate({"unit": unit, **said}))
        for one in cameras:
            self._raise(AlarmSaid.model_validate({"number": one.number, **said}))

    def _raise(self, said: AlarmSaid | UnitAlarmSaid) -> None:
        self._before.pop(said.key, None)
        self._outbox.alarm(said)

    def _settle(self) -> None:
        """Tell as over what stood when we began and did not come up again since."""
        if not self._before or self._clock.monotonic_ns() < self._settled_ns:
            return
        for said in tuple(self._before.values()):
            if not self._lasts(said):
                self._raise(said.model_copy(update={"over": True, "put_off": False}))
        self._before.clear()

    def _lasts(self, said: AlarmSaid | UnitAlarmSaid) -> bool:
        """Return whether that is so still, of what is not told anew with each start."""
        if said.source == "health":
            return False
        if said.source == "camera":
            # It says so itself: what it says next is compared with what was told.
            return bool(self._urns(said))
        urns = self._urns(said)
        standing = [one for urn in urns if (one := self._deployments.standing(urn)) is not None]
        if said.kind == STAY_OVER:
            return any(one.lapsed_ns is not None for one in standing)
        return any(Kind(said.kind) in one.alarms for one in standing)

    def _urns(self, said: AlarmSaid | UnitAlarmSaid) -> set[str]:
        if isinstance(said, AlarmSaid):
            return {one.description.identity.urn for one in self._fleet.cameras() if one.number == said.number}
        marked = {one.urn for one in self._deployments.deployables() if one.unit.lower() == said.unit.lower()}
        rows = self._units.register.units() if self._units is not None else []
        return marked | {row.urn for row in rows if row.label == said.unit and row.urn}
