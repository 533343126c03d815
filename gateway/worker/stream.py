"""One stream of one camera on this host: a session that feeds the recorder and the viewers."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from drivers.addresses import AddressPolicy
from drivers.model import CameraTarget, StreamProfile
from drivers.rtsp import RtspSource, RtspStream, StreamState, StreamStats
from gateway.fleet.rpc import LiveState, StreamFacts, StreamRecording
from gateway.live import LiveFeed, LiveHub
from gateway.worker.gate import ConnectGate
from gateway.worker.problems import problem_of
from kernel.clock import Clock
from kernel.ids import CameraId, StreamName
from kernel.media import (
    AccessUnit,
    AudioFrame,
    GapCause,
    MediaSink,
    MetadataDocument,
    SinkTee,
    StreamDescription,
    VideoParameters,
)
from recording import Recorder, RecordState, Storage

CLOCK_SUSPECT_S = 2.0
"""Sender reports further off than a slow line explains."""

_STATES = {
    StreamState.CONNECTING: LiveState.CONNECTING,
    StreamState.LIVE: LiveState.LIVE,
    StreamState.RETRYING: LiveState.RETRYING,
    StreamState.PARKED: LiveState.PARKED,
}


class Meter:
    """A sink that notes what passed last and tells when continuity changes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.newest: AccessUnit | None = None
        self.keyframe: AccessUnit | None = None
        """The newest whole one of this session."""
        self.parameters: VideoParameters | None = None
        self.changed = changed
        self._first_due = True

    def started(self, description: StreamDescription) -> None:  # noqa: ARG002 - MediaSink
        """See ``MediaSink``."""
        self._first_due = True

    def video(self, unit: AccessUnit) -> None:
        """See ``MediaSink``."""
        self.newest = unit
        if unit.keyframe:
            self.keyframe = None if unit.lost_before else unit
        if self._first_due or unit.parameters is not self.parameters:
            self._first_due = False
            self.parameters = unit.parameters
            self.changed()

    def audio(self, frame: AudioFrame) -> None:
        """See ``MediaSink``."""

    def metadata(self, document: MetadataDocument) -> None:
        """See ``MediaSink``."""

    def broken(self, cause: GapCause, detail: str) -> None:  # noqa: ARG002 - MediaSink
        """See ``MediaSink``."""
        self._first_due = True
        self.keyframe = None
        self.changed()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """Which stream of which camera, how to reach it, and whether it is recorded."""

    camera: CameraId
    stream: StreamName
    profile: StreamProfile
    target: CameraTarget
    recording: bool
    clock_offset_s: float
    withheld: str = ""
    """Why nothing may be recorded for the sake of privacy; empty where it may."""
    stands_for: tuple[StreamName, ...] = ()
    """Streams that viewers are shown this one in the place of."""

    def source(self, policy: AddressPolicy) -> RtspSource:
        """Return what the driver needs to know."""
        return RtspSource(
            url=self.profile.rtsp_url,
            username=self.target.credentials.username,
            password=self.target.credentials.password.get_secret_value(),
            transport="auto",
            tls_verify=self.target.tls_verify,
            tls_fingerprint_sha256=self.target.tls_fingerprint_sha256,
            vouched=self.target.vouched,
            clock_offset_s=self.clock_offset_s,
            allow=policy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPlane:
    """What all streams of a host share."""

    hub: LiveHub
    storage: Storage
    clock: Clock
    policy: AddressPolicy
    gate: ConnectGate
    """Of RTSP sessions on their way."""
    clock_gate: ConnectGate
    """Of clocks being asked, over ONVIF."""


class StreamRun:
    """Runs a stream for as long as the camera is assigned."""

    def __init__(
        self, plan: StreamPlan, plane: MediaPlane, *, changed: Callable[[], None], want_keyframe: Callable[[], None]
    ) -> None:
        self.plan = plan
        self._plane = plane
        self._want_keyframe = want_keyframe
        self._meter = Meter(changed)
        self._recorder: Recorder | None = None
        self._session: RtspStream | None = None

    async def run(self) -> None:
        """Run until cancelled. Failures of camera, network and disk are states, a bug escapes."""
        plan, plane = self.plan, self._plane
        async with AsyncExitStack() as stack:
            feeds: list[LiveFeed] = [
                stack.enter_context(plane.hub.feed(plan.camera, name, request_keyframe=self.request_keyframe))
                for name in (plan.stream, *plan.stands_for)
            ]
            sinks: list[MediaSink] = [self._meter, *feeds]
            if plan.recording and plan.withheld:
                await stack.enter_async_context(plane.storage.withheld(plan.camera, plan.stream, plan.withheld))
            elif plan.recording:
                self._recorder = await stack.enter_async_context(plane.storage.recorder(plan.camera, plan.stream))
                sinks.insert(0, self._recorder)
            stack.callback(self._forget)
            self._session = RtspStream(
                plan.source(plane.policy),
                SinkTee(sinks),
                clock=plane.clock,
                connect_gate=plane.gate,
                keep_payloads=lambda: any(feed.wanted for feed in feeds),
            )
            await self._session.run()
            # Parked: trying again would lock the account. Only a new assignment ends this.
            self._meter.changed()
            await asyncio.get_running_loop().create_future()

    def corrected(self, clock_offset_s: float) -> "StreamRun":
        """Return the same run with another clock offset, for a new session."""
        return StreamRun(
            replace(self.plan, clock_offset_s=clock_offset_s),
            self._plane,
            changed=self._meter.changed,
            want_keyframe=self._want_keyframe,
        )

    @property
    def written_bytes(self) -> int | None:
        """Return what has reached the disk, or ``None`` where nothing should."""
        if self._recorder is None or self._session is None or self._session.state is not StreamState.LIVE:
            return None
        return self._recorder.state.bytes_written if self._recorder.state.recording else None

    @property
    def live(self) -> bool:
        """Return whether pictures come now."""
        return self._session is not None and self._session.state is StreamState.LIVE

    @property
    def stats(self) -> StreamStats | None:
        """Return what has come since the stream was begun; ``None`` before, and another object after each beginning."""
        return self._session.stats if self._session is not None else None

    @property
    def recorder(self) -> Recorder | None:
        """Return what writes it, where it is written."""
        return self._recorder

    @property
    def certificate_ends_ns(self) -> int | None:
        """Return when the certificate ends that the camera showed for this stream; ``None`` outside TLS."""
        return self._session.certificate_ends_ns if self._session is not None else None

    @property
    def clock_suspect(self) -> bool:
        """Return whether the camera's sender reports disagree with the clock offset in use."""
        apart_s = self._session.stats.sender_clock_s if self._session is not None else None
        return apart_s is not None and abs(apart_s) > CLOCK_SUSPECT_S

    @property
    def frames(self) -> int:
        """Return how many pictures came."""
        return self._session.stats.frames if self._session is not None else 0

    @property
    def keyframe(self) -> AccessUnit | None:
        """Return the newest keyframe that came whole; ``None`` where no pictures come."""
        return self._meter.keyframe if self.live else None

    def facts(self) -> StreamFacts:
        """Return what an operator may know of it."""
        session, newest, parameters = self._session, self._meter.newest, self._meter.parameters
        state = LiveState.CONNECTING if session is None else _STATES[session.state]
        error = session.last_error if session is not None and state is not LiveState.LIVE else None
        return StreamFacts(
            state=state,
            codec=parameters.codec if parameters else self.plan.profile.codec,
            width=parameters.width if parameters else None,
            height=parameters.height if parameters else None,
            frames=self.frames,
            packets=session.stats.packets if session else 0,
            packets_lost=session.stats.lost if session else 0,
            received_bytes=session.stats.bytes if session else 0,
            last_frame_ns=newest.wall_ns if newest else None,
            time_source=newest.time_source if newest else None,
            problem=problem_of(error) if error is not None else None,
            recording=recording_of(self.plan, self._recorder.state if self._recorder is not None else None),
        )

    def request_keyframe(self) -> None:
        """Ask the camera for one, over RTSP and ONVIF."""
        if self._session is not None:
            self._session.request_keyframe()
        self._want_keyframe()

    def _forget(self) -> None:
        self._session = None
        self._recorder = None


def recording_of(plan: StreamPlan, state: RecordState | None) -> StreamRecording:
    """Return whether a stream reaches the disk, and why not; ``state`` is ``None`` where nothing writes it yet."""
    if not plan.recording:
        return StreamRecording(on=False, cause="recording is switched off for this camera")
    if plan.withheld:
        return StreamRecording(on=False, cause=plan.withheld)
    if state is None:
        return StreamRecording(on=False, cause="the recorder has not started yet")
    if state.recording:
        return StreamRecording(on=True, since_ns=state.since_ns)
    if state.cause is GapCause.STORAGE:
        return StreamRecording(on=False, cause=state.last_error, failed=True)
    return StreamRecording(
        on=False, cause="waiting for a keyframe" if state.cause is None else "no pictures come from the camera"
    )
