"""The fallback for cameras that will not send over TCP: libav receives over UDP, in one thread for each stream.

What it hands over takes the same way as native packets from there on: same parameter sets, times, breaks. Two
things are worse than the native way: loss inside a picture is seen only where libav marks it or a picture is
missing, and metadata tracks are not received (docs/design/rtsp.md, *libav*).
"""

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import av
import av.container
import structlog
from av.packet import Packet

from drivers.rtsp.audio import AudioTrack, audio_parameters
from drivers.rtsp.delivery import Delivery
from drivers.rtsp.errors import StreamFellError, UnsupportedTransportError
from drivers.rtsp.rtcp import SenderReport
from drivers.rtsp.sdp import parse as parse_sdp
from drivers.rtsp.session import Described, open_description, video_media
from drivers.rtsp.source import RtspSource
from drivers.rtsp.video import VideoTrack
from kernel.clock import NS_PER_MS, NS_PER_S, Clock
from kernel.media import GapCause, StreamDescription

log = structlog.get_logger(__name__)

UNREAD_LIMIT_BYTES = 32 * 1024 * 1024
"""Handed over and not yet taken by the event loop; beyond it pictures are dropped, as loss."""
TIMEOUT_S = 5.0
_START_CODE = b"\x00\x00\x01"
_REPORT_EVERY_NS = 2 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Piece:
    """One packet of libav's: a picture, or a frame of sound. ``time`` is in the track's RTP clock."""

    kind: str
    data: bytes
    time: int | None
    wall_ns: int | None
    """By the sender's reports, if there were any."""
    received_ns: int
    corrupt: bool


class LibavSession:
    """The thread's way into the event loop."""

    received_ns = 0

    def __init__(self, described: Described, delivery: Delivery, clock: Clock) -> None:
        sdp, offset_s = parse_sdp(described.body), described.source.clock_offset_s
        self.video = VideoTrack(video_media(sdp), self, delivery, clock, offset_s)
        self.audio: AudioTrack | None = None
        if described.source.audio:
            sounds = ((media, audio_parameters(media)) for media in sdp.media if media.kind == "audio")
            found = next(((media, sound) for media, sound in sounds if sound is not None), None)
            self.audio = AudioTrack(found[0], self, delivery, clock, offset_s, found[1]) if found else None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.bytes = self.packets = 0
        self.stopping = threading.Event()
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._unread = 0
        self._early: Piece | None = None
        self._reported: dict[str, int] = {}
        for track in (self.video, self.audio):
            if track is not None:
                track.ssrc = 0
        delivery.description = StreamDescription(
            video=self.video.codec,
            audio=self.audio.parameters if self.audio else None,
            metadata=False,
            transport="libav",
        )

    # --- on the thread

    def pull(self, url: str, timeout_s: float) -> None:
        """Read until told to stop, or until the camera ends; never raises."""
        reason = "the camera ended the stream"
        try:
            self._read(url, timeout_s)
        except (OSError, ValueError, EOFError) as error:  # av.FFmpegError is one of these, or holds no secret name
            reason = getattr(error, "strerror", None) or type(error).__name__
        except av.FFmpegError as error:
            reason = type(error).__name__
        self._tell(self._end, reason)

    def _read(self, url: str, timeout_s: float) -> None:
        options = {
            "rtsp_transport": "udp",
            "timeout": str(round(timeout_s * 1_000_000)),
            "fflags": "nobuffer",
            "analyzeduration": "0",
            "probesize": "32",
            "allowed_media_types": "video+audio" if self.audio else "video",
        }
        with av.open(url, options=options) as container:
            assert isinstance(container, av.container.InputContainer)
            for packet in container.demux():
                if self.stopping.is_set():
                    return
                if packet.size and packet.stream.type in {"video", "audio"}:
                    self._hand_over(packet)

    def _hand_over(self, packet: "Packet[Any]") -> None:
        data = bytes(packet)
        with self._lock:
            full = self._unread + len(data) > UNREAD_LIMIT_BYTES
            self._unread += 0 if full else len(data)
        wall_ns = None
        for side in packet.iter_sidedata():
            if side.data_type == "prft":  # AVProducerReferenceTime: microseconds first
                wall_ns = struct.unpack_from("=q", bytes(side))[0] * 1000
        piece = Piece(
            packet.stream.type,
            b"" if full else data,
            packet.pts,
            wall_ns,
            self._clock.monotonic_ns(),
            packet.is_corrupt or full,
        )
        self._tell(self._take, piece)

    def _tell(self, method: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(method, *arguments)
        except RuntimeError:  # the loop is closed: nobody is left to tell
            self.stopping.set()

    # --- on the event loop

    def _end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_exception(
                StreamFellError(
                    f"The stream over UDP ended ({reason}).", cause=GapCause.NETWORK, cure="Check the link."
                )
            )
            self.ended.exception()

    def _take(self, piece: Piece) -> None:
        with self._lock:
            self._unread -= len(piece.data)
        if self.stopping.is_set() or self.ended.done():
            return
        self.bytes += len(piece.data)
        self.packets += 1
        try:
            if piece.kind == "video":
                self._picture(piece)
            else:
                self._sound(piece)
        except Exception as error:  # noqa: BLE001 - a bug: it escapes through the session, as in a task
            self.ended.set_exception(error)
            self.ended.exception()

    def _picture(self, piece: Piece) -> None:
        if piece.time is None:
            # libav numbers the first pictures only once it has seen a report: this one is timed by the next.
            self._early = piece
            return
        early, self._early = self._early, None
        if early is not None:
            later, sooner = piece.wall_ns or piece.received_ns, early.wall_ns or early.received_ns
            ticks = max(1, (later - sooner) * self.video.media.clock_hz // NS_PER_S)
            self._push(early, piece.time - ticks)
        self._push(piece, piece.time)

    def _push(self, piece: Piece, time: int) -> None:
        self.received_ns = piece.received_ns
        self._report("video", piece, time)
        nals = [nal for part in piece.data.split(_START_CODE) if (nal := part.rstrip(b"\x00"))]
        self.video.picture(nals, time & 0xFFFF_FFFF, damaged=piece.corrupt)

    def _sound(self, piece: Piece) -> None:
        if self.audio is not None and piece.time is not None and piece.data:
            self.received_ns = piece.received_ns
            self._report("audio", piece, piece.time)
            self.audio.frames(piece.time & 0xFFFF_FFFF, [piece.data])

    def _report(self, kind: str, piece: Piece, time: int) -> None:
        """Turn libav's reference times back into sender reports, a few seconds apart."""
        track = self.video if kind == "video" else self.audio
        last_ns = self._reported.get(kind)
        if piece.wall_ns is None or track is None:
            return
        if last_ns is None or piece.received_ns - last_ns >= _REPORT_EVERY_NS:
            self._reported[kind] = piece.received_ns
            track.reported(SenderReport(0, piece.wall_ns, time & 0xFFFF_FFFF, 0))


@asynccontextmanager
async def open_libav_session(source: RtspSource, delivery: Delivery, clock: Clock) -> AsyncIterator[LibavSession]:
    """Describe natively, so that passwords, addresses and media are judged as ever; then let libav play over UDP.

    Raises:
        CameraError: as ``drivers.errors`` tells them apart.
    """
    async with open_description(source, clock) as described:
        session = LibavSession(described, delivery, clock)
    url = described.url
    if url.tls:
        raise UnsupportedTransportError(
            "This camera sends its pictures by UDP only, which would leave the protection of TLS.",
            cure="Let it send them interleaved over TCP, or give it an rtsp address.",
            address=url.netloc,
        )
    # The address that was checked, never the name again; credentials only here, where libav needs them.
    ip = (await source.allow.resolve(url.host, url.port))[0]
    host = f"[{ip}]" if ":" in ip else ip
    secret = f"{quote(described.source.username, safe='')}:{quote(described.source.password, safe='')}@"
    address = f"rtsp://{secret if described.source.username else ''}{host}:{url.port}{url.rest}"
    thread = threading.Thread(
        target=session.pull, args=(address, min(source.answer_timeout_s, TIMEOUT_S)), name="rtsp-libav", daemon=True
    )
    thread.start()
    try:
        delivery.start()
        yield session
    finally:
        session.stopping.set()
        while thread.is_alive():  # it looks at the event with each packet, and no later than its timeout
            await clock.sleep(20 * NS_PER_MS / NS_PER_S)
