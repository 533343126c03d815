"""A unit's way into the network: a relay between its MQTT client and the broker, which can fail as a modem's link does.

It counts what is sent. A link is lost by carrying nothing while every connection stays open; it is cut by resetting
them. With a new address the old connections are dead: the unit knows, the broker finds out by and by.
"""

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_CHUNK_BYTES = 16_384


class LinkState(enum.Enum):
    """What becomes of bytes."""

    OPEN = "open"
    LOST = "lost"
    CUT = "cut"


class _Connection:
    """One TCP connection of the client (near) and the one to the broker (far) that carries on for it."""

    def __init__(self, link: "Link", near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.dead = False
        """The unit has left it in silence; nothing passes any more."""
        self._link = link
        self._near = near
        self._far = far

    def hang_up(self) -> None:
        """End on the unit's side alone."""
        self._near.transport.abort()

    def reset(self) -> None:
        """End on both sides, at once."""
        self._near.transport.abort()
        self._far.transport.abort()

    async def up(self, reader: asyncio.StreamReader) -> None:
        """Carry what the unit sends until it closes, and pass that on where the link is open."""
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK_BYTES):
                await self._link.carries()
                if self.dead:
                    return
                self._far.write(data)
                await self._far.drain()
                self._link.count(len(data))
        if not self.dead and self._link.state is LinkState.OPEN:
            self._far.close()

    async def down(self, reader: asyncio.StreamReader) -> None:
        """Carry what the broker sends until it closes, and pass that on where the link is open."""
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK_BYTES):
                await self._link.carries()
                if not self.dead:
                    self._near.write(data)
                    await self._near.drain()
        if self._link.state is LinkState.OPEN:
            self._near.transport.abort()


class Link:
    """Made by :func:`open_link`. The client connects to ``port`` on 127.0.0.1; ``count`` is told of bytes sent."""

    def __init__(self, host: str, port: int, count: Callable[[int], None]) -> None:
        self.port = 0
        self.count = count
        self.state = LinkState.OPEN
        """What becomes of bytes now; changed by :meth:`turn`."""
        self._broker = (host, port)
        self._open = asyncio.Event()
        self._open.set()
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def turn(self, state: LinkState) -> None:
        """Let bytes pass, or not."""
        if state is self.state:
            return
        self.state = state
        if state is LinkState.OPEN:
            self._open.set()
        else:
            self._open.clear()
        if state is LinkState.CUT:
            for connection in tuple(self._connections):
                connection.reset()

    def attach(self) -> None:
        """Be somebody else to the network: the unit's connections are dead, and it knows."""
        for connection in tuple(self._connections):
            connection.dead = True
            connection.hang_up()

    def leave(self) -> None:
        """Be switched off: whatever the client still says on its connections, nobody hears."""
        for connection in tuple(self._connections):
            connection.dead = True

    async def carries(self) -> None:
        """Return once the link is open."""
        await self._open.wait()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection of the unit's client."""
        task = asyncio.create_task(self._relay(reader, writer), name="unit link")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Reset every connection."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(writer.transport.abort)
            if self.state is LinkState.CUT:
                return
            await self.carries()
            try:
                far_reader, far_writer = await asyncio.open_connection(*self._broker)
            except OSError:
                return  # no broker there: the client finds its connection closed
            stack.callback(far_writer.transport.abort)
            connection = _Connection(self, writer, far_writer)
            self._connections.add(connection)
            stack.callback(self._connections.discard, connection)
            up = asyncio.create_task(connection.up(reader), name="unit link up")
            down = asyncio.create_task(connection.down(far_reader), name="unit link down")
            try:
                # A dead connection lasts until the broker gives it up; of a lost link the unit finds out by itself.
                await asyncio.gather(up, down)
            finally:
                up.cancel()
                down.cancel()
                await asyncio.gather(up, down, return_exceptions=True)


@asynccontextmanager
async def open_link(host: str, port: int, count: Callable[[int], None]) -> AsyncIterator[Link]:
    """Give a link to the broker there, on a free port of its own."""
    link = Link(host, port, count)
    server = await asyncio.start_server(link.accept, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await link.close()
        await server.wait_closed()
