"""One viewer: from the answered offer to the end of the view."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)

from config.live import LiveSettings
from gateway.fleet.rpc import ViewerState
from gateway.live.answer import Ground, Source, write_answer
from gateway.live.errors import LiveAddressError
from gateway.live.feed import LiveFeed
from gateway.live.offer import Fragment, Offer
from gateway.live.payload import Picture
from gateway.live.peer import Peer
from gateway.live.port import LivePort
from gateway.live.reference import ReferenceTimes
from gateway.live.track import Track, report_delay_s
from kernel.clock import NS_PER_S, Clock
from kernel.lanes import LiveLane
from kernel.media import AudioFrame

_log = structlog.get_logger(__name__)

SQUEEZED_90K = 90
"""1 ms: the cached pictures of a new viewer are this far apart, so that the browser shows now at once."""
REPLAY_BYTES = 1024 * 1024
"""A longer group of pictures is not sent again for a lost picture; the camera is asked for a keyframe."""
REPLAY_INTERVAL_S = 1.0
CANCEL_AGAIN_S = 1.0
BURST_BYTES = 64 * 1024
BURST_PAUSE_S = 0.001
"""A cached group of pictures goes out in bursts that fit a browser's socket buffer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerFacts:
    """Who watches, and from where, as the gateway knows them."""

    who: str
    address: str
    user: str = ""
    access_session: str = ""
    """The access session or token that the view was opened through."""


class Session:
    """Satisfies ``gateway.live.feed.Watcher``."""

    def __init__(  # noqa: PLR0913 - everything a session is made of, once
        self,
        identity: str,
        etag: str,
        *,
        feed: LiveFeed,
        offer: Offer,
        viewer: ViewerFacts,
        settings: LiveSettings,
        port: LivePort,
        clock: Clock,
    ) -> None:
        self.id = identity
        self.etag = etag
        self.feed = feed
        self.viewer = viewer
        self._offer = offer
        self._settings = settings
        self._clock = clock
        self._since_wall_ns = clock.wall_ns()
        self._reference = ReferenceTimes()
        self._since_ns = clock.monotonic_ns()
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._peer = Peer(settings, port, on_rtcp=self._rtcp, on_over=self.end)
        video, audio = offer.section("video"), offer.section("audio")
        assert video is not None
        assert video.coding is not None
        self._video = Track(self._peer, video.coding, clock_hz=90_000)
        self._audio = Track(self._peer, audio.coding, clock_hz=8_000) if audio and audio.coding else None
        self._lane: LiveLane[Picture] = LiveLane(capacity=settings.lane_pictures)
        self._connected = False
        self._needs_keyframe = True
        self._lost_picture = False
        self._replayed_ns: int | None = None
        self._frames_sent = 0
        self._progress: tuple[int | None, int, int] = (None, 0, self._since_ns)

    async def answer(self) -> str:
        """Bind, and return the answer with every candidate.

        Raises:
            LiveAddressError: there is no address to serve from.
        """
        candidates = await self._peer.gather()
        if not candidates:
            raise LiveAddressError(
                "This host has no address to serve viewers from.",
                cure="Set live.addresses, or live.loopback for viewers on the same machine.",
            )
        ground = Ground(
            session=self.id,
            cname=self.id,
            ice=self._peer.parameters,
            fingerprint=self._peer.fingerprint,
            setup="passive" if self._offer.dtls.role == "client" else "active",
            candidates=candidates,
        )
        sources = {"video": Source(ssrc=self._video.ssrc, rtx_ssrc=self._video.rtx_ssrc)}
        if self._audio is not None:
            sources["audio"] = Source(ssrc=self._audio.ssrc)
        return write_answer(self._offer, ground, sources)

    async def run(self) -> None:
        """Serve the viewer until the view ends, whatever ends it; leaves no socket and no task."""
        try:
            work = [asyncio.create_task(step) for step in (self._serve(), self._keep())]
            try:
                over: list[asyncio.Future[Any]] = [self._over, *work]
                await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in work:
                    await _end(task)
            for task in work:
                if not task.cancelled() and task.exception() is not None:
                    self.end("failed")
                    task.result()
        finally:
            self.feed.leave(self)
            await self._peer.close()
            reason = self._over.result() if self._over.done() and not self._over.cancelled() else "shutdown"
            _log.info("live.ended", session=self.id, camera=self.feed.camera, stream=self.feed.stream, reason=reason)

    async def abandon(self) -> None:
        """Release what an answer that was never given has bound."""
        await self._peer.close()

    def end(self, reason: str) -> None:
        """End the view."""
        if not self._over.done():
            self._over.set_result(reason)

    async def trickle(self, fragment: Fragment) -> None:
        """Take the viewer's later candidates."""
        for candidate in fragment.candidates:
            await self._peer.add_candidate(candidate)

    @property
    def remote_username_fragment(self) -> str | None:
        """Return the ICE user fragment of the offer."""
        return self._offer.ice.usernameFragment

    @property
    def waiting(self) -> int:
        """Return how many pictures wait for this viewer's line."""
        return len(self._lane)

    @property
    def dropped(self) -> int:
        """Return how many pictures this viewer's line could not take."""
        return self._lane.counters.dropped

    def state(self) -> ViewerState:
        """Return what was truly sent."""
        tracks = [track.stats for track in (self._video, self._audio) if track is not None]
        return ViewerState(
            session=self.id,
            camera=self.feed.camera,
            stream=self.feed.stream,
            who=self.viewer.who,
            address=self.viewer.address,
            user=self.viewer.user,
            access_session=self.viewer.access_session,
            since_ns=self._since_wall_ns,
            connected=self._connected,
            frames_sent=self._frames_sent,
            packets_sent=sum(stats.packets for stats in tracks),
            bytes_sent=sum(stats.octets for stats in tracks),
            frames_dropped=self._lane.counters.dropped,
            retransmitted=sum(stats.retransmitted for stats in tracks),
            packets_lost=sum(stats.lost for stats in tracks),
            fraction_lost=self._video.stats.fraction_lost,
            rtt_ms=self._video.stats.rtt_ms,
        )

    def picture(self, picture: Picture) -> None:
        """See ``Watcher``."""
        if not self._lane.put(picture):
            self.feed.want_keyframe()

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """See ``Watcher``."""
        if self._audio is not None and self._connected:
            self._audio.send_now(frame.data, time_clock, frame.wall_ns)

    async def _serve(self) -> None:
        for candidate in self._offer.candidates:
            await self._peer.add_candidate(candidate)
        if not await self._peer.connect(self._offer.ice, self._offer.dtls):
            self.end("no connection")
            return
        if self._over.done():
            return  # closed while the handshake came to its end, which may have lost the cancellation
        self._connected = True
        self._progress = (None, 0, self._clock.monotonic_ns())
        _log.info("live.connected", session=self.id, camera=self.feed.camera, stream=self.feed.stream)
        cached = self.feed.join(self)
        if cached:
            self._needs_keyframe = False
            await self._squeeze(cached, SQUEEZED_90K)
            # At once, so that sound and picture are in step from the first second.
            self._report()
        while True:
            picture = await self._lane.get()
            if self._needs_keyframe:
                if not picture.keyframe:
                    continue
                self._needs_keyframe = False
            if self._lost_picture and self._replay_instead(picture):
                await self._replay(picture)
            else:
                await self._send(picture)

    async def _send(self, picture: Picture) -> None:
        if picture.keyframe:
            self._lost_picture = False
        await self._video.send(picture.payloads, picture.time_90k, picture.unit.wall_ns)
        self._frames_sent += 1

    async def _squeeze(self, pictures: Sequence[Picture], step_90k: int) -> None:
        """Send pictures ``step_90k`` apart so that the last has its own time (docs/design/media.md, *WebRTC*)."""
        newest, burst = pictures[-1], 0
        for place, picture in enumerate(pictures, 1 - len(pictures)):
            wall_ns = picture.unit.wall_ns if picture is newest else None
            await self._video.send(picture.payloads, newest.time_90k + place * step_90k, wall_ns)
            self._frames_sent += 1
            burst += picture.size_bytes
            if burst >= BURST_BYTES:
                burst = 0
                await self._clock.sleep(BURST_PAUSE_S)

    def _replay_instead(self, picture: Picture) -> bool:
        """Tell whether to mend a lost picture by sending the group again up to ``picture``, which is due now."""
        cached = self.feed.cached()
        return (
            not picture.keyframe
            and bool(cached)
            and cached[-1] is picture
            and sum(one.size_bytes for one in cached) <= REPLAY_BYTES
            and picture.time_90k - self._video.last_time >= len(cached)
        )

    async def _replay(self, picture: Picture) -> None:
        self._lost_picture = False
        self._replayed_ns = self._clock.monotonic_ns()
        cached = self.feed.cached()
        room_90k = (picture.time_90k - self._video.last_time) // len(cached)
        await self._squeeze(cached, min(SQUEEZED_90K, room_90k))

    async def _keep(self) -> None:
        """Send reports, and let go of a viewer who never comes, or came and takes nothing in."""
        while True:
            await self._clock.sleep(report_delay_s())
            now = self._clock.monotonic_ns()
            if not self._connected:
                if now - self._since_ns > self._settings.connect_timeout_s * NS_PER_S:
                    self.end("did not connect")
                continue
            self._report()
            self._watch_progress(now)

    def _report(self) -> None:
        wall_ns, now_ns = self._clock.wall_ns(), self._clock.monotonic_ns()
        for track in (self._video, self._audio):
            report = track.sender_report(wall_ns, now_ns, self.id) if track is not None else None
            if track is not None and report is not None:
                self._peer.send_rtcp(report + self._reference.answer(track.ssrc, now_ns))

    def _watch_progress(self, now_ns: int) -> None:
        reported, packets, since_ns = self._progress
        stats = self._video.stats
        if stats.highest_reported != reported or stats.packets == packets:
            self._progress = (stats.highest_reported, stats.packets, now_ns)
        elif now_ns - since_ns > self._settings.stall_timeout_s * NS_PER_S:
            self.end("stalled")

    def _rtcp(self, data: bytes) -> None:
        """Answer feedback (RFC 4585, RFC 5104)."""
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            return
        now = self._clock.monotonic_ns()
        self._reference.heard(data, now)
        for packet in packets:
            if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
                for report in packet.reports:
                    track = self._track(report.ssrc)
                    if track is not None:
                        track.reported(report, now)
            elif isinstance(packet, RtcpRtpfbPacket):
                track = self._track(packet.media_ssrc)
                if packet.fmt == RTCP_RTPFB_NACK and track is not None:
                    track.retransmit(packet.lost, now)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in {RTCP_PSFB_PLI, RTCP_PSFB_FIR}:
                self._picture_lost(now)

    def _track(self, ssrc: int) -> Track | None:
        if ssrc == self._video.ssrc:
            return self._video
        return self._audio if self._audio is not None and ssrc == self._audio.ssrc else None

    def _picture_lost(self, now_ns: int) -> None:
        if self._replayed_ns is not None and now_ns - self._replayed_ns < REPLAY_INTERVAL_S * NS_PER_S:
            return
        self._lost_picture = True
        cached = self.feed.cached()
        if not cached or sum(picture.size_bytes for picture in cached) > REPLAY_BYTES:
            self.feed.want_keyframe()


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it ends.

    Once is not always enough: ``asyncio.wait_for`` of Python 3.11, in which aiortc waits for packets of the handshake,
    forgets a cancellation that comes in the same turn as the packet.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
