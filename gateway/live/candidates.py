"""The candidates that viewers are told of: every local address over UDP and TCP, and the public ones before them."""

from dataclasses import replace

from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aiortc.rtcicetransport import RTCIceCandidate

from gateway.live.seats import Path
from gateway.live.udp import Address

COMPONENT = 1
"""RTP and RTCP share one (RFC 8834 section 4.5)."""
_TCP_PREFERENCE, _PASSIVE = 90, 4
_HOST_PREFERENCE, _REFLEXIVE_PREFERENCE = 126, 100


def of_path(path: Path) -> Candidate:
    """Return what a path of the port is to ICE."""
    host, port = path.local
    protocol = "tcp" if path.tcp else "udp"
    return Candidate(
        foundation=candidate_foundation("host", protocol, host),
        component=COMPONENT,
        transport=protocol,
        priority=_tcp_priority() if path.tcp else candidate_priority(COMPONENT, "host"),
        host=host,
        port=port,
        type="host",
        tcptype="passive" if path.tcp else None,
    )


def of_listener(local: Address) -> RTCIceCandidate:
    """Return what viewers are told of an address that takes TCP connections."""
    host, port = local
    return RTCIceCandidate(
        component=COMPONENT,
        foundation=candidate_foundation("host", "tcp", host),
        ip=host,
        port=port,
        priority=_tcp_priority(),
        protocol="tcp",
        type="host",
        tcpType="passive",
    )


def from_outside(candidate: RTCIceCandidate, address: str) -> RTCIceCandidate:
    """Return how a router that forwards the port to us (1:1 NAT) shows a candidate."""
    less = _HOST_PREFERENCE - _REFLEXIVE_PREFERENCE if candidate.protocol == "udp" else 1
    return replace(
        candidate,
        foundation=candidate_foundation("srflx", candidate.protocol, candidate.ip),
        ip=address,
        priority=candidate.priority - (less << 24),
        type="srflx",
        relatedAddress=candidate.ip,
        relatedPort=candidate.port,
    )


def _tcp_priority() -> int:
    """Return the priority of a passive TCP candidate (RFC 6544 section 4.2): after every UDP one."""
    return _TCP_PREFERENCE << 24 | (_PASSIVE << 13 | 0x1FFF) << 8 | 256 - COMPONENT
