"""The peer itself: what the port brings goes to aiortc, what is to be sent goes to the sealer."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from secrets import choice
from string import ascii_letters, digits
from typing import Any

import aioice.ice
import structlog
from aioice import stun
from aioice.candidate import Candidate
from aiortc import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
    rtcdtlstransport,
)
from aiortc.rtcicetransport import RTCIceCandidate

from config.live import LiveSettings
from gateway.live.candidates import COMPONENT, from_outside, of_listener
from gateway.live.peer.pairs import Link, Pairs
from gateway.live.peer.srtp import Sealer
from gateway.live.port import LivePort
from gateway.live.seats import Path
from gateway.live.udp import Address
from kernel.clock import NS_PER_S

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0", "pylibsrtp": "1.0.0"}
CONSENT_FAILURES = 4
"""Missed consent checks (RFC 7675), each up to 6.5 s, before a silent viewer is given up: under 30 s."""
MAX_CANDIDATES = 32
MAX_PORT = 65_535
MAX_WAITING_PACKETS = 256
"""Taken in for a viewer whose handshake has not come to them yet."""
_ICE_CHARS = ascii_letters + digits
_CERTIFICATE_NS = 24 * 3600 * NS_PER_S
PROFILES = [
    rtcdtlstransport.SRTP_AEAD_AES_128_GCM,
    rtcdtlstransport.SRTP_AES128_CM_SHA1_80,
]

_log = structlog.get_logger(__name__)

# aioice keeps this as a constant of its module; six would let a vanished viewer linger for up to 39 s.
aioice.ice.CONSENT_FAILURES = CONSENT_FAILURES


def host_addresses() -> list[str]:
    """Return the addresses of this machine, without loopback and link-local ones."""
    return aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


@lru_cache(maxsize=1)
def _certificate(day: int) -> RTCCertificate:  # noqa: ARG001 - made anew each day
    """Return the host's certificate. Shared by its viewers: it says who serves, not who watches."""
    return RTCCertificate.generateCertificate()


def _ice_chars(count: int) -> str:
    return "".join(choice(_ICE_CHARS) for _ in range(count))


class Peer:
    """ICE, DTLS and SRTP of one viewer. ``on_rtcp`` gets decrypted compound packets, ``on_over`` comes once.

    Satisfies ``gateway.live.seats.Guest`` and ``gateway.live.track.Wire``.
    """

    def __init__(
        self,
        settings: LiveSettings,
        port: LivePort,
        *,
        on_rtcp: Callable[[bytes], None],
        on_over: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._port = port
        self._on_rtcp = on_rtcp
        self._on_over = on_over
        # An empty list, not None: by default aiortc would ask a public STUN server. aioice's own fragments have four
        # characters, too few to tell the viewers of a port apart and to be hard to guess.
        self._gatherer = RTCIceGatherer(iceServers=[], local_username=_ice_chars(12), local_password=_ice_chars(24))
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [_certificate(port.clock.wall_ns() // _CERTIFICATE_NS)])
        connection: Any = self._ice._connection  # noqa: SLF001
        connection.get_component_candidates = self._local_candidates
        self._pairs = Pairs(connection)
        self._connection = connection
        internals: Any = self._dtls
        internals._srtp_profiles = PROFILES  # noqa: SLF001
        internals._handle_rtcp_data = self._take_rtcp  # noqa: SLF001
        internals._handle_rtp_data = self._ignore_rtp  # noqa: SLF001
        self._internals = internals
        self._seat = port.admit(connection.local_username, self)
        self._links: dict[Path, Link] = {}
        self._told_candidates = 0
        self._startable = asyncio.Event()
        self._pair: object = None
        self._sealer: Sealer | None = None
        self._dtls.on("statechange", self._state_changed)
        self._ice.on("statechange", self._state_changed)

    @property
    def parameters(self) -> RTCIceParameters:
        """Return our ICE user fragment and password."""
        return self._gatherer.getLocalParameters()

    @property
    def fingerprint(self) -> str:
        """Return our certificate's SHA-256 as SDP writes it."""
        prints = self._dtls.getLocalParameters().fingerprints
        return next(print_.value for print_ in prints if print_.algorithm == "sha-256")

    async def gather(self) -> list[RTCIceCandidate]:
        """Return every candidate to put into the answer: UDP and TCP of each local address, then the public ones."""
        await self._gatherer.gather()
        found: list[RTCIceCandidate] = self._gatherer.getLocalCandidates()
        found += [of_listener(local) for local in self._port.listening]
        return found + [
            from_outside(candidate, str(address))
            for address in self._settings.public_addresses
            for candidate in found
            if (":" in candidate.ip) == (address.version == 6) and not candidate.ip.startswith("127.")
        ]

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
            self._startable.set()
            await self._ice.addRemoteCandidate(candidate)

    async def connect(self, ice: RTCIceParameters, dtls: RTCDtlsParameters) -> bool:
        """Check connectivity and shake hands; return whether packets may now be sent.

        The caller bounds the time: without a viewer this waits for ever.
        """
        # A lite peer answers checks but makes none (RFC 8445 section 6.1.1): then the checks are ours to make.
        self._connection.ice_controlling = bool(ice.iceLite)
        self._internals._set_role("server" if dtls.role == "client" else "client")  # noqa: SLF001
        if not ice.iceLite:
            await self._startable.wait()
        await self._ice.start(ice)
        if self._ice.state != "completed":
            return False
        await self._dtls.start(dtls)
        if self._dtls.state != "connected":
            return False
        profile = self._internals._ssl.get_selected_srtp_profile()  # noqa: SLF001
        self._sealer = Sealer(self._internals._tx_srtp, profile)  # noqa: SLF001
        return self._follow_pair()

    def send_burst(  # noqa: PLR0913 - the fields of an RTP header
        self,
        payloads: Sequence[bytes],
        start: int,
        stop: int,
        *,
        payload_type: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        marker: bool,
    ) -> int:
        """Encrypt and send ``payloads[start:stop]`` as consecutive packets; the M bit on the last one if ``marker``.

        Return how many were handed over: fewer where there is no room. Those behind were not sent, and may be sent
        again with the same numbers, if they are the same. While the viewer cannot be reached they are lost.
        """
        if not self._follow_pair():
            return stop - start
        assert self._sealer is not None
        return self._sealer.send_burst(
            payloads,
            start,
            stop,
            payload_type=payload_type,
            sequence=sequence,
            timestamp=timestamp,
            ssrc=ssrc,
            marker=marker,
        )

    def send_rtp(self, header: bytes, payload: bytes) -> bool:
        """Encrypt and send one packet; return False where there is no room, and nothing was sent."""
        if not self._follow_pair():
            return True
        assert self._sealer is not None
        return self._sealer.send_rtp(header, payload)

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send a compound RTCP packet; one that finds no room is lost."""
        if self._follow_pair():
            assert self._sealer is not None
            self._sealer.send_rtcp(packet)

    async def writable(self) -> None:
        """Return once there may be room again."""
        if self._sealer is not None:
            await self._sealer.writable()

    def request(self, data: bytes, path: Path, address: Address) -> bool:
        """See ``Guest``; aioice answers, and keeps the checks that come before it is started."""
        connection = self._connection
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
        if not true or self._pairs.crowded(address):
            return False  # and no answer: RFC 8489 would have one, but only browsers that we know are served here
        link = self._links.get(path) or self._join(path)
        self._pairs.checked(link, address, nominated="USE-CANDIDATE" in attributes)
        self._startable.set()
        connection.request_received(message, address, link)
        return True

    def response(self, data: bytes, path: Path, address: Address) -> None:
        """See ``Guest``."""
        link = self._links.get(path)
        if link is not None:
            with suppress(ValueError, struct.error):
                stun.parse_message(data)
                link.datagram_received(data, address)

    def packet(self, data: bytes) -> None:
        """See ``Guest``."""
        if self._connection._queue.qsize() < MAX_WAITING_PACKETS:  # noqa: SLF001
            self._connection.data_received(data, COMPONENT)

    def lost(self, path: Path) -> None:
        """See ``Guest``. The view goes on where the viewer comes again; otherwise consent ends it."""
        link = self._links.pop(path, None)
        if link in self._connection._protocols:  # noqa: SLF001
            self._connection._protocols.remove(link)  # noqa: SLF001

    def uses(self, path: Path) -> bool:
        """See ``Guest``."""
        best = self._pairs.best
        return best is not None and best.protocol.path is path

    async def close(self) -> None:
        """Say goodbye and release every task and the place at the port."""
        self._dtls.remove_all_listeners()
        self._ice.remove_all_listeners()
        reading = self._internals._task  # noqa: SLF001
        try:
            await self._dtls.stop()
            await self._ice.stop()
            if self._connection._protocols:  # noqa: SLF001 - gathered, but the viewer never came
                await self._connection.close()
            if reading is not None:
                await asyncio.wait([reading])
                if not reading.cancelled():
                    reading.exception()
        finally:
            self._sealer = None
            self._seat.leave()

    def _follow_pair(self) -> bool:
        """Aim at the pair that ICE holds for the best now; return whether there is one."""
        pair = self._pairs.best
        if pair is not self._pair and pair is not None and self._sealer is not None:
            if self._pair is not None:
                _log.debug("live.moved", tcp=pair.protocol.path.tcp)
            self._pair = pair
            self._sealer.aim(pair.protocol.path, pair.remote_addr)
        return pair is not None and self._sealer is not None

    def _state_changed(self) -> None:
        if self._dtls.state in {"closed", "failed"}:
            self._on_over(f"dtls {self._dtls.state}")
        elif self._ice.state in {"closed", "failed"}:
            self._on_over(f"ice {self._ice.state}")

    async def _take_rtcp(self, data: bytes) -> None:
        self._on_rtcp(data)

    async def _ignore_rtp(self, data: bytes, arrival_time_ms: int) -> None:
        """Viewers have nothing to send."""

    async def _local_candidates(self, component: int, addresses: Sequence[str], timeout: int = 5) -> list[Candidate]:  # noqa: ARG002, ASYNC109 - aioice's own signature
        """Take part in every socket of the port (in place of aioice's, which binds its own)."""
        await self._port.widen()
        return [self._join(path).local_candidate for path in self._port.serving]

    def _join(self, path: Path) -> Link:
        link = self._links[path] = Link(self._connection, self._pairs, self._seat, path)
        self._connection._protocols.append(link)  # noqa: SLF001
        return link
