"""One H.265 stream that is being coded anew: its process, kept running, and the feed that viewers watch."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from config.live import LiveSettings
from gateway.live.feed import LiveFeed
from gateway.live.payload import Picture
from gateway.live.transcode.process import Coder, CoderError, OpenCoder
from gateway.transcoder.framing import Coded, Flag, KeyframeWish, Message, Parameters
from kernel.clock import NS_PER_S, Clock, every
from kernel.lanes import LiveLane
from kernel.media import (
    VIDEO_CLOCK_HZ,
    AccessUnit,
    AudioFrame,
    StreamDescription,
    TimeSource,
    VideoCodec,
    VideoParameters,
)
from kernel.supervision import Backoff, attempt

_log = structlog.get_logger(__name__)

LINGER_S = 5.0
"""The process runs on for this long after its last viewer: they often come back, and it need not start anew."""
SILENT_S = 8.0
"""A process that is handed pictures for this long, or takes none, and gives none is ended."""
ATTEMPTS = 3
"""After so many failures, none of which came after a healthy minute, viewers are told that it does not work."""
BACKOFF = Backoff(base_s=0.25, cap_s=5.0, healthy_s=60.0)
REORDERED_90K = VIDEO_CLOCK_HZ
"""A picture that is earlier than the newest by less is shown before it; by more, and media times have restarted."""
_REMEMBERED = 4096
"""Pictures that are under way at most: the smallest of them would not fill the pipe with fewer."""
_SPS, _PPS = 7, 8
GAVE_UP = "the camera's H.265 could not be decoded"
IDLE = "nobody watched"


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What is kept of a picture while it is being coded."""

    wall_ns: int
    received_ns: int
    time_source: TimeSource


class DisplayTimes:
    """Places pictures on the feed's line by when they are shown.

    The feed's own places only grow, as viewers' must; with B pictures those of the camera do not in the order in which
    they are decoded, and what comes out of a decoder is in the order in which it is shown.
    """

    __slots__ = ("_newest", "_shift")

    def __init__(self) -> None:
        self._newest: int | None = None
        self._shift = 0

    def of(self, time_90k: int, placed_90k: int) -> int:
        """Return where a picture with this media time, which the feed placed there, is shown."""
        if self._newest is None or not self._newest - REORDERED_90K < time_90k < self._newest:
            self._newest = time_90k
            self._shift = placed_90k - time_90k
        return time_90k + self._shift


class Transcode:
    """Watches its source (``gateway.live.feed.Watcher``) and fills ``feed``."""

    def __init__(self, source: LiveFeed, *, settings: LiveSettings, clock: Clock, open_coder: OpenCoder) -> None:
        self.source = source
        self.feed = LiveFeed(
            source.camera,
            source.stream,
            clock=clock,
            request_keyframe=self._want_keyframe,
            cache_bytes=settings.gop_cache_bytes,
            max_packet_bytes=settings.max_packet_bytes,
            transcoded=True,
        )
        self.holders = 0
        """Viewers who are there or on their way."""
        self.pid: int | None = None
        """Of the process, while there is one."""
        self._clock = clock
        self._settings = settings
        self._open_coder = open_coder
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._idle = asyncio.Event()
        self._idle_since_ns = clock.monotonic_ns()
        self._lane: LiveLane[Picture] = LiveLane(capacity=settings.lane_pictures)
        self._keyframe_wished = False
        self._handed: dict[int, _Stamp] = {}
        self._silent_since_ns: int | None = None
        self._last_handed_ns = 0
        self._handing = False

    @property
    def over(self) -> bool:
        """Return whether it has ended or is about to."""
        return self._over.done()

    def hold(self) -> None:
        """Count a viewer."""
        self.holders += 1
        self._idle.clear()

    def release(self) -> None:
        """Count a viewer no longer."""
        self.holders -= 1
        if self.holders == 0:
            self._idle_since_ns = self._clock.monotonic_ns()
            self._idle.set()

    @property
    def idle_since_ns(self) -> int:
        """Return when the last viewer left."""
        return self._idle_since_ns

    async def run(self, slots: asyncio.Semaphore) -> str:
        """Code until nobody has watched for a while or it cannot go on; return why."""
        async with slots:
            self.feed.started(
                StreamDescription(video=VideoCodec.H264, audio=self.source.sound, metadata=False, transport="transcode")
            )
            self.source.join(self)
            work = [asyncio.create_task(step) for step in (self._keep(), self._until_idle())]
            try:
                await asyncio.wait([self._over, *work], return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.source.leave(self)
                for task in work:
                    task.cancel()
                await asyncio.wait(work)
            for task in work:
                if not task.cancelled():
                    self.end(task.result())
            return self._over.result()

    # --- the source's pictures and sound

    def picture(self, picture: Picture) -> None:
        """See ``Watcher``."""
        if not self._lane.put(picture):
            self.source.want_keyframe()

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """See ``Watcher``. Sound is not coded anew; it is placed on the source's unbroken line, as pictures are."""
        self.feed.sound = self.source.sound
        self.feed.audio(AudioFrame(frame.data, time_clock, frame.wall_ns, frame.parameters))

    def end(self, reason: str) -> None:
        """See ``Watcher``."""
        if not self._over.done():
            self._over.set_result(reason)

    def _want_keyframe(self) -> None:
        self._keyframe_wished = True

    # --- the process

    async def _keep(self) -> str:
        """Keep a process running; return why that makes no sense any more."""
        rng = random.Random()  # noqa: S311 - jitter, not a secret
        failures = 0
        while True:
            began_ns = self._clock.monotonic_ns()
            try:
                await attempt(self._run_once(), expected=(CoderError,))
            except* CoderError as errors:
                detail = "; ".join(str(error) for error in errors.exceptions)
            self.pid = None
            healthy = self._clock.monotonic_ns() - began_ns >= BACKOFF.healthy_s * NS_PER_S
            failures = 1 if healthy else failures + 1
            _log.warning(
                "transcode.failed",
                camera=self.source.camera,
                stream=self.source.stream,
                detail=detail,
                failures=failures,
            )
            if failures == ATTEMPTS:
                return GAVE_UP
            await self._clock.sleep(BACKOFF.delay_s(failures, rng))

    async def _run_once(self) -> None:
        # Between these two no picture can come: what is not cached will be in the lane.
        cached = self.source.cached()
        self._lane = LiveLane(capacity=self._settings.lane_pictures)
        self._handed.clear()
        self._silent_since_ns = None
        self._handing = False
        if not cached:
            self.source.want_keyframe()
        async with self._open_coder() as coder, asyncio.TaskGroup() as group:
            self.pid = coder.pid
            _log.info("transcode.started", camera=self.source.camera, stream=self.source.stream, pid=coder.pid)
            group.create_task(self._hand_all(coder, cached, self._lane))
            group.create_task(self._take_all(coder))
            group.create_task(self._watch())

    async def _hand_all(self, coder: Coder, cached: Sequence[Picture], lane: LiveLane[Picture]) -> None:
        parameters: VideoParameters | None = None
        times = DisplayTimes()
        waiting = deque(cached)
        while True:
            picture = waiting.popleft() if waiting else await lane.get()
            unit = picture.unit
            time_90k = times.of(unit.time_90k, picture.time_90k)
            # What is built on a lost picture is smears: a browser would show none of it either.
            if not unit.keyframe and (parameters is None or unit.lost_before):
                parameters = None
                continue
            if unit.parameters is not parameters:
                parameters = unit.parameters
                nals = tuple(nal for nal in (parameters.vps, parameters.sps, parameters.pps) if nal)
                await self._write(coder, Parameters(parameters.width, parameters.height, nals))
            await self._hand(coder, unit, time_90k)

    async def _hand(self, coder: Coder, unit: AccessUnit, time_90k: int) -> None:
        if self._keyframe_wished:
            self._keyframe_wished = False
            await self._write(coder, KeyframeWish())
        self._handed[time_90k] = _Stamp(unit.wall_ns, unit.received_ns, unit.time_source)
        if len(self._handed) > _REMEMBERED:
            del self._handed[next(iter(self._handed))]
        await self._write(coder, Coded(unit.nals, time_90k, unit.received_ns))

    async def _write(self, coder: Coder, message: Message) -> None:
        self._last_handed_ns = self._clock.monotonic_ns()
        if self._silent_since_ns is None:
            self._silent_since_ns = self._last_handed_ns
        self._handing = True
        await coder.write(message)
        self._handing = False

    async def _take_all(self, coder: Coder) -> None:
        parameters: VideoParameters | None = None
        while True:
            message = await coder.read()
            if isinstance(message, Parameters):
                kinds = [nal[0] & 0x1F if nal else 0 for nal in message.nals]
                if kinds != [_SPS, _PPS]:
                    raise CoderError("gave other parameter sets")
                sps, pps = message.nals
                parameters = VideoParameters(VideoCodec.H264, message.width, message.height, sps, pps)
            elif isinstance(message, Coded) and parameters is not None:
                self._take(message, parameters)
            else:
                raise CoderError("spoke out of turn")

    def _take(self, coded: Coded, parameters: VideoParameters) -> None:
        # Decoding hostile input it may be somebody else's by now: times are our own, and sizes are held.
        stamp = self._handed.pop(coded.time_90k, None)
        if stamp is None:
            raise CoderError("gave a picture that it was not handed")
        if not all(coded.nals) or not coded.nals:
            raise CoderError("gave an empty picture")
        for earlier in [time_90k for time_90k in self._handed if time_90k < coded.time_90k]:
            del self._handed[earlier]
        self._silent_since_ns = None
        self.feed.video(
            AccessUnit(
                nals=coded.nals,
                time_90k=coded.time_90k,
                wall_ns=stamp.wall_ns,
                keyframe=bool(coded.flags & Flag.KEYFRAME),
                parameters=parameters,
                received_ns=stamp.received_ns,
                time_source=stamp.time_source,
            )
        )

    async def _watch(self) -> None:
        async with every(self._clock, 1.0) as ticks:
            async for _ in ticks:
                # While the camera itself sends nothing, nothing is missed.
                until_ns = self._clock.monotonic_ns() if self._handing else self._last_handed_ns
                if self._silent_since_ns is not None and until_ns - self._silent_since_ns > SILENT_S * NS_PER_S:
                    raise CoderError("gave no picture")

    async def _until_idle(self) -> str:
        while True:
            await self._idle.wait()
            await self._clock.sleep(LINGER_S)
            if self.holders == 0 and self._clock.monotonic_ns() - self._idle_since_ns >= LINGER_S * NS_PER_S:
                return IDLE
