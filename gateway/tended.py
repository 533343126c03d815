"""Joins health with the rooms that do not know of it: what the fleet and the units tell, as signs of each."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.db.units import UnitRow
from gateway.deployments.deployment import Deployment
from gateway.deployments.due import Due
from gateway.deployments.geofence import Kind as Happening
from gateway.deployments.service import Deployments
from gateway.deployments.why import Why
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.fleet.hosts import HostError
from gateway.fleet.service import Fleet
from gateway.health.battery import Charge, hours_left
from gateway.health.days import TURN_S, Days, Enrolled, Told
from gateway.health.errands import Errand
from gateway.health.need import Kind
from gateway.health.urgency import Round, Signs, UnitSigns
from gateway.health.ward import LOOK_S, Ward
from gateway.health.watch import Finding
from gateway.units import Link, Register, Units
from gateway.units.order import heard_ns
from gateway.units.recent import BATTERY
from kernel.clock import Clock, every
from kernel.ids import CameraId, StreamName

log = structlog.get_logger()

DISK, SIGNAL = "state/disk", "state/signal"

Carried = Callable[[], Mapping[str, Sequence[Camera]]]
"""Gives the cameras of every unit that carries some, by label."""

HAPPENED: Mapping[Happening, str] = {
    Happening.LEFT: "has left its place",
    Happening.TILTED: "leans",
    Happening.OPENED: "was opened",
    Happening.KNOCKED: "was knocked",
    Happening.MOVED: "says that it is being moved",
    Happening.TAMPERED: "says that somebody is at it",
}
"""As a sentence goes on after the unit's name. What ends an alarm is none."""
LASTS: Mapping[Happening, str] = {
    Happening.LEFT: "is still away from its place",
    Happening.TILTED: "still leans",
    Happening.OPENED: "is still open",
}


class Bedside:
    """Gathers the signs of every camera and unit. ``units`` is ``None`` where none call in."""

    def __init__(
        self, fleet: Fleet, deployments: Deployments, units: Units | None, carried: Carried, *, clock: Clock
    ) -> None:
        self._fleet = fleet
        self._deployments = deployments
        self._units = units
        self._carried = carried
        self._clock = clock
        self._errands: list[Errand] = []
        """As they were last read."""

    async def signs(self) -> Round:
        """Return what is known of every camera and unit now."""
        return Round(
            cameras=[self._of_camera(one) for one in self._fleet.cameras()],
            units=self._of_units(),
            errands=await self._read_errands(),
            broker_ends_ns=self._units.credentials.broker_ends_ns if self._units is not None else None,
        )

    def _of_units(self) -> list[UnitSigns]:
        if self._units is None:
            return []
        carried, now_ns = self._carried(), self._clock.wall_ns()
        return [
            unit_signs(self._units, self._deployments, row, carried.get(row.label, ()), now_ns=now_ns)
            for row in self._units.register.units()
            if row.retired_ns is None
        ]

    def enrolled(self) -> list[Enrolled]:
        """Return every camera, and since when anything is asked of it."""
        return [Enrolled(one.id, one.enrolled_ns, one.host) for one in self._fleet.cameras()]

    async def told(self, one: Enrolled, start_ns: int, end_ns: int) -> Told | None:
        """Return what a camera's host tells of its main stream in a range; ``None`` where it does not answer.

        Of a camera that was removed its host tells for as long as there are recordings.
        """
        if one.host >= len(self._fleet.links):
            return None
        try:
            known = await self._fleet.links[one.host].client.timeline(one.camera, StreamName.MAIN, start_ns, end_ns)
        except HostError:
            return None
        return Told(known.spans, known.gaps, whole=known.whole)

    async def _read_errands(self) -> list[Errand]:
        """Return what deployments ask for; with a failing database what they did before: cameras are judged still."""
        try:
            due = await self._deployments.due()
        except DatabaseError as error:
            log.error("health.errands_unread", error=error.code)  # noqa: TRY400 - a plain reason
            return self._errands
        cameras: dict[str, list[CameraId]] = {}
        for camera in self._fleet.cameras():
            cameras.setdefault(camera.description.identity.urn, []).append(camera.id)
        self._errands = [errand_of(one, cameras.get(one.deployment.urn, ())) for one in due]
        return self._errands

    def _of_camera(self, camera: Camera) -> Signs:
        identity = camera.description.identity
        make = (identity.manufacturer, identity.model)
        state = self._fleet.state(camera.id)
        if state is None:
            return Signs(camera=camera.id, missed=False, make=make, firmware=identity.firmware)
        signs = signs_of(state, missed=not in_store(self._deployments, identity.urn))
        return replace(signs, make=make, firmware=identity.firmware)


def signs_of(state: rpc.CameraState, *, missed: bool) -> Signs:
    """Return what a camera's host tells of it, but for what it is made of."""
    streams = [one for one in (state.main, state.sub) if one is not None]
    refused = [one.recording for one in streams if one.recording is not None and one.recording.failed]
    main = state.main.recording
    measured = state.clock_measured_ns is not None
    return Signs(
        camera=state.id,
        missed=missed,
        live=state.live is rpc.LiveState.LIVE,
        given_up=state.live in {rpc.LiveState.OFF, rpc.LiveState.PARKED},
        problem=state.problem.title if state.problem is not None else "",
        problem_cure=state.problem.cure if state.problem is not None else "",
        last_frame_ns=state.last_frame_ns,
        unrecorded=next((one.cause or "" for one in refused), ""),
        recording=main.on if main is not None else None,
        recording_cause=(main.cause or "") if main is not None else "",
        # What enrolment read may be years old.
        clock_off_s=state.clock_off_s if measured else None,
        clock_offset_s=state.clock_offset_s if measured else None,
        picture=Finding(state.picture.fault, state.picture.since_ns) if state.picture is not None else None,
        looked_ns=state.looked_ns,
        unlooked_since_ns=state.unlooked_since_ns,
        certificate_ends_ns=state.certificate_ends_ns,
    )


def unit_signs(
    units: Units, deployments: Deployments, row: UnitRow, cameras: Sequence[Camera], *, now_ns: int
) -> UnitSigns:
    """Return what is known of a unit now; ``cameras`` are those that it carries."""
    register, link = units.register, units.register.link(row.label)
    states = register.states(row.label)

    def told(kind: str, name: str) -> float | None:
        return _number(states[kind].values.get(name)) if kind in states else None

    disk, battery = states.get(DISK), states.get(BATTERY)
    size, free, percent = told(DISK, "size_bytes"), told(DISK, "free_bytes"), told(BATTERY, "percent")
    data = register.forecast(row.label)
    urns = {row.urn or "", *(one.description.identity.urn for one in cameras)}
    runs_out_ns = units.credentials.runs_out_ns(row.label)
    return UnitSigns(
        label=row.label,
        missed=link in {Link.SILENT, Link.GONE} and not any(in_store(deployments, urn) for urn in urns),
        heard_ns=heard_ns(row.heard_ns, states.values()),
        cameras=tuple(one.id for one in cameras),
        battery_h=battery_hours(register, row.label, now_ns=now_ns),
        battery_share=percent / 100 if percent is not None else None,
        charging=battery is not None and battery.values.get("charging") is True,
        rsrp_dbm=told(SIGNAL, "rsrp_dbm") if link is Link.ONLINE else None,
        clock_offset_s=register.clock_offset_s(row.label),
        disk_free_share=free / size if size and free is not None else None,
        disk_fault=disk is not None and disk.values.get("fault") is True,
        disk_said_ns=disk.taken_ns if disk is not None else None,
        certificate_ends_ns=runs_out_ns,
        certified=runs_out_ns is not None,
        budget_spent=data.exhausted_ns is not None and data.exhausted_ns <= now_ns,
        budget_ends_ns=data.exhausted_ns,
    )


def in_store(deployments: Deployments, urn: str) -> bool:
    """Return whether a device is a mobile one that stands nowhere: it may be switched off."""
    return deployments.deployable(urn) is not None and deployments.standing(urn) is None


def errand_of(due: Due, cameras: Sequence[CameraId]) -> Errand:
    """Return what is due of a deployment as health tells it; ``cameras`` are its unit's."""
    one = due.deployment
    return Errand(
        deployment=one.id,
        title=one.title,
        kind=Kind(due.why.value),
        by_ns=due.by_ns,
        overdue=due.overdue,
        unit=one.unit,
        # Taken down it is seen at none: its cameras stand elsewhere by now, or in store.
        cameras=tuple(cameras) if one.removed_ns is None else (),
        happened=_happened(one) if due.why is Why.ALARM else (),
        unseen=bool(one.unseen),
        down=one.removed_ns is not None,
    )


def _happened(one: Deployment) -> tuple[str, ...]:
    unseen = [HAPPENED[kind] for kind in one.unseen]
    return (*unseen, *(LASTS[kind] for kind in one.alarms if kind not in one.unseen))


def battery_hours(register: Register, label: str, *, now_ns: int) -> float | None:
    """Return for how many hours a unit's battery lasts as it goes now; ``None`` where that is not known."""
    said = [
        Charge(point.at_ns, level, point.values.get("charging") is True)
        for point in register.recent(label, BATTERY)
        if (level := _number(point.values.get("percent"))) is not None
    ]
    return hours_left(said, now_ns=now_ns)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@asynccontextmanager
async def open_ward(
    bedside: Bedside, deployments: Deployments, database: Database, *, retention_days: float, clock: Clock
) -> AsyncIterator[tuple[Ward, Days]]:
    """Keep watch over every camera and unit for the time of the block; with a failing database at a later look.

    A step of a deployment is not waited for: an alarm is told of at once, and what was seen to is no longer.
    """
    ward = Ward(bedside.signs, database, clock=clock)
    days = Days(database, bedside.told, reach=math.ceil(retention_days) + 1, clock=clock)

    async def settle() -> None:
        async with every(clock, TURN_S) as ticks:
            await days.turn(bedside.enrolled())
            async for _ in ticks:
                await days.turn(bedside.enrolled())

    async def watch(look: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await look()
            except DatabaseError as error:
                log.error("health.look_failed", error=error.code)  # noqa: TRY400 - a plain reason
                await clock.sleep(LOOK_S)

    async with asyncio.TaskGroup() as tasks:
        watching = (
            tasks.create_task(watch(ward.run), name="health"),
            tasks.create_task(watch(ward.run_asked), name="health when it is asked for"),
            tasks.create_task(watch(settle), name="cameras' days"),
        )
        detach = (
            deployments.follow(lambda _: ward.soon()),
            ward.listen(lambda: days.seen(ward.signs.values())),
        )
        try:
            yield ward, days
        finally:
            for stop in detach:
                stop()
            for task in watching:
                task.cancel()
