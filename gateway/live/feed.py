"""One camera stream as viewers know it: the group of pictures so far, one unbroken line of time, and who watches."""

from types import TracebackType
from typing import Protocol, Self

import structlog

from gateway.live.payload import MAX_PACKET_BYTES, Picture
from kernel.clock import NS_PER_S, Clock
from kernel.ids import CameraId, StreamName
from kernel.media import (
    AccessUnit,
    AudioCodec,
    AudioFrame,
    AudioParameters,
    GapCause,
    MetadataDocument,
    StreamDescription,
    VideoParameters,
)

_log = structlog.get_logger(__name__)

STALE_S = 5.0
"""A stream whose newest picture is older is not live."""
KEYFRAME_INTERVAL_S = 1.0
"""Cameras are asked for a keyframe at most this often, however many viewers wish for one."""
PASSED_THROUGH = frozenset({AudioCodec.PCMU, AudioCodec.PCMA})


def in_browsers(sound: AudioParameters) -> bool:
    """Tell whether every browser plays it (RFC 7874 section 3)."""
    return sound.codec in PASSED_THROUGH and sound.clock_hz == 8000


class RequestKeyframe(Protocol):
    """Asks the camera for a keyframe; returns at once."""

    def __call__(self) -> None:
        """Ask."""
        ...


class Watcher(Protocol):
    """Somebody who watches. No method may block or raise."""

    def picture(self, picture: Picture) -> None:
        """Take a picture."""
        ...

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """Take a packet of sound with its time on the feed's line."""
        ...

    def end(self, reason: str) -> None:
        """Watch no longer: the feed is gone or changed its coding."""
        ...


class TimeLine:
    """Maps media times that restart at every session to one line that only grows."""

    __slots__ = ("_clock_hz", "_last", "_last_at_ns", "_shift")

    def __init__(self, clock_hz: int) -> None:
        self._clock_hz = clock_hz
        self._shift: int | None = None
        self._last: int | None = None
        self._last_at_ns = 0

    def restart(self) -> None:
        """Media times restart with the next unit."""
        self._shift = None

    def place(self, time: int, at_ns: int) -> int:
        """Return where ``time`` lies; ``at_ns`` (any steady clock) measures the silence across a restart."""
        if self._shift is None:
            if self._last is None:
                self._shift = -time
            else:
                silence = max(0, at_ns - self._last_at_ns) * self._clock_hz // NS_PER_S
                self._shift = self._last + max(1, silence) - time
        placed = time + self._shift
        if self._last is not None and placed <= self._last:
            placed = self._last + 1
        self._last = placed
        self._last_at_ns = at_ns
        return placed


class LiveFeed:
    """Satisfies ``kernel.media.MediaSink``. A context manager: leaving it ends the views."""

    def __init__(  # noqa: PLR0913 - everything a feed is made of, once
        self,
        camera: CameraId,
        stream: StreamName,
        *,
        clock: Clock,
        request_keyframe: RequestKeyframe,
        cache_bytes: int,
        max_packet_bytes: int = MAX_PACKET_BYTES,
        transcoded: bool = False,
    ) -> None:
        self.camera = camera
        self.stream = stream
        self.transcoded = transcoded
        """Whether its pictures are coded anew here, from the H.265 of that stream."""
        self.parameters: VideoParameters | None = None
        self.sound: AudioParameters | None = None
        """What the camera's sound is coded as, where it sends any."""
        self._clock = clock
        self._request_keyframe = request_keyframe
        self._cache_bytes = cache_bytes
        self._max_packet_bytes = max_packet_bytes
        self.bit_s = 0.0
        """Bits a second of the last whole group of pictures; 0 before there was one."""
        self._group_bytes = 0
        self._group_since_90k: int | None = None
        self._cache: list[Picture] = []
        self._cached_bytes = 0
        self._flowing = False
        self._last_received_ns: int | None = None
        self._last_keyframe_ns: int | None = None
        self._last_request_ns: int | None = None
        self._video_line = TimeLine(90_000)
        self._sound_line: TimeLine | None = None
        self._sound_clock_hz = 0
        self._watchers: dict[Watcher, None] = {}
        self.coming = 0
        """Viewers whose offers were answered and whose views have not ended, there already or not."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every view of this stream."""
        self._forget()
        for watcher in tuple(self._watchers):
            watcher.end("the camera is no longer served here")

    @property
    def live(self) -> bool:
        """Return whether pictures come."""
        if not self._flowing or self._last_received_ns is None:
            return False
        return self._clock.monotonic_ns() - self._last_received_ns < STALE_S * NS_PER_S

    @property
    def browser_sound(self) -> AudioParameters | None:
        """Return the coding of the sound where browsers play it as it is: the two laws of G.711."""
        return self.sound if self.sound is not None and in_browsers(self.sound) else None

    @property
    def viewers(self) -> int:
        """Return how many watch."""
        return len(self._watchers)

    @property
    def wanted(self) -> bool:
        """Return whether somebody watches or is about to: pictures must not be late any more."""
        return self.coming > 0 or bool(self._watchers)

    def join(self, watcher: Watcher) -> tuple[Picture, ...]:
        """Let somebody watch; return the pictures since the last keyframe, after which every new one follows."""
        self._watchers[watcher] = None
        if not self._cache:
            self.want_keyframe()
        return tuple(self._cache)

    def leave(self, watcher: Watcher) -> None:
        """Forget somebody; one who never joined is no error."""
        self._watchers.pop(watcher, None)

    def cached(self) -> tuple[Picture, ...]:
        """Return the pictures since the last keyframe."""
        return tuple(self._cache)

    def want_keyframe(self) -> None:
        """Ask the camera for a keyframe unless it was asked, or sent one, just now."""
        now = self._clock.monotonic_ns()
        for then in (self._last_request_ns, self._last_keyframe_ns):
            if then is not None and now - then < KEYFRAME_INTERVAL_S * NS_PER_S:
                return
        self._last_request_ns = now
        self._request_keyframe()

    def started(self, description: StreamDescription) -> None:
        """See ``MediaSink``."""
        self.sound = description.audio
        self._forget()

    def video(self, unit: AccessUnit) -> None:
        """See ``MediaSink``."""
        if not self._flowing:
            if not unit.keyframe:
                return
            self._flowing = True
        if self.parameters is not None and unit.parameters.codec is not self.parameters.codec:
            _log.info("live.codec-changed", camera=self.camera, stream=self.stream, codec=unit.parameters.codec)
            for watcher in tuple(self._watchers):
                watcher.end("the camera changed its coding")
        self.parameters = unit.parameters
        self._last_received_ns = unit.received_ns
        time_90k = self._video_line.place(unit.time_90k, unit.received_ns)
        picture = Picture(unit, time_90k, self._max_packet_bytes)
        self._keep(picture)
        if unit.lost_before and self._watchers:
            self.want_keyframe()
        for watcher in tuple(self._watchers):
            watcher.picture(picture)

    def audio(self, frame: AudioFrame) -> None:
        """See ``MediaSink``."""
        if self.sound is None or not self._flowing:
            return
        if self._sound_line is None or self._sound_clock_hz != self.sound.clock_hz:
            self._sound_clock_hz = self.sound.clock_hz
            self._sound_line = TimeLine(self.sound.clock_hz)
        placed = self._sound_line.place(frame.time_clock, self._clock.monotonic_ns())
        for watcher in tuple(self._watchers):
            watcher.sound(frame, placed)

    def metadata(self, document: MetadataDocument) -> None:
        """See ``MediaSink``; viewers are not sent it."""

    def broken(self, cause: GapCause, detail: str) -> None:  # noqa: ARG002 - recording keeps them
        """See ``MediaSink``. Viewers stay: the picture goes on for them when the camera does."""
        self._forget()

    def _forget(self) -> None:
        self._cache.clear()
        self._cached_bytes = 0
        self._flowing = False
        self._group_since_90k = None
        self._video_line.restart()
        if self._sound_line is not None:
            self._sound_line.restart()

    def _keep(self, picture: Picture) -> None:
        if picture.keyframe:
            if self._group_since_90k is not None and picture.time_90k > self._group_since_90k:
                self.bit_s = self._group_bytes * 8 * 90_000 / (picture.time_90k - self._group_since_90k)
            self._group_since_90k, self._group_bytes = picture.time_90k, 0
            self._cache.clear()
            self._cached_bytes = 0
            self._last_keyframe_ns = self._clock.monotonic_ns()
        self._group_bytes += picture.size_bytes
        if not picture.keyframe and not self._cache:
            return
        if self._cached_bytes + picture.size_bytes > self._cache_bytes:
            self._cache.clear()
            self._cached_bytes = 0
            return
        self._cache.append(picture)
        self._cached_bytes += picture.size_bytes
