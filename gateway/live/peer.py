"""One WebRTC peer: ICE and DTLS by aiortc, and our own way of putting packets on its socket.

This is the only module that touches what aiortc, aioice and pylibsrtp do not publish; the versions it was written
against are PINNED, and tests/unit/live/test_peer_contract.py fails when one of them or a name used here changes.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

import aioice.ice
import structlog
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, StunProtocol
from aiortc import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
)
from aiortc.rtcicetransport import RTCIceCandidate
from pylibsrtp._binding import ffi, lib

from config.live import LiveSettings

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0", "pylibsrtp": "1.0.0"}
CONSENT_FAILURES = 4
"""Missed consent checks (RFC 7675), each up to 6.5 s, before a silent viewer is given up: under 30 s."""
MAX_CANDIDATES = 32
SEND_BUFFER_BYTES = 1024 * 1024
_COMPONENT = 1

_log = structlog.get_logger(__name__)

# aioice keeps this as a constant of its module; six would let a vanished viewer linger for up to 39 s.
aioice.ice.CONSENT_FAILURES = CONSENT_FAILURES


class Peer:
    """ICE, DTLS and SRTP of one viewer. ``on_rtcp`` gets decrypted compound packets, ``on_over`` comes once."""

    def __init__(
        self, settings: LiveSettings, *, on_rtcp: Callable[[bytes], None], on_over: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._on_rtcp = on_rtcp
        self._on_over = on_over
        # An empty list, not None: by default aiortc would ask a public STUN server.
        self._gatherer = RTCIceGatherer(iceServers=[])
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [RTCCertificate.generateCertificate()])
        connection: Any = self._ice._connection  # noqa: SLF001
        connection.get_component_candidates = self._bind_candidates
        self._answer_check = connection.request_received
        connection.request_received = self._note_check
        self._poll_checks = connection._check_periodic  # noqa: SLF001
        connection._check_periodic = self._check_periodic  # noqa: SLF001
        self._connection = connection
        internals: Any = self._dtls
        internals._handle_rtcp_data = self._take_rtcp  # noqa: SLF001
        internals._handle_rtp_data = self._ignore_rtp  # noqa: SLF001
        self._internals = internals
        self._told_candidates = 0
        self._reached = False
        self._startable = asyncio.Event()
        self._pair: object = None
        self._socket: socket.socket | None = None
        self._address: tuple[str, int] = ("", 0)
        self._srtp: Any = None
        self._room: Any = None
        self._space: memoryview = memoryview(b"")
        self._length: Any = ffi.new("int *")
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
        """Bind sockets; return every candidate to put into the answer, public addresses included."""
        await self._gatherer.gather()
        found: list[RTCIceCandidate] = self._gatherer.getLocalCandidates()
        named = list(found)
        for address in self._settings.public_addresses:
            for candidate in found:
                if (":" in candidate.ip) == (address.version == 6) and not candidate.ip.startswith("127."):
                    priority = candidate_priority(_COMPONENT, "srflx")
                    foundation = candidate_foundation("srflx", "udp", candidate.ip)
                    named.append(
                        RTCIceCandidate(
                            component=_COMPONENT,
                            foundation=foundation,
                            ip=str(address),
                            port=candidate.port,
                            priority=priority,
                            protocol="udp",
                            type="srflx",
                            relatedAddress=candidate.ip,
                            relatedPort=candidate.port,
                        )
                    )
        return named

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Note a candidate of the viewer's.

        Names (``.local``) are left out: the viewer's own checks tell us its address as peer-reflexive, and asking
        multicast DNS would reach out to the network. TCP candidates are not for us either. The end of candidates is
        never told to aioice, which would then give up before such a check arrives. Beyond MAX_CANDIDATES they are
        ignored: each makes us send checks to an address that the viewer chose.
        """
        if candidate.protocol.lower() != "udp" or candidate.ip.endswith(".local"):
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
        session = self._internals._tx_srtp  # noqa: SLF001
        self._srtp = session._srtp[0]  # noqa: SLF001
        self._room = session._cdata  # noqa: SLF001
        self._space = memoryview(session._buffer).cast("B")  # noqa: SLF001
        return self._follow_pair()

    def send_rtp(self, header: bytes, payload: bytes) -> bool:
        """Encrypt and send one packet; return False where the socket has no room, and nothing was sent.

        Header and payload are written into libsrtp's buffer, encrypted in place and sent from there.
        """
        head = len(header)
        size = head + len(payload)
        space = self._space
        space[:head] = header
        space[head:size] = payload
        self._length[0] = size
        if lib.srtp_protect(self._srtp, self._room, self._length):
            return True  # a spent key or a bad index loses this packet; the DTLS session ends by itself
        return self._send(space[: self._length[0]])

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send a compound RTCP packet; one that finds no room is lost."""
        if self._srtp is None:
            return
        size = len(packet)
        self._space[:size] = packet
        self._length[0] = size
        if not lib.srtp_protect_rtcp(self._srtp, self._room, self._length):
            self._send(self._space[: self._length[0]])

    async def writable(self) -> None:
        """Return once the socket has room again."""
        loop = asyncio.get_running_loop()
        if self._socket is None:
            return
        room = asyncio.Event()
        number = self._socket.fileno()
        loop.add_writer(number, room.set)
        try:
            await room.wait()
        finally:
            loop.remove_writer(number)

    async def close(self) -> None:
        """Say goodbye and release every socket and task."""
        self._dtls.remove_all_listeners()
        self._ice.remove_all_listeners()
        reading = self._internals._task  # noqa: SLF001
        await self._dtls.stop()
        await self._ice.stop()
        if self._connection._protocols:  # noqa: SLF001 - gathered, but the viewer never came
            await self._connection.close()
        if reading is not None:
            await asyncio.wait([reading])
            if not reading.cancelled():
                reading.exception()
        self._srtp = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _follow_pair(self) -> bool:
        """Send on the pair that ICE holds for the best now."""
        pair = self._connection._nominated.get(_COMPONENT)  # noqa: SLF001
        if pair is None:
            return False
        if pair is not self._pair:
            if self._socket is not None:
                self._socket.close()
            # Our own descriptor of aioice's socket: non-blocking sends that tell when there is no room, on any loop.
            number = os.dup(pair.protocol.transport.get_extra_info("socket").fileno())
            self._socket = socket.socket(fileno=number)
            self._socket.settimeout(0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            self._address = pair.remote_addr
            self._pair = pair
        return True

    def _send(self, packet: memoryview) -> bool:
        if self._connection._nominated.get(_COMPONENT) is not self._pair and not self._follow_pair():  # noqa: SLF001
            return True
        assert self._socket is not None
        try:
            self._socket.sendto(packet, self._address)
        except BlockingIOError:
            return False
        except OSError as error:
            # Unreachable for the moment, or refused by a port that has closed: consent checks decide.
            _log.debug("live.send-failed", error=error.strerror)
        return True

    def _state_changed(self) -> None:
        if self._dtls.state in {"closed", "failed"}:
            self._on_over(f"dtls {self._dtls.state}")
        elif self._ice.state in {"closed", "failed"}:
            self._on_over(f"ice {self._ice.state}")

    def _note_check(self, message: Any, address: tuple[str, int], protocol: StunProtocol) -> None:
        """Take a viewer's connectivity check; aioice keeps and answers those that come before it is started."""
        self._answer_check(message, address, protocol)
        self._reached = True
        self._startable.set()

    def _check_periodic(self) -> bool:
        """Tell aioice whether to look again in 20 ms for checks to make.

        Its own answer is yes for as long as candidates may come, and so it notices success up to 20 ms late. Once the
        viewer has reached us there is only to wait for, besides checks that are due, what its checks bring.
        """
        states = {pair.state for pair in self._connection._check_list}  # noqa: SLF001
        due = {CandidatePair.State.WAITING, CandidatePair.State.FROZEN}
        if self._reached and states and not states & due:
            return False
        return bool(self._poll_checks())

    async def _take_rtcp(self, data: bytes) -> None:
        self._on_rtcp(data)

    async def _ignore_rtp(self, data: bytes, arrival_time_ms: int) -> None:
        """Viewers have nothing to send."""

    async def _bind_candidates(self, component: int, addresses: Sequence[str], timeout: int = 5) -> list[Candidate]:  # noqa: ARG002, ASYNC109 - aioice's own signature
        """Bind a socket on every address we serve from (in place of aioice's, which knows no range and no loopback)."""
        wanted = [str(address) for address in self._settings.addresses] or list(addresses)
        if self._settings.loopback and "127.0.0.1" not in wanted:
            wanted.append("127.0.0.1")
        candidates = []
        for address in wanted:
            protocol = await self._bind(address)
            if protocol is None:
                continue
            name = protocol.transport.get_extra_info("sockname")
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", name[0]),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=name[0],
                port=name[1],
                type="host",
            )
            candidates.append(protocol.local_candidate)
            self._connection._protocols.append(protocol)  # noqa: SLF001
        return candidates

    async def _bind(self, address: str) -> StunProtocol | None:
        loop = asyncio.get_running_loop()
        ports: list[int] = [0]
        for port in ports:
            try:
                _, protocol = await loop.create_datagram_endpoint(
                    lambda: StunProtocol(self._connection), local_addr=(address, port)
                )
            except OSError as error:
                if port == ports[-1]:
                    _log.warning("live.bind-failed", address=address, error=error.strerror)
                continue
            return protocol
        return None
