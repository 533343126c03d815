"""What each RTSP method does (RFC 2326 section 10)."""

import asyncio
import re
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.rtsp.description import describe
from drivers.simulator.rtsp.requests import Answer, Request
from drivers.simulator.rtsp.sessions import (
    SESSION_TIMEOUT_S,
    Carrier,
    Datagrams,
    Interleaved,
    Session,
    TrackOutlet,
)
from drivers.simulator.rtsp.tracks import Track, VideoTrack
from kernel.ids import StreamName

PUBLIC = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER")
SESSION_SLOTS = 16
FIRST_PICTURE_S = 3.0
"""PLAY is answered no later than this, even when the encoder has not begun."""
PRIVATE_HOST = "192.168.1.64:554"

Reply = tuple[Answer, Session | None]
Cut = Callable[[], None]


class Methods:
    """Turns requests to answers; a session that PLAY started is returned with its answer, still held."""

    def __init__(
        self, device: SimulatedDevice, tracks: dict[StreamName, dict[str, Track]], sessions: dict[str, Session]
    ) -> None:
        self._device = device
        self._tracks = tracks
        self._sessions = sessions

    async def handle(self, request: Request, writer: asyncio.StreamWriter, cut: Cut) -> Reply:
        """Return the answer to an authenticated request."""
        if request.method == "SETUP":
            return await self._setup(request, writer, cut), None
        if request.method == "PLAY":
            return await self._play(request)
        others: dict[str, Callable[[Request], Answer]] = {
            "OPTIONS": lambda _: Answer(200, [("Public", ", ".join(PUBLIC))]),
            "DESCRIBE": self._describe,
            "PAUSE": self._pause,
            "TEARDOWN": self._teardown,
            "GET_PARAMETER": self._parameter,
            "SET_PARAMETER": self._parameter,
        }
        if request.method not in others:
            return Answer(405, [("Allow", ", ".join(PUBLIC))]), None
        return others[request.method](request), None

    def _locate(self, uri: str) -> tuple[StreamName, str | None] | None:
        """Return the stream and track that a URI names."""
        parts = [part for part in urlsplit(uri).path.split("/") if part]
        if not parts or parts[0] not in self._tracks or len(parts) > 2:
            return None
        stream = StreamName(parts[0])
        if len(parts) == 1:
            return stream, None
        return (stream, parts[1]) if parts[1] in self._tracks[stream] else None

    def _base(self, request: Request, stream: StreamName) -> str:
        host = (
            PRIVATE_HOST if self._device.faults.private_addresses else urlsplit(request.uri).netloc.rpartition("@")[2]
        )
        return f"{urlsplit(request.uri).scheme}://{host}/{stream}/"

    def _describe(self, request: Request) -> Answer:
        place = self._locate(request.uri)
        if place is None or place[1] is not None:
            return Answer(404)
        stream = place[0]
        base = self._base(request, stream)
        absolute = base if self._device.faults.private_addresses else ""
        sdp = describe(self._device, self._device.streams[stream], self._device.feeds[stream], base=absolute)
        return Answer(200, [("Content-Type", "application/sdp"), ("Content-Base", base)], sdp.encode())

    async def _setup(self, request: Request, writer: asyncio.StreamWriter, cut: Cut) -> Answer:
        place = self._locate(request.uri)
        session = self._sessions.get(request.session)
        refusal = self._setup_refusal(place, session, request)
        if refusal is not None:
            return Answer(refusal)
        assert place is not None
        stream, control = place
        assert control is not None
        fresh = session or Session(stream, self._device.clock.monotonic_ns(), writer.transport.abort)

        def heard(packet: bytes) -> None:
            fresh.seen_ns = self._device.clock.monotonic_ns()
            fresh.outlets[control].feedback(packet)

        carrier = await self._carrier(request, writer, cut, heard)
        if carrier is None:
            return Answer(461)
        self._sessions[fresh.ident] = fresh
        track = self._tracks[stream][control]
        fresh.outlets[control] = TrackOutlet(track, carrier, request.uri)
        return Answer(
            200,
            [
                ("Session", f"{fresh.ident};timeout={SESSION_TIMEOUT_S}"),
                ("Transport", f'{carrier.transport_line};ssrc={track.rtp.ssrc:08X};mode="PLAY"'),
            ],
        )

    def _setup_refusal(
        self, place: tuple[StreamName, str | None] | None, session: Session | None, request: Request
    ) -> int | None:
        """Return the status that refuses a SETUP, if one does."""
        if place is None or place[1] is None:
            return 404 if place is None else 459
        if session is None:
            full = len(self._sessions) >= (self._device.faults.session_slots or SESSION_SLOTS)
            return 454 if request.session else 453 if full else None
        set_up = session.playing or session.stream is not place[0] or place[1] in session.outlets
        return 455 if set_up else None

    async def _carrier(
        self, request: Request, writer: asyncio.StreamWriter, cut: Cut, received: Callable[[bytes], None]
    ) -> Carrier | None:
        """Return the first transport the client offers that we have (RFC 2326 section 12.39)."""
        for offer in request.headers.get("transport", "").split(","):
            words = offer.strip().split(";")
            if "multicast" in words:
                continue
            fields = dict(word.partition("=")[::2] for word in words)
            numbers = re.fullmatch(r"(\d+)(?:-(\d+))?", fields.get("interleaved") or fields.get("client_port") or "0-1")
            if numbers is None:
                continue
            first = int(numbers[1])
            second = int(numbers[2] or first + 1)
            if words[0].upper() == "RTP/AVP/TCP" and max(first, second) < 256:
                return Interleaved(writer, (first, second), cut)
            if words[0].upper() in {"RTP/AVP", "RTP/AVP/UDP"} and 0 < first < 65_536 and 0 < second < 65_536:
                client = writer.get_extra_info("peername")[0]
                return await Datagrams.open(self._device.host, (client, first, second), received)
        return None

    async def _play(self, request: Request) -> Reply:
        session = self._sessions.get(request.session)
        if session is None:
            return Answer(454), None
        headers = [("Session", f"{session.ident};timeout={SESSION_TIMEOUT_S}"), ("Range", "npt=now-")]
        if session.playing:
            return Answer(200, headers), None
        for outlet in session.outlets.values():
            outlet.first.clear()
            outlet.first_packet = b""
        session.play()
        pictures = [one.first.wait() for one in session.outlets.values() if isinstance(one.track, VideoTrack)]
        await self._within(FIRST_PICTURE_S, pictures)
        headers.append(("RTP-Info", ",".join(map(self._info, session.outlets.values()))))
        return Answer(200, headers), session

    async def _within(self, limit_s: float, waits: Sequence[Awaitable[object]]) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        alarm = asyncio.ensure_future(self._device.clock.sleep(limit_s))
        try:
            if tasks:
                await asyncio.wait([*tasks, alarm], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, alarm):
                task.cancel()
            for task in (*tasks, alarm):
                with suppress(asyncio.CancelledError):
                    await task

    def _info(self, outlet: TrackOutlet) -> str:
        """Return one entry of RTP-Info (RFC 2326 section 12.33) for the first packet the client gets."""
        rtp = outlet.track.rtp
        if outlet.first_packet:
            sequence, rtptime = struct.unpack_from("!HI", outlet.first_packet, 2)
        else:
            sequence, rtptime = rtp.sequence, rtp.timestamp(outlet.track.media_now())
        if self._device.faults.rtp_info_zero:
            sequence = rtptime = 0
        return f"url={outlet.control};seq={sequence};rtptime={rtptime}"

    def _pause(self, request: Request) -> Answer:
        session = self._sessions.get(request.session)
        if session is None:
            return Answer(454)
        session.pause()
        return Answer(200, [("Session", session.ident)])

    def _teardown(self, request: Request) -> Answer:
        session = self._sessions.pop(request.session, None)
        if session is None:
            return Answer(454)
        session.close(farewell=True)
        return Answer(200)

    def _parameter(self, request: Request) -> Answer:
        """Answer a keepalive: an empty GET_PARAMETER or SET_PARAMETER (RFC 2326 sections 10.8 and 10.9)."""
        if request.session and request.session not in self._sessions:
            return Answer(454)
        return Answer(200, [("Session", request.session)] if request.session else [])
