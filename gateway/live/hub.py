"""All viewers of one camera host: feeds, and WHEP sessions on them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog

from config.live import LiveSettings
from gateway.fleet.rpc import ViewerState
from gateway.live.errors import (
    LiveFullError,
    LiveNotLiveError,
    LivePreconditionError,
    LiveRestartError,
    LiveSessionError,
)
from gateway.live.feed import LiveFeed, RequestKeyframe
from gateway.live.offer import read_fragment, read_offer, text_of
from gateway.live.session import Session, ViewerFacts
from kernel.clock import Clock
from kernel.ids import CameraId, StreamName, new_id

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLoad:
    """What viewers cost a host now."""

    viewers: int
    viewers_max: int
    waiting: int
    """Pictures in all viewers' lanes."""
    dropped: int
    """Pictures that lines could not take, since the start, of viewers who left too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """What a WHEP POST is answered with. ``etag`` is strong and comes with its quotation marks."""

    id: str
    answer_sdp: str
    etag: str


class LiveHub:
    """Made by :func:`open_live`."""

    def __init__(self, settings: LiveSettings, *, clock: Clock, group: asyncio.TaskGroup) -> None:
        self._settings = settings
        self._clock = clock
        self._group = group
        self._feeds: dict[tuple[CameraId, StreamName], LiveFeed] = {}
        self._sessions: dict[str, Session] = {}
        self._reserved = 0
        self._dropped = 0

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
            cache_bytes=self._settings.gop_cache_bytes,
        ) as feed:
            self._feeds[key] = feed
            try:
                yield feed
            finally:
                if self._feeds.get(key) is feed:
                    del self._feeds[key]
                self._end_where("the camera is no longer served here", feed=feed)

    async def offer(
        self, camera: CameraId, stream: StreamName, sdp: bytes | str, *, viewer: ViewerFacts
    ) -> LiveSession:
        """Answer a WHEP offer; the view begins as soon as the viewer connects.

        Raises:
            LiveError: of any kind drawn in ``gateway.live.errors``.
        """
        text = text_of(sdp)
        feed = self._feeds.get((camera, stream))
        if feed is None or not feed.live or feed.parameters is None:
            raise LiveNotLiveError(
                f"The camera's {stream} stream is not live now.",
                cure="It is being connected to; ask again in a moment.",
            )
        offer = read_offer(text, feed.parameters, feed.sound)
        if len(self._sessions) + self._reserved >= self._settings.max_viewers:
            raise LiveFullError(
                f"All {self._settings.max_viewers} places for viewers are taken.",
                cure="Close a view, or raise live.max_viewers.",
            )
        session = Session(
            new_id(),
            f'"{secrets.token_hex(8)}"',
            feed=feed,
            offer=offer,
            viewer=viewer,
            settings=self._settings,
            clock=self._clock,
        )
        self._reserved += 1
        try:
            answer = await self._answer(session)
        finally:
            self._reserved -= 1
        self._sessions[session.id] = session
        self._group.create_task(self._run(session), name=f"live {session.id}")
        return LiveSession(id=session.id, answer_sdp=answer, etag=session.etag)

    async def _answer(self, session: Session) -> str:
        try:
            answer = await session.answer()
        except BaseException:
            await session.abandon()
            raise
        if session.feed not in self._feeds.values():
            await session.abandon()
            raise LiveNotLiveError("The camera has just been let go.", cure="Choose another.")
        return answer

    async def patch(self, session_id: str, fragment: bytes | str, if_match: str | None) -> None:
        """Take trickled candidates.

        Raises:
            LiveSessionError: the view is over.
            LivePreconditionError: ``if_match`` is missing (428) or another session's (412). ``*`` matches.
            LiveRestartError: the fragment has new ICE credentials; sessions are not restarted, a new offer is as quick.
            LiveOfferError: the fragment cannot be read.
        """
        session = self._session(session_id)
        if if_match is None:
            missing = LivePreconditionError("A PATCH needs If-Match.", cure="Send the ETag that came with the answer.")
            missing.status = 428
            raise missing
        if if_match.strip() not in {"*", session.etag}:
            raise LivePreconditionError("If-Match names another session.", cure="Send the ETag of the answer.")
        read = read_fragment(fragment)
        if read.username_fragment is not None and read.username_fragment != session.remote_username_fragment:
            raise LiveRestartError("ICE is not restarted in a running view.", cure="DELETE it and POST a new offer.")
        await session.trickle(read)

    async def close(self, session_id: str) -> None:
        """End a view.

        Raises:
            LiveSessionError: there is none (any more).
        """
        self._session(session_id).end("closed by the viewer")

    def viewers(self) -> list[ViewerState]:
        """Return every viewer and what was sent to them."""
        return [session.state() for session in self._sessions.values()]

    def viewers_of(self, camera: CameraId) -> int:
        """Return how many watch a camera, on either stream."""
        return sum(session.feed.camera == camera for session in self._sessions.values())

    def load(self) -> LiveLoad:
        """Return what viewers cost now."""
        sessions = self._sessions.values()
        return LiveLoad(
            viewers=len(sessions),
            viewers_max=self._settings.max_viewers,
            waiting=sum(session.waiting for session in sessions),
            dropped=self._dropped + sum(session.dropped for session in sessions),
        )

    def end(self, *, camera: CameraId | None = None, who: str | None = None) -> int:
        """End the views that match all that is given; return how many."""
        return self._end_where("ended by the gateway", camera=camera, who=who)

    def _end_where(
        self, reason: str, *, camera: CameraId | None = None, who: str | None = None, feed: LiveFeed | None = None
    ) -> int:
        ended = 0
        for session in self._sessions.values():
            if (
                (camera is None or session.feed.camera == camera)
                and (who is None or session.viewer.who == who)
                and (feed is None or session.feed is feed)
            ):
                session.end(reason)
                ended += 1
        return ended

    def _session(self, session_id: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None:
            raise LiveSessionError("There is no such view; it may have ended.", cure="POST a new offer.")
        return session

    async def _run(self, session: Session) -> None:
        """Serve one viewer. Whatever goes wrong there is theirs alone: the host and its recordings go on."""
        try:
            await session.run()
        except Exception:  # noqa: BLE001 - one viewer must not end the others, nor the recordings of this host
            _log.exception(
                "live.viewer_failed", session=session.id, camera=session.feed.camera, stream=session.feed.stream
            )
        finally:
            self._dropped += session.dropped
            del self._sessions[session.id]


@asynccontextmanager
async def open_live(settings: LiveSettings, *, clock: Clock) -> AsyncIterator[LiveHub]:
    """Give the live plane of a camera host; leaving it ends every view and every task."""
    async with asyncio.TaskGroup() as group:
        hub = LiveHub(settings, clock=clock, group=group)
        try:
            yield hub
        finally:
            hub.end()
