"""What happens in the rooms is told to other systems, where people asked for that, and without personal detail.

Each room tells what changed, as it does to everybody; here is chosen what of it goes out, field by field. What is not
chosen does not go: names, users, reasons, what somebody typed, where a camera stands.
"""

import json
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any, Literal

from config.outward import OutwardSettings, OutwardTopic
from config.settings import Settings
from gateway.audit.events import AuditEvent
from gateway.deployments.deployment import Deployment
from gateway.deployments.service import Taken
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.fleet.changes import FleetChange, Happened, HoldChanged, ListChanged, StateChanged
from gateway.mqtt import BrokerAddress
from gateway.raising import Alarms, Rooms
from gateway.sharing.changes import Began, Changed, Ended, SharingChange
from gateway.telemetry.outward import discovery
from gateway.telemetry.outward.messages import (
    CameraSaid,
    DueSaid,
    HoldSaid,
    IncidentSaid,
    ShareSaid,
    address,
)
from gateway.telemetry.outward.outbox import Outbox
from gateway.telemetry.outward.service import Outward, door_elsewhere, door_to_units, open_outward
from gateway.units import Change, LinkChanged, Said, UnitChanged
from gateway.units.credentials import reader
from kernel.clock import Clock, utc
from kernel.ids import CameraId

FILE = "outward.json"
VERSION = version("sightline")
"""Looked up once: it is read from disk."""
INCIDENTS_MAX = 4096
"""So many numbers are remembered as told, the last ones."""
WHERE_MAX = 64
REFERENCE_MAX = 40
_CODE = re.compile(r"[a-z0-9.-]{1,64}")
DUE = "due"
RENEWED = frozenset({"online", "state/firmware", "state/address"})
"""What a unit says that Home Assistant is told of it as well: its firmware, its serial number."""
TESTED = "test"
"""Shares by which only the link to a room is tried out."""


class Publishing:
    """Made by :func:`open_publishing`."""

    def __init__(self, settings: OutwardSettings, rooms: Rooms, outbox: Outbox, alarms: Alarms) -> None:
        self.alarms = alarms
        self._settings = settings
        self._rooms = rooms
        self._outbox = outbox
        self._form = re.compile(settings.incident_form)
        self._numbers: dict[CameraId, int] = {}
        """Under which number the broker keeps each camera's state."""
        self._states: dict[CameraId, CameraSaid] = {}
        self._incidents: OrderedDict[str, None] = OrderedDict()
        self._units: dict[str, str] = {}

    # --- cameras

    def of_fleet(self, change: FleetChange) -> None:
        """Tell what is new of a camera, or of the list of them."""
        match change:
            case StateChanged(camera):
                self._state_of(camera)
            case ListChanged():
                self.cameras()
            case HoldChanged():
                self._hold(change)
            case Happened(event):
                self.alarms.tamper(event)
            case _:
                pass

    def cameras(self) -> None:
        """Tell how every camera fares that is not told yet, and have the broker forget those that are gone."""
        if OutwardTopic.CAMERAS not in self._outbox.topics:
            return
        now = {camera.id: camera.number for camera in self._rooms.fleet.cameras()}
        before, self._numbers = self._numbers, now
        for camera, number in before.items():
            if now.get(camera) != number:
                self._states.pop(camera, None)
        for number in set(before.values()) - set(now.values()):
            self._outbox.drop(address(OutwardTopic.CAMERAS, number))
        for camera in now:
            self._state_of(camera)

    def _state_of(self, camera: CameraId) -> None:
        """Tell of a camera where it is news: each one's state comes every second."""
        number = self._numbers.get(camera)
        if number is None:
            return
        said = state_of(number, self._rooms.fleet.state(camera))
        if self._states.get(camera) != said:
            self._states[camera] = said
            self._outbox.keep(OutwardTopic.CAMERAS, said, number)

    def _known(self, cameras: Iterable[CameraId]) -> list[Camera]:
        wanted = frozenset(cameras)
        return [one for one in self._rooms.fleet.cameras() if one.id in wanted]

    # --- deployments

    def of_deployment(self, taken: Taken) -> None:
        """Tell of an alarm of a unit where it stands, of a stay that is over, and of what became due."""
        if taken.entry.step == DUE:
            self._due(taken.deployment, json.loads(taken.entry.said))
        else:
            self.alarms.of_deployment(taken)

    def _due(self, deployment: Deployment, said: Mapping[str, Any]) -> None:
        if OutwardTopic.DEPLOYMENTS not in self._outbox.topics:
            return
        cameras = self._rooms.fleet.cameras() if deployment.urn else []
        where = tuple(one.number for one in cameras if one.description.identity.urn == deployment.urn)[:WHERE_MAX]
        due = DueSaid(
            deployment=deployment.id, what=said["why"], by=utc(said["by_ns"]), overdue=said["overdue"], where=where
        )
        self._outbox.tell(OutwardTopic.DEPLOYMENTS, due)

    # --- shares, holds, incidents

    def of_sharing(self, change: SharingChange) -> None:
        """Tell of a share that begins, changes or ends."""
        match change:
            case Began(share) if share.kind != TESTED:
                self._share(share.id, "began", share.cameras, share.ends_ns)
                self._incident(share.reference, share.cameras)
            case Changed(share, was) if share.kind != TESTED:
                new, old = set(share.cameras), set(was.cameras)
                self._share(share.id, "ended", [one for one in was.cameras if one not in new], share.ends_ns)
                self._share(share.id, "began", [one for one in share.cameras if one not in old], share.ends_ns)
                if share.ends_ns != was.ends_ns:
                    stayed = [one for one in share.cameras if one in old]
                    self._share(share.id, "changed", stayed, share.ends_ns)
                self._incident(share.reference, share.cameras)
            case Ended(share) if share.kind != TESTED:
                self._share(share.id, "ended", share.cameras, share.ended_ns or share.ends_ns)
            case _:
                pass

    def _share(
        self, share: str, what: Literal["began", "changed", "ended"], cameras: Iterable[CameraId], until_ns: int
    ) -> None:
        for one in self._known(cameras):
            said = ShareSaid(number=one.number, share=share, what=what, until=utc(until_ns))
            self._outbox.tell(OutwardTopic.SHARES, said, one.number)

    def _hold(self, change: HoldChanged) -> None:
        for one in self._known([change.camera]):
            said = HoldSaid(
                number=one.number,
                hold=change.hold,
                what=change.what,
                start=utc(change.start_ns) if change.start_ns is not None else None,
                end=utc(change.end_ns) if change.end_ns is not None else None,
                review=utc(change.review_ns) if change.review_ns is not None else None,
            )
            self._outbox.tell(OutwardTopic.HOLDS, said, one.number)
        self._incident(change.reference, [change.camera])

    def of_trail(self, event: AuditEvent) -> None:
        """Tell of the incident that somebody is at work on."""
        self._incident(event.actor.reference, ())

    def _incident(self, reference: str, cameras: Iterable[CameraId]) -> None:
        """Tell of an incident once, where what was typed is a number and nothing else."""
        if not reference or OutwardTopic.INCIDENTS not in self._outbox.topics:
            return
        # Whatever form the settings allow, what is longer is no number.
        if reference in self._incidents or len(reference) > REFERENCE_MAX or not self._form.fullmatch(reference):
            return
        self._incidents[reference] = None
        if len(self._incidents) > INCIDENTS_MAX:
            self._incidents.popitem(last=False)
        where = tuple(one.number for one in self._known(cameras))[:WHERE_MAX]
        self._outbox.tell(OutwardTopic.INCIDENTS, IncidentSaid(reference=reference, where=where))

    # --- Home Assistant

    def of_units(self, change: Change) -> None:
        """Have Home Assistant know a unit as it is now."""
        match change:
            case UnitChanged(label) | LinkChanged(label):
                self._discover(label)
            case Said(label, now) if now.name in RENEWED:
                self._discover(label)
            case _:
                pass

    def units(self) -> None:
        """Have Home Assistant know every unit."""
        assert self._rooms.units is not None
        for row in self._rooms.units.register.units():
            self._discover(row.label)

    def _discover(self, label: str) -> None:
        assert self._rooms.units is not None
        row = self._rooms.units.register.unit(label)
        at = discovery.topic(label, self._settings.home_assistant_prefix)
        if row.retired_ns is not None:
            if self._units.pop(label, None) is not None:
                self._outbox.drop(at)
            return
        told = discovery.payload(label, serial=row.serial, firmware=row.firmware, version=VERSION)
        if self._units.get(label) != told:
            self._units[label] = told
            self._outbox.put(at, told)


def state_of(number: int, state: rpc.CameraState | None) -> CameraSaid:
    """Return what is told of how a camera fares."""
    recording = state.main.recording if state is not None else None
    return CameraSaid(
        number=number,
        live=state.live.value if state is not None else "unknown",
        problem=_word(state.problem.type) if state is not None and state.problem is not None else None,
        recording="on"
        if recording is not None and recording.on
        else "failed"
        if recording is not None and recording.failed
        else "off",
        picture=state.picture.fault.value if state is not None and state.picture is not None else None,
    )


def _word(code: str) -> str:
    """Return the code of a problem, which a camera host of another release may have in a form of its own."""
    return code if _CODE.fullmatch(code) else "unknown"


@asynccontextmanager
async def open_publishing(settings: Settings, rooms: Rooms, *, clock: Clock) -> AsyncIterator[Outward | None]:
    """Tell other systems for the time of the block what the settings say.

    Raises:
        BadValueError: the password for the broker cannot be read.
    """
    wanted, units = settings.outward, rooms.units
    for name in wanted.readers if units is not None else ():
        assert units is not None
        await units.credentials.client(reader(name))
    if wanted.url is not None:
        door, broker = door_elsewhere(wanted), wanted.url
    elif units is not None:
        said = settings.telemetry
        at = BrokerAddress.of(said.url)
        door = door_to_units(units.credentials, at, ca=said.broker_ca, keepalive_s=said.keepalive_s)
        broker = said.url
    else:
        yield None
        return
    file = settings.server.data_dir / FILE
    async with AsyncExitStack() as stack:
        outward = await stack.enter_async_context(open_outward(wanted, door, broker=broker, file=file, clock=clock))
        if outward is not None:
            alarms = Alarms(rooms, outward.outbox, clock=clock, silence_s=settings.telemetry.silence_s)
            _listen(stack, Publishing(wanted, rooms, outward.outbox, alarms), rooms, wanted)
        yield outward


def _listen(stack: AsyncExitStack, publishing: Publishing, rooms: Rooms, wanted: OutwardSettings) -> None:
    """Have told what is so now, and then what changes."""
    stack.callback(rooms.fleet.listen(publishing.of_fleet))
    stack.callback(rooms.ward.listen(publishing.alarms.of_health))
    stack.callback(rooms.deployments.follow(publishing.of_deployment))
    stack.callback(rooms.sharing.bell.listen(publishing.of_sharing))
    stack.callback(rooms.trail.listen(publishing.of_trail))
    publishing.cameras()
    publishing.alarms.of_health()
    if wanted.home_assistant and rooms.units is not None:
        stack.callback(rooms.units.register.listen(publishing.of_units))
        publishing.units()
