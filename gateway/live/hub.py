"""All viewers of one camera host: feeds, and WHEP sessions on them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog

from config.live import LiveSettings
from gateway.fleet.rpc import ViewerState, ViewerWent
from gateway.live.choice import Choice, choose
from gateway.live.endings import Endings
from gateway.live.errors import (
    LiveFullError,
    LiveNotLiveError,
    LiveSessionError,
)
from gateway.live.feed import LiveFeed, RequestKeyframe
from gateway.live.fragment import Restarted
from gateway.live.offer import text_of
from gateway.live.peer import host_addresses
from gateway.live.port import LivePort, open_port
from gateway.live.session import Session
from gateway.live.transcode import Transcode, Transcodes
from gateway.live.views import View, ViewerFacts
from kernel.clock import Clock
from kernel.ids import CameraId, StreamName, new_id

_log = structlog.get_logger(__name__)

Gone = Callable[[ViewerWent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLoad:
    """What viewers cost a host now."""

    viewers: int
    viewers_max: int
    waiting: int
    """Pictures in all viewers' lanes."""
    dropped: int
    """Pictures that lines could not take, since the start, of viewers who left too."""
    transcodes: int = 0
    transcodes_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """What a WHEP POST is answered with. ``etag`` is strong and comes with its quotation marks."""

    id: str
    answer_sdp: str
    etag: str
    stream: StreamName
    """What is shown: the stream asked for, or the camera's other one for a browser without H.265."""
    transcoded: bool


class LiveHub:
    """Made by :func:`open_live`."""

    def __init__(
        self, settings: LiveSettings, *, clock: Clock, group: asyncio.TaskGroup, port: LivePort, gone: Gone
    ) -> None:
        self.settings = settings
        self.port = port
        self._clock = clock
        self._group = group
        self._feeds: dict[tuple[CameraId, StreamName], LiveFeed] = {}
        self._views: dict[str, View] = {}
        """WHEP sessions, and the views of other protocols that :meth:`seat` was asked for."""
        self._reserved = 0
        self._transcodes = Transcodes(settings, clock=clock, group=group, ended=self._transcode_ended)
        self._dropped = 0
        self._gone = gone
        self.endings = Endings(self._views.values, clock=clock)

    @contextmanager
    def feed(self, camera: CameraId, stream: StreamName, *, request_keyframe: RequestKeyframe) -> Iterator[LiveFeed]:
        """Give the feed of a camera stream, a ``MediaSink``; on leaving, its views end.

        ``request_keyframe`` asks the camera for a keyframe, at most once a second for all viewers together.
        """
        key = (camera, stream)
        with LiveFeed(
            camera,
            stream,
            clock=self._clock,
            request_keyframe=request_keyframe,
            cache_bytes=self.settings.gop_cache_bytes,
            max_packet_bytes=self.settings.max_packet_bytes,
        ) as feed:
            self._feeds[key] = feed
            try:
                yield feed
            finally:
                if self._feeds.get(key) is feed:
                    del self._feeds[key]
                self._end_where("the camera is no longer served here", feed=feed)
                self._transcodes.let_go(feed, "the camera is no longer served here")

    def live_feed(self, camera: CameraId, stream: StreamName) -> LiveFeed:
        """Return the feed of a camera stream that is live, its parameters known.

        Raises:
            LiveNotLiveError: it is not, or the camera is not here.
        """
        feed = self._feeds.get((camera, stream))
        if feed is None or not feed.live or feed.parameters is None:
            raise LiveNotLiveError(
                f"The camera's {stream} stream is not live now.",
                cure="It is being connected to; ask again in a moment.",
            )
        return feed

    @contextmanager
    def seat(self, view: View) -> Iterator[None]:
        """Count a view that came by another door than WHEP, and let it be listed and ended like any other.

        Raises:
            LiveFullError: every place is taken.
        """
        self._refuse_if_full()
        self._views[view.id] = view
        view.feed.coming += 1
        try:
            yield
        finally:
            view.feed.coming -= 1
            self._dropped += view.dropped
            del self._views[view.id]

    def _refuse_if_full(self) -> None:
        if len(self._views) + self._reserved >= self.settings.max_viewers:
            raise LiveFullError(
                f"All {self.settings.max_viewers} places for viewers are taken.",
                cure="Close a view, or raise live.max_viewers.",
            )

    async def offer(
        self,
        camera: CameraId,
        stream: StreamName,
        sdp: bytes | str,
        *,
        viewer: ViewerFacts,
        best: StreamName = StreamName.MAIN,
    ) -> LiveSession:
        """Answer a WHEP offer; the view begins as soon as the viewer connects.

        ``best`` is the best stream that may take the place of the one asked for: with ``sub`` main is never shown in
        the place of an H.265 sub stream.

        Raises:
            LiveError: of any kind drawn in ``gateway.live.errors``.
        """
        text = text_of(sdp)
        feed = self.live_feed(camera, stream)
        self._refuse_if_full()
        choice = choose(text, feed, self._other(feed, best), self._transcodes)
        try:
            return await self._begin(choice, viewer, stream)
        except BaseException:
            choice.release()
            raise

    def _other(self, feed: LiveFeed, best: StreamName) -> LiveFeed | None:
        """Return the camera's other stream, where it is live and may be shown."""
        stream = StreamName.SUB if feed.stream is StreamName.MAIN else StreamName.MAIN
        other = self._feeds.get((feed.camera, stream))
        allowed = stream is StreamName.SUB or best is StreamName.MAIN
        return other if other is not None and other.live and allowed else None

    async def _begin(self, choice: Choice, viewer: ViewerFacts, asked: StreamName) -> LiveSession:
        session = Session(
            new_id(),
            feed=choice.feed,
            asked=asked,
            lower=lambda: self._lower(choice.feed),
            offer=choice.offer,
            viewer=viewer,
            settings=self.settings,
            port=self.port,
            clock=self._clock,
        )
        self._reserved += 1
        choice.feed.coming += 1
        try:
            answer = await self._answer(session, choice)
        except BaseException:
            choice.feed.coming -= 1
            raise
        finally:
            self._reserved -= 1
        self._views[session.id] = session
        self._group.create_task(self._run(session, choice), name=f"live {session.id}")
        return LiveSession(
            id=session.id,
            answer_sdp=answer,
            etag=session.etag,
            stream=choice.feed.stream,
            transcoded=choice.feed.transcoded,
        )

    def _lower(self, feed: LiveFeed) -> LiveFeed | None:
        """Return the sub stream to a main one, where it is live and of the same coding."""
        if feed.stream is not StreamName.MAIN or feed.transcoded or feed.parameters is None:
            return None
        sub = self._feeds.get((feed.camera, StreamName.SUB))
        if sub is None or not sub.live or sub.parameters is None or sub.parameters.codec is not feed.parameters.codec:
            return None
        return sub

    async def _answer(self, session: Session, choice: Choice) -> str:
        try:
            answer = await session.answer()
        except BaseException:
            await session.abandon()
            raise
        if choice.origin not in self._feeds.values() or choice.over:
            await session.abandon()
            raise LiveNotLiveError("The camera has just been let go.", cure="Choose another.")
        return answer

    async def patch(self, session_id: str, fragment: bytes | str, if_match: str | None) -> Restarted | None:
        """Take trickled candidates, or restart ICE; return what a restart is answered with. See ``Session.patch``.

        Raises:
            LiveSessionError: the view is over.
            LivePreconditionError, LiveOfferError, LiveFragmentError: see there.
        """
        return await self._session(session_id).patch(fragment, if_match)

    async def close(self, session_id: str) -> None:
        """End a view.

        Raises:
            LiveSessionError: there is none (any more).
        """
        self._view(session_id).end("closed by the viewer")

    def viewers(self) -> list[ViewerState]:
        """Return every viewer and what was sent to them."""
        return [session.state() for session in self._views.values()]

    def viewers_of(self, camera: CameraId) -> int:
        """Return how many watch a camera, on either stream."""
        return sum(session.feed.camera == camera for session in self._views.values())

    @property
    def transcodes(self) -> int:
        """Return how many H.265 streams are being coded anew."""
        return self._transcodes.count

    @property
    def transcodes_max(self) -> int:
        """Return how many may be."""
        return self._transcodes.limit

    def transcoders(self) -> tuple[Transcode, ...]:
        """Return what is being coded anew."""
        return self._transcodes.all()

    def _transcode_ended(self, feed: LiveFeed, reason: str) -> None:
        self._end_where(reason, feed=feed)

    def load(self) -> LiveLoad:
        """Return what viewers cost now."""
        sessions = self._views.values()
        return LiveLoad(
            viewers=len(sessions),
            viewers_max=self.settings.max_viewers,
            waiting=sum(session.waiting for session in sessions),
            dropped=self._dropped + sum(session.dropped for session in sessions),
            transcodes=self.transcodes,
            transcodes_max=self.transcodes_max,
        )

    def shut(self) -> None:
        """End every view and every transcode: the host ends."""
        self.end()
        self._transcodes.close()

    def end(
        self, *, camera: CameraId | None = None, who: str | None = None, sessions: Collection[str] | None = None
    ) -> int:
        """End the views that match all that is given; return how many."""
        return self._end_where("ended by the gateway", camera=camera, who=who, sessions=sessions)

    def _end_where(
        self,
        reason: str,
        *,
        camera: CameraId | None = None,
        who: str | None = None,
        feed: LiveFeed | None = None,
        sessions: Collection[str] | None = None,
    ) -> int:
        ended = 0
        for session in tuple(self._views.values()):
            if (
                (camera is None or session.feed.camera == camera)
                and (who is None or session.viewer.who == who)
                and (feed is None or session.feed is feed)
                and (sessions is None or session.id in sessions)
            ):
                session.end(reason)
                ended += 1
        return ended

    def _view(self, session_id: str) -> View:
        view = self._views.get(session_id)
        if view is None:
            raise LiveSessionError("There is no such view; it may have ended.", cure="POST a new offer.")
        return view

    def _session(self, session_id: str) -> Session:
        view = self._view(session_id)
        if not isinstance(view, Session):
            raise LiveSessionError("That view is not one of WHEP.", cure="POST a new offer.")
        return view

    async def _run(self, session: Session, choice: Choice) -> None:
        """Serve one viewer. Whatever goes wrong there is theirs alone: the host and its recordings go on."""
        try:
            await session.run()
        except Exception:  # noqa: BLE001 - one viewer must not end the others, nor the recordings of this host
            _log.exception(
                "live.viewer_failed", session=session.id, camera=session.feed.camera, stream=session.feed.stream
            )
        finally:
            self._dropped += session.dropped
            del self._views[session.id]
            self._gone(ViewerWent(viewer=session.state(), reason=session.reason, wall_ns=self._clock.wall_ns()))
            choice.feed.coming -= 1
            choice.release()


@asynccontextmanager
async def open_live(settings: LiveSettings, *, clock: Clock, gone: Gone = lambda _: None) -> AsyncIterator[LiveHub]:
    """Give the live plane of a camera host; leaving it ends every view and every task.

    ``gone`` is told of every view by WHEP that has ended.

    Raises:
        LivePortError: the port for viewers is another program's.
    """
    async with open_port(settings, clock=clock, machine=host_addresses) as port, asyncio.TaskGroup() as group:
        hub = LiveHub(settings, clock=clock, group=group, port=port, gone=gone)
        watches = (
            group.create_task(port.watch(), name="live port"),
            group.create_task(hub.endings.run(), name="live endings"),
        )
        try:
            yield hub
        finally:
            hub.shut()
            for watch in watches:
                watch.cancel()
