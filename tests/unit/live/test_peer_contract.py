"""What gateway.live.peer takes from the insides of aiortc, aioice and pylibsrtp is still there."""

import inspect
from importlib.metadata import version

import aioice.ice
import pylibsrtp
import pytest
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from pylibsrtp._binding import ffi, lib

from gateway.live.peer import CONSENT_FAILURES, PINNED


@pytest.mark.parametrize("package", sorted(PINNED))
def test_the_versions_are_those_it_was_written_against(package: str) -> None:
    """A new version of a library whose insides we use is looked at before it is used."""
    assert version(package) == PINNED[package]


async def test_aiortcs_insides_have_the_names_we_use() -> None:
    """The attributes that the peer reads or replaces exist, and are used by aiortc as we believe."""
    gatherer = RTCIceGatherer(iceServers=[])
    ice = RTCIceTransport(gatherer)
    dtls = RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()])
    connection = ice._connection
    assert connection.stun_server is None
    assert connection._nominated == {}
    assert connection._protocols == []
    assert dtls._tx_srtp is None
    assert dtls._task is None
    receive = inspect.getsource(RTCDtlsTransport._recv_next)
    assert "self._handle_rtcp_data(data)" in receive
    assert "self._handle_rtp_data(data, arrival_time_ms=arrival_time_ms)" in receive
    gather = inspect.getsource(aioice.ice.Connection.gather_candidates)
    assert "self.get_component_candidates(component=component, addresses=addresses)" in gather
    connect = inspect.getsource(aioice.ice.Connection.connect)
    assert "if not self._check_periodic():" in connect
    assert "self._check_list_state.get()" in connect
    received = inspect.getsource(aioice.ice.StunProtocol.datagram_received)
    assert "self.receiver.request_received(message, addr, self)" in received
    assert "self._early_checks.append((message, addr, protocol))" in inspect.getsource(
        aioice.ice.Connection.request_received
    )
    assert list(inspect.signature(connection.get_component_candidates).parameters) == [
        "component", "addresses", "timeout",
    ]  # fmt: skip


def test_consent_ends_a_silent_viewer_within_thirty_seconds() -> None:
    """Four checks, each at most 1.2 intervals apart and answered within half a second, are under 30 s."""
    assert aioice.ice.CONSENT_FAILURES == CONSENT_FAILURES
    assert "failures >= CONSENT_FAILURES" in inspect.getsource(aioice.ice.Connection.query_consent)
    assert CONSENT_FAILURES * (aioice.ice.CONSENT_INTERVAL * 1.2 + 0.5) < 30


def test_srtp_sessions_keep_their_buffer_where_we_write() -> None:
    """A packet written into the session's buffer and encrypted in place is what ``protect`` would return."""
    policy = pylibsrtp.Policy(key=bytes(range(30)), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    policy.allow_repeat_tx = True
    packet = b"\x80\x60\x00\x01" + b"\x00" * 8 + b"payload"
    expected = pylibsrtp.Session(policy).protect(packet)
    session = pylibsrtp.Session(policy)
    space = memoryview(session._buffer).cast("B")
    space[: len(packet)] = packet
    length = ffi.new("int *", len(packet))
    assert lib.srtp_protect(session._srtp[0], session._cdata, length) == lib.srtp_err_status_ok
    assert bytes(space[: length[0]]) == expected
