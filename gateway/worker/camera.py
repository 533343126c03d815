"""One camera on this host: its device, streams, head, events and clock, each in a task of its own."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

import structlog

from config.steering import SteeringSettings
from drivers.errors import CameraError
from drivers.model import StreamProfile
from drivers.onvif import Device, open_device
from gateway.fleet import rpc
from gateway.health.picture import HEIGHT, WIDTH, Grey
from gateway.worker.broadcast import Broadcast
from gateway.worker.camera_time import TOLERANCE_S, CameraTime
from gateway.worker.head import HeadSeat, open_seat
from gateway.worker.problems import NoHeadError
from gateway.worker.sight import Sight
from gateway.worker.stream import MediaPlane, StreamPlan, StreamRun
from kernel.clock import NS_PER_S, Clock, every
from kernel.head import Position
from kernel.ids import CameraId, StreamName
from kernel.media import AccessUnit

_log = structlog.get_logger(__name__)

CLOCK_PERIOD_S = 600.0
"""Between two measurements of a camera's clock."""
CLOCK_RETRY_S = 30.0
CLOCK_LOOK_S = 10.0
"""How often sender reports are looked at for a clock that has moved meanwhile."""
TELL_S = 1.0
_TOLD = ("number", "name", "bearing_deg", "bounds", "reference", "reference_at")
"""What of an assignment may change while the camera goes on as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlane:
    """What all cameras of a host share."""

    media: MediaPlane
    steering: SteeringSettings
    broadcast: Broadcast
    looking: Clock
    """By which pictures are judged."""


class CameraActor:
    """Owns one camera entirely. :meth:`run` lasts as long as the camera is assigned to this host."""

    def __init__(self, assignment: rpc.CameraAssignment, plane: CameraPlane) -> None:
        self.assignment = assignment
        self._plane = plane
        self._clock = plane.media.clock
        self._device: Device | None = None
        self._seat: HeadSeat | None = None
        description = assignment.description
        self._time = CameraTime(description.clock_offset_s, description.clock_uncertainty_s)
        self._measured_ns: int | None = None
        self._streams: dict[StreamName, StreamRun] = {}
        self._renewed: dict[StreamName, asyncio.Event] = {}
        self._sync_wanted = asyncio.Event()
        self._released = False
        self._sight = Sight(
            assignment.reference,
            assignment.reference_at,
            head=assignment.view.head is not None,
            looking=plane.looking,
        )
        for name, profile, stands_for in _wanted(assignment):
            plan = StreamPlan(
                camera=assignment.id,
                stream=name,
                profile=profile,
                target=assignment.target,
                recording=assignment.recording,
                withheld=assignment.withheld if assignment.withheld_from_ns is None else "",
                clock_offset_s=self._time.offset_s,
                stands_for=stands_for,
            )
            self._streams[name] = StreamRun(
                plan, plane.media, changed=self.changed, want_keyframe=self._sync_wanted.set
            )

    async def run(self) -> None:
        """Run until cancelled. What the camera does wrong is state; a bug escapes."""
        assignment = self.assignment
        async with AsyncExitStack() as stack:
            stack.callback(self._close)
            await self._open_device(stack)
            async with asyncio.TaskGroup() as group:
                for name in self._streams:
                    group.create_task(self._keep_stream(name), name=f"{assignment.id} {name}")
                if self._device is not None:
                    group.create_task(self._keep_clock(self._device), name=f"{assignment.id} clock")
                    group.create_task(self._keep_keyframes(self._device), name=f"{assignment.id} keyframes")
                    if assignment.description.events:
                        group.create_task(self._keep_events(self._device), name=f"{assignment.id} events")

    async def _open_device(self, stack: AsyncExitStack) -> None:
        """Open the ONVIF side. Where that is refused the streams run all the same, and say why if they do not."""
        assignment = self.assignment
        try:
            self._device = await stack.enter_async_context(
                open_device(
                    assignment.target, assignment.description, clock=self._clock, policy=self._plane.media.policy
                )
            )
            if assignment.view.head is None:
                return
            head = self._device.head(assignment.view)
        except CameraError as error:
            _log.warning("camera.no_device", camera=assignment.id, error=error.code)
            return
        self._seat = await stack.enter_async_context(
            open_seat(head, clock=self._clock, settings=self._plane.steering, changed=self.changed)
        )
        self._told_of_head(self._seat)

    def _told_of_head(self, seat: HeadSeat) -> None:
        seat.bearing_deg = self.assignment.bearing_deg
        seat.controller.keep_within(self.assignment.bounds)

    def renamed(self, assignment: rpc.CameraAssignment) -> bool:
        """Take over a changed assignment where nothing differs that streams hang on; return whether it did."""
        told = {key: getattr(assignment, key) for key in _TOLD}
        if None not in {self.assignment.withheld_from_ns, assignment.withheld_from_ns}:
            told["withheld_from_ns"] = assignment.withheld_from_ns
        if self.assignment.model_copy(update=told) != assignment:
            return False
        before, self.assignment = self.assignment, assignment
        if self._seat is not None:
            self._told_of_head(self._seat)
        if (assignment.reference, assignment.reference_at) != (before.reference, before.reference_at):
            self._sight.compare_with(assignment.reference, assignment.reference_at)
        self.changed()
        return True

    @property
    def device(self) -> Device:
        """Return the device.

        Raises:
            NoHeadError: the camera is just being opened or closed.
        """
        if self._device is None:
            raise NoHeadError("The camera is just being opened.", cure="Ask again in a moment.")
        return self._device

    @property
    def seat(self) -> HeadSeat:
        """Return the seat at the head.

        Raises:
            NoHeadError: it has none.
        """
        if self._seat is None:
            raise NoHeadError("This camera cannot be steered.", cure="Choose one with a head.")
        return self._seat

    @property
    def streams(self) -> tuple[StreamRun, ...]:
        """Return main, and sub where there is one."""
        return tuple(self._streams.values())

    @property
    def id(self) -> CameraId:
        """Return which camera it is."""
        return self.assignment.id

    def keyframe(self) -> AccessUnit | None:
        """Return the newest keyframe of the stream that is looked at; ``None`` where no pictures come."""
        return self._looked_at.keyframe

    @property
    def _looked_at(self) -> StreamRun:
        """Return its smallest stream that is large enough: one made larger to be looked at would seem blurred."""
        enough = [run for run in self.streams if run.plan.profile.width >= WIDTH and run.plan.profile.height >= HEIGHT]
        return (enough or self.streams)[-1 if enough else 0]

    def looked(self, grey: Grey | None, received_ns: int = 0) -> None:
        """Judge a picture of it, which came at an instant (monotonic); ``None`` where none comes."""
        before = self._sight.finding
        if grey is None:
            self._sight.none_comes()
        else:
            self._sight.came(grey, received_ns)
        found = self._sight.finding
        if found != before:
            _log.info("camera.picture", camera=self.id, fault=found and found.fault.value)
            self.changed()

    @property
    def seen(self) -> tuple[bytes, Position | None]:
        """Return what was seen of it last, as a reference view, and where its head stood and still stands.

        Raises:
            NotSeenError: as :meth:`gateway.worker.sight.Sight.view`.
        """
        head, hfov_deg = None, None
        if self._seat is not None:
            head, hfov_deg = self._seat.controller.state, self._seat.facts().hfov_deg
        return self._sight.view(head, hfov_deg, self._clock.monotonic_ns())

    def show(self) -> int:
        """Have a keyframe sent soon; return from when on one has to come to show what it shows now (monotonic)."""
        self._looked_at.request_keyframe()
        return self._sight.settled_ns(self._clock.monotonic_ns())

    async def snapshot(self) -> bytes:
        """Return a JPEG that the camera makes now."""
        return await self.device.snapshot(self.assignment.view)

    def changed(self) -> None:
        """Tell everybody what is new."""
        if self._seat is not None:
            self._sight.head_stands(self._seat.controller.state, self._clock.monotonic_ns())
        if not self._released:
            self._plane.broadcast.changed(self.state())

    def state(self) -> rpc.CameraState:
        """Return what an operator may know of it now."""
        main = self._streams[StreamName.MAIN].facts()
        sub = self._streams[StreamName.SUB].facts() if StreamName.SUB in self._streams else None
        return rpc.CameraState(
            id=self.assignment.id,
            live=main.state,
            problem=main.problem,
            main=main,
            sub=sub,
            last_frame_ns=main.last_frame_ns,
            viewers=self._plane.media.hub.viewers_of(self.assignment.id),
            head=self._seat.facts() if self._seat is not None else None,
            stick=self._seat.stick_state() if self._seat is not None else None,
            clock_offset_s=self._time.read_s,
            clock_measured_ns=self._measured_ns,
            clock_off_s=self._time.off_s,
            small_only=self.assignment.small_only and self.assignment.view.sub is not None,
            picture=self._sight.finding,
            looked_ns=self._sight.looked_ns,
            unlooked_since_ns=self._sight.unlooked_since_ns,
            certificate_ends_ns=self._certificate_ends_ns(),
        )

    def _certificate_ends_ns(self) -> int | None:
        """Return when the first ends of the certificates that it shows: its pages may have another than its streams."""
        shown = [run.certificate_ends_ns for run in self.streams]
        if self._device is not None:
            shown.append(self._device.certificate_ends_ns)
        return min((one for one in shown if one is not None), default=None)

    def _close(self) -> None:
        self._device = None
        self._seat = None
        self._released = True

    async def _keep_stream(self, name: StreamName) -> None:
        """Run a stream, and run it anew with the right times where the camera's clock was found to have moved."""
        while True:
            renewed = self._renewed[name] = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                running = group.create_task(self._streams[name].run(), name=f"{self.assignment.id} {name} session")
                await renewed.wait()
                running.cancel()

    async def _keep_clock(self, device: Device) -> None:
        while True:
            wait_s = CLOCK_PERIOD_S
            try:
                # In turn: an answer that waits for this process would be taken for the camera's clock being off.
                async with self._plane.media.clock_gate:
                    offset_s, uncertainty_s = await device.clock_offset()
            except CameraError as error:
                _log.info("camera.clock_unknown", camera=self.assignment.id, error=error.code)
                wait_s = CLOCK_RETRY_S
            else:
                self._measured_ns = self._clock.wall_ns()
                self._correct(offset_s, uncertainty_s)
                self.changed()
                if uncertainty_s > TOLERANCE_S:
                    wait_s = CLOCK_RETRY_S  # an answer that was long on its way says little
            due_ns = self._clock.monotonic_ns() + round(wait_s * NS_PER_S)
            await self._clock.sleep(CLOCK_RETRY_S)
            while self._clock.monotonic_ns() < due_ns and not any(run.clock_suspect for run in self.streams):
                await self._clock.sleep(CLOCK_LOOK_S)

    def _correct(self, offset_s: float, uncertainty_s: float) -> None:
        by_s = offset_s - self._time.offset_s
        if not self._time.measured(offset_s, uncertainty_s):
            return
        _log.warning("camera.clock_moved", camera=self.assignment.id, by_s=round(by_s, 3))
        for name, run in self._streams.items():
            self._streams[name] = run.corrected(offset_s)
            if name in self._renewed:
                self._renewed[name].set()

    async def _keep_keyframes(self, device: Device) -> None:
        """Ask for keyframes over ONVIF; the feeds ask at most once a second, and one request is in flight."""
        tokens = [run.plan.profile.token for run in self.streams]
        while True:
            await self._sync_wanted.wait()
            self._sync_wanted.clear()
            for token in tokens:
                try:
                    await device.set_synchronization_point(token)
                except CameraError as error:
                    _log.debug("camera.no_sync_point", camera=self.assignment.id, error=error.code)

    async def _keep_events(self, device: Device) -> None:
        """Hand on what the camera reports; the driver subscribes anew by itself, unless that would lock the account."""
        try:
            async with aclosing(device.events()) as events:
                async for event in events:
                    self._plane.broadcast.happened(
                        rpc.CameraHappened(
                            id=self.assignment.id,
                            topic=event.topic,
                            source=dict(event.source),
                            data=dict(event.data),
                            wall_ns=event.wall_ns,
                        )
                    )
        except CameraError as error:
            _log.warning("camera.no_events", camera=self.assignment.id, error=error.code)


def _wanted(
    assignment: rpc.CameraAssignment,
) -> Iterator[tuple[StreamName, StreamProfile, tuple[StreamName, ...]]]:
    """Give the streams that are taken of a camera, with those that each stands for besides.

    Over a thin link it is the sub stream alone, and it stands where main would: in recordings, playback, exports.
    """
    view = assignment.view
    if assignment.small_only and view.sub is not None:
        yield StreamName.MAIN, view.sub, (StreamName.SUB,)
        return
    yield StreamName.MAIN, view.main, ()
    if view.sub is not None:
        yield StreamName.SUB, view.sub, ()


async def tell_all(actors: Callable[[], tuple[CameraActor, ...]], clock: Clock) -> None:
    """Tell every camera's state each second: what only counts up is nobody's event."""
    async with every(clock, TELL_S) as ticks:
        async for _ in ticks:
            for actor in actors():
                actor.changed()
