"""All transcodes of a camera host: one for each watched stream that needs it, so many and no more."""

import asyncio
from typing import Protocol

import structlog

from config.live import LiveSettings
from gateway.live.errors import LiveTranscodeError, LiveTranscodesFullError
from gateway.live.feed import LiveFeed
from gateway.live.transcode.process import OpenCoder, open_coder
from gateway.live.transcode.running import GAVE_UP, Transcode
from kernel.clock import NS_PER_S, Clock
from kernel.ids import CameraId, StreamName

_log = structlog.get_logger(__name__)

REST_S = 30
"""A stream that could not be coded anew is not tried again before."""


class Ended(Protocol):
    """Told of every transcode that is over, so that its views end."""

    def __call__(self, feed: LiveFeed, reason: str) -> None:
        """Take note."""
        ...


class Transcodes:
    """The hub's; every transcode is a task of its ``group``."""

    def __init__(
        self,
        settings: LiveSettings,
        *,
        clock: Clock,
        group: asyncio.TaskGroup,
        ended: Ended,
        open_coder: OpenCoder = open_coder,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._group = group
        self._ended = ended
        self._open_coder = open_coder
        self._slots = asyncio.Semaphore(max(1, settings.transcodes))
        self._by_stream: dict[tuple[CameraId, StreamName], Transcode] = {}
        self._all: set[Transcode] = set()
        self._resting: dict[tuple[CameraId, StreamName], int] = {}

    @property
    def count(self) -> int:
        """Return how many streams are being coded anew, without those whose process is just being ended."""
        return len(self._going())

    @property
    def limit(self) -> int:
        """Return how many may be."""
        return self._settings.transcodes

    def all(self) -> tuple[Transcode, ...]:
        """Return every transcode."""
        return tuple(self._all)

    def hold(self, source: LiveFeed) -> Transcode:
        """Return the transcode of a stream, counted for one more viewer, who must ``release`` it.

        Raises:
            LiveTranscodesFullError: as many as may be are watched.
            LiveTranscodeError: this stream could not be decoded just now.
        """
        found = self.running(source)
        if found is None:
            found = self._start(source)
        found.hold()
        return found

    def running(self, source: LiveFeed) -> Transcode | None:
        """Return the transcode of a stream, if there is one."""
        found = self._by_stream.get((source.camera, source.stream))
        return found if found is not None and found.source is source and not found.over else None

    def _going(self) -> list[Transcode]:
        return [one for one in self._all if not one.over]

    def _start(self, source: LiveFeed) -> Transcode:
        key = (source.camera, source.stream)
        if self._resting.get(key, 0) > self._clock.monotonic_ns():
            raise LiveTranscodeError(
                "The camera's H.265 could not be decoded for this browser.",
                cure="It is tried again by itself; set the camera to H.264, or use a browser that plays H.265.",
            )
        self._resting.pop(key, None)
        going = self._going()
        if len(going) >= self.limit:
            idle = [one for one in going if one.holders == 0]
            if not idle:
                raise LiveTranscodesFullError(
                    f"All places ({self.limit}) for pictures that must be converted from H.265 are taken.",
                    cure="Close such a picture, use a browser that plays H.265, or raise live.transcodes.",
                )
            min(idle, key=lambda one: one.idle_since_ns).end("its place was needed")
        transcode = Transcode(source, settings=self._settings, clock=self._clock, open_coder=self._open_coder)
        self._by_stream[key] = transcode
        self._all.add(transcode)
        self._group.create_task(self._run(key, transcode), name=f"transcode {source.camera} {source.stream}")
        return transcode

    async def _run(self, key: tuple[CameraId, StreamName], transcode: Transcode) -> None:
        """Run one to its end. Whatever goes wrong there is its viewers' alone."""
        reason = "failed"
        try:
            reason = await transcode.run(self._slots)
        except Exception:  # noqa: BLE001 - the host records on
            _log.exception("transcode.broke", camera=transcode.source.camera, stream=transcode.source.stream)
        finally:
            transcode.end(reason)
            self._all.discard(transcode)
            if self._by_stream.get(key) is transcode:
                del self._by_stream[key]
            if reason == GAVE_UP:
                self._resting[key] = self._clock.monotonic_ns() + REST_S * NS_PER_S
            _log.info("transcode.ended", camera=transcode.source.camera, stream=transcode.source.stream, reason=reason)
            self._ended(transcode.feed, reason)
            transcode.feed.close()

    def let_go(self, source: LiveFeed, reason: str) -> None:
        """End what is made of a stream that is no more."""
        for transcode in self._all:
            if transcode.source is source:
                transcode.end(reason)

    def close(self) -> None:
        """End all."""
        for transcode in self._all:
            transcode.end("shutdown")
