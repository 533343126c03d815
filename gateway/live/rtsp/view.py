"""One view over RTSP, from the first SETUP to its end. Pictures come by the line that WebRTC viewers have too."""

import secrets
from collections.abc import Callable
from typing import Protocol

import structlog

from config.live import LiveSettings
from gateway.fleet.outlets import Outlet
from gateway.fleet.rpc import ViewerState
from gateway.live.feed import LiveFeed
from gateway.live.line import PictureLine
from gateway.live.offer import Coding
from gateway.live.payload import Picture
from gateway.live.rtsp.description import AUDIO, VIDEO, VIDEO_TYPE, audio_payload, audio_type
from gateway.live.rtsp.wire import InterleavedWire, Outgoing
from gateway.live.track import Track
from gateway.live.views import ViewerFacts
from kernel.clock import Clock
from kernel.ids import new_id
from kernel.media import AudioFrame

_log = structlog.get_logger(__name__)


class Carrier(Outgoing, Protocol):
    """The connection, as its view uses it."""

    async def writable(self) -> None:
        """Return once there may be room."""
        ...

    def cut(self, reason: str) -> None:
        """End the connection at once: what has not left is never sent."""
        ...


class _Ear:
    """Satisfies ``gateway.live.feed.Watcher``: the sound, and the end of the feed."""

    def __init__(self, view: "RtspView") -> None:
        self._view = view

    def picture(self, picture: Picture) -> None:
        """See ``Watcher``; pictures have their own way."""

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """See ``Watcher``."""
        self._view.sound(frame, time_clock)

    def end(self, reason: str) -> None:
        """See ``Watcher``."""
        self._view.end(reason)


class RtspView:
    """Satisfies ``gateway.live.views.View``."""

    def __init__(  # noqa: PLR0913 - everything a view is made of, once
        self,
        feed: LiveFeed,
        outlet: Outlet,
        address: str,
        carrier: Carrier,
        *,
        base: str,
        settings: LiveSettings,
        clock: Clock,
    ) -> None:
        self.id = new_id()
        self.session = secrets.token_hex(16)
        """The RTSP session: whoever knows it may play and end the view, on this connection alone."""
        self.feed = feed
        self.outlet = outlet
        self.base = base
        self.playing = False
        # When it ends is its outlet's business, which may change.
        self.viewer = ViewerFacts(
            who=outlet.subject, address=address, user=outlet.user, access_session=outlet.access_session, outside=True
        )
        self.since_ns = clock.wall_ns()
        self._carrier = carrier
        self._settings = settings
        self._clock = clock
        self._tracks: dict[str, tuple[Track, InterleavedWire]] = {}
        self._line: PictureLine | None = None
        self._sound = feed.sound
        self._ear = _Ear(self)

    def channels(self) -> set[int]:
        """Return the interleaved channels in use."""
        return {number for _, wire in self._tracks.values() for number in (wire.channel, wire.channel + 1)}

    def has(self, kind: str) -> bool:
        """Tell whether a track is set up."""
        return kind in self._tracks

    def set_up(self, kind: str, channel: int) -> Track | None:
        """Carry a track on ``channel`` and the next; return it, or ``None`` where the stream has no such track."""
        wire = InterleavedWire(self._carrier, channel)
        if kind == VIDEO:
            track = Track(wire, Coding(payload_type=VIDEO_TYPE, name=""), clock_hz=90_000, remembers=False)
            self._line = PictureLine(
                track, self._carrier, self.feed, settings=self._settings, clock=self._clock, ended=self.end
            )
        elif kind == AUDIO and self._sound is not None:
            coding = Coding(payload_type=audio_type(self._sound), name="")
            track = Track(wire, coding, clock_hz=self._sound.clock_hz, remembers=False)
        else:
            return None
        self._tracks[kind] = (track, wire)
        return track

    def rtp_info(self) -> str:
        """Return which numbers the tracks begin with (RFC 2326 section 12.33)."""
        return ",".join(
            f"url={self.base}track={kind};seq={one.next_sequence}" for kind, (one, _) in self._tracks.items()
        )

    async def run(self) -> None:
        """Send until cancelled: the cached group of pictures first, so that there is a picture at once."""
        try:
            self.feed.join(self._ear)
            if self._line is not None:
                await self._line.begin()
                # At once: recorders place what they keep by it.
                self.report()
                await self._line.run()
        except Exception:  # noqa: BLE001 - one viewer must not end the others, nor the recordings of this host
            _log.exception("live.viewer_failed", session=self.id, camera=self.feed.camera, stream=self.feed.stream)
            self.end("failed")

    def report(self) -> None:
        """Send sender reports: the camera's own time of capture of what was sent."""
        now_ns, wall_ns = self._clock.monotonic_ns(), self._clock.wall_ns()
        for track, wire in self._tracks.values():
            compound = track.sender_report(wall_ns, now_ns, self.id)
            if compound is not None:
                wire.send_rtcp(compound)

    def leave(self) -> None:
        """Take nothing more from the camera."""
        self.feed.leave(self._ear)
        if self._line is not None:
            self._line.leave()

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """Send a packet of sound, as long as it is coded as was described."""
        found = self._tracks.get(AUDIO)
        if found is None or self._sound is None or frame.parameters != self._sound:
            return
        payload = audio_payload(frame)
        if payload is not None:
            found[0].send_now(payload, time_clock, frame.wall_ns, marker=payload is not frame.data)

    @property
    def waiting(self) -> int:
        """See ``View``."""
        return self._line.waiting if self._line is not None else 0

    @property
    def dropped(self) -> int:
        """See ``View``."""
        return self._line.dropped if self._line is not None else 0

    def state(self) -> ViewerState:
        """See ``View``. Loss is not known: TCP mends it, at the price of delay."""
        stats = [track.stats for track, _ in self._tracks.values()]
        return ViewerState(
            session=self.id,
            kind="rtsp",
            outlet=self.outlet.id,
            camera=self.feed.camera,
            stream=self.feed.stream,
            shown=self.feed.stream,
            asked=self.feed.stream,
            who=self.viewer.who,
            address=self.viewer.address,
            user=self.viewer.user,
            access_session=self.viewer.access_session,
            since_ns=self.since_ns,
            connected=self.playing,
            frames_sent=self._line.frames_sent if self._line is not None else 0,
            packets_sent=sum(one.packets for one in stats),
            bytes_sent=sum(one.octets for one in stats),
            frames_dropped=self.dropped,
        )

    def end(self, reason: str) -> None:
        """See ``View``."""
        self._carrier.cut(reason)


Told = Callable[[RtspView, str | None], None]
"""Hears that a view plays (``None``), or why it ended."""
