"""One RTSP session over interleaved TCP (RFC 2326): set up, played, kept alive, torn down."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from drivers.errors import CameraAnswerError, CameraError, CameraNoMediaError, CameraUnreachableError
from drivers.rtsp import tls
from drivers.rtsp.audio import AudioTrack, audio_parameters
from drivers.rtsp.connection import Connection
from drivers.rtsp.delivery import Delivery
from drivers.rtsp.dialogue import Dialogue
from drivers.rtsp.metadata import GZIP, PLAIN, MetadataTrack
from drivers.rtsp.sdp import Description, Media
from drivers.rtsp.sdp import parse as parse_sdp
from drivers.rtsp.source import RtspSource
from drivers.rtsp.track import Track
from drivers.rtsp.urls import StreamUrl, control, here, parse, redirected
from drivers.rtsp.video import CODECS, VideoTrack
from kernel.clock import NS_PER_S, Clock
from kernel.media import StreamDescription

REDIRECT_LIMIT = 3
KEYFRAME_REQUEST_NS = NS_PER_S
TEARDOWN_S = 1.0


class Session:
    """A playing session: its tracks and the dialogue that keeps it so."""

    def __init__(self, connection: Connection, dialogue: Dialogue, delivery: Delivery) -> None:
        self.connection = connection
        self.dialogue = dialogue
        self.delivery = delivery
        self.tracks: dict[int, Track] = {}
        """By RTP channel; RTCP is on the next."""
        self.video: VideoTrack | None = None
        self.base = ""
        self.asked_ns: int | None = None
        """When a keyframe was asked for last."""

    def add(self, channel: int, track: Track) -> None:
        """Route a pair of channels to a track."""
        self.tracks[channel] = track
        if isinstance(track, VideoTrack):
            self.video = track

    def arm(self) -> None:
        """Take packets from now on."""
        for channel, track in self.tracks.items():
            self.connection.handlers[channel] = track.receive
            self.connection.handlers[channel + 1] = track.receive_rtcp
            if isinstance(track, VideoTrack):
                self.connection.followers[channel] = track.follower(channel)


@dataclass(frozen=True, slots=True)
class Described:
    """A camera that has told what a stream holds. ``source`` has the credentials, ``url`` follows redirects."""

    connection: Connection
    dialogue: Dialogue
    source: RtspSource
    url: StreamUrl
    base: str
    body: bytes


@asynccontextmanager
async def open_description(source: RtspSource, clock: Clock) -> AsyncIterator[Described]:
    """Connect and DESCRIBE, following redirects at the same host; the connection closes on leaving.

    Raises:
        CameraError: as ``drivers.errors`` tells them apart.
    """
    url = parse(source.url)
    source = replace(source, username=source.username or url.username, password=source.password or url.password)
    for _ in range(REDIRECT_LIMIT + 1):
        connection = await _connect(source, url, clock)
        try:
            dialogue = Dialogue(connection, url, source)
            answer = await dialogue.describe()
            if answer.status // 100 != 3:
                base = answer.get("content-base") or answer.get("content-location")
                yield Described(connection, dialogue, source, url, here(url, base) if base else str(url), answer.body)
                return
            url = redirected(url, answer.get("location"))
        finally:
            await connection.close()
    raise CameraAnswerError("The camera redirects for ever.", cure="Enter the address where the stream really is.")


@asynccontextmanager
async def open_session(source: RtspSource, delivery: Delivery, clock: Clock) -> AsyncIterator[Session]:
    """Connect, set up and play; TEARDOWN on leaving.

    Raises:
        CameraError: as ``drivers.errors`` tells them apart.
    """
    async with open_description(source, clock) as described:
        session = Session(described.connection, described.dialogue, delivery)
        session.base = described.base
        try:
            await _set_up(session, described.source, parse_sdp(described.body), described.url, clock)
            session.arm()
            await session.dialogue.play(session.base)
            delivery.start()
            yield session
        finally:
            await _tear_down(session)


async def _connect(source: RtspSource, url: StreamUrl, clock: Clock) -> Connection:
    loop = asyncio.get_running_loop()
    last: OSError | None = None
    for ip in await source.allow.resolve(url.host, url.port):
        connection = Connection(clock)
        try:
            async with asyncio.timeout(source.answer_timeout_s):
                await loop.create_connection(
                    partial(_itself, connection),
                    ip,
                    url.port,
                    ssl=tls.context(source) if url.tls else None,
                    server_hostname=url.host if url.tls else None,
                )
        except ssl.SSLError as error:
            await connection.close()
            raise tls.untrusted(error) from error
        except (OSError, TimeoutError) as error:
            await connection.close()
            last = error
            continue
        try:
            if url.tls:
                tls.check_pin(source, connection.certificate)
        except CameraError:
            await connection.close()
            raise
        return connection
    reason = "no answer" if isinstance(last, TimeoutError) else _words(last)
    raise CameraUnreachableError(
        f"Nothing answers RTSP at {url.netloc} ({reason}).",
        cure="Check the camera's power, cable and address.",
        address=url.netloc,
    ) from last


def _itself(connection: Connection) -> Connection:
    return connection


async def _set_up(session: Session, source: RtspSource, sdp: Description, url: StreamUrl, clock: Clock) -> None:
    """Choose one track of each kind and SETUP them; pictures come first and must succeed."""
    base = control(session.base, sdp.control, url)
    session.base = base
    makers = list(_choose(session, source, sdp, clock))
    for index, (media, make) in enumerate(makers):
        try:
            channel = await session.dialogue.set_up(control(base, media.control, url), index * 2)
        except CameraError:
            if index == 0:
                raise
            continue  # sound or metadata that the camera will not send is done without
        session.add(channel, make())
    audio = next((track.parameters for track in session.tracks.values() if isinstance(track, AudioTrack)), None)
    assert session.video is not None
    session.video.on_loss = lambda: request_keyframe(session)
    session.delivery.description = StreamDescription(
        video=session.video.codec,
        audio=audio,
        metadata=any(isinstance(track, MetadataTrack) for track in session.tracks.values()),
        transport="tls" if url.tls else "tcp",
    )


def _choose(
    session: Session, source: RtspSource, sdp: Description, clock: Clock
) -> list[tuple[Media, Callable[[], Track]]]:
    parts = session.connection, session.delivery, clock, source.clock_offset_s
    video = video_media(sdp)
    chosen: list[tuple[Media, Callable[[], Track]]] = [(video, partial(VideoTrack, video, *parts))]
    sounds = ((media, audio_parameters(media)) for media in sdp.media if media.kind == "audio" and source.audio)
    chosen += [(media, partial(AudioTrack, media, *parts, found)) for media, found in sounds if found is not None][:1]
    documents = (media for media in sdp.media if media.kind == "application" and media.encoding in {PLAIN, GZIP})
    chosen += [(media, partial(MetadataTrack, media, *parts)) for media in documents if source.metadata][:1]
    return chosen


def video_media(sdp: Description) -> Media:
    """Return the first track with pictures we can record.

    Raises:
        CameraNoMediaError: there is none.
    """
    video = next((media for media in sdp.media if media.kind == "video" and media.encoding in CODECS), None)
    if video is None:
        names = ", ".join(sorted({media.encoding for media in sdp.media if media.kind == "video"})) or "none"
        raise CameraNoMediaError(
            f"The stream holds no H.264 or H.265 video (it offers: {names[:80]}).",
            cure="Set the profile's encoding to H.264 or H.265 at the camera.",
        )
    return video


def request_keyframe(session: Session) -> None:
    """Ask for a keyframe by RTCP, at most once a second, if the camera said that it listens (RFC 4585)."""
    video, now_ns = session.video, session.connection.received_ns
    if session.asked_ns is not None and now_ns - session.asked_ns < KEYFRAME_REQUEST_NS:
        return
    if video is not None and video.ssrc is not None and "nack pli" in video.media.feedback:
        session.asked_ns = now_ns
        channel = next(channel for channel, track in session.tracks.items() if track is video)
        session.dialogue.ask_for_keyframe(channel + 1, video.ssrc)


async def _tear_down(session: Session) -> None:
    """Free the camera's slot, without waiting long for thanks."""
    session.connection.mute()
    if not session.connection.ended.done():
        with suppress(CameraError, TimeoutError):
            await session.dialogue.tear_down(session.base, timeout_s=TEARDOWN_S)


def _words(error: OSError | None) -> str:
    """Return what the system says of it; asyncio's own text names addresses in Python's way."""
    if error is None or error.errno is None:
        return "no connection"
    return os.strerror(error.errno).lower()
