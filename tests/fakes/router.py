"""What stands between a viewer and us: a router that forgets what it translated, a line that stalls."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.live.udp import Address


class Router:
    """Made by :func:`router`. Viewers send to ``port`` on 127.0.0.1. ``checks`` are what STUN went through outwards."""

    def __init__(self, to: Address) -> None:
        self.checks: list[bytes] = []
        self._to = to
        self._inner = _bound()
        self._outer = _bound()
        self._viewer: Address | None = None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._inner, self._outwards)
        loop.add_reader(self._outer, self._inwards)

    @property
    def port(self) -> int:
        """Return where viewers send."""
        port: int = self._inner.getsockname()[1]
        return port

    @property
    def outside(self) -> Address:
        """Return where viewers are seen to come from."""
        host, port = self._outer.getsockname()
        return host, port

    def forget(self) -> None:
        """Give the viewer another address outside; what comes to the old one is lost."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._outer)
        old, self._outer = self._outer, _bound()
        old.close()
        loop.add_reader(self._outer, self._inwards)

    def close(self) -> None:
        """Be switched off."""
        for one in (self._inner, self._outer):
            asyncio.get_running_loop().remove_reader(one)
            one.close()

    def _outwards(self) -> None:
        data, (host, port) = self._inner.recvfrom(2048)
        self._viewer = (host, port)
        if data[:2] == b"\x00\x01":
            self.checks.append(data)
        self._outer.sendto(data, self._to)

    def _inwards(self) -> None:
        data = self._outer.recv(2048)
        if self._viewer is not None:
            self._inner.sendto(data, self._viewer)


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind(("127.0.0.1", 0))
    return made


@asynccontextmanager
async def router(to: Address) -> AsyncIterator[Router]:
    """Give a router on loopback in front of the port at ``to``."""
    made = Router(to)
    try:
        yield made
    finally:
        made.close()


class Line:
    """Made by :func:`line`. A TCP connection through ``port`` goes on to us until it is stalled."""

    def __init__(self, to: Address) -> None:
        self.port = 0
        self._to = to
        self._ends: list[asyncio.StreamWriter] = []
        self._flows: list[asyncio.Task[None]] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        self._ends += [writer, far_writer]
        self._flows.append(asyncio.create_task(_flow(reader, far_writer)))
        self._flows.append(asyncio.create_task(_flow(far_reader, writer)))

    async def stall(self) -> None:
        """Carry nothing any more, either way; the connections stay."""
        for flow in self._flows:
            flow.cancel()
        if self._flows:
            await asyncio.wait(self._flows)

    async def close(self) -> None:
        """Cut everything."""
        await self.stall()
        for end in self._ends:
            end.transport.abort()


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def line(to: Address) -> AsyncIterator[Line]:
    """Give a line on loopback to the TCP port at ``to``."""
    made = Line(to)
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.close()
        await server.wait_closed()
