"""One viewer: aiortc's ICE and DTLS, and a way in for packets that does no more than it must.

aiortc hands each packet through queues and tasks; sixteen such viewers would take more of the machine than the servers
that are measured. Here the datagram's own callback decrypts and checks. Receiver reports go out each second and what
is missing is asked for again, as browsers do.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from typing import Any

import aioice.ice
import pylibsrtp
from aiortc import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.rtp import (
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)
from aiortc.sdp import SessionDescription, candidate_to_sdp

from audience.assembly import Assembly

PAYLOAD_TYPE, RTX_TYPE = 102, 103
SSRC = 0x0A0D1E7C
REPORT_S = 1.0
LOOK_S = 0.05
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
_SO_RCVBUFFORCE = 33
PROFILES = {"gcm": b"SRTP_AEAD_AES_", "cm": b"SRTP_AES128_CM"}


def serve_from(address: str) -> None:
    """Make every viewer of this process use this address, which may be a loopback one (aioice leaves those out)."""
    aioice.ice.get_host_addresses = lambda **_: [address]


class Viewer:
    """Made; :meth:`local` is described to the server; then :meth:`connect`."""

    def __init__(self, sums: Mapping[int, int], *, gop_frames: int, keep: bool, srtp: str) -> None:
        self.assembly: Assembly | None = None
        self.srtp = ""
        self._sums, self._gop_frames, self._keep = sums, gop_frames, keep
        self._gatherer = RTCIceGatherer(iceServers=[])
        self._ice = RTCIceTransport(self._gatherer)
        dtls: Any = RTCDtlsTransport(self._ice, [RTCCertificate.generateCertificate()])
        if srtp != "any":
            dtls._srtp_profiles = [  # noqa: SLF001 - aiortc offers no choice
                profile for profile in SRTP_PROFILES if profile.openssl_profile.startswith(PROFILES[srtp])
            ]
        dtls._handle_rtp_data = self._rtp_from_aiortc  # noqa: SLF001 - the few that come before our own way is open
        dtls._handle_rtcp_data = self._rtcp_from_aiortc  # noqa: SLF001
        self._dtls = dtls
        self._loop = asyncio.get_running_loop()
        self._reporting: asyncio.Task[None] | None = None
        self._last_report: tuple[int, float] | None = None

    async def local(self, *, offered: SessionDescription | None = None) -> str:
        """Return our offer, or our answer to ``offered``."""
        await self._gatherer.gather()
        kind, rtx = PAYLOAD_TYPE, RTX_TYPE
        if offered is not None:
            codecs = offered.media[0].rtp.codecs
            kind = next(codec.payloadType for codec in codecs if codec.name.lower() == "h264") or 0
            rtx = next((codec.payloadType or 0 for codec in codecs if codec.parameters.get("apt") == kind), 0)
        self._await_stream(kind, rtx or None)
        parameters = self._gatherer.getLocalParameters()
        prints = self._dtls.getLocalParameters().fingerprints
        mid = offered.media[0].rtp.muxId if offered is not None else "0"
        types = f"{kind} {rtx}" if rtx else f"{kind}"
        lines = [
            *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mid}", "a=msid-semantic: WMS *"),
            *(f"m=video 9 UDP/TLS/RTP/SAVPF {types}", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0"),
            *(f"a=ice-ufrag:{parameters.usernameFragment}", f"a=ice-pwd:{parameters.password}"),
            *(f"a=fingerprint:{one.algorithm} {one.value}" for one in prints if one.algorithm == "sha-256"),
            f"a=setup:{'active' if offered is not None else 'actpass'}",
            *(f"a=mid:{mid}", "a=recvonly", "a=rtcp-mux", "a=rtcp-rsize", f"a=rtpmap:{kind} H264/90000"),
            *(f"a=rtcp-fb:{kind} {feedback}" for feedback in ("nack", "nack pli", "ccm fir")),
            f"a=fmtp:{kind} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        ]
        if rtx:
            lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={kind}"]
        lines += [f"a=candidate:{candidate_to_sdp(one)}" for one in self._gatherer.getLocalCandidates()]
        return "\r\n".join([*lines, "a=end-of-candidates"]) + "\r\n"

    def _await_stream(self, kind: int, rtx: int | None) -> None:
        self.assembly = Assembly(
            self._sums, gop_frames=self._gop_frames, payload_type=kind, rtx_type=rtx, keep=self._keep
        )

    async def connect(self, remote: SessionDescription, *, offered: bool) -> None:
        """Connect to the server that described itself so; ``offered`` by us.

        Raises:
            ConnectionError: it could not be reached, or no keys were agreed on.
        """
        media = remote.media[0]
        connection: Any = self._ice._connection  # noqa: SLF001 - as RTCPeerConnection does
        connection.ice_controlling = offered
        for candidate in media.ice_candidates:
            if candidate.protocol.lower() == "udp":
                await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        assert media.dtls is not None
        assert media.ice is not None
        self._dtls._set_role("server" if media.dtls.role == "client" else "client")  # noqa: SLF001
        await self._ice.start(media.ice)
        if self._ice.state != "completed":
            raise ConnectionError("no candidate of the server's answers")
        for protocol in connection._protocols:  # noqa: SLF001
            _widen(protocol.transport.get_extra_info("socket"))
        await self._dtls.start(RTCDtlsParameters(fingerprints=media.dtls.fingerprints, role=media.dtls.role))
        if self._dtls.state != "connected":
            raise ConnectionError("the DTLS handshake failed")
        self.srtp = self._dtls._ssl.get_selected_srtp_profile().decode()  # noqa: SLF001
        for protocol in connection._protocols:  # noqa: SLF001
            self._open_short_way(protocol)
        self._reporting = asyncio.create_task(self._report())

    def _open_short_way(self, protocol: Any) -> None:
        other_way, session, clock, check = (
            protocol.datagram_received,
            self._dtls._rx_srtp,  # noqa: SLF001
            self._loop.time,
            self.assembly,
        )
        assert check is not None
        unprotect, packet = session.unprotect, check.packet

        def received(data: bytes, address: Any) -> None:
            if not 127 < data[0] < 192 or 191 < data[1] < 224:
                other_way(data, address)  # STUN, DTLS, RTCP
                return
            with contextlib.suppress(pylibsrtp.Error):  # what cannot be authenticated did not come
                packet(unprotect(data), clock())

        protocol.datagram_received = received

    async def _rtp_from_aiortc(self, data: bytes, arrival_time_ms: int) -> None:
        del arrival_time_ms
        if self.assembly is not None:
            self.assembly.packet(data, self._loop.time())

    async def _rtcp_from_aiortc(self, data: bytes) -> None:
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpSrPacket):
                self._last_report = (packet.sender_info.ntp_timestamp >> 16 & 0xFFFF_FFFF, self._loop.time())

    async def _report(self) -> None:
        """Tell what came each second (RFC 3550 section 6.4.2), and what did not at once (RFC 4585 section 6.2.1)."""
        check = self.assembly
        assert check is not None
        due_s = self._loop.time()
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(LOOK_S)
                now_s = self._loop.time()
                missing = check.missing(now_s)[:128]
                if missing and check.source is not None:
                    nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=SSRC, media_ssrc=check.source)
                    nack.lost = missing
                    await self._dtls._send_rtp(bytes(nack))  # noqa: SLF001
                if now_s >= due_s and check.source is not None:
                    due_s = now_s + REPORT_S
                    await self._dtls._send_rtp(self._receiver_report(check, now_s))  # noqa: SLF001

    def _receiver_report(self, check: Assembly, now_s: float) -> bytes:
        assert check.source is not None
        heard = self._last_report
        info = RtcpReceiverInfo(
            ssrc=check.source,
            fraction_lost=0,
            packets_lost=check.tally.lost,
            highest_sequence=check.highest & 0xFFFF_FFFF,
            jitter=0,
            lsr=heard[0] if heard else 0,
            dlsr=round((now_s - heard[1]) * 65536) if heard else 0,
        )
        return bytes(RtcpRrPacket(ssrc=SSRC, reports=[info]))

    async def close(self) -> None:
        """Leave."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.wait([self._reporting])
        await self._dtls.stop()
        await self._ice.stop()


def _widen(receiving: socket.socket) -> None:
    """Give a viewer's socket room for what comes while other viewers are served: losses here are nobody's fault."""
    number = receiving.fileno()
    with socket.socket(fileno=socket.dup(number)) as own:
        try:
            own.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, struct.pack("i", RECEIVE_BUFFER_BYTES))
        except PermissionError:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
