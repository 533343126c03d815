"""A client of MQTT 3.1.1 byte by byte: it reads when it is told to, and says what no library would."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CONNACK, PUBLISH, PUBACK, SUBACK = 0x20, 0x30, 0x40, 0x90
ANSWER_S = 20.0


def text(said: str) -> bytes:
    """Return a string as it is on the wire (section 1.5.3)."""
    return len(said.encode()).to_bytes(2, "big") + said.encode()


def packet(first: int, body: bytes) -> bytes:
    """Return a packet with its length (section 2.2.3)."""
    length, size = b"", len(body)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (128 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def published(topic: str, payload: bytes, *, number: int, retain: bool = False) -> bytes:
    """Return a message of QoS 1."""
    return packet(PUBLISH | 0b10 | retain, text(topic) + number.to_bytes(2, "big") + payload)


class RawClient:
    """Its connection. What has come and was not asked for waits in the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._number = 0

    async def read(self) -> tuple[int, bytes]:
        """Return the next packet: kind and body.

        Raises:
            IncompleteReadError: the connection has ended.
        """
        async with asyncio.timeout(ANSWER_S):
            first = (await self.reader.readexactly(1))[0]
            size = shift = 0
            while True:
                digit = (await self.reader.readexactly(1))[0]
                size |= (digit & 127) << shift
                shift += 7
                if digit < 128:
                    return first & 0xF0, await self.reader.readexactly(size)

    async def message(self, *, acknowledge: bool = True) -> bytes:
        """Return the payload of the next message of QoS 1, acknowledged or not."""
        kind, body = await self.read()
        assert kind == PUBLISH, hex(kind)
        after = 2 + int.from_bytes(body[:2], "big")
        if acknowledge:
            self.writer.write(packet(PUBACK, body[after : after + 2]))
        return body[after + 2 :]

    async def connect(self, name: str, *, clean: bool = True, keepalive_s: int = 60) -> bool:
        """Say who it is; return whether the broker had a session of it.

        Raises:
            IncompleteReadError: it was sent away.
        """
        body = text("MQTT") + bytes([4, 2 if clean else 0]) + keepalive_s.to_bytes(2, "big") + text(name)
        self.writer.write(packet(0x10, body))
        kind, body = await self.read()
        assert (kind, body[1]) == (CONNACK, 0)
        return bool(body[0])

    async def subscribe(self, *topics: str) -> list[int]:
        """Subscribe with QoS 1; return the codes."""
        self._number += 1
        body = self._number.to_bytes(2, "big") + b"".join(text(topic) + b"\x01" for topic in topics)
        self.writer.write(packet(0x82, body))
        kind, body = await self.read()
        assert kind == SUBACK
        return list(body[2:])

    async def ended(self) -> int:
        """Read until the connection has ended; return how many bytes came before."""
        size = 0
        with suppress(OSError):
            async with asyncio.timeout(ANSWER_S):
                while data := await self.reader.read(65_536):
                    size += len(data)
        return size


@asynccontextmanager
async def raw_client(port: int, tls: ssl.SSLContext) -> AsyncIterator[RawClient]:
    """Come to a broker; little fits into its socket while it does not read."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, ssl=tls, server_hostname="127.0.0.1", limit=4096)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
