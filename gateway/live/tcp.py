"""Viewers over TCP: ICE-TCP with us as the passive side (RFC 6544), packets framed by RFC 4571.

A stranger's first frame must be an authenticated connectivity check, soon. Few strangers are kept at once, no frame may
be longer than a datagram, a viewer that sends too much is hung up on (what it sent would have to be read all the same),
and no more is held for a slow connection than a second of its picture.
"""

import asyncio
import socket
from collections import Counter
from typing import TYPE_CHECKING, Final, cast

import structlog

from gateway.live.seats import LAST_STUN_BYTE, MAX_PACKET_BYTES, RESPONSES, Seat, Seats, fragment_of
from kernel.clock import NS_PER_S

if TYPE_CHECKING:
    from gateway.live.udp import Address

FIRST_FRAME_NS = 5 * NS_PER_S
MAX_STRANGERS = 64
"""Connections of nobody yet, over each local address. One too many costs the address that has the most of them its
oldest, so that nobody who opens hundreds keeps the others out."""
WRITE_BUFFER_BYTES = 512 * 1024
"""Held here for a connection that does not keep up; beyond it there is no room."""
UNSENT_BYTES = 128 * 1024
"""Of what the kernel holds: the less is old, the sooner a viewer is back at now."""
_TCP_NOTSENT_LOWAT = 25
_LENGTH_BYTES = 2

_log = structlog.get_logger(__name__)


class TcpPath(asyncio.Protocol):
    """One connection. Satisfies ``gateway.live.seats.Path``."""

    tcp: Final = True

    def __init__(self, door: "Door") -> None:
        self.local: Final = door.local
        self.remote: Address = ("", 0)
        self.seat: Seat | None = None
        self.since_ns = 0
        self.gone = asyncio.get_running_loop().create_future()
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._room: asyncio.Event | None = None
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if not peer:  # closed by the other side before we looked
            self._transport.abort()
        else:
            self.remote = (peer[0], peer[1])
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES, low=WRITE_BUFFER_BYTES // 4)
        wire = transport.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self._door.came(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """See ``asyncio.Protocol``."""
        self._transport = None
        self._let_go()
        self._door.went(self)
        if self.seat is not None:
            self.seat.disconnected(self)
        self.gone.set_result(None)

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._full = True

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._full = False
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        data = self._rest + data if self._rest else data
        at, size = 0, len(data)
        now_ns = self._door.seats.clock.monotonic_ns()
        while at + _LENGTH_BYTES <= size:
            end = at + _LENGTH_BYTES + (data[at] << 8 | data[at + 1])
            if end - at - _LENGTH_BYTES > MAX_PACKET_BYTES:
                self.close()
                return
            if end > size:
                break
            if not self._frame(data[at + _LENGTH_BYTES : end], now_ns):
                self.close()
                return
            at = end
        self._rest = data[at:]

    def send(self, data: bytes | memoryview, address: "Address") -> bool:
        """Send one packet; return False where too much is waiting already."""
        return self.write(len(data).to_bytes(2, "big") + data, address)

    def write(self, frames: bytes, address: "Address") -> bool:
        """Send whole frames. To a connection that is closed, or another address, they are lost: checks decide."""
        if self._transport is None or address != self.remote:
            return True
        if self._full:
            return False
        self._transport.write(frames)
        return True

    async def room(self) -> None:
        """Return once there may be room again."""
        if not self._full:
            return
        if self._room is None:
            self._room = asyncio.Event()
        await self._room.wait()

    def close(self) -> None:
        """Close, without waiting for what was not sent."""
        if self._transport is not None:
            self._transport.abort()

    def _let_go(self) -> None:
        self._full = False
        if self._room is not None:
            self._room.set()
            self._room = None

    def _frame(self, data: bytes, now_ns: int) -> bool:
        """Take one frame; return whether the connection may go on."""
        seats, seat = self._door.seats, self.seat
        seats.counters.received += 1
        if seat is None:
            return self._first(data, now_ns)
        if data and data[0] > LAST_STUN_BYTE:
            return seat.packet(data, now_ns)
        if not seat.checks.take(now_ns):
            seats.counters.flooded += 1
            return False
        if data[:2] in RESPONSES:
            seats.respond(data, self, self.remote, now_ns)
        elif fragment_of(data) != seat.fragment or not seat.guest.request(data, self, self.remote):
            seats.counters.unauthenticated += 1
        return True

    def _first(self, data: bytes, now_ns: int) -> bool:
        seats = self._door.seats
        fragment = fragment_of(data)
        seat = seats.by_fragment.get(fragment) if fragment else None
        if seat is None:
            seats.counters.unknown += 1
            return False
        if not seat.moves.take(now_ns):
            seats.counters.flooded += 1
            return False
        if not seat.guest.request(data, self, self.remote):
            seats.counters.unauthenticated += 1
            return False
        self.seat = seat
        self._door.authenticated(self)
        seat.connected(self)
        return True


class Door:
    """Takes the TCP connections of one local address."""

    def __init__(self, seats: Seats, local: "Address", listener: socket.socket) -> None:
        self.seats = seats
        self.local = local
        self.strangers: dict[TcpPath, None] = {}
        self.paths: set[TcpPath] = set()
        self._listener = listener
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to take connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TcpPath(self), sock=self._listener)

    def came(self, path: TcpPath) -> None:
        """Note a connection; it is a stranger's."""
        path.since_ns = self.seats.clock.monotonic_ns()
        self.paths.add(path)
        self.strangers[path] = None
        if len(self.strangers) > MAX_STRANGERS:
            self.seats.counters.strangers_closed += 1
            counts = Counter(one.remote[0] for one in self.strangers)
            most = max(counts.values())
            surplus = next(one for one in self.strangers if counts[one.remote[0]] == most)
            self.strangers.pop(surplus)  # now: it is a while until it says that it is closed
            surplus.close()

    def authenticated(self, path: TcpPath) -> None:
        """Note that a connection is a viewer's."""
        self.strangers.pop(path, None)

    def went(self, path: TcpPath) -> None:
        """Forget a closed connection."""
        self.strangers.pop(path, None)
        self.paths.discard(path)

    def sweep(self, now_ns: int) -> None:
        """Close the connections that have said nothing true in time."""
        for path in [path for path in self.strangers if now_ns - path.since_ns > FIRST_FRAME_NS]:
            self.seats.counters.strangers_closed += 1
            self.strangers.pop(path)
            path.close()

    async def close(self) -> None:
        """Close every connection, and take no more."""
        if self._server is None:
            self._listener.close()
        else:
            self._server.close()
            await self._server.wait_closed()
        closing = [path.gone for path in self.paths]
        for path in list(self.paths):
            path.close()
        if closing:
            await asyncio.wait(closing)
