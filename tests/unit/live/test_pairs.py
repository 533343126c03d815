"""Which of a viewer's addresses are checked and which is used, with a viewer that answers as the test wishes."""

import asyncio
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from aioice import stun
from aioice.ice import CandidatePair
from aiortc import RTCDtlsParameters, RTCIceParameters
from aiortc.rtcicetransport import RTCIceCandidate
from hypothesis import given
from hypothesis import strategies as st

from config.live import LiveSettings
from gateway.live.candidates import COMPONENT
from gateway.live.peer.ice import MAX_CANDIDATES, MAX_WAITING_PACKETS
from gateway.live.peer.pairs import LATE_RETRANSMISSIONS, MAX_CONFLICTS, MAX_PAIRS
from gateway.live.peer.peer import Peer
from gateway.live.port import LivePort, open_port
from gateway.live.udp import Address, UdpPath
from kernel.clock import SystemClock
from tests.fakes.clock import settle
from tests.fakes.guest import check
from tests.fakes.waiting import until

SETTINGS = LiveSettings.model_validate({"addresses": ["127.0.0.1"], "port": 0, "tcp": False})
THEIRS = RTCIceParameters(usernameFragment="them", password="t" * 24)
HOME, AWAY, STRANGE = ("192.0.2.1", 4000), ("198.51.100.1", 5000), ("203.0.113.9", 6000)
CANDIDATE = RTCIceCandidate(
    component=1, foundation="1", ip=HOME[0], port=HOME[1], priority=1, protocol="udp", type="host"
)


class Site:
    """A peer whose datagrams reach nobody: ``sent`` has them, and the test answers for the viewer."""

    def __init__(self, port: LivePort) -> None:
        self.port = port
        self.sent: list[tuple[bytes, Address]] = []
        self.path: UdpPath = port.paths["127.0.0.1"]
        self.path.send = self._send  # type: ignore[method-assign]
        self.ended: list[str] = []
        self.peer = Peer(SETTINGS, port, on_rtcp=lambda _: None, on_over=self.ended.append)

    def _send(self, data: bytes | memoryview, address: Address) -> bool:
        self.sent.append((bytes(data), address))
        return True

    @property
    def ice(self) -> Any:
        """Return aioice's connection."""
        return self.peer._session.connection

    def come(self, address: Address, *, nominate: bool = False, password: str | None = None) -> None:
        """Send a check of the viewer's from an address."""
        ours = self.peer.parameters
        data = check(str(ours.usernameFragment), password=password or str(ours.password), nominate=nominate)
        self.port._take(data, self.path, address, self.port.clock.monotonic_ns())

    def checks(self, address: Address) -> list[stun.Message]:
        """Return our checks of an address."""
        messages = [stun.parse_message(data) for data, to in self.sent if to == address and data[0] <= 1]
        return [message for message in messages if message.message_class is stun.Class.REQUEST]

    def tries(self, address: Address) -> int:
        """Return how many checks of an address there were; one that is sent again, as no answer came yet, is one."""
        return len({message.transaction_id for message in self.checks(address)})

    def answer(self, address: Address, *, error: int | None = None, at: Address | None = None) -> None:
        """Answer our latest check of an address, from there or from another."""
        asked = self.checks(address)[-1]
        kind = stun.Class.RESPONSE if error is None else stun.Class.ERROR
        message = stun.Message(stun.Method.BINDING, kind, transaction_id=asked.transaction_id)
        if error is None:
            message.attributes["XOR-MAPPED-ADDRESS"] = self.path.local
        else:
            message.attributes["ERROR-CODE"] = (error, "No")
        message.add_message_integrity(str(THEIRS.password).encode())
        self.port._take(bytes(message), self.path, at or address, self.port.clock.monotonic_ns())

    def aim(self) -> Address | None:
        """Return where packets go."""
        best = self.peer._session.pairs.best
        return None if best is None else best.remote_addr

    async def meet(self, address: Address) -> None:
        """Have the viewer nominate an address, and answer there."""
        before = len(self.checks(address))
        self.come(address, nominate=True)
        await until(lambda: len(self.checks(address)) > before, what="a check")
        self.answer(address)
        await until(lambda: self.aim() == address, what="the pair")
        # aioice gives up the checks under way when it has its first pair: the viewer's next check begins them again.
        await until(lambda: self.peer._ice.state == "completed", what="the end of the first checks")


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    """Give a peer that waits for its viewer."""
    async with open_port(SETTINGS, clock=SystemClock(), machine=list) as port:
        site = Site(port)
        await site.peer.gather()
        connecting = asyncio.create_task(site.peer.connect(THEIRS, RTCDtlsParameters(fingerprints=[], role="client")))
        await settle()
        try:
            yield site
        finally:
            connecting.cancel()
            await asyncio.wait([connecting])
            await site.peer.close()
        assert port.seats.by_fragment == {}


async def test_a_viewer_is_met_where_it_answers(site: Site) -> None:
    """A true check alone aims nothing; the answer to ours does."""
    site.come(HOME, nominate=True)
    await until(lambda: site.checks(HOME), what="a check")
    assert site.aim() is None
    site.answer(HOME)
    await until(lambda: site.aim() == HOME, what="the pair")


async def test_a_false_check_is_not_answered_and_leaves_nothing(site: Site) -> None:
    """Another password reaches nothing: no answer, no candidate, no check of ours."""
    site.come(STRANGE, password="x" * 24)
    await settle()
    assert site.sent == []
    assert site.ice._remote_candidates == []
    assert site.port.counters.unauthenticated == 1


async def test_an_answer_from_elsewhere_is_none(site: Site) -> None:
    """What answers at another address than was checked proves neither of them (RFC 8445 section 7.2.5.2.1)."""
    site.come(HOME, nominate=True)
    await until(lambda: site.checks(HOME), what="a check")
    site.answer(HOME, at=STRANGE)
    await settle()
    assert site.aim() is None
    assert site.ice._check_list[0].state is CandidatePair.State.FAILED


async def test_consent_that_is_given_from_elsewhere_is_none(site: Site) -> None:
    """The answer to a check of consent counts from the address in use alone (RFC 7675 section 5.1)."""
    await site.meet(HOME)
    pair = site.peer._session.pairs.best
    asked = asyncio.create_task(
        pair.protocol.request(
            site.ice.build_request(pair, nominate=False),
            pair.remote_addr,
            integrity_key=str(THEIRS.password).encode(),
            retransmissions=0,
        )
    )
    await settle()
    site.answer(HOME, at=STRANGE)
    with pytest.raises(stun.TransactionTimeout):
        await asked


async def test_a_new_address_is_followed_once_it_answers(site: Site) -> None:
    """A nominating check from a new address is checked back first, then packets go there."""
    await site.meet(HOME)
    site.come(AWAY, nominate=True)
    await until(lambda: site.checks(AWAY), what="a check")
    assert site.aim() == HOME
    site.answer(AWAY)
    await until(lambda: site.aim() == AWAY, what="the move")


async def test_an_old_address_is_proved_again_before_it_is_used_again(site: Site) -> None:
    """A recorded check from where the viewer once was, forged or not, does not send its picture there."""
    await site.meet(HOME)
    await site.meet(AWAY)
    before = len(site.checks(HOME))
    site.come(HOME, nominate=True)
    await until(lambda: len(site.checks(HOME)) > before, what="a check")
    assert site.aim() == AWAY
    site.answer(HOME)
    await until(lambda: site.aim() == HOME, what="the move back")


async def test_a_silent_pair_is_replaced_by_one_that_answered_since(site: Site) -> None:
    """Where consent gets no answer, the address that a check of ours was answered from since takes its place."""
    await site.meet(HOME)
    site.come(AWAY)
    await until(lambda: site.checks(AWAY), what="a check")
    site.answer(AWAY)
    await settle()
    assert site.aim() == HOME
    site.peer._session.pairs.stand_in()
    assert site.aim() == AWAY


async def test_a_pair_that_answered_before_does_not_stand_in(site: Site) -> None:
    """One lost answer of a good pair does not move the view to an older one."""
    site.come(AWAY)
    await until(lambda: site.checks(AWAY), what="a check")
    site.answer(AWAY)
    await site.meet(HOME)
    site.peer._session.pairs.stand_in()
    assert site.aim() == HOME


async def test_nothing_stands_in_for_nothing(site: Site) -> None:
    """Before there is a pair in use there is none to replace."""
    site.peer._session.pairs.stand_in()
    assert site.aim() is None


async def test_a_new_address_is_checked_few_times_once_there_is_a_good_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorded check that is sent again from a forged address makes us send no more than three there."""
    await site.meet(HOME)
    monkeypatch.setattr(stun, "RETRY_RTO", 0.001)
    site.come(STRANGE, nominate=True)
    pairs = site.ice._check_list
    await until(lambda: any(pair.state is CandidatePair.State.FAILED for pair in pairs), what="giving up")
    assert len(site.checks(STRANGE)) == 1 + LATE_RETRANSMISSIONS


async def test_addresses_of_one_viewer_are_bounded(site: Site) -> None:
    """However many addresses checks come from, few are remembered; those that came to nothing make room."""
    await site.meet(HOME)
    for number in range(2 * MAX_PAIRS):
        site.come((STRANGE[0], 1000 + number))
    assert len(site.ice._remote_candidates) == MAX_PAIRS
    for pair in site.ice._check_list[1:]:
        if pair.remote_addr != HOME and pair.task is not None:
            pair.task.cancel()
            pair.state = CandidatePair.State.FAILED
    assert not site.peer._session.pairs.crowded(AWAY)
    await site.meet(AWAY)


async def test_a_quarrel_about_roles_ends(site: Site) -> None:
    """A viewer that answers every check with a conflict of roles is given up, not argued with for ever."""
    site.come(HOME)
    for count in range(1, MAX_CONFLICTS + 2):
        await until(lambda count=count: site.tries(HOME) == count, what="another check")  # type: ignore[misc]
        site.answer(HOME, error=487)
    await until(lambda: site.ice._check_list[0].state is CandidatePair.State.FAILED, what="giving up")
    assert site.tries(HOME) == MAX_CONFLICTS + 1


async def test_answered_addresses_are_remembered_within_bounds(site: Site) -> None:
    """The answers of a viewer that is everywhere take no memory without end."""
    await site.meet(HOME)
    link = site.peer._session.links[site.path]
    for number in range(3 * MAX_PAIRS):
        link._remember((STRANGE[0], number + 1))
    assert len(link.answered) == MAX_PAIRS


@pytest.mark.parametrize(
    "candidate",
    [
        replace(CANDIDATE, protocol="tcp", tcpType="active"),
        replace(CANDIDATE, ip="a1b2.local"),
        replace(CANDIDATE, ip="turn.example.org"),
        replace(CANDIDATE, ip="239.1.2.3"),
        replace(CANDIDATE, ip="ff02::1"),
        replace(CANDIDATE, ip="0.0.0.0"),  # noqa: S104 - never bound to
        replace(CANDIDATE, component=2),
        replace(CANDIDATE, port=0),
        replace(CANDIDATE, port=70_000),
    ],
    ids=["TCP", "mDNS", "a name", "a group", "an IPv6 group", "no address", "RTCP alone", "port 0", "no port"],
)
async def test_some_candidates_are_not_for_us(site: Site, candidate: RTCIceCandidate) -> None:
    """What we could not, or should not, send to is passed over; nothing is looked up."""
    await site.peer.add_candidate(candidate)
    assert site.ice._remote_candidates == []


async def test_told_candidates_are_bounded(site: Site) -> None:
    """Each makes us send checks to an address that the viewer chose, so only so many are taken."""
    for number in range(2 * MAX_CANDIDATES):
        await site.peer.add_candidate(replace(CANDIDATE, port=1000 + number))
    assert len(site.ice._remote_candidates) == MAX_CANDIDATES


async def test_packets_before_the_handshake_are_kept_within_bounds(site: Site) -> None:
    """A viewer whose handshake has not come to its packets yet does not fill our memory."""
    before = site.ice._queue.qsize()
    for _ in range(2 * MAX_WAITING_PACKETS):
        site.peer._session.packet(b"\x16 dtls")
    assert site.ice._queue.qsize() - before <= MAX_WAITING_PACKETS


@given(
    attributes=st.lists(
        st.tuples(
            st.sampled_from([code for code, *_ in stun.ATTRIBUTES if code != 8]) | st.integers(0, 0xFFFF),
            st.binary(max_size=24),
        ),
        max_size=6,
    ),
    named=st.booleans(),
    port=st.integers(1, 65_535),
)
def test_a_viewer_may_check_with_whatever_it_likes(
    *, attributes: list[tuple[int, bytes]], named: bool, port: int
) -> None:
    """Checks that are authentic, with any attributes in any form, are answered or not, and break nothing."""

    async def try_it() -> None:
        async with open_port(SETTINGS, clock=SystemClock(), machine=list) as live_port:
            site = Site(live_port)
            await site.peer.gather()
            connecting = asyncio.create_task(
                site.peer.connect(THEIRS, RTCDtlsParameters(fingerprints=[], role="client"))
            )
            site.come(STRANGE)
            await until(lambda: site.ice._early_checks_done, what="the start")
            ours = site.peer.parameters
            body = [(6, f"{ours.usernameFragment}:them".encode()), *attributes, *([(0x24, bytes(4))] if named else [])]
            packed = b"".join(struct.pack("!HH", k, len(v)) + v + bytes(-len(v) % 4) for k, v in body)
            head = struct.pack("!HHL12s", 1, len(packed), stun.COOKIE, bytes(12))
            proof = stun.message_integrity(head + packed, str(ours.password).encode())
            packed += struct.pack("!HH", 8, len(proof)) + proof
            data = stun.set_body_length(head, len(packed)) + packed
            for address in ((HOME[0], port), AWAY, (HOME[0], port)):
                site.port._take(data, site.path, address, site.port.clock.monotonic_ns())
            await settle(5)
            assert site.ended == []
            assert not connecting.done()
            connecting.cancel()
            await asyncio.wait([connecting])
            await site.peer.close()

    asyncio.run(try_it())


async def test_garbage_for_a_viewer_is_no_check(site: Site) -> None:
    """A message that cannot be read, or is no check, is refused without an answer."""
    fragment = str(site.peer.parameters.usernameFragment)
    good = check(fragment, password=str(site.peer.parameters.password))
    assert not site.peer._session.request(good[:-1], site.path, HOME)
    assert not site.peer._session.request(good[:40] + b"\xff\xff" + good[42:], site.path, HOME)
    site.peer._session.response(b"\x01\x01garbage", site.path, HOME)
    assert site.sent == []
    assert COMPONENT == 1
