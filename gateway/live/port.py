"""The one UDP port of a camera host, and the TCP port of the same number, for all its viewers.

Datagrams are told apart without knowing any secret: connectivity checks by the local user fragment in their USERNAME
(RFC 8445 section 7.2.2), answers to our own checks by their transaction, everything else by the address that a viewer
was heard from. What no viewer is known for is counted and dropped; it is never answered.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import structlog

from config.live import LiveSettings
from gateway.live.errors import LivePortError
from gateway.live.seats import LAST_STUN_BYTE, MAX_PACKET_BYTES, RESPONSES, Guest, PortCounters, Seat, Seats
from gateway.live.tcp import Door
from gateway.live.udp import Address, UdpPath
from kernel.allowance import Allowance
from kernel.clock import Clock

BUFFER_BYTES = 4 * 1024 * 1024
"""Of a socket's two queues: a keyframe to every viewer of a host at once."""
BATCH = 64
"""Datagrams read in one turn of the loop, so that a flood leaves every other turn to the others."""
STRANGERS_PER_S, STRANGERS_BURST = 20_000, 40_000
"""Checks from unknown addresses that are looked into at all; beyond it a share of new viewers' checks is lost too,
which they repeat every 50 ms."""
BACKLOG = 64
_TRIES = 32

_log = structlog.get_logger(__name__)


class LivePort:
    """Made by :func:`open_port`."""

    def __init__(self, settings: LiveSettings, *, clock: Clock, machine: Callable[[], Iterable[str]]) -> None:
        self.clock = clock
        self.number = settings.port
        self.paths: dict[str, UdpPath] = {}
        self.seats = Seats(clock)
        self._settings = settings
        self._machine = machine
        self._doors: dict[str, Door] = {}
        self._strangers = Allowance(STRANGERS_PER_S, STRANGERS_BURST)
        self._widening = asyncio.Lock()
        self._wanted: list[str] = []
        self._left_out: set[str] = set()

    @property
    def serving(self) -> list[UdpPath]:
        """Return the paths that viewers are told of: not those of addresses that the machine has no more."""
        return [self.paths[host] for host in self._wanted if host in self.paths]

    @property
    def listening(self) -> list[Address]:
        """Return the local addresses at which TCP connections are taken."""
        return [(host, self.number) for host in self._wanted if host in self._doors]

    @property
    def counters(self) -> PortCounters:
        """Return what came, and what was dropped."""
        return self.seats.counters

    def admit(self, fragment: str, guest: Guest) -> Seat:
        """Give a viewer its place; checks for ``fragment`` are brought to it until it leaves."""
        return self.seats.admit(fragment, guest)

    async def widen(self, *, start: bool = False) -> None:
        """Serve from every address that is wished for and there, also those that were not there before.

        Raises:
            LivePortError: at the start, that another program has the number.
        """
        async with self._widening:
            wanted = [str(address) for address in self._settings.addresses] or list(self._machine())
            if self._settings.loopback and "127.0.0.1" not in wanted:
                wanted.append("127.0.0.1")
            self._wanted = list(dict.fromkeys(wanted))
            missing = [host for host in self._wanted if host not in self.paths]
            if not missing:
                return
            opening: list[Door] = []
            for host, udp, tcp in self._bind_all(missing, start=start):
                path = self.paths[host] = UdpPath(udp, (host, self.number))
                asyncio.get_running_loop().add_reader(udp.fileno(), self._readable, path)
                if tcp is not None:
                    self._doors[host] = Door(self.seats, (host, self.number), tcp)
                    opening.append(self._doors[host])
            for door in opening:  # an offer that is given up in the midst of this must not leave one shut
                await asyncio.shield(door.open())

    async def watch(self) -> None:
        """Forget what is no longer used, for ever."""
        while True:
            await self.clock.sleep(1)
            now_ns = self.clock.monotonic_ns()
            for seat in self.seats.by_fragment.values():
                seat.forget(now_ns)
            for door in self._doors.values():
                door.sweep(now_ns)

    async def close(self) -> None:
        """Release every socket."""
        for path in self.paths.values():
            path.close()
        self.paths.clear()
        for door in self._doors.values():
            await door.close()
        self._doors.clear()

    def _bind_all(self, hosts: list[str], *, start: bool) -> list[tuple[str, socket.socket, socket.socket | None]]:
        """Bind UDP and TCP of every host to one number; of those that are not this machine's, nothing."""
        for attempt in range(_TRIES):
            bound: list[tuple[str, socket.socket, socket.socket | None]] = []
            number = self.number
            try:
                for host in hosts:
                    pair = self._bind(host, number, start=start)
                    if pair is not None:
                        bound.append((host, *pair))
                        number = pair[0].getsockname()[1]
            except OSError as error:
                for _, udp, tcp in bound:
                    udp.close()
                    if tcp is not None:
                        tcp.close()
                if self.number == 0 and error.errno == errno.EADDRINUSE and attempt < _TRIES - 1:
                    continue  # free at one address and taken at another: the next number
                raise LivePortError(
                    f"Port {number} for viewers cannot be opened: {error.strerror}.",
                    cure="End the program that has it, or set live.port to another number (UDP and TCP).",
                ) from error
            if bound:
                self.number = number
            return bound
        return []

    def _bind(self, host: str, number: int, *, start: bool) -> tuple[socket.socket, socket.socket | None] | None:
        udp = _socket(host, socket.SOCK_DGRAM)
        tcp = _socket(host, socket.SOCK_STREAM) if self._settings.tcp else None
        try:
            udp.bind((host, number))
            number = udp.getsockname()[1]
            if tcp is not None:
                tcp.bind((host, number))
                tcp.listen(BACKLOG)  # bound is not yet owned: another may listen at the same number
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                udp.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        except OSError as error:
            udp.close()
            if tcp is not None:
                tcp.close()
            if error.errno != errno.EADDRNOTAVAIL and (start or self.number == 0):
                raise
            if host not in self._left_out:  # it is tried again with each viewer, and told of once
                self._left_out.add(host)
                _log.warning("live.address-left-out", address=host, port=number, error=error.strerror)
            return None
        self._left_out.discard(host)
        return udp, tcp

    def _readable(self, path: UdpPath) -> None:
        now_ns = self.clock.monotonic_ns()
        receive = path.sock.recvfrom
        for _ in range(BATCH):
            try:
                data, address = receive(MAX_PACKET_BYTES + 1)
            except BlockingIOError:
                return
            except OSError:
                continue  # what the network says about a packet we sent
            self._take(data, path, address[:2], now_ns)

    def _take(self, data: bytes, path: UdpPath, address: Address, now_ns: int) -> None:
        counters = self.seats.counters
        counters.received += 1
        seat = path.known.get(address)
        if not data or len(data) > MAX_PACKET_BYTES:
            counters.unknown += 1
        elif data[0] > LAST_STUN_BYTE:
            if seat is None:
                counters.unknown += 1
            else:
                seat.packet(data, now_ns, (path, address))
        elif data[:2] in RESPONSES:
            # Before any allowance of the address: who floods from a viewer's address (spoofed) knows no transaction.
            self.seats.respond(data, path, address, now_ns)
        elif seat is None and not self._strangers.take(now_ns):
            counters.flooded += 1
        else:
            self.seats.check(data, path, address, now_ns)


def _socket(host: str, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    made = socket.socket(family, kind)
    made.settimeout(0)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == socket.SOCK_STREAM:  # so that a host that is started again need not wait for old connections to time out
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


@asynccontextmanager
async def open_port(
    settings: LiveSettings, *, clock: Clock, machine: Callable[[], Iterable[str]]
) -> AsyncIterator[LivePort]:
    """Open the port of a camera host; its :meth:`LivePort.watch` is the caller's to run.

    ``machine`` tells the addresses of this machine, without loopback.

    Raises:
        LivePortError: another program has it.
    """
    port = LivePort(settings, clock=clock, machine=machine)
    try:
        await port.widen(start=True)
        yield port
    finally:
        await port.close()
