"""A stream that is pulled for ever: sessions one after another, watched, with a pause between failures."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Protocol

import structlog

from drivers.certificates import ends_ns
from drivers.errors import (
    CameraAnswerError,
    CameraAuthenticationError,
    CameraBusyError,
    CameraError,
    CameraFaultError,
    CameraNoMediaError,
    CameraRefusedAddressError,
    CameraUnreachableError,
    StreamError,
)
from drivers.rtsp.connection import Connection
from drivers.rtsp.delivery import Delivery, nothing_kept
from drivers.rtsp.errors import StreamFellError, UnsupportedTransportError
from drivers.rtsp.libav import open_libav_session
from drivers.rtsp.session import Session, open_session, request_keyframe
from drivers.rtsp.source import RtspSource, StreamState, StreamStats
from drivers.rtsp.video import VideoTrack
from kernel.clock import NS_PER_S, Clock
from kernel.media import GapCause, MediaSink
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger(__name__)

RETRIED = (
    CameraUnreachableError,
    CameraBusyError,
    CameraAnswerError,
    CameraFaultError,
    CameraNoMediaError,
    StreamError,
)
PARKING = (CameraAuthenticationError, CameraRefusedAddressError)
PATIENCE = Backoff()
LOOK_S = 1.0
GATHER_S = 0.2
"""Longest that bytes wait in the kernel for more of them, at the rate of the last second."""
REPORT_S = 5.0


class Counted(Protocol):
    """What a session counts."""

    bytes: int
    packets: int


class RtspStream:
    """One RTSP session at a time for one stream of one camera, whoever looks at it."""

    def __init__(  # noqa: PLR0913 - each is a separate, named policy
        self,
        source: RtspSource,
        sink: MediaSink,
        *,
        clock: Clock,
        connect_gate: asyncio.Semaphore | None = None,
        backoff: Backoff = PATIENCE,
        keep_payloads: Callable[[], bool] = nothing_kept,
    ) -> None:
        """``keep_payloads`` is asked once a picture whether somebody watches.

        Then its ``AccessUnit.payloads`` are kept, and it comes as soon as it can.
        """
        self.source = source
        self.stats = StreamStats()
        self.last_error: CameraError | None = None
        self.state = StreamState.CONNECTING
        self.certificate_ends_ns: int | None = None
        """Of the certificate that the camera showed last; ``None`` outside TLS."""
        self._sink = sink
        self._clock = clock
        self._gate = connect_gate or asyncio.Semaphore(1)
        self._backoff = backoff
        self._keep_payloads = keep_payloads
        self._session: Session | None = None
        self._tcp_refused = False

    async def run(self) -> None:
        """Pull for ever. Returns only when parked: the password is wrong or the address refused.

        A bug escapes; cancellation tears the session down.
        """
        try:
            await try_forever(
                self.run_once, clock=self._clock, expected=RETRIED, on_failure=self._failed, backoff=self._backoff
            )
        except PARKING as error:
            self.last_error = error
            self.state = StreamState.PARKED
            log.warning("stream.parked", error=error.code)

    def _failed(self, error: Exception, delay_s: float) -> None:
        assert isinstance(error, CameraError)
        self.last_error = error
        self.state = StreamState.RETRYING
        log.warning("stream.retry", error=error.code, reason=error.message, delay_s=round(delay_s, 1))

    async def run_once(self) -> None:
        """Pull one session until it ends.

        Raises:
            CameraError: why it ended, or never began.
        """
        self.state = StreamState.CONNECTING
        self.stats.sessions += 1
        delivery = Delivery(self._sink, self.stats, self._is_live, self._wanted)
        cause, detail = GapCause.HOST, "the stream was stopped here"
        try:
            await self._pull(delivery)
        except CameraError as error:
            cause, detail = cause_of(error), error.message
            raise
        finally:
            self._session = None
            delivery.finish(cause, detail)

    async def _pull(self, delivery: Delivery) -> None:
        if self.source.transport != "udp" and not self._tcp_refused:
            try:
                await self._pull_tcp(delivery)
            except UnsupportedTransportError:
                if self.source.transport == "tcp":
                    raise
                log.info("stream.falls_back_to_udp")
                self._tcp_refused = True
        await self._pull_udp(delivery)

    async def _pull_tcp(self, delivery: Delivery) -> None:
        async with AsyncExitStack() as stack:
            # The gate staggers connecting: hundreds of cameras at once fail each other.
            async with self._gate:
                session = await stack.enter_async_context(open_session(self.source, delivery, self._clock))
            self._session = session
            self.certificate_ends_ns = ends_ns(session.connection.certificate)
            count = partial(self._count, session.connection, session.video, self.stats.packets, self.stats.bytes)
            stack.callback(count)
            await _together(
                session.connection.ended,
                self._watch(delivery, count),
                self._gather(session.connection),
                self._refresh(session),
                self._report(session),
            )

    async def _pull_udp(self, delivery: Delivery) -> None:
        async with AsyncExitStack() as stack:
            async with self._gate:
                session = await stack.enter_async_context(open_libav_session(self.source, delivery, self._clock))
            count = partial(self._count, session, session.video, self.stats.packets, self.stats.bytes)
            stack.callback(count)
            await _together(session.ended, self._watch(delivery, count))

    def _count(self, counted: Counted, video: VideoTrack | None, packets: int, size_bytes: int) -> None:
        """Bring the statistics up to date; the numbers are those of the sessions before."""
        stats = self.stats
        stats.packets = packets + counted.packets
        stats.bytes = size_bytes + counted.bytes
        if video is not None:
            stats.jitter_s = video.jitter_s

    def _is_live(self) -> None:
        self.state = StreamState.LIVE

    def request_keyframe(self) -> None:
        """Ask the camera for a keyframe, at most once a second; does nothing where its transport cannot."""
        if self._session is not None:
            request_keyframe(self._session)

    async def _watch(self, delivery: Delivery, count: Callable[[], None]) -> None:
        """Look for pictures, not bytes."""
        source, clock = self.source, self._clock
        began_ns = clock.monotonic_ns()
        look_s = min(LOOK_S, source.frame_timeout_s / 4, source.keyframe_timeout_s / 4)
        while True:
            await clock.sleep(look_s)
            now_ns = clock.monotonic_ns()
            count()
            _expect(now_ns, delivery.unit_ns or began_ns, source.frame_timeout_s, "picture")
            _expect(now_ns, delivery.keyframe_ns or began_ns, source.keyframe_timeout_s, "keyframe")

    async def _gather(self, connection: Connection) -> None:
        """Take what comes in larger pieces while nobody watches.

        To be woken for a picture costs as much as to take it apart. A recording does not mind if it comes a fifth of
        a second later; a viewer does, and is seen with the next picture (:meth:`_wanted`). Where nothing came for a
        while, what is left is taken as it is.
        """
        before, before_ns = connection.bytes, self._clock.monotonic_ns()
        while True:
            await self._clock.sleep(LOOK_S)
            now, now_ns = connection.bytes, self._clock.monotonic_ns()
            size = (now - before) * round(GATHER_S * NS_PER_S) // max(1, now_ns - before_ns)
            if self._keep_payloads() or size == 0:
                connection.wake_at(1)
            elif not size * 3 // 4 < connection.woken_at < size * 4 // 3:
                connection.wake_at(size)
            before, before_ns = now, now_ns

    def _wanted(self) -> bool:
        """Return whether somebody watches; where somebody does, pictures are taken as they come."""
        if not self._keep_payloads():
            return False
        if self._session is not None:
            self._session.connection.wake_at(1)
        return True

    async def _report(self, session: Session) -> None:
        """Tell the camera what was received: some stop without it."""
        while True:
            await self._clock.sleep(REPORT_S)
            for channel, track in session.tracks.items():
                session.dialogue.report(channel + 1, track.reception())

    async def _refresh(self, session: Session) -> None:
        """Keep the session alive at half of its timeout."""
        while True:
            await self._clock.sleep(session.dialogue.session_timeout_s / 2)
            await session.dialogue.keep_alive(session.base)


async def _together(ended: asyncio.Future[None], *work: Coroutine[None, None, None]) -> None:
    """Do ``work`` until the session has ended; raise what ended it, a bug before an expected failure."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for one in work:
                tasks.create_task(one)
            await asyncio.shield(ended)
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _expect(now_ns: int, last_ns: int, limit_s: float, what: str) -> None:
    if now_ns - last_ns > limit_s * NS_PER_S:
        raise StreamFellError(
            f"The camera sent no {what} for {limit_s:g} s.",
            cause=GapCause.CAMERA if what == "keyframe" else GapCause.NETWORK,
            cure="The session is begun anew; look at the camera if this repeats.",
        )


def cause_of(error: CameraError) -> GapCause:
    """Return what a gap says of this error."""
    if isinstance(error, StreamFellError):
        return error.cause
    return GapCause.NETWORK if isinstance(error, CameraUnreachableError | StreamError) else GapCause.CAMERA


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what ended a session: a bug before an expected failure."""
    flat: list[BaseException] = []
    stack: list[BaseException] = [group]
    while stack:
        one = stack.pop()
        if isinstance(one, BaseExceptionGroup):
            stack += one.exceptions
        else:
            flat.append(one)
    return next((one for one in flat if not isinstance(one, CameraError)), flat[0])
