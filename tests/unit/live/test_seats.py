"""Who is known at the port by what: fragments, addresses, checks awaited, and how much of it at once."""

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.live.seats import (
    CHECKS_BURST,
    MAX_ADDRESSES,
    MOVES_BURST,
    PACKET_UNIT_BYTES,
    PACKETS_BURST,
    Seat,
    Seats,
    fragment_of,
)
from gateway.live.udp import UdpPath
from tests.fakes.clock import ManualClock
from tests.fakes.guest import FakeGuest, answer, check

HOME, AWAY = ("192.0.2.1", 4000), ("198.51.100.1", 5000)
_HEAD = struct.Struct("!HHL12s")


class Room:
    """Two viewers at one path."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.seats = Seats(clock)
        self.path = UdpPath(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), ("127.0.0.1", 9))
        self.ann, self.bob = FakeGuest(), FakeGuest()
        self.seat = self.seats.admit("annsfragment", self.ann)
        self.other = self.seats.admit("bobsfragment", self.bob)

    def check(self, seat: Seat, address: tuple[str, int]) -> None:
        """Bring a check for a viewer from an address."""
        self.seats.check(check(seat.fragment.decode()), self.path, address, self.clock.monotonic_ns())


@pytest.fixture
def room(clock: ManualClock) -> Iterator[Room]:
    """Give two viewers at one path."""
    room = Room(clock)
    yield room
    room.path.sock.close()


def _request(body: bytes) -> bytes:
    return _HEAD.pack(1, len(body), 0x2112A442, bytes(12)) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def test_a_browsers_check_names_its_viewer() -> None:
    """The local fragment is what stands before the colon of USERNAME."""
    assert fragment_of(check("annsfragment")) == b"annsfragment"


@given(
    before=st.lists(st.tuples(st.integers(7, 0xFFFF), st.binary(max_size=40)), max_size=8), name=st.binary(max_size=99)
)
def test_the_fragment_is_found_behind_any_other_attributes(before: list[tuple[int, bytes]], name: bytes) -> None:
    """Attributes that nobody knows are stepped over, whatever is in them and however they are padded."""
    body = b"".join(_attribute(kind, value) for kind, value in before) + _attribute(6, name.replace(b":", b"") + b":x")
    assert fragment_of(_request(body)) == name.replace(b":", b"")


@given(data=st.binary(max_size=1500) | st.binary(max_size=400).map(_request))
@example(data=b"")
@example(data=_request(b""))
@example(data=_request(b"\x00\x06"))
@example(data=_request(b"\x00\x06\xff\xff"))
@example(data=_request(b"\x00\x06\x00\x05abcd"))
@example(data=_request(_attribute(6, b"no colon")))
@example(data=_request(_attribute(6, b"x" * 600 + b":")))
@example(data=_request(_attribute(7, b"") * 17 + _attribute(6, b"far:x")))
def test_garbage_names_nobody_or_what_is_in_it(data: bytes) -> None:
    """Whatever comes, the answer is a fragment that stands in it before a colon, or nothing."""
    found = fragment_of(data)
    assert found is None or (found + b":" in data and len(found) <= 513)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\x01\x01" + data[2:],
        lambda data: b"\x00\x11" + data[2:],
        lambda data: data[:4] + bytes(4) + data[8:],
        lambda data: data + b"\x00",
        lambda data: data[:-1],
    ],
    ids=["a response", "an indication", "another cookie", "longer than it says", "cut short"],
)
def test_only_whole_binding_requests_name_anybody(spoil: object) -> None:
    """A message of another kind, or not as long as it says, is nobody's check."""
    assert callable(spoil)
    assert fragment_of(spoil(check("annsfragment"))) is None


def test_a_true_check_makes_the_address_the_viewers(room: Room) -> None:
    """A check is brought to the viewer whose fragment it names; if it is true its address is known from then on."""
    room.check(room.seat, HOME)
    assert room.path.known == {HOME: room.seat}
    assert room.seat.addresses == [HOME]
    assert (len(room.ann.requests), len(room.bob.requests)) == (1, 0)


def test_a_false_check_makes_nothing_anybodys(room: Room) -> None:
    """A check whose integrity the viewer denies is counted, and its address stays a stranger's."""
    room.ann.believes = False
    room.check(room.seat, HOME)
    assert room.path.known == {}
    assert room.seats.counters.unauthenticated == 1


def test_a_check_for_nobody_is_counted(room: Room) -> None:
    """A fragment that was given to no viewer, and no fragment at all, reach nobody."""
    room.seats.check(check("nobodys"), room.path, HOME, 0)
    room.seats.check(b"\x00\x01garbage", room.path, HOME, 0)
    assert room.seats.counters.unknown == 2
    assert not room.ann.requests + room.bob.requests


def test_no_check_takes_an_address_away(room: Room) -> None:
    """A check of another viewer's, recorded or forged, does not move an address."""
    room.seat.hold(room.path, HOME, answered=True)
    room.check(room.other, HOME)
    assert room.path.known == {HOME: room.seat}
    assert room.seats.counters.refused == 1


def test_an_address_is_whose_answer_comes_from_it(room: Room) -> None:
    """A browser that has the number of another's closed socket is known at once, not when that one has timed out."""
    room.seat.hold(room.path, HOME, answered=True)
    room.other.hold(room.path, HOME, answered=True)
    assert room.path.known == {HOME: room.other}
    assert room.seat.addresses == []
    assert room.seats.counters.refused == 0


def test_an_address_that_was_only_claimed_goes_to_who_answers_there(room: Room) -> None:
    """A check from a forged address holds it against nobody who is truly there."""
    room.check(room.seat, HOME)
    room.check(room.other, HOME)
    assert room.path.known == {HOME: room.seat}
    room.other.hold(room.path, HOME, answered=True)
    assert room.path.known == {HOME: room.other}


def test_forged_addresses_do_not_push_out_one_that_answers(room: Room) -> None:
    """Of more addresses than a viewer may have the first to go are those that never answered."""
    room.seat.hold(room.path, HOME, answered=True)
    for port in range(1, 3 * MAX_ADDRESSES):
        room.check(room.seat, ("203.0.113.9", port))
    assert len(room.seat.addresses) == MAX_ADDRESSES == len(room.path.known)
    assert HOME in room.seat.addresses


async def test_addresses_are_forgotten_that_are_not_heard_of(room: Room, clock: ManualClock) -> None:
    """After half a minute of silence an address is nobody's; one that was heard of since stays."""
    room.check(room.seat, HOME)
    room.check(room.seat, AWAY)
    await clock.turn(20)
    room.check(room.seat, AWAY)
    await clock.turn(20)
    room.seat.forget(clock.monotonic_ns())
    assert room.path.known == {AWAY: room.seat}


def test_checks_from_unknown_addresses_are_limited(room: Room) -> None:
    """Who sends checks for one viewer from many addresses is not listened to without end; the viewer itself is."""
    room.seat.hold(room.path, HOME, answered=True)
    for port in range(1, MOVES_BURST + 11):
        room.check(room.seat, ("203.0.113.9", port))
    assert len(room.ann.requests) == MOVES_BURST
    assert room.seats.counters.flooded == 10
    room.check(room.seat, HOME)
    assert len(room.ann.requests) == MOVES_BURST + 1
    room.check(room.other, AWAY)
    assert len(room.bob.requests) == 1


def test_checks_from_a_known_address_are_limited(room: Room) -> None:
    """A viewer that floods us with true checks is answered so many, and no more for now."""
    for _ in range(CHECKS_BURST + 11):
        room.check(room.seat, HOME)
    assert len(room.ann.requests) == CHECKS_BURST + 1
    assert room.seats.counters.flooded == 10


def test_long_feedback_counts_for_more(room: Room) -> None:
    """A viewer's burst is so many short packets, or a small part of that in packets that take long to read."""
    long = bytes(20 * PACKET_UNIT_BYTES)
    taken = [room.seat.packet(long, 0) for _ in range(100)]
    assert taken == [True] * (PACKETS_BURST // 21) + [False] * (100 - PACKETS_BURST // 21)
    assert [room.other.packet(b"\x80short", 0) for _ in range(PACKETS_BURST)] == [True] * PACKETS_BURST
    assert not room.other.packet(b"\x80short", 0)
    assert room.seats.counters.flooded == 101 - PACKETS_BURST // 21


def test_packets_count_from_where_the_viewer_has_answered(room: Room) -> None:
    """Before any answer every known address is heard; after one, only those that have answered."""
    for address in (HOME, AWAY):
        room.check(room.seat, address)
        assert room.seat.packet(b"\x16early", 0, (room.path, address))
    room.seat.hold(room.path, HOME, answered=True)
    assert room.seat.packet(b"\x80", 0, (room.path, HOME))
    assert not room.seat.packet(b"\x80", 0, (room.path, AWAY))
    assert len(room.ann.packets) == 3
    room.seat.hold(room.path, AWAY, answered=True)
    assert room.seat.packet(b"\x80", 0, (room.path, AWAY))


def test_an_answer_reaches_who_awaits_it(room: Room) -> None:
    """Only the viewer that asked gets an answer, only while it waits, and only so many."""
    room.seat.expect(b"transaction1")
    for _ in range(CHECKS_BURST + 5):
        room.seats.respond(answer(b"transaction1"), room.path, AWAY, 0)
    room.seats.respond(answer(b"transaction2"), room.path, AWAY, 0)
    room.seat.expect_no_more(b"transaction1")
    room.seats.respond(answer(b"transaction1"), room.path, AWAY, 0)
    assert (len(room.ann.responses), len(room.bob.responses)) == (CHECKS_BURST, 0)
    assert (room.seats.counters.flooded, room.seats.counters.unknown) == (5, 2)


def test_who_leaves_leaves_nothing(room: Room) -> None:
    """Fragment, addresses and awaited answers are free again."""
    room.check(room.seat, HOME)
    room.seat.expect(b"transaction1")
    room.seat.leave()
    assert (room.path.known, room.seats.expected) == ({}, {})
    room.check(room.seat, HOME)
    assert len(room.ann.requests) == 1
    assert room.seats.counters.unknown == 1
    room.seats.admit("annsfragment", room.ann)
