"""What leaves for a viewer: decrypted by libsrtp's own receiving half, off real sockets."""

import asyncio
import errno
import socket
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from gateway.live.peer import srtp
from gateway.live.peer.srtp import SEGMENTS, TAG_BYTES, Sealer
from gateway.live.seats import Seats
from gateway.live.tcp import Door, TcpPath
from gateway.live.udp import UdpPath
from tests.fakes.clock import ManualClock

PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    b"SRTP_AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
SSRC = 0x1234_5678


def _sessions(profile: bytes) -> tuple[Session, Session]:
    number, key_bytes = PROFILES[profile]
    key = bytes(range(key_bytes))
    sending = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=number)
    sending.allow_repeat_tx = True  # as aiortc sets it; what found no room is sealed again
    return Session(sending), Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=number))


class Ends:
    """A sealer that sends over loopback, and the viewer's end of it."""

    def __init__(self, profile: bytes = b"SRTP_AEAD_AES_128_GCM") -> None:
        ours, self._theirs = _sessions(profile)
        self.viewer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.viewer.bind(("127.0.0.1", 0))
        self.viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.viewer.settimeout(5)
        self.host = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.host.bind(("127.0.0.1", 0))
        self.host.settimeout(0)
        self.path = UdpPath(self.host, self.host.getsockname())
        self.sealer = Sealer(ours, profile)
        self.sealer.aim(self.path, self.viewer.getsockname())

    def send(self, payloads: Sequence[bytes], start: int = 0, stop: int | None = None, *, sequence: int = 7) -> int:
        """Send a burst."""
        return self.sealer.send_burst(
            payloads,
            start,
            len(payloads) if stop is None else stop,
            payload_type=102,
            sequence=sequence,
            timestamp=90_000,
            ssrc=SSRC,
            marker=True,
        )

    def receive(self, count: int) -> list[RtpPacket]:
        """Return so many packets, decrypted."""
        return [RtpPacket.parse(self._theirs.unprotect(self.viewer.recv(2048))) for _ in range(count)]

    def close(self) -> None:
        """Release the sockets."""
        self.viewer.close()
        self.host.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Give both ends."""
    made = Ends()
    yield made
    made.close()


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_cipher_is_what_the_viewer_decrypts(profile: bytes) -> None:
    """Packets sealed in place open again with the receiving session, for each cipher that may be negotiated."""
    assert set(PROFILES) == set(TAG_BYTES)
    ends = Ends(profile)
    payloads = [bytes((index,)) * 900 for index in range(5)] + [b"end"]
    assert ends.send(payloads) == 6
    packets = ends.receive(6)
    ends.close()
    assert [packet.payload for packet in packets] == payloads
    assert [packet.sequence_number for packet in packets] == [7, 8, 9, 10, 11, 12]
    assert [packet.marker for packet in packets] == [0, 0, 0, 0, 0, 1]
    assert {(packet.payload_type, packet.timestamp, packet.ssrc) for packet in packets} == {(102, 90_000, SSRC)}


@given(st.lists(st.integers(1, 1200), min_size=1, max_size=150), st.data())
def test_any_row_of_sizes_arrives_whole(sizes: list[int], data: st.DataObject) -> None:
    """Runs of equal sizes go out together and others alone; whatever the row, each packet arrives once and in order."""
    equal = data.draw(st.integers(0, len(sizes)))
    sizes = [1000] * equal + sizes
    payloads = [bytes((index % 251,)) * size for index, size in enumerate(sizes)]
    start = data.draw(st.integers(0, len(sizes) - 1))
    ends = Ends()
    try:
        assert ends.send(payloads, start, sequence=65_530) == len(payloads) - start
        packets = ends.receive(len(payloads) - start)
    finally:
        ends.close()
    assert [packet.payload for packet in packets] == payloads[start:]
    assert [packet.sequence_number for packet in packets] == [
        (65_530 + index) & 0xFFFF for index in range(len(payloads) - start)
    ]


class Counted:
    """A socket that counts system calls and may refuse them."""

    def __init__(self, sock: socket.socket, *, refuse: int | None = None, room: int = 1_000_000) -> None:
        self.sock = sock
        self.refuse = refuse
        self.room = room
        self.segmented = 0
        self.single = 0

    def sendmsg(self, *call: Any) -> int:
        """Send a run."""
        if self.refuse is not None:
            raise OSError(self.refuse, "refused")
        if self.segmented >= self.room:
            raise BlockingIOError
        self.segmented += 1
        return self.sock.sendmsg(*call)

    def sendto(self, data: Any, address: Any) -> int:
        """Send one."""
        self.single += 1
        return self.sock.sendto(data, address)


def test_a_picture_is_one_system_call(ends: Ends) -> None:
    """Equally long packets and a shorter one behind them are one datagram to the kernel, 64 at most."""
    counted = Counted(ends.host)
    ends.path.sock = counted  # type: ignore[assignment]
    payloads = [b"x" * 1000] * (SEGMENTS + 10) + [b"y" * 10]
    assert ends.send(payloads) == len(payloads)
    assert [packet.payload for packet in ends.receive(len(payloads))] == payloads
    assert (counted.segmented, counted.single) == (2, 0)


@pytest.mark.parametrize("refusal", [errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP])
def test_where_runs_are_refused_packets_go_one_by_one(ends: Ends, refusal: int) -> None:
    """A kernel or path without UDP_SEGMENT gets the same packets singly, from then on without asking again."""
    counted = Counted(ends.host, refuse=refusal)
    ends.path.sock = counted  # type: ignore[assignment]
    payloads = [b"x" * 500] * 8
    assert ends.send(payloads) == 8
    assert ends.send(payloads, sequence=15) == 8
    assert [packet.sequence_number for packet in ends.receive(16)] == list(range(7, 23))
    assert (counted.segmented, counted.single) == (0, 16)


def test_what_found_no_room_may_be_sent_again(ends: Ends) -> None:
    """After a full socket the same packets go with the same numbers, and the viewer opens them all."""
    counted = Counted(ends.host, room=1)
    ends.path.sock = counted  # type: ignore[assignment]
    payloads = [b"x" * 900] * (2 * SEGMENTS)
    went = ends.send(payloads)
    assert went == SEGMENTS
    counted.room = 100
    assert ends.send(payloads, went, sequence=7 + went) == SEGMENTS
    assert [packet.sequence_number for packet in ends.receive(2 * SEGMENTS)] == list(range(7, 7 + 2 * SEGMENTS))


def test_an_unreachable_viewer_is_not_an_error(ends: Ends) -> None:
    """What the network refuses for the moment is lost: consent checks decide about that viewer."""
    counted = Counted(ends.host, refuse=errno.ENETUNREACH)
    ends.path.sock = counted  # type: ignore[assignment]
    assert ends.send([b"x" * 100] * 4) == 4


def test_nothing_is_sent_before_there_is_an_aim() -> None:
    """Without a path packets are lost, not kept."""
    ours, _ = _sessions(b"SRTP_AEAD_AES_128_GCM")
    sealer = Sealer(ours, b"SRTP_AEAD_AES_128_GCM")
    header = {"payload_type": 102, "sequence": 1, "timestamp": 1, "ssrc": SSRC, "marker": True}
    assert sealer.send_burst([b"a", b"b"], 0, 2, **header) == 2  # type: ignore[arg-type]
    assert sealer.send_rtp(b"\x80" + bytes(11), b"a")


async def test_over_tcp_each_packet_has_its_length() -> None:
    """On a connection packets of any size are one write, each behind its length (RFC 4571)."""
    ours, theirs = _sessions(b"SRTP_AEAD_AES_128_GCM")
    written: list[bytes] = []
    listener = socket.socket()
    path = TcpPath(Door(Seats(ManualClock()), ("127.0.0.1", 9), listener))
    listener.close()
    path._transport = SimpleNamespace(write=written.append, abort=lambda: None)  # type: ignore[assignment]
    path.remote = ("127.0.0.1", 5)
    path.gone = asyncio.get_running_loop().create_future()
    sealer = Sealer(ours, b"SRTP_AEAD_AES_128_GCM")
    sealer.aim(path, ("127.0.0.1", 5))
    payloads = [b"x" * 50, b"y" * 700, b"z" * 3]
    sent = sealer.send_burst(payloads, 0, 3, payload_type=102, sequence=1, timestamp=2, ssrc=SSRC, marker=True)
    assert (sent, len(written)) == (3, 1)
    found, rest = [], written[0]
    while rest:
        size = int.from_bytes(rest[:2], "big")
        found.append(RtpPacket.parse(theirs.unprotect(rest[2 : 2 + size])).payload)
        rest = rest[2 + size :]
    assert found == payloads


def test_the_buffer_holds_the_longest_run() -> None:
    """Whatever a path may carry, a run of it fits the one buffer of the process."""
    assert len(srtp._SPACE) >= srtp.SEGMENTED_BYTES + SEGMENTS * (2 + 12 + max(TAG_BYTES.values()))
