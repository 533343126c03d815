"""One viewer: from the answered offer to the end of the view."""

import asyncio
import secrets
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from aiortc import RTCIceParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from config.live import LiveSettings
from gateway.fleet.rpc import ViewerState
from gateway.live.answer import Ground, Source, write_answer
from gateway.live.errors import LiveAddressError, LiveFragmentError
from gateway.live.feed import LiveFeed, in_browsers
from gateway.live.fragment import IceTurns, Restarted, check_precondition, read_fragment, write_fragment
from gateway.live.ladder import Ladder
from gateway.live.line import PictureLine
from gateway.live.offer import Offer
from gateway.live.payload import Picture
from gateway.live.peer import Peer
from gateway.live.port import LivePort
from gateway.live.reference import ReferenceTimes
from gateway.live.track import Track, report_delay_s
from gateway.live.views import ViewerFacts
from kernel.clock import NS_PER_S, Clock
from kernel.ids import StreamName
from kernel.media import AudioFrame

_log = structlog.get_logger(__name__)

CANCEL_AGAIN_S = 1.0


class _Ear:
    """Satisfies ``gateway.live.feed.Watcher``: the sound, which stays that of the stream that was asked for."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def picture(self, picture: Picture) -> None:
        """See ``Watcher``."""

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """See ``Watcher``."""
        self._session.sound(frame, time_clock)

    def end(self, reason: str) -> None:
        """See ``Watcher``."""
        self._session.end(reason)


class Session:
    """Made by the hub for each offer."""

    def __init__(  # noqa: PLR0913 - everything a session is made of, once
        self,
        identity: str,
        *,
        feed: LiveFeed,
        asked: StreamName,
        lower: Callable[[], LiveFeed | None] = lambda: None,
        offer: Offer,
        viewer: ViewerFacts,
        settings: LiveSettings,
        port: LivePort,
        clock: Clock,
    ) -> None:
        """``asked`` is the stream that was asked for, ``feed`` what is shown for it where the line carries that.

        ``lower`` gives the live stream of the same coding for a line that cannot carry ``feed``, if there is one.
        """
        self.id = identity
        self.etag = _etag()
        """Strong, of the present ICE session; with its quotation marks."""
        self.feed = feed
        self.asked = asked
        self.viewer = viewer
        self._offer = offer
        self._turns = IceTurns(offer)
        self._patching = asyncio.Lock()
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
        self._line = PictureLine(self._video, self._peer, feed, settings=settings, clock=clock, ended=self._feed_ended)
        self._ear = _Ear(self)
        self._lower = lower
        self._ladder = Ladder(self._since_ns)
        self._dropped_before = 0
        self._connected = False
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
            work = [asyncio.create_task(step) for step in (self._serve(), self._keep(), self._peer.follow_restarts())]
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
            self._line.leave()
            self.feed.leave(self._ear)
            await self._peer.close()
            _log.info(
                "live.ended", session=self.id, camera=self.feed.camera, stream=self.feed.stream, reason=self.reason
            )

    async def abandon(self) -> None:
        """Release what an answer that was never given has bound."""
        await self._peer.close()

    @property
    def reason(self) -> str:
        """Return why the view ended."""
        return self._over.result() if self._over.done() and not self._over.cancelled() else "shutdown"

    def end(self, reason: str) -> None:
        """End the view."""
        if not self._over.done():
            self._over.set_result(reason)

    async def patch(self, body: bytes | str, if_match: str | None) -> Restarted | None:
        """Take the viewer's later candidates, or restart ICE; return what a restart is answered with.

        Whatever is refused leaves the view as it was (draft-ietf-wish-whep-03 section 4.4.3). Requests are taken one
        after another.

        Raises:
            LivePreconditionError: see ``check_precondition``.
            LiveOfferError, LiveFragmentError: see ``read_fragment`` and ``IceTurns.restarts``.
        """
        async with self._patching:
            check_precondition(if_match, self.etag)
            fragment = read_fragment(body)
            theirs = self._turns.restarts(fragment)
            restarted = None if theirs is None else await self._restart(theirs)
            for candidate in fragment.candidates:
                await self._peer.add_candidate(candidate)
            return restarted

    async def _restart(self, theirs: RTCIceParameters) -> Restarted:
        if not self._peer.restartable or self._over.done():
            raise LiveFragmentError("ICE cannot be restarted before it is connected.", cure="POST a new offer.")
        candidates = await self._peer.restart(theirs)
        self._turns.turn(theirs)
        self.etag = _etag()
        _log.info("live.ice_restarted", session=self.id, camera=self.feed.camera, stream=self.feed.stream)
        return Restarted(fragment=write_fragment(self._offer, self._peer.parameters, candidates), etag=self.etag)

    @property
    def waiting(self) -> int:
        """Return how many pictures wait for this viewer's line."""
        return self._line.waiting

    @property
    def dropped(self) -> int:
        """Return how many pictures this viewer's line could not take."""
        return self._line.dropped

    def state(self) -> ViewerState:
        """Return what was truly sent."""
        tracks = [track.stats for track in (self._video, self._audio) if track is not None]
        return ViewerState(
            session=self.id,
            camera=self.feed.camera,
            stream=self._line.stream,
            shown=self.feed.stream,
            asked=self.asked,
            until_ns=self.viewer.until_ns,
            transcoded=self.feed.transcoded,
            who=self.viewer.who,
            address=self.viewer.address,
            user=self.viewer.user,
            access_session=self.viewer.access_session,
            since_ns=self._since_wall_ns,
            connected=self._connected,
            frames_sent=self._line.frames_sent,
            packets_sent=sum(stats.packets for stats in tracks),
            bytes_sent=sum(stats.octets for stats in tracks),
            frames_dropped=self._line.dropped,
            retransmitted=sum(stats.retransmitted for stats in tracks),
            packets_lost=sum(stats.lost for stats in tracks),
            fraction_lost=self._video.stats.fraction_lost,
            rtt_ms=self._video.stats.rtt_ms,
        )

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """Send a packet of sound."""
        if self._audio is not None and self._connected and in_browsers(frame.parameters):
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
        self._ladder = Ladder(self._clock.monotonic_ns())
        _log.info("live.connected", session=self.id, camera=self.feed.camera, stream=self.feed.stream)
        if self._audio is not None:
            self.feed.join(self._ear)
        await self._line.begin()
        # At once, so that sound and picture are in step from the first second.
        self._report()
        await self._line.run()

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
            if self._line.dropped > self._dropped_before:
                self._dropped_before = self._line.dropped
                self._ladder.overrun(now)
            self._fit()

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

    def _feed_ended(self, reason: str) -> None:
        """End the view with its stream, or go back to the stream that was asked for where another was shown."""
        if self._line.feed is not self.feed and self.feed.live:
            self._line.show(self.feed, at_once=True)
        else:
            self.end(reason)

    def _fit(self) -> None:
        """Show the stream that the viewer's line can carry."""
        lower = self._lower()
        if self._ladder.lower:
            if lower is not None:
                self._line.show(lower, at_once=True)
        elif self._line.feed is not self.feed:
            self._line.show(self.feed, at_once=False)

    def _rtcp(self, data: bytes) -> None:
        """Answer feedback (RFC 4585, RFC 5104)."""
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, IndexError, struct.error):
            return
        now = self._clock.monotonic_ns()
        self._reference.heard(data, now)
        for packet in packets:
            if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
                for report in packet.reports:
                    self._reported(report, now)
            elif isinstance(packet, RtcpRtpfbPacket):
                track = self._track(packet.media_ssrc)
                if packet.fmt == RTCP_RTPFB_NACK and track is self._video:
                    pacer = self._line.pacer
                    pacer.spend(self._video.retransmit(packet.lost, now, pacer.credit(now)))
            elif isinstance(packet, RtcpPsfbPacket):
                self._picture_feedback(packet, now)

    def _reported(self, report: RtcpReceiverInfo, now_ns: int) -> None:
        track = self._track(report.ssrc)
        if track is None:
            return
        track.reported(report, now_ns)
        if track is self._video:
            bit_s = self._line.feed.bit_s
            behind_s = track.behind_bytes * 8 / bit_s if bit_s else 0.0
            self._ladder.reported(track.stats.fraction_lost, behind_s, self.feed.bit_s, now_ns)
            estimate = self._ladder.estimate_bit_s
            if estimate is not None and self._ladder.strained:
                self._line.pacer.estimated(max(estimate, bit_s))
            else:
                # A browser's estimate begins low and takes a while to follow: on a good line it is no reason to wait.
                self._line.pacer.free()

    def _picture_feedback(self, packet: RtcpPsfbPacket, now_ns: int) -> None:
        if packet.fmt in {RTCP_PSFB_PLI, RTCP_PSFB_FIR}:
            self._line.lost_picture(now_ns)
        elif packet.fmt == RTCP_PSFB_APP:
            with suppress(ValueError, IndexError, struct.error):
                bit_s, _ = unpack_remb_fci(packet.fci)
                self._ladder.estimated(bit_s)

    def _track(self, ssrc: int) -> Track | None:
        if ssrc == self._video.ssrc:
            return self._video
        return self._audio if self._audio is not None and ssrc == self._audio.ssrc else None


def _etag() -> str:
    return f'"{secrets.token_hex(8)}"'


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it ends.

    Once is not always enough: ``asyncio.wait_for`` of Python 3.11, in which aiortc waits for packets of the handshake,
    forgets a cancellation that comes in the same turn as the packet.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
