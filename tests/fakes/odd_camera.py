"""A camera that says what a test writes, byte for byte."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Reply = bytes | None
"""What is sent for a request; ``None`` is silence, ``b""`` hangs up."""

SDP = (
    b"v=0\r\ns=odd\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
    b"m=audio 0 RTP/AVP 0\r\na=control:track2\r\n"
)


def answer(status: str = "200 OK", *headers: str, body: bytes = b"") -> bytes:
    """Return a response to whatever was asked (the CSeq is filled in)."""
    lines = [f"RTSP/1.0 {status}", "CSeq: @", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@dataclass
class OddCamera:
    """Answers by method; ``replies`` may hold a reply, or a function of the request's text."""

    replies: dict[str, Reply | Callable[[str], Reply]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """First lines, in order."""
    texts: list[str] = field(default_factory=list)
    """Whole requests."""
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    """Interleaved packets the client sent."""
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def url(self, path: str = "live") -> str:
        """Return its address."""
        return f"rtsp://127.0.0.1:{self.port}/{path}"

    def methods(self) -> list[str]:
        """Return the methods asked, in order."""
        return [line.split(" ")[0] for line in self.requests]

    def send(self, data: bytes) -> None:
        """Send to whoever is connected last."""
        self.writers[-1].write(data)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client."""
        self.writers.append(writer)
        try:
            while True:
                first = await reader.readexactly(1)
                if first == b"$":
                    head = await reader.readexactly(3)
                    self.frames.append((head[0], await reader.readexactly(int.from_bytes(head[1:], "big"))))
                    continue
                text = (first + await reader.readuntil(b"\r\n\r\n")).decode()
                line = text.split("\r\n")[0]
                self.texts.append(text)
                self.requests.append(line)
                reply = self.replies.get(line.split(" ")[0], answer("404 Not Found"))
                data = reply(text) if callable(reply) else reply
                if data == b"":
                    return
                if data is not None:
                    found = re.search(r"CSeq: (\d+)", text)
                    assert found is not None
                    writer.write(data.replace(b"CSeq: @", b"CSeq: " + found[1].encode()))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.transport.abort()


def good_replies(sdp: bytes = SDP) -> dict[str, Reply | Callable[[str], Reply]]:
    """Return the replies of a camera that does everything right, and sends nothing by itself."""

    def set_up(text: str) -> bytes:
        found = re.search(r"interleaved=[\d-]+", text)
        assert found is not None
        return answer("200 OK", "Session: 12345678", f"Transport: RTP/AVP/TCP;unicast;{found[0]}")

    return {
        "OPTIONS": answer("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"),
        "DESCRIBE": answer("200 OK", "Content-Type: application/sdp", body=sdp),
        "SETUP": set_up,
        "PLAY": answer("200 OK", "Session: 12345678"),
        "GET_PARAMETER": answer(),
        "TEARDOWN": answer(),
    }


@asynccontextmanager
async def odd_camera(**replies: Reply | Callable[[str], Reply]) -> AsyncIterator[OddCamera]:
    """Run a camera whose good replies are overridden by ``replies``."""
    camera = OddCamera(good_replies() | replies)
    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        await camera.serve(reader, writer)
        conversations.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()
        for writer in camera.writers:
            writer.transport.abort()
        await asyncio.gather(*conversations, return_exceptions=True)
