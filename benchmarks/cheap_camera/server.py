"""RTSP for many streams at once (RFC 2326): interleaved TCP only, no password, every stream from the same bytes.

Streams are spread over phases: each phase is one :class:`~.packets.Line` with its own moment within the 40 ms of a
picture and its own place in the loop, so that neither pictures nor keyframes come all at once. A stream begins at the
first keyframe after PLAY, and what is counted as sent was handed whole to its connection: a receiver that loses nothing
gets exactly that many pictures.
"""

import asyncio
import base64
import socket
import time
from collections.abc import Sequence
from typing import cast

from .packets import PAYLOAD_TYPE, Line, templates
from .reel import Reel

MOST_PHASES = 20
REPORT_S = 5.0
BACKLOG_BYTES = 8 * 1024 * 1024
"""A receiver that lets more than this wait loses the pictures up to the next keyframe; they are counted."""
SSRC = 0x5EED0000
_MOST_REQUEST_BYTES = 64 * 1024


class Stream:
    """What one address has sent, over all its connections."""

    def __init__(self, number: int, phase: "Phase") -> None:
        self.number = number
        self.phase = phase
        self.frames = 0
        self.dropped = 0
        self.connections = 0
        """How many times somebody played it."""

    def counts(self) -> dict[str, int | None]:
        """Return them for a report; ``last`` is the index in the reel of the newest picture sent."""
        return {
            "stream": self.number,
            "frames": self.frames,
            "dropped": self.dropped,
            "connections": self.connections,
            "last": self.phase.line.last if self.frames else None,
        }


class Phase:
    """Streams that send the same bytes at the same moments."""

    def __init__(self, line: Line, *, delay_s: float) -> None:
        self.line = line
        self.delay_s = delay_s
        self.players: set[Connection] = set()
        self.sockets: list[tuple[socket.socket, tuple[str, int]]] = []
        """Where the packets also go as datagrams."""
        self._reported_s = 0.0

    def send(self, now_s: float) -> None:
        """Send the next picture to everybody."""
        keyframe = self.line.keyframe_next
        report = b""
        if now_s - self._reported_s >= REPORT_S:
            self._reported_s = now_s
            report = self.line.sender_report(time.time_ns())
        picture = self.line.next_picture()
        for player in self.players:
            player.picture(picture, report, keyframe=keyframe)
        for way, address in self.sockets:
            for packet in self.line.datagrams(picture):
                way.sendto(packet, address)


class Camera:
    """Every stream. ``running`` may be cleared: then no more pictures are sent and connections stay."""

    def __init__(self, reel: Reel, streams: int, *, packet_bytes: int) -> None:
        self.reel = reel
        phases = min(MOST_PHASES, streams)
        step_s = 1 / reel.frame_rate
        self.phases = []
        for number in range(phases):
            ssrc = SSRC + number
            line = Line(
                templates(reel, packet_bytes=packet_bytes, ssrc=ssrc),
                frame_rate=reel.frame_rate,
                gop_frames=reel.gop_frames,
                first=number * len(reel.pictures) // phases,
                ssrc=ssrc,
            )
            self.phases.append(Phase(line, delay_s=step_s * number / phases))
        self.streams = [Stream(number, self.phases[number % phases]) for number in range(streams)]
        self.running = True
        self.late_ms = 0.0
        """The latest that a picture has gone out after its moment."""

    def sdp(self, address: str) -> str:
        """Return the description of any of the streams."""
        sets = ",".join(base64.b64encode(nal).decode() for nal in (self.reel.sps, self.reel.pps))
        profile = self.reel.sps[1:4].hex()
        lines = (
            *("v=0", f"o=- 1 1 IN IP4 {address}", "s=Cheap camera", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"),
            *("a=range:npt=now-", f"m=video 0 RTP/AVP {PAYLOAD_TYPE}", f"a=rtpmap:{PAYLOAD_TYPE} H264/90000"),
            f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}",
            *(f"a=framerate:{self.reel.frame_rate}", "a=control:track1"),
        )
        return "\r\n".join(lines) + "\r\n"

    async def run(self) -> None:
        """Send until cancelled, at exact moments."""
        loop = asyncio.get_running_loop()
        step_s, began_s, tick = 1 / self.reel.frame_rate, loop.time() + 0.05, 0
        while True:
            for phase in self.phases:
                due_s = began_s + tick * step_s + phase.delay_s
                await asyncio.sleep(max(0.0, due_s - loop.time()))
                if self.running:
                    self.late_ms = max(self.late_ms, (loop.time() - due_s) * 1000)
                    phase.send(loop.time())
            tick += 1

    def counts(self) -> dict[str, object]:
        """Return what was sent so far."""
        return {
            "frames": sum(stream.frames for stream in self.streams),
            "dropped": sum(stream.dropped for stream in self.streams),
            "late_ms": round(self.late_ms, 1),
            "streams": [stream.counts() for stream in self.streams],
        }


class Connection(asyncio.Protocol):
    """One RTSP connection, which plays at most one stream."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._stream: Stream | None = None
        self._waiting = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.BaseProtocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are ones by shape only

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        """See :class:`asyncio.BaseProtocol`."""
        self._end()

    def _end(self) -> None:
        if self._stream is not None:
            self._stream.phase.players.discard(self)
        self._transport = None

    def picture(self, data: bytes, report: bytes, *, keyframe: bool) -> None:
        """Send a picture, or leave it out where it cannot be a beginning or nobody takes it."""
        stream, transport = self._stream, self._transport
        if stream is None or transport is None:
            return
        if transport.get_write_buffer_size() > BACKLOG_BYTES:
            self._waiting = True
            stream.dropped += 1
            return
        if self._waiting and not keyframe:
            return
        begins, self._waiting = self._waiting, False
        # The first packet is a report, as from cameras whose times are known at once.
        transport.write(report or stream.phase.line.sender_report(time.time_ns()) if begins else report)
        transport.write(data)
        stream.frames += 1

    def data_received(self, data: bytes) -> None:
        """See :class:`asyncio.Protocol`: requests, and the receiver's RTCP, which is passed over."""
        received = self._received
        received += data
        while received:
            if received[0] == 0x24:
                if len(received) < 4 or len(received) < 4 + int.from_bytes(received[2:4], "big"):
                    return
                del received[: 4 + int.from_bytes(received[2:4], "big")]
                continue
            end = received.find(b"\r\n\r\n")
            if end < 0:
                if len(received) > _MOST_REQUEST_BYTES and self._transport is not None:
                    self._transport.abort()
                return
            request = received[:end].decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in request[1:])
            }
            whole = end + 4 + int(headers.get("content-length", "0"))
            if len(received) < whole:
                return
            del received[:whole]
            self._answer(request[0].split(" "), headers)

    def _answer(self, request: Sequence[str], headers: dict[str, str]) -> None:
        method, url = request[0], request[1] if len(request) > 1 else ""
        stream = self._find(url)
        session = "Session: 1;timeout=60"
        match method:
            case "OPTIONS":
                self._say(headers, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
            case "DESCRIBE" if stream is not None:
                body = self._camera.sdp("127.0.0.1")
                self._say(headers, f"Content-Base: {url}/", "Content-Type: application/sdp", body=body)
            case "SETUP" if stream is not None and "interleaved" not in headers.get("transport", ""):
                self._say(headers, status="461 Unsupported Transport")
            case "SETUP" if stream is not None:
                self._stream = stream
                self._say(headers, session, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            case "PLAY" if self._stream is not None:
                self._say(headers, session, "Range: npt=now-")
                self._stream.connections += 1
                self._stream.phase.players.add(self)
            case "GET_PARAMETER" | "SET_PARAMETER":
                self._say(headers, session)
            case "TEARDOWN":
                self._say(headers, session)
                transport = self._transport
                self._end()
                if transport is not None:
                    transport.close()
            case _:
                self._say(headers, status="404 Not Found" if method in {"DESCRIBE", "SETUP"} else "501 Not Implemented")

    def _find(self, url: str) -> Stream | None:
        for part in url.split("/")[3:]:
            if part.isdigit() and int(part) < len(self._camera.streams):
                return self._camera.streams[int(part)]
        return None

    def _say(self, headers: dict[str, str], *lines: str, status: str = "200 OK", body: str = "") -> None:
        head = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}", *lines]
        if body:
            head.append(f"Content-Length: {len(body)}")
        if self._transport is not None:
            self._transport.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())
