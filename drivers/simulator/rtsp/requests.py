"""RTSP messages as the server reads and writes them (RFC 2326 sections 4 to 7), bounded."""

import asyncio
from dataclasses import dataclass, field

HEADER_LIMIT_BYTES = 16 * 1024
BODY_LIMIT_BYTES = 64 * 1024

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    505: "RTSP Version not supported",
    551: "Option not supported",
}


class BadRequestError(Exception):
    """What came is no RTSP request; the connection is closed after a 400."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An interleaved packet from the client."""

    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower-case."""

    method: str
    uri: str
    version: str
    headers: dict[str, str]

    @property
    def session(self) -> str:
        """Return the session identifier, without its parameters."""
        return self.headers.get("session", "").partition(";")[0].strip()


@dataclass(slots=True)
class Answer:
    """One response; ``headers`` may repeat a name."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def encode(self, cseq: str) -> bytes:
        """Return it as bytes."""
        lines = [f"RTSP/1.0 {self.status} {REASONS[self.status]}", f"CSeq: {cseq}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


async def read(reader: asyncio.StreamReader) -> Request | Frame | None:
    """Return what comes next, or ``None`` at the end of the connection.

    Raises:
        BadRequestError: it is malformed, or larger than the limits.
    """
    try:
        first = await reader.readexactly(1)
        while first in b"\r\n":
            first = await reader.readexactly(1)
        if first == b"$":
            header = await reader.readexactly(3)
            return Frame(header[0], await reader.readexactly(int.from_bytes(header[1:], "big")))
        if not first.isalpha():
            raise BadRequestError("no request line")
        head = first + await reader.readuntil(b"\r\n\r\n")
        return await _request(head, reader)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError(f"header over {HEADER_LIMIT_BYTES} bytes") from error


async def _request(head: bytes, reader: asyncio.StreamReader) -> Request:
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = start.split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/"):
        raise BadRequestError("no request line")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > BODY_LIMIT_BYTES:
        raise BadRequestError("a body without a sensible length")
    await reader.readexactly(int(length))
    return Request(words[0], words[1], words[2], headers)
