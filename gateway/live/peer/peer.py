"""The peer itself: what the port brings goes to aiortc, what is to be sent goes to the sealer."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import aioice.ice
import structlog
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
from gateway.live.candidates import from_outside, of_listener
from gateway.live.peer.ice import FRAGMENT_CHARS, PASSWORD_CHARS, IceSession, ice_chars
from gateway.live.peer.srtp import Sealer
from gateway.live.port import LivePort
from kernel.clock import NS_PER_S

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0", "pylibsrtp": "1.0.0"}
_CERTIFICATE_NS = 24 * 3600 * NS_PER_S
PROFILES = [
    rtcdtlstransport.SRTP_AEAD_AES_128_GCM,
    rtcdtlstransport.SRTP_AES128_CM_SHA1_80,
]

_log = structlog.get_logger(__name__)


def host_addresses() -> list[str]:
    """Return the addresses of this machine, without loopback and link-local ones."""
    return aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


@lru_cache(maxsize=1)
def _certificate(day: int) -> RTCCertificate:  # noqa: ARG001 - made anew each day
    """Return the host's certificate. Shared by its viewers: it says who serves, not who watches."""
    return RTCCertificate.generateCertificate()


class Peer:
    """ICE, DTLS and SRTP of one viewer. ``on_rtcp`` gets decrypted compound packets, ``on_over`` comes once.

    Satisfies ``gateway.live.track.Wire``.
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
        # An empty list, not None: by default aiortc would ask a public STUN server.
        gatherer = RTCIceGatherer(
            iceServers=[], local_username=ice_chars(FRAGMENT_CHARS), local_password=ice_chars(PASSWORD_CHARS)
        )
        self._ice = RTCIceTransport(gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [_certificate(port.clock.wall_ns() // _CERTIFICATE_NS)])
        self._session = IceSession(self._ice._connection, port)  # noqa: SLF001
        self._next: IceSession | None = None
        self._old: IceSession | None = None
        self._restarts: asyncio.Queue[IceSession] = asyncio.Queue()
        self._closed = False
        internals: Any = self._dtls
        internals._srtp_profiles = PROFILES  # noqa: SLF001
        internals._handle_rtcp_data = self._take_rtcp  # noqa: SLF001
        internals._handle_rtp_data = self._ignore_rtp  # noqa: SLF001
        self._internals = internals
        self._pair: object = None
        self._sealer: Sealer | None = None
        self._dtls.on("statechange", self._state_changed)
        self._ice.on("statechange", self._state_changed)

    @property
    def parameters(self) -> RTCIceParameters:
        """Return the ICE user fragment and password that we answer checks under, those of a restart that goes on."""
        return (self._next or self._session).parameters

    @property
    def fingerprint(self) -> str:
        """Return our certificate's SHA-256 as SDP writes it."""
        prints = self._dtls.getLocalParameters().fingerprints
        return next(print_.value for print_ in prints if print_.algorithm == "sha-256")

    async def gather(self) -> list[RTCIceCandidate]:
        """Return every candidate to put into the answer: UDP and TCP of each local address, then the public ones."""
        return await self._gather(self._session)

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Note a candidate of the viewer's, of the newest ICE session; see ``IceSession.add_candidate``."""
        await (self._next or self._session).add_candidate(candidate)

    async def connect(self, ice: RTCIceParameters, dtls: RTCDtlsParameters) -> bool:
        """Check connectivity and shake hands; return whether packets may now be sent.

        The caller bounds the time: without a viewer this waits for ever.
        """
        # A lite peer answers checks but makes none (RFC 8445 section 6.1.1): then the checks are ours to make.
        self._session.connection.ice_controlling = bool(ice.iceLite)
        self._internals._set_role("server" if dtls.role == "client" else "client")  # noqa: SLF001
        if not ice.iceLite:
            await self._session.startable.wait()
        await self._ice.start(ice)
        if self._ice.state != "completed":
            return False
        await self._dtls.start(dtls)
        if self._dtls.state != "connected":
            return False
        profile = self._internals._ssl.get_selected_srtp_profile()  # noqa: SLF001
        self._sealer = Sealer(self._internals._tx_srtp, profile)  # noqa: SLF001
        return self._follow_pair()

    @property
    def restartable(self) -> bool:
        """Return whether ICE can be restarted: a first pair was found, and the viewer is there."""
        return self._ice.state == "completed" and not self._closed

    async def restart(self, ice: RTCIceParameters) -> list[RTCIceCandidate]:
        """Begin an ICE restart (RFC 8445 section 9) towards the viewer's new credentials; return our candidates.

        :attr:`parameters` are the new ones then. Packets go the old way until the viewer has nominated a new pair,
        which :meth:`follow_restarts` sees to; a restart that was still under way is given up for this one. Only for
        one that is ``restartable``, one call at a time.
        """
        fresh = self._session.another(ice)
        before, self._next = self._next, fresh
        try:
            if before is not None:
                await before.give_up()
            candidates = await self._gather(fresh)
        except BaseException:
            self._next = None
            await fresh.give_up()
            raise
        if self._closed:  # the view ended meanwhile: nobody else will
            await fresh.give_up()
        self._restarts.put_nowait(fresh)
        return candidates

    async def follow_restarts(self) -> None:
        """Go over to each new ICE session as soon as the viewer has a pair in it, for ever.

        Where that never comes the old one goes on, and its consent decides about the view (RFC 7675).
        """
        while True:
            fresh = await self._restarts.get()
            if not await fresh.connect() or self._next is not fresh:
                continue
            old = self._old = self._session
            self._session, self._next = fresh, None
            fresh.take_over(old, self._ice)
            self._follow_pair()
            old.leave()  # now: its credentials are over
            await old.close()
            self._old = None

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

    async def close(self) -> None:
        """Say goodbye and release every task and the place at the port."""
        self._closed = True
        self._dtls.remove_all_listeners()
        self._ice.remove_all_listeners()
        reading = self._internals._task  # noqa: SLF001
        try:
            if self._next is not None:
                await self._next.give_up()
            if self._old is not None:  # cancelled on the way from the one to the other
                await self._old.close()
            await self._dtls.stop()
            await self._ice.stop()
            if self._session.connection._protocols:  # noqa: SLF001 - gathered, but the viewer never came
                await self._session.close()
            if reading is not None:
                await asyncio.wait([reading])
                if not reading.cancelled():
                    reading.exception()
        finally:
            self._sealer = None
            self._session.leave()

    def _follow_pair(self) -> bool:
        """Aim at the pair that ICE holds for the best now; return whether there is one."""
        pair = self._session.pairs.best
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

    async def _gather(self, session: IceSession) -> list[RTCIceCandidate]:
        found = await session.gather()
        found += [of_listener(local) for local in self._port.listening]
        return found + [
            from_outside(candidate, str(address))
            for address in self._settings.public_addresses
            for candidate in found
            if (":" in candidate.ip) == (address.version == 6) and not candidate.ip.startswith("127.")
        ]
