"""A router with forwarded ports: TCP that comes to one address goes on to hosts inside, as coming from that address."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path

LISTENING = "0A"


class Forwarding:
    """``ports``: port inside -> port outside. ``carried``: bytes that came from each port inside."""

    def __init__(self, outside: str) -> None:
        self.ports: dict[int, int] = {}
        self.carried: Counter[int] = Counter()
        self._outside = outside
        self._flows: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, outside: str, inside: Mapping[int, str]) -> AsyncIterator["Forwarding"]:
        """Forward to each port of ``inside`` at its host for the time of the block."""
        made, servers = cls(outside), []
        try:
            for port, host in inside.items():
                server = await asyncio.start_server(made._carrier(host, port), outside, 0)
                servers.append(server)
                made.ports[port] = server.sockets[0].getsockname()[1]
            yield made
        finally:
            for server in servers:
                server.close()
            for flow in tuple(made._flows):
                flow.cancel()
            await asyncio.gather(*made._flows, return_exceptions=True)

    def _carrier(self, host: str, port: int):  # type: ignore[no-untyped-def] # noqa: ANN202
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._flows.add(task)
            try:
                await self._carry(reader, writer, host, port)
            finally:
                self._flows.discard(task)

        return carry

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port, local_addr=(self._outside, 0))
        except OSError:
            writer.transport.abort()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._flow(reader, far_writer, None))
                both.create_task(self._flow(far_reader, writer, port))
        finally:
            for end in (writer, far_writer):
                end.transport.abort()

    async def _flow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int | None) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if port is not None:
                    self.carried[port] += len(data)
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()


def strangers_at(inside: Mapping[int, str], outside: str) -> set[str]:
    """Return whoever has, or had lately, a connection to a port inside and is not the router. Blocks."""
    found = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        (here, port), (there, _) = _end(local), _end(remote)
        if inside.get(port) == here and state != LISTENING and there != outside:
            found.add(there)
    return found


def _end(told: str) -> tuple[str, int]:
    """Return address and port of an entry: the address is in the machine's order of bytes."""
    address, _, port = told.partition(":")
    return str(IPv4Address(int.from_bytes(bytes.fromhex(address), "little"))), int(port, 16)
