"""What gateway.live.peer takes from the insides of aiortc, aioice and pylibsrtp is still there."""

import asyncio
import inspect
from importlib.metadata import version
from typing import Any

import aioice.ice
import pylibsrtp
import pytest
from aioice import stun
from aioice.candidate import Candidate
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, rtcdtlstransport
from pylibsrtp._binding import ffi, lib

from gateway.live.peer import CONSENT_FAILURES, PINNED, PROFILES
from gateway.live.peer.srtp import TAG_BYTES


@pytest.mark.parametrize("package", sorted(PINNED))
def test_the_versions_are_those_it_was_written_against(package: str) -> None:
    """A new version of a library whose insides we use is looked at before it is used."""
    assert version(package) == PINNED[package]


async def test_aiortcs_insides_have_the_names_we_use() -> None:
    """The attributes that the peer reads or replaces exist, and are used by aiortc as we believe."""
    gatherer = RTCIceGatherer(iceServers=[], local_username="ours", local_password="p" * 24)
    ice = RTCIceTransport(gatherer)
    dtls = RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()])
    assert ice._connection is gatherer._connection
    insides: Any = dtls
    assert insides._tx_srtp is insides._task is insides._ssl is None
    assert set(PROFILES) <= set(dtls._srtp_profiles)
    assert list(inspect.signature(dtls._set_role).parameters) == ["role"]
    receive = inspect.getsource(RTCDtlsTransport._recv_next)
    assert "self._handle_rtcp_data(data)" in receive
    assert "self._handle_rtp_data(data, arrival_time_ms=arrival_time_ms)" in receive
    assert "self.transport._recv()" in receive
    setup = inspect.getsource(RTCDtlsTransport._setup_srtp)
    assert "for srtp_profile in self._srtp_profiles" in setup
    assert "self._ssl.get_selected_srtp_profile()" in setup
    assert "self._tx_srtp = Session(" in setup
    start = inspect.getsource(RTCDtlsTransport.start)
    assert "srtp_profiles=self._srtp_profiles" in start
    assert 'if self._role == "auto"' in start


async def test_aioices_connection_has_the_names_we_use() -> None:
    """What the peer and its pairs read, replace or write to is there, and holds what we believe."""
    connection = Connection(ice_controlling=False, local_username="ours", local_password="p" * 24)
    assert connection.stun_server is None
    assert connection._nominated == {}
    assert (connection._protocols, connection._check_list, connection._remote_candidates) == ([], [], [])
    assert isinstance(connection._queue, asyncio.Queue)
    assert list(inspect.signature(connection.get_component_candidates).parameters) == [
        "component", "addresses", "timeout",
    ]  # fmt: skip
    assert list(inspect.signature(connection.request_received).parameters) == ["message", "addr", "protocol"]
    assert list(inspect.signature(connection.data_received).parameters) == ["data", "component"]
    assert list(inspect.signature(StunProtocol.request).parameters)[1:] == [
        "request", "addr", "integrity_key", "retransmissions",
    ]  # fmt: skip
    connection.data_received(b"packet", 1)
    assert connection._queue.get_nowait() == (b"packet", 1)


async def test_an_ice_session_can_be_put_under_a_running_dtls() -> None:
    """What a restart hands from connection to connection is all that aiortc and aioice keep there."""
    source = inspect.getsource
    gatherer = RTCIceGatherer(iceServers=[])
    ice: Any = RTCIceTransport(gatherer)
    connection = gatherer._connection
    assert (ice._recv, ice._send) == (connection.recv, connection.send)
    assert connection._event_waiter is None
    # Asked for anew with every packet, so that the next one goes by the new connection.
    assert "self.transport._recv()" in source(RTCDtlsTransport._recv_next)
    assert "await self.transport._send(data)" in source(RTCDtlsTransport._write_ssl)
    # Whoever waits for a packet has taken hold of the queue; whoever waits for the end, of the future.
    assert "await self._queue.get()" in source(Connection.recvfrom)
    assert "asyncio.shield(self._event_waiter)" in source(Connection.get_event)
    assert "self._queue.put_nowait(None)" in source(Connection.close)
    assert "await self._connection.close()" in source(RTCIceTransport.stop)
    monitor = source(RTCIceTransport._monitor)
    assert "await self._connection.get_event()" in monitor
    # A session that is closed while it checks gives up.
    close = source(Connection.close)
    assert "self._check_list_state.put_nowait(ICE_FAILED)" in close
    assert "self._check_list_done = True" in close
    assert 'raise ConnectionError("ICE negotiation failed")' in source(Connection.connect)


def test_usernames_are_judged_before_and_after_the_viewer_is_known() -> None:
    """The local half must be ours at once, the other half the viewer's as soon as we know it."""
    connection = Connection(ice_controlling=False, local_username="ours", local_password="p" * 24)
    assert connection._valid_username("ours:anything")
    assert not any(connection._valid_username(name) for name in ("ours", "other:anything", ""))
    connection.remote_username = "them"
    assert connection._valid_username("ours:them")
    assert not connection._valid_username("ours:anything")


def test_aioice_goes_the_ways_that_we_hook_into() -> None:
    """Gathering asks the method that we replace, connecting polls ours, checks come in and go out through links."""
    source = inspect.getsource
    gather = source(Connection.gather_candidates)
    assert "self.get_component_candidates(component=component, addresses=addresses)" in gather
    connect = source(Connection.connect)
    assert "if not self._check_periodic():" in connect
    assert "self._check_list_state.get()" in connect
    assert "check.task.cancel()" in connect
    assert "self.receiver.request_received(message, addr, self)" in source(StunProtocol.datagram_received)
    assert "self._early_checks.append((message, addr, protocol))" in source(Connection.request_received)
    assert 'priority=message.attributes["PRIORITY"]' in source(Connection.check_incoming)
    assert "self._nominated[pair.component] = pair" in source(Connection.check_complete)
    assert "await protocol.close()" in source(Connection.close)
    check = source(Connection.check_start)
    assert "await pair.protocol.request(" in check
    assert "except stun.TransactionError as exc:" in check
    assert "exc.response.error_code == 487" in check
    consent = source(Connection.query_consent)
    assert "for pair in self._nominated.values():" in consent
    assert "retransmissions=0" in consent
    assert "except stun.TransactionError:" in consent


async def test_a_pair_is_what_we_take_it_for() -> None:
    """Its protocol is the link it was made with, its address the candidate's, and it knows its task and its state."""
    connection = Connection(ice_controlling=False)
    link = StunProtocol(connection)
    far = Candidate("1", 1, "udp", 1, "192.0.2.1", 9, "host")
    pair = CandidatePair(link, far)
    assert (pair.protocol, pair.remote_addr, pair.task, pair.state) == (
        link, ("192.0.2.1", 9), None, CandidatePair.State.FROZEN,
    )  # fmt: skip
    assert (pair.nominated, pair.remote_nominated) == (False, False)
    assert far._network_host == "192.0.2.1"
    assert stun.TransactionTimeout().response is None


def test_a_check_is_repeated_as_often_as_we_say() -> None:
    """``retransmissions`` counts the repetitions, and ``RETRY_RTO`` is what the first of them waits."""
    source = inspect.getsource(stun.Transaction)
    assert "self.__tries_max = 1 + (" in source
    assert "self.__timeout_delay = RETRY_RTO" in source


def test_consent_ends_a_silent_viewer_within_thirty_seconds() -> None:
    """Four checks, each at most 1.2 intervals apart and answered within half a second, are under 30 s."""
    assert aioice.ice.CONSENT_FAILURES == CONSENT_FAILURES
    consent = inspect.getsource(Connection.query_consent)
    assert "failures >= CONSENT_FAILURES" in consent
    assert "CONSENT_INTERVAL * (0.8 + 0.4 * random.random())" in consent
    assert stun.RETRY_RTO == 0.5
    assert CONSENT_FAILURES * (aioice.ice.CONSENT_INTERVAL * 1.2 + stun.RETRY_RTO) < 30


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.openssl_profile.decode())
def test_srtp_is_encrypted_in_place_in_a_buffer_of_ours(profile: rtcdtlstransport.SRTPProtectionProfile) -> None:
    """A packet at any place of it becomes what ``protect`` would return, longer by the tag that we reckon with."""
    key = bytes(range(profile.key_length + profile.salt_length))
    policy = pylibsrtp.Policy(
        key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile.libsrtp_profile
    )
    policy.allow_repeat_tx = True
    packet = b"\x80\x60\x00\x01" + b"\x00" * 8 + b"payload"
    expected = pylibsrtp.Session(policy).protect(packet)
    session: Any = pylibsrtp.Session(policy)
    space = bytearray(200)
    length = ffi.new("int *", len(packet))
    space[7 : 7 + len(packet)] = packet
    assert lib.srtp_protect(session._srtp[0], ffi.from_buffer(space) + 7, length) == lib.srtp_err_status_ok
    assert bytes(space[7 : 7 + length[0]]) == expected
    assert length[0] == len(packet) + TAG_BYTES[profile.openssl_profile]


def test_srtcp_is_encrypted_the_same_way() -> None:
    """Reports go through ``srtp_protect_rtcp`` of the same session."""
    policy = pylibsrtp.Policy(key=bytes(range(30)), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    report = b"\x80\xc9\x00\x01\x00\x00\x00\x01"
    expected = pylibsrtp.Session(policy).protect_rtcp(report)
    session: Any = pylibsrtp.Session(policy)
    space, length = bytearray(200), ffi.new("int *", len(report))
    space[: len(report)] = report
    assert lib.srtp_protect_rtcp(session._srtp[0], ffi.from_buffer(space), length) == lib.srtp_err_status_ok
    assert bytes(space[: length[0]]) == expected
