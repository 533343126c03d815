"""What viewers are told of addresses, and in what order they try them."""

import pytest
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_to_sdp

from gateway.live.candidates import from_outside, of_listener, of_path
from gateway.live.seats import Path
from gateway.live.udp import Address


class _Way:
    """Satisfies ``Path`` as far as candidates ask."""

    def __init__(self, host: str, *, tcp: bool) -> None:
        self.tcp = tcp
        self.local: Address = (host, 8189)

    def send(self, data: bytes | memoryview, address: Address) -> bool:
        """Take anything."""
        return bool(data) and bool(address)

    async def room(self) -> None:
        """Have room."""


def _local(host: str, *, tcp: bool = False) -> RTCIceCandidate:
    made = of_path(_Way(host, tcp=tcp))
    return RTCIceCandidate(
        component=made.component,
        foundation=made.foundation,
        ip=made.host,
        port=made.port,
        priority=made.priority,
        protocol=made.transport,
        type=made.type,
        tcpType=made.tcptype,
    )


def test_a_path_is_a_host_candidate() -> None:
    """A UDP socket and a TCP connection are host candidates of their own address; the latter is passive."""
    way: Path = _Way("2001:db8::1", tcp=True)
    made = of_path(way)
    assert (made.type, made.transport, made.tcptype, made.host, made.port) == (
        "host", "tcp", "passive", "2001:db8::1", 8189,
    )  # fmt: skip
    assert of_path(_Way("192.0.2.1", tcp=False)).tcptype is None


def test_viewers_try_udp_first_and_the_public_address_last() -> None:
    """Priorities fall from UDP to TCP, and for each of them from the local to the public address, all of them apart."""
    udp, tcp = _local("192.0.2.1"), of_listener(("192.0.2.1", 8189))
    outside = [from_outside(each, "203.0.113.7") for each in (udp, tcp)]
    order = [udp.priority, outside[0].priority, tcp.priority, outside[1].priority]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == 4
    assert all(0 < priority < 2**31 for priority in order)


def test_a_listener_is_written_as_rfc_6544_says() -> None:
    """The SDP of a TCP candidate ends with its type, and is what a connection of that listener is to ICE."""
    told = of_listener(("192.0.2.1", 8189))
    assert candidate_to_sdp(told).endswith(f"tcp {told.priority} 192.0.2.1 8189 typ host tcptype passive")
    made = _local("192.0.2.1", tcp=True)
    assert (told.foundation, told.priority) == (made.foundation, made.priority)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_a_public_address_says_where_it_leads(tcp: bool) -> None:  # noqa: FBT001
    """A forwarded candidate keeps number and transport, and names the address behind it (RFC 8839 section 5.1)."""
    inner = _local("10.1.2.3", tcp=tcp)
    outer = from_outside(inner, "203.0.113.7")
    assert (outer.ip, outer.port, outer.protocol, outer.tcpType) == ("203.0.113.7", 8189, inner.protocol, inner.tcpType)
    assert (outer.type, outer.relatedAddress, outer.relatedPort) == ("srflx", "10.1.2.3", 8189)
    assert outer.foundation != inner.foundation
