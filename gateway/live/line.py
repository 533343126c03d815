"""One viewer's line of pictures: which stream, from which picture on, at which times, and how fast.

The usual picture goes out within the call that brings it: no task is woken for it. What does not fit at once (a first
group of pictures, a keyframe that is spread out, a socket without room) is the sender task's.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from config.live import LiveSettings
from gateway.live.feed import LiveFeed
from gateway.live.pacing import Pacer
from gateway.live.payload import Picture
from gateway.live.track import Track
from kernel.clock import NS_PER_S, Clock
from kernel.ids import StreamName
from kernel.lanes import LiveLane
from kernel.media import AudioFrame

_log = structlog.get_logger(__name__)

SQUEEZED_90K = 90
"""1 ms: pictures that are sent all at once are this far apart, so that the browser shows now at once."""
REPLAY_BYTES = 1024 * 1024
"""A longer group of pictures is not sent again for a lost picture; the camera is asked for a keyframe."""
REPLAY_INTERVAL_S = 1.0
LOOK_AGAIN_S = 0.05
"""A sender that waits for its pace looks so often whether another stream is shown by now, which need not wait."""


class Room(Protocol):
    """Tells when the viewer's socket has room again."""

    async def writable(self) -> None:
        """Return once there may be room."""
        ...


class _Tap:
    """Satisfies ``gateway.live.feed.Watcher``: what one feed gives to the line."""

    def __init__(self, line: "PictureLine", feed: LiveFeed) -> None:
        self.feed = feed
        self._line = line

    def picture(self, picture: Picture) -> None:
        """See ``Watcher``. What goes wrong is this viewer's alone: recording and the others are behind it."""
        try:
            self._line.came(self, picture)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("live.viewer_failed", camera=self.feed.camera, stream=self.feed.stream)
            self._line.feed_ended(self, "failed")

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """See ``Watcher``; sound has its own way."""

    def end(self, reason: str) -> None:
        """See ``Watcher``."""
        self._line.feed_ended(self, reason)


class PictureLine:
    """Made with the answer; :meth:`run` begins once the viewer is connected."""

    def __init__(  # noqa: PLR0913 - everything a line is made of, once
        self,
        track: Track,
        room: Room,
        feed: LiveFeed,
        *,
        settings: LiveSettings,
        clock: Clock,
        ended: Callable[[str], None],
    ) -> None:
        self.frames_sent = 0
        self.pacer = Pacer(settings.pace_mbit_s * 1e6)
        self._track = track
        self._room = room
        self._clock = clock
        self._ended = ended
        self._now = _Tap(self, feed)
        self._next: _Tap | None = None
        self._whole_group_next = False
        """The stream that comes next begins with its cached group, not with its next keyframe."""
        self._lane: LiveLane[Picture] = LiveLane(capacity=settings.lane_pictures)
        self._shift_90k = 0
        """From the feed's line of time to the viewer's."""
        self._newest_wall_ns: int | None = None
        self._begun = False
        self._idle = False
        """The sender task waits, and nothing is before the next picture."""
        self._half_sent: tuple[Picture, int] | None = None
        """A picture in the lane of which so many payloads have gone out."""
        self._needs_keyframe = True
        self._whole_group = False
        """The next picture is sent with its group before it: something of it was lost, or it is of another stream."""
        self._replayed_ns: int | None = None

    @property
    def feed(self) -> LiveFeed:
        """Return the feed that is shown now."""
        return self._now.feed

    @property
    def stream(self) -> StreamName:
        """Return the stream that is shown now."""
        return self._now.feed.stream

    @property
    def waiting(self) -> int:
        """Return how many pictures wait for this viewer."""
        return len(self._lane)

    @property
    def dropped(self) -> int:
        """Return how many pictures this viewer could not be sent."""
        return self._lane.counters.dropped

    # --- what the feeds tell

    def came(self, tap: _Tap, picture: Picture) -> None:
        """Take a picture, and send it at once if nothing is before it."""
        if tap is not self._now and not (tap is self._next and self._take_over(tap, picture)):
            return
        if self._idle and not self._whole_group and (picture.keyframe or not self._needs_keyframe):
            if self._needs_keyframe:
                self._needs_keyframe = False
                self._lane.clear()  # it skips no further
            if self._send_at_once(picture):
                return
        if not self._lane.put(picture):
            self._needs_keyframe = True
            self._now.feed.want_keyframe()

    def feed_ended(self, tap: _Tap, reason: str) -> None:
        """See ``Watcher.end``."""
        if tap is self._next:
            self._next = None
        else:
            self._ended(reason)

    def _send_at_once(self, picture: Picture) -> bool:
        payloads = picture.payloads
        if self.pacer.room(self._clock.monotonic_ns()) < picture.size_bytes:
            return False
        time = picture.time_90k + self._shift_90k
        sent = self._track.send(payloads, 0, len(payloads), time)
        self.pacer.spend(picture.size_bytes)
        if sent < len(payloads):
            self._half_sent = picture, sent
            return False
        self._sent(picture, time)
        return True

    def _sent(self, picture: Picture, time: int) -> None:
        self.frames_sent += 1
        self._newest_wall_ns = picture.unit.wall_ns
        self._track.taken(time, picture.unit.wall_ns)

    # --- what the session tells

    def lost_picture(self, now_ns: int) -> None:
        """Send the group of pictures again with the next one, or have the camera asked for a keyframe."""
        if self._replayed_ns is not None and now_ns - self._replayed_ns < REPLAY_INTERVAL_S * NS_PER_S:
            return
        self._whole_group = True
        cached = self._now.feed.cached()
        if not cached or sum(picture.size_bytes for picture in cached) > REPLAY_BYTES:
            self._now.feed.want_keyframe()

    def show(self, feed: LiveFeed, *, at_once: bool) -> None:
        """Change over to another stream of the camera: with its cached group, or at its next keyframe."""
        self._whole_group_next = at_once
        if self._next is not None:
            if self._next.feed is feed:
                return
            self._next.feed.leave(self._next)
            self._next = None
        if feed is self._now.feed:
            return
        self._next = _Tap(self, feed)
        feed.join(self._next)
        if not at_once:
            feed.want_keyframe()

    def leave(self) -> None:
        """Take nothing more."""
        for tap in (self._now, self._next):
            if tap is not None:
                tap.feed.leave(tap)
        self._track.forget()

    def _take_over(self, tap: _Tap, picture: Picture) -> bool:
        """Show another stream from this picture on, if that is possible at this one; return whether it was."""
        if not self._begun:
            return False
        shift = self._time_for(picture) - picture.time_90k
        if not picture.keyframe:
            if not self._whole_group_next or not self._can_replay(picture, tap.feed, shift):
                return False
            self._whole_group = True
        self._now.feed.leave(self._now)
        _log.info("live.changed-over", camera=tap.feed.camera, stream=tap.feed.stream)
        self._now, self._next = tap, None
        # What waits, is half sent or was missed is of the stream before: the new keyframe needs none of it.
        self._lane.clear()
        self._half_sent = None
        self._track.forget()
        self.pacer.forgive()
        self._shift_90k = shift
        self._needs_keyframe = False
        return True

    def _time_for(self, picture: Picture) -> int:
        """Return the time on the viewer's line of the first picture of another stream.

        One camera clock dates both streams, so that the distance is known; where it is not, the line goes on by 1 ms.
        """
        last = self._track.last_time
        if self._newest_wall_ns is None:
            return last + SQUEEZED_90K
        apart = (picture.unit.wall_ns - self._newest_wall_ns) * 90_000 // NS_PER_S
        return last + (apart if 0 < apart < 90_000 * 10 else SQUEEZED_90K)

    # --- the sender task

    async def begin(self) -> None:
        """Send the cached group of pictures; what comes meanwhile waits."""
        cached = self._now.feed.join(self._now)
        if cached:
            self._needs_keyframe = False
            await self._squeeze(cached, SQUEEZED_90K)
        self._begun = True

    async def run(self) -> None:
        """Send what comes until cancelled."""
        while True:
            self._idle = not len(self._lane)
            picture = await self._lane.get()
            self._idle = False
            half, self._half_sent = self._half_sent, None
            if self._needs_keyframe:
                if not picture.keyframe:
                    continue
                self._needs_keyframe = False
            if picture.keyframe:
                self._whole_group = False
            if self._whole_group and self._can_replay(picture, self._now.feed, self._shift_90k):
                await self._replay(picture)
            else:
                time = picture.time_90k + self._shift_90k
                if await self._send(picture, time, half[1] if half is not None and half[0] is picture else 0):
                    self._sent(picture, time)

    async def _send(self, picture: Picture, time: int, start: int = 0) -> bool:
        """Send a picture, from payload ``start`` on, no faster than the line takes it.

        Return whether it went whole: it is broken off where another stream is shown in the meantime.
        """
        payloads, pacer, clock, tap = picture.payloads, self.pacer, self._clock, self._now
        count = len(payloads)
        while start < count:
            if self._now is not tap:
                return False
            room = pacer.room(clock.monotonic_ns())
            stop, size = start, 0
            while stop < count and size < room:
                size += len(payloads[stop])
                stop += 1
            if stop == start:
                await clock.sleep(min(LOOK_AGAIN_S, pacer.wait_s(sum(map(len, payloads[start:])))))
                continue
            sent = self._track.send(payloads, start, stop, time)
            pacer.spend(size if sent == stop else sum(map(len, payloads[start:sent])))
            if sent < stop:
                await self._room.writable()
            start = sent
        return self._now is tap

    async def _squeeze(self, pictures: Sequence[Picture], step_90k: int) -> None:
        """Send pictures ``step_90k`` apart so that the last has its own time (docs/design/media.md, *WebRTC*)."""
        newest_90k = pictures[-1].time_90k + self._shift_90k
        for place, picture in enumerate(pictures, 1 - len(pictures)):
            if not await self._send(picture, newest_90k + place * step_90k):
                return
            self.frames_sent += 1
        newest = pictures[-1]
        self._newest_wall_ns = newest.unit.wall_ns
        self._track.taken(newest_90k, newest.unit.wall_ns)

    def _can_replay(self, picture: Picture, feed: LiveFeed, shift_90k: int) -> bool:
        """Tell whether the group up to ``picture``, which is due now, can be sent whole before its own time."""
        cached = feed.cached()
        return (
            bool(cached)
            and cached[-1] is picture
            and sum(one.size_bytes for one in cached) <= REPLAY_BYTES
            and picture.time_90k + shift_90k - self._track.last_time >= len(cached)
        )

    async def _replay(self, picture: Picture) -> None:
        self._whole_group = False
        self._replayed_ns = self._clock.monotonic_ns()
        cached = self._now.feed.cached()
        room_90k = (picture.time_90k + self._shift_90k - self._track.last_time) // len(cached)
        await self._squeeze(cached, min(SQUEEZED_90K, room_90k))
