"""Viewers over TCP: who is let in, how packets are cut, and what becomes of those who stall, flood or are silent."""

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from config.live import LiveSettings
from gateway.live.port import LivePort, open_port
from gateway.live.seats import MAX_CONNECTIONS, MAX_PACKET_BYTES, MOVES_BURST, PACKETS_BURST
from gateway.live.tcp import FIRST_FRAME_NS, MAX_STRANGERS, WRITE_BUFFER_BYTES, TcpPath
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock, settle
from tests.fakes.guest import FakeGuest, answer, check
from tests.fakes.waiting import until

SETTINGS = LiveSettings.model_validate({"addresses": ["127.0.0.1"], "port": 0})
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def framed(*packets: bytes) -> bytes:
    """Return packets as RFC 4571 frames them."""
    return b"".join(struct.pack("!H", len(packet)) + packet for packet in packets)


class Place:
    """A port with one viewer's seat, and connections to it."""

    def __init__(self, port: LivePort) -> None:
        self.port = port
        self.guest = FakeGuest()
        self.seat = port.admit("annsfragment", self.guest)
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self, host: str | None = None) -> Ends:
        """Return a new connection, from another loopback address if one is given."""
        local = (host, 0) if host is not None else None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port.number, local_addr=local)
        self._writers.append(writer)
        return reader, writer

    async def seated(self) -> Ends:
        """Return a connection that is the viewer's."""
        reader, writer = await self.connect()
        before = len(self.guest.requests)
        writer.write(framed(check("annsfragment")))
        await until(lambda: len(self.guest.requests) > before and self.seat.connections, what="the first check")
        return reader, writer

    @property
    def path(self) -> TcpPath:
        """Return the viewer's newest connection."""
        return self.seat.connections[-1]

    async def close(self) -> None:
        """Close every connection's other end."""
        for writer in self._writers:
            writer.transport.abort()
        await settle()


@pytest_asyncio.fixture
async def place(clock: ManualClock) -> AsyncIterator[Place]:
    """Give a port on loopback and one viewer's seat."""
    async with open_port(SETTINGS, clock=clock, machine=list) as port:
        place = Place(port)
        try:
            yield place
        finally:
            await place.close()


async def _hung_up(reader: asyncio.StreamReader) -> None:
    """Return once the other end is closed."""
    try:
        while await asyncio.wait_for(reader.read(65536), 20):
            pass
    except ConnectionResetError:
        pass


async def test_a_true_check_opens_the_door(place: Place) -> None:
    """After it DTLS and feedback reach the viewer whose fragment it named, and answers those who await them."""
    _, writer = await place.seated()
    place.seat.expect(b"transaction1")
    writer.write(framed(b"\x16 dtls", b"", answer(b"transaction1"), check("annsfragment"), b"\x80 feedback"))
    await until(lambda: len(place.guest.packets) == 2, what="the packets")
    assert place.guest.packets == [b"\x16 dtls", b"\x80 feedback"]
    assert (len(place.guest.requests), len(place.guest.responses)) == (2, 1)
    assert place.guest.responses[0][1] is place.path


@given(cuts=st.lists(st.integers(0, 400), max_size=12))
def test_packets_are_whole_however_they_are_cut(cuts: list[int]) -> None:
    """TCP delivers in any pieces; what comes out is what was framed."""

    async def deliver() -> list[bytes]:
        async with open_port(SETTINGS, clock=ManualClock(), machine=list) as port:
            guest = FakeGuest()
            port.admit("annsfragment", guest)
            path = TcpPath(port._doors["127.0.0.1"])
            stream = framed(check("annsfragment"), b"\x80" * 150, b"\x81", b"", b"\x82" * 90)
            marks = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
            for start, stop in itertools.pairwise(marks):
                path.data_received(stream[start:stop])
            assert path._rest == b""
            return guest.packets

    assert asyncio.run(deliver()) == [b"\x80" * 150, b"\x81", b"\x82" * 90]


@pytest.mark.parametrize(
    "said",
    [
        framed(b"\x80 feedback"),
        framed(check("nobody")),
        framed(b""),
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!H", MAX_PACKET_BYTES + 1),
        framed(answer(bytes(12))),
    ],
    ids=["a packet", "a check for nobody", "nothing", "HTTP", "too long a frame", "an answer"],
)
async def test_who_begins_with_anything_else_is_hung_up_on(place: Place, said: bytes) -> None:
    """Whatever is no check for a viewer ends the connection, and reaches nobody."""
    reader, writer = await place.connect()
    writer.write(said)
    await _hung_up(reader)
    assert not place.guest.requests
    assert not place.guest.packets
    await until(lambda: not place.port._doors["127.0.0.1"].paths, what="the end of the connection")


async def test_a_check_that_is_not_true_lets_nobody_in(place: Place) -> None:
    """The viewer's denial ends the connection, and it never was the viewer's."""
    place.guest.believes = False
    reader, writer = await place.connect()
    writer.write(framed(check("annsfragment")))
    await _hung_up(reader)
    await until(lambda: not place.port._doors["127.0.0.1"].paths, what="the end of the connection")
    assert place.port.counters.unauthenticated == 1
    assert (place.seat.connections, place.guest.gone) == ([], [])


async def test_who_says_nothing_is_hung_up_on(place: Place, clock: ManualClock) -> None:
    """A stranger that keeps silent, or drips byte by byte, has five seconds; a viewer has all the time it wants."""
    watch = asyncio.create_task(place.port.watch())
    silent, _ = await place.connect()
    dripping, writer = await place.connect()
    await place.seated()
    for byte in framed(check("annsfragment"))[:6]:
        writer.write(bytes([byte]))
        await clock.turn(1)
    await clock.turn(FIRST_FRAME_NS / NS_PER_S)
    await _hung_up(silent)
    await _hung_up(dripping)
    assert place.port.counters.strangers_closed == 2
    assert len(place.seat.connections) == 1
    watch.cancel()
    await asyncio.wait([watch])


async def test_a_crowd_from_one_address_shuts_nobody_out(place: Place) -> None:
    """One connection too many costs the address that has the most of them its oldest, not who came before it."""
    waiting, writer = await place.connect("127.0.0.9")
    door = place.port._doors["127.0.0.1"]
    first, _ = await place.connect()
    for _ in range(MAX_STRANGERS + 10):
        await place.connect()
    await _hung_up(first)
    await until(lambda: len(door.strangers) == MAX_STRANGERS, what="room")
    writer.write(framed(check("annsfragment")))
    await until(lambda: place.seat.connections, what="the one who waited")
    assert not waiting.at_eof()


async def test_a_crowd_that_comes_at_once_is_cut_at_once(place: Place) -> None:
    """However many connections come in one turn of the loop, no more are kept than may be."""
    door = place.port._doors["127.0.0.1"]
    await asyncio.gather(*(place.connect() for _ in range(2 * MAX_STRANGERS)))
    await until(lambda: place.port.counters.strangers_closed >= MAX_STRANGERS, what="the surplus closed")
    await until(lambda: len(door.paths) == MAX_STRANGERS, what="the end of the rest")
    assert len(door.strangers) == MAX_STRANGERS


async def test_a_viewer_that_floods_is_hung_up_on(place: Place) -> None:
    """What a viewer sends beyond its allowance ends its connection: reading it would cost as much as heeding it."""
    reader, writer = await place.seated()
    writer.write(framed(*[b"\x80"] * (PACKETS_BURST + 100)))
    await _hung_up(reader)
    assert len(place.guest.packets) == PACKETS_BURST
    await until(lambda: place.guest.gone, what="the viewer's loss of it")
    assert place.seat.connections == []


async def test_empty_frames_are_a_flood_too(place: Place) -> None:
    """Frames with nothing in them are counted as checks are."""
    reader, writer = await place.seated()
    writer.write(bytes(2) * 5000)
    await _hung_up(reader)
    assert place.port.counters.flooded == 1
    assert place.port.counters.received < 1000


async def test_connections_for_one_viewer_are_limited(place: Place) -> None:
    """A recorded check opens so many connections, costs the viewer none that it uses, and then no more for a while."""
    used, _ = await place.seated()
    place.guest.used = place.path
    for _ in range(MAX_CONNECTIONS + 2):
        await place.seated()
    await until(lambda: len(place.seat.connections) == MAX_CONNECTIONS, what="the rest closed")
    assert place.guest.used in place.seat.connections
    assert not used.at_eof()
    place.seat.moves.take(place.port.clock.monotonic_ns(), MOVES_BURST - MAX_CONNECTIONS - 3)
    late, writer = await place.connect()
    writer.write(framed(check("annsfragment")))
    await _hung_up(late)
    assert place.port.counters.flooded == 1


async def test_surplus_connections_count_no_more_at_once(place: Place) -> None:
    """However many come in one turn of the loop, a viewer has no more than it may."""
    door = place.port._doors["127.0.0.1"]
    for _ in range(3 * MAX_CONNECTIONS):
        place.seat.connected(TcpPath(door))
    assert len(place.seat.connections) == MAX_CONNECTIONS


async def test_another_viewers_checks_are_not_heard_here(place: Place) -> None:
    """A connection belongs to the viewer of its first check; a check for another viewer is none."""
    bob = FakeGuest()
    place.port.admit("bobsfragment", bob)
    _, writer = await place.seated()
    writer.write(framed(check("bobsfragment"), b"\x80"))
    await until(lambda: place.guest.packets, what="the packet behind it")
    assert bob.requests == []
    assert place.port.counters.unauthenticated == 1


async def test_packets_go_out_framed(place: Place) -> None:
    """Each packet has its length before it; to another address than the connection's nothing goes."""
    reader, _ = await place.seated()
    path = place.path
    assert path.send(b"one", path.remote)
    assert path.send(memoryview(b"two!"), path.remote)
    assert path.send(b"lost", ("192.0.2.1", 1))
    assert path.send(b"three", path.remote)
    assert await reader.readexactly(18) == framed(b"one", b"two!", b"three")


async def test_a_viewer_that_takes_nothing_in_is_not_held_for(place: Place) -> None:
    """No more than a bounded buffer is kept for it; there is room again once it reads."""
    reader, _ = await place.seated()
    path, packet, sent = place.path, b"\x80" * 1400, 0
    while path.send(packet, path.remote):
        sent += len(packet) + 2
        assert sent < 64 * 1024 * 1024
    transport = path._transport
    assert transport is not None
    assert transport.get_write_buffer_size() <= WRITE_BUFFER_BYTES + len(packet) + 2
    waiting = [asyncio.create_task(path.room()) for _ in range(2)]
    while not all(task.done() for task in waiting):
        await asyncio.wait_for(reader.read(1 << 20), 20)
    assert path.send(packet, path.remote)
    await asyncio.wait_for(path.room(), 20)


async def test_who_waits_for_room_is_woken_by_the_end(place: Place) -> None:
    """A closed connection has room for everything: it is lost, and checks decide about the viewer."""
    await place.seated()
    path = place.path
    while path.send(b"\x80" * 1400, path.remote):
        pass
    waiting = asyncio.create_task(path.room())
    await settle()
    path.close()
    await asyncio.wait_for(waiting, 20)
    assert path.send(b"lost", path.remote)
    assert place.guest.gone == [path]


async def test_who_leaves_takes_its_connections_along(place: Place) -> None:
    """The end of a view ends its connections."""
    reader, _ = await place.seated()
    place.seat.leave()
    await _hung_up(reader)
    assert place.guest.gone


def test_connections_work_on_uvloop_too() -> None:
    """The loop that the product runs on gives the same connections."""

    async def meet() -> bytes:
        async with open_port(SETTINGS, clock=ManualClock(), machine=list) as port:
            place = Place(port)
            reader, _ = await place.seated()
            place.path.send(b"hello", place.path.remote)
            got = await asyncio.wait_for(reader.readexactly(7), 20)
            await place.close()
            return got

    assert uvloop.run(meet()) == framed(b"hello")
