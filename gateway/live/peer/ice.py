"""One ICE session of a viewer (RFC 8445): its credentials, its place at the port, its pairs. A restart makes another.

aiortc and aioice know no restart. Here the new session is a connection of its own, made beside the one in use, and what
stands on top of both (DTLS, and with it SRTP) is handed from the one to the other when the viewer has nominated a pair
of the new one. The keys, the numbers of packets and the fingerprints stay (RFC 8842 section 6).
"""

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from secrets import choice
from string import ascii_letters, digits
from typing import Any, Protocol

import aioice.ice
from aioice import stun
from aioice.candidate import Candidate
from aiortc import RTCIceParameters, RTCIceTransport
from aiortc.rtcicetransport import RTCIceCandidate, candidate_from_aioice, candidate_to_aioice

from gateway.live.candidates import COMPONENT
from gateway.live.peer.pairs import Link, Pairs
from gateway.live.seats import Path, Seat
from gateway.live.udp import Address, UdpPath

CONSENT_FAILURES = 4
"""Missed consent checks (RFC 7675), each up to 6.5 s, before a silent viewer is given up: under 30 s."""
MAX_CANDIDATES = 32
MAX_PORT = 65_535
MAX_WAITING_PACKETS = 256
"""Taken in for a viewer whose handshake has not come to them yet."""
FRAGMENT_CHARS, PASSWORD_CHARS = 12, 24
"""aioice's own fragments have four characters, too few to tell the viewers of a port apart and to be hard to guess."""
_ICE_CHARS = ascii_letters + digits

# aioice keeps this as a constant of its module; six would let a vanished viewer linger for up to 39 s.
aioice.ice.CONSENT_FAILURES = CONSENT_FAILURES


class Port(Protocol):
    """The port of the host, as far as an ICE session needs it."""

    @property
    def serving(self) -> Sequence[UdpPath]:
        """Return the paths that viewers are told of."""
        ...

    def admit(self, fragment: str, guest: "IceSession") -> Seat:
        """Give a place."""
        ...

    async def widen(self) -> None:
        """Serve from every address that is there."""
        ...


def ice_chars(count: int) -> str:
    """Return so many random characters of those that a credential may have (RFC 8839 section 5.4)."""
    return "".join(choice(_ICE_CHARS) for _ in range(count))


class IceSession:
    """Satisfies ``gateway.live.seats.Guest``. ``connection`` is aioice's."""

    def __init__(self, connection: aioice.ice.Connection, port: Port) -> None:
        replaced: Any = connection
        replaced.get_component_candidates = self._local_candidates
        self.connection = replaced
        self.pairs = Pairs(connection)
        self.links: dict[Path, Link] = {}
        self.startable = asyncio.Event()
        self._port = port
        self._seat = port.admit(connection.local_username, self)
        self._told_candidates = 0

    def another(self, theirs: RTCIceParameters) -> "IceSession":
        """Return the session that a restart makes. It takes packets in for the same DTLS from the first one on."""
        connection: Any = aioice.ice.Connection(
            ice_controlling=self.connection.ice_controlling,
            local_username=ice_chars(FRAGMENT_CHARS),
            local_password=ice_chars(PASSWORD_CHARS),
        )
        connection._queue = self.connection._queue  # noqa: SLF001
        fresh = IceSession(connection, self._port)
        fresh.know(theirs)
        return fresh

    @property
    def parameters(self) -> RTCIceParameters:
        """Return our user fragment and password."""
        return RTCIceParameters(
            usernameFragment=self.connection.local_username, password=self.connection.local_password
        )

    def know(self, theirs: RTCIceParameters) -> None:
        """Take the viewer's credentials: from now on no check of another is true."""
        self.connection.remote_is_lite = theirs.iceLite
        self.connection.remote_username = theirs.usernameFragment
        self.connection.remote_password = theirs.password

    async def gather(self) -> list[RTCIceCandidate]:
        """Return our candidates over UDP."""
        await self.connection.gather_candidates()
        return [candidate_from_aioice(candidate) for candidate in self.connection.local_candidates]

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Note a candidate of the viewer's.

        Names (``.local``) are left out: the viewer's own checks tell us its address as peer-reflexive, and asking
        multicast DNS would reach out to the network. TCP candidates are not for us either, nor other components, nor
        groups. The end of candidates is never told to aioice, which would then give up before such a check arrives.
        Beyond MAX_CANDIDATES they are ignored: each makes us send checks to an address that the viewer chose.
        """
        try:
            address = ip_address(candidate.ip)
        except ValueError:
            return
        if candidate.protocol.lower() != "udp" or candidate.component != COMPONENT:
            return
        if address.is_multicast or address.is_unspecified or not 0 < candidate.port <= MAX_PORT:
            return
        self._told_candidates += 1
        if self._told_candidates <= MAX_CANDIDATES:
            self.startable.set()
            await self.connection.add_remote_candidate(candidate_to_aioice(candidate))

    async def connect(self) -> bool:
        """Check until the viewer has nominated a pair; return False where the session was closed before."""
        if not self.connection.remote_is_lite:
            await self.startable.wait()
        try:
            await self.connection.connect()
        except ConnectionError:
            return False
        return True

    def take_over(self, old: "IceSession", transport: RTCIceTransport) -> None:
        """Stand under ``transport`` in place of ``old``, which can be closed then and takes nothing with it.

        The packets that wait, and whoever waits for packets or for the end, stay as they are.
        """
        ours, theirs = self.connection, old.connection
        theirs._queue = asyncio.Queue()  # noqa: SLF001 - closing puts the end into it
        ours._event_waiter, theirs._event_waiter = theirs._event_waiter, None  # noqa: SLF001
        under: Any = transport
        under._connection = ours  # noqa: SLF001
        under._recv, under._send = ours.recv, ours.send  # noqa: SLF001

    def leave(self) -> None:
        """Give the place up: from now on no check with our credentials is true."""
        self._seat.leave()

    async def close(self) -> None:
        """End every check, and give the place up."""
        try:
            await self.connection.close()
        finally:
            self.startable.set()
            self.leave()

    async def give_up(self) -> None:
        """Close a session that never took over, and leave the waiting packets to the one in use."""
        self.connection._queue = asyncio.Queue()  # noqa: SLF001
        await self.close()

    # --- what the port brings

    def request(self, data: bytes, path: Path, address: Address) -> bool:
        """See ``Guest``; aioice answers, and keeps the checks that come before it is started."""
        connection = self.connection
        try:
            message = stun.parse_message(data)
        except (ValueError, struct.error):
            return False
        attributes = message.attributes
        true: bool = (
            "PRIORITY" in attributes
            and connection._valid_username(attributes.get("USERNAME", ""))  # noqa: SLF001
            and message.check_message_integrity(connection.local_password.encode())
        )
        if not true or self.pairs.crowded(address):
            return False  # and no answer: RFC 8489 would have one, but only browsers that we know are served here
        link = self.links.get(path) or self._join(path)
        self.pairs.checked(link, address, nominated="USE-CANDIDATE" in attributes)
        self.startable.set()
        connection.request_received(message, address, link)
        return True

    def response(self, data: bytes, path: Path, address: Address) -> None:
        """See ``Guest``."""
        link = self.links.get(path)
        if link is not None:
            with suppress(ValueError, struct.error):
                stun.parse_message(data)
                link.datagram_received(data, address)

    def packet(self, data: bytes) -> None:
        """See ``Guest``."""
        if self.connection._queue.qsize() < MAX_WAITING_PACKETS:  # noqa: SLF001
            self.connection.data_received(data, COMPONENT)

    def lost(self, path: Path) -> None:
        """See ``Guest``. The view goes on where the viewer comes again; otherwise consent ends it."""
        link = self.links.pop(path, None)
        if link in self.connection._protocols:  # noqa: SLF001
            self.connection._protocols.remove(link)  # noqa: SLF001

    def uses(self, path: Path) -> bool:
        """See ``Guest``."""
        best = self.pairs.best
        return best is not None and best.protocol.path is path

    async def _local_candidates(self, component: int, addresses: Sequence[str], timeout: int = 5) -> list[Candidate]:  # noqa: ARG002, ASYNC109 - aioice's own signature
        """Take part in every socket of the port (in place of aioice's, which binds its own)."""
        await self._port.widen()
        return [self._join(path).local_candidate for path in self._port.serving]

    def _join(self, path: Path) -> Link:
        link = self.links[path] = Link(self.connection, self.pairs, self._seat, path)
        self.connection._protocols.append(link)  # noqa: SLF001
        return link
