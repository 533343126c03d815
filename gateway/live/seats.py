"""Who is at the port of a camera host: viewers by user fragment, by address, and by the checks that we await."""

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Protocol

from gateway.live.udp import Address, UdpPath
from kernel.allowance import Allowance
from kernel.clock import NS_PER_S, Clock

if TYPE_CHECKING:
    from gateway.live.tcp import TcpPath

MAX_PACKET_BYTES = 1500
"""A longer packet is nobody's: no viewer's path takes it whole."""
PACKETS_PER_S, PACKETS_BURST, PACKET_UNIT_BYTES = 500, 1000, 64
"""DTLS and feedback of one viewer: each packet counts one and one more for every 64 bytes, because a long NACK costs as
much to read as many short ones. Feedback on a bad line is some 100 short packets a second."""
CHECKS_PER_S, CHECKS_BURST = 100, 300
"""Connectivity checks of one viewer from where it is known, and as many answers to ours. A browser makes some 20."""
MOVES_PER_S, MOVES_BURST = 50, 150
"""Checks for one viewer from where it is not known: its first ones, on several networks at once."""
MAX_ADDRESSES = 8
"""Of one viewer at one time."""
MAX_CONNECTIONS = 4
"""TCP connections of one viewer."""
NEVER_NS = -1
FORGET_NS = 30 * NS_PER_S
LAST_STUN_BYTE = 3
"""RFC 7983: a greater first byte is DTLS, SRTP or SRTCP."""
RESPONSES = frozenset({b"\x01\x01", b"\x01\x11"})
_MAX_ATTRIBUTES = 16
_MAX_USERNAME_BYTES = 513
_STUN_HEADER_BYTES = 20
_COOKIE = b"\x21\x12\xa4\x42"
_REQUEST = b"\x00\x01"
_USERNAME = 6
_ATTRIBUTE = Struct("!HH")


class Path(Protocol):
    """A way by which packets come and go: a UDP socket on one local address, or one viewer's TCP connection."""

    @property
    def tcp(self) -> bool:
        """Tell whether it is a connection."""
        ...

    @property
    def local(self) -> Address:
        """Return our end."""
        ...

    def send(self, data: bytes | memoryview, address: Address) -> bool:
        """Send one packet; return False where there is no room, and nothing was sent."""
        ...

    async def room(self) -> None:
        """Return once there may be room again."""
        ...


class Guest(Protocol):
    """One viewer, as the port knows it."""

    def request(self, data: bytes, path: Path, address: Address) -> bool:
        """Answer a connectivity check; return whether it was authenticated."""
        ...

    def response(self, data: bytes, path: Path, address: Address) -> None:
        """Take the answer to a check of ours."""
        ...

    def packet(self, data: bytes) -> None:
        """Take DTLS, SRTP or SRTCP."""
        ...

    def lost(self, path: Path) -> None:
        """Forget a connection that is closed."""
        ...

    def uses(self, path: Path) -> bool:
        """Tell whether its packets go that way now."""
        ...


@dataclass(slots=True)
class PortCounters:
    """Datagrams and frames since the start, and why some went no further."""

    received: int = 0
    unknown: int = 0
    """From no viewer's address, and no check for one."""
    flooded: int = 0
    """Beyond what a viewer, or all strangers together, may send."""
    refused: int = 0
    """Addresses wished for by one viewer while they answer for another; packets from one that has never answered."""
    unauthenticated: int = 0
    """Checks whose message integrity is not the viewer's."""
    strangers_closed: int = 0
    """TCP connections that said nothing true in time, or made room for another."""


def fragment_of(data: bytes) -> bytes | None:
    """Return the local user fragment of a binding request (RFC 8489 section 5), or ``None`` of anything else."""
    size = len(data)
    if data[:2] != _REQUEST or data[4:8] != _COOKIE or size != _STUN_HEADER_BYTES + int.from_bytes(data[2:4], "big"):
        return None
    at = _STUN_HEADER_BYTES
    for _ in range(_MAX_ATTRIBUTES):
        if at + 4 > size:
            return None
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        at += 4
        if kind == _USERNAME:
            if length > _MAX_USERNAME_BYTES or at + length > size:
                return None
            local, colon, _ = data[at : at + length].partition(b":")
            return local if colon else None
        at += length + 3 & ~3
    return None


class Seat:
    """A viewer's place at the port, made by :meth:`Seats.admit`."""

    def __init__(self, seats: "Seats", fragment: bytes, guest: Guest) -> None:
        self.guest = guest
        self.fragment = fragment
        self.checks = Allowance(CHECKS_PER_S, CHECKS_BURST)
        self.answers = Allowance(CHECKS_PER_S, CHECKS_BURST)
        self.moves = Allowance(MOVES_PER_S, MOVES_BURST)
        self.connections: list[TcpPath] = []
        self._seats = seats
        self._packets = Allowance(PACKETS_PER_S, PACKETS_BURST)
        self._proven = False
        self._heard: dict[tuple[UdpPath, Address], tuple[int, int]] = {}
        """When each address last answered a check of ours (never: -1), and when it was last heard, both in ns."""
        self._expected: set[bytes] = set()

    @property
    def addresses(self) -> list[Address]:
        """Return where the viewer is known to be, over UDP."""
        return [address for _, address in self._heard]

    def hold(self, path: UdpPath, address: Address, *, answered: bool) -> None:
        """Know the viewer by an address from which an authenticated check came, or one of ours was ``answered``.

        Another viewer's address is taken over only where it answers for this one: browsers use the numbers of closed
        sockets again. What it sends does not count: a check can be recorded and sent again by anybody. An answer has
        the 96 random bits of our check, and can be made only with this viewer's password. An address that has answered
        is never forgotten for the sake of one that has not.
        """
        now_ns = self._seats.clock.monotonic_ns()
        holder = path.known.get(address)
        if holder is not None and holder is not self:
            if not answered:
                self._seats.counters.refused += 1
                return
            holder._drop((path, address))  # noqa: SLF001
        path.known[address] = self
        answered_ns, _ = self._heard.get((path, address), (NEVER_NS, 0))
        self._heard[path, address] = (now_ns if answered else answered_ns, now_ns)
        self._proven = self._proven or answered
        if len(self._heard) > MAX_ADDRESSES:
            self._drop(min(self._heard, key=self._heard.__getitem__))

    def forget(self, now_ns: int) -> None:
        """Forget the addresses that have not been heard of for long."""
        for place in [place for place, (_, heard_ns) in self._heard.items() if now_ns - heard_ns > FORGET_NS]:
            self._drop(place)

    def packet(self, data: bytes, now_ns: int, place: tuple[UdpPath, Address] | None = None) -> bool:
        """Take DTLS, SRTP or SRTCP of the viewer's; return False where it sends too much, or from the wrong place.

        Over UDP ``place`` is where it comes from. As soon as the viewer has answered somewhere, an address that has not
        is not heard: a recorded check, sent again, may have made it known.
        """
        if place is not None and self._proven and self._heard[place][0] == NEVER_NS:
            self._seats.counters.refused += 1
            return False
        if not self._packets.take(now_ns, 1 + len(data) // PACKET_UNIT_BYTES):
            self._seats.counters.flooded += 1
            return False
        self.guest.packet(data)
        return True

    def connected(self, path: "TcpPath") -> None:
        """Know a connection to be the viewer's. One too many costs the oldest that is not in use."""
        self.connections.append(path)
        if len(self.connections) > MAX_CONNECTIONS:
            surplus = next(one for one in self.connections if not self.guest.uses(one))
            self.connections.remove(surplus)  # now: it is a while until it says that it is closed
            surplus.close()

    def expect(self, transaction: bytes) -> None:
        """Have the answer to a check of ours brought to us, wherever it comes from."""
        self._expected.add(transaction)
        self._seats.expected[transaction] = self

    def expect_no_more(self, transaction: bytes) -> None:
        """Take no answer to a check any more."""
        self._expected.discard(transaction)
        self._seats.expected.pop(transaction, None)

    def disconnected(self, path: "TcpPath") -> None:
        """Forget a closed connection."""
        if path in self.connections:
            self.connections.remove(path)
        self.guest.lost(path)

    def leave(self) -> None:
        """Give everything back."""
        for transaction in list(self._expected):
            self.expect_no_more(transaction)
        for place in list(self._heard):
            self._drop(place)
        for connection in list(self.connections):
            connection.close()
        self._seats.by_fragment.pop(self.fragment, None)

    def _drop(self, place: tuple[UdpPath, Address]) -> None:
        path, address = place
        del self._heard[place]
        del path.known[address]


class Seats:
    """All viewers at the port."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.counters = PortCounters()
        self.by_fragment: dict[bytes, Seat] = {}
        self.expected: dict[bytes, Seat] = {}

    def admit(self, fragment: str, guest: Guest) -> Seat:
        """Give a viewer its place; checks for ``fragment`` are brought to it until it leaves."""
        seat = Seat(self, fragment.encode(), guest)
        assert seat.fragment not in self.by_fragment
        self.by_fragment[seat.fragment] = seat
        return seat

    def check(self, data: bytes, path: UdpPath, address: Address, now_ns: int) -> None:
        """Bring a connectivity check to the viewer that it is for, and know it by its address if it is true."""
        fragment = fragment_of(data)
        seat = self.by_fragment.get(fragment) if fragment else None
        if seat is None:
            self.counters.unknown += 1
        elif not (seat.checks if path.known.get(address) is seat else seat.moves).take(now_ns):
            self.counters.flooded += 1
        elif seat.guest.request(data, path, address):
            seat.hold(path, address, answered=False)
        else:
            self.counters.unauthenticated += 1

    def respond(self, data: bytes, path: Path, address: Address, now_ns: int) -> None:
        """Bring the answer to a check to whoever awaits it."""
        seat = self.expected.get(data[8:20])
        if seat is None:
            self.counters.unknown += 1
        elif seat.answers.take(now_ns):
            seat.guest.response(data, path, address)
        else:
            self.counters.flooded += 1
