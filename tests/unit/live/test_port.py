"""The port itself: which sockets there are, and where each datagram goes."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from config.live import LiveSettings
from gateway.live.errors import LivePortError
from gateway.live.port import BATCH, STRANGERS_BURST, LivePort, open_port
from gateway.live.seats import FORGET_NS, MAX_PACKET_BYTES, PACKETS_BURST
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock, settle
from tests.fakes.guest import FakeGuest, Stranger, answer, check
from tests.fakes.ports import free_port
from tests.fakes.waiting import until

SETTINGS = LiveSettings.model_validate({"addresses": ["127.0.0.1"], "port": 0})


@pytest_asyncio.fixture
async def port(clock: ManualClock) -> AsyncIterator[LivePort]:
    """Give a port on loopback."""
    async with open_port(SETTINGS, clock=clock, machine=list) as port:
        yield port


def _at(port: LivePort, host: str = "127.0.0.1") -> tuple[str, int]:
    return host, port.number


async def _known(port: LivePort, fragment: str, who: Stranger, guest: FakeGuest) -> None:
    """Make an address a viewer's."""
    before = len(guest.requests)
    who.send(check(fragment), _at(port))
    await until(lambda: len(guest.requests) > before, what="the check")


async def test_viewers_of_one_number_are_told_apart(port: LivePort) -> None:
    """Two viewers at one socket get their own checks and their own packets, and nothing of the other's."""
    ann, bob = FakeGuest(), FakeGuest()
    port.admit("annsfragment", ann)
    port.admit("bobsfragment", bob)
    with closing(Stranger()) as anns, closing(Stranger()) as bobs:
        await _known(port, "annsfragment", anns, ann)
        await _known(port, "bobsfragment", bobs, bob)
        anns.send(b"\x80 of ann", _at(port))
        bobs.send(b"\x16 of bob", _at(port))
        await until(lambda: ann.packets and bob.packets, what="the packets")
    assert (ann.packets, bob.packets) == ([b"\x80 of ann"], [b"\x16 of bob"])
    assert (len(ann.requests), len(bob.requests)) == (1, 1)


async def test_strangers_are_never_answered(port: LivePort) -> None:
    """Garbage, checks for nobody, responses and packets of no viewer are counted, and nothing goes back."""
    guest = FakeGuest(believes=False)
    port.admit("annsfragment", guest)
    sent = [
        b"",
        b"\x00",
        b"\x80 packet",
        b"\x16 dtls",
        answer(bytes(12)),
        check("nobody"),
        b"\x01\x01",
        check("annsfragment"),
    ]
    with closing(Stranger()) as stranger:
        for data in sent:
            stranger.send(data, _at(port))
        await until(lambda: port.counters.received == len(sent), what="the datagrams")
        assert stranger.heard() == []
    assert guest.packets == []
    assert (port.counters.unknown, port.counters.unauthenticated) == (len(sent) - 1, 1)


async def test_a_packet_longer_than_any_path_is_nobodys(port: LivePort) -> None:
    """What is longer than 1,500 bytes is dropped, also from a viewer; 1,500 are taken."""
    guest = FakeGuest()
    port.admit("annsfragment", guest)
    with closing(Stranger()) as viewer:
        await _known(port, "annsfragment", viewer, guest)
        for size in (MAX_PACKET_BYTES + 1, 9000, MAX_PACKET_BYTES):
            viewer.send(b"\x80" * size, _at(port))
        await until(lambda: guest.packets, what="the last packet")
    assert [len(packet) for packet in guest.packets] == [MAX_PACKET_BYTES]
    assert port.counters.unknown == 2


async def test_an_answer_is_taken_wherever_it_comes_from(port: LivePort) -> None:
    """Who awaits a transaction gets its answer with the address that it came from, to judge by itself."""
    guest = FakeGuest()
    seat = port.admit("annsfragment", guest)
    seat.expect(b"transaction1")
    with closing(Stranger()) as viewer:
        viewer.send(answer(b"transaction1"), _at(port))
        await until(lambda: guest.responses, what="the answer")
        assert guest.responses[0][2] == viewer.address


async def test_a_flood_from_a_viewers_address_is_cut(port: LivePort) -> None:
    """Packets beyond a viewer's allowance are dropped; answers to our checks and other viewers still come through."""
    ann, bob = FakeGuest(), FakeGuest()
    seat = port.admit("annsfragment", ann)
    port.admit("bobsfragment", bob)
    seat.expect(b"transaction1")
    with closing(Stranger()) as flooding, closing(Stranger()) as quiet:
        await _known(port, "annsfragment", flooding, ann)
        await _known(port, "bobsfragment", quiet, bob)
        for count in range(1, PACKETS_BURST + 101):
            flooding.send(b"\x80flood", _at(port))
            if count % 50 == 0:
                await until(lambda count=count: port.counters.received == 2 + count, what="the flood")  # type: ignore[misc]
        flooding.send(answer(b"transaction1"), _at(port))
        quiet.send(b"\x80quiet", _at(port))
        await until(lambda: ann.responses and bob.packets, what="what is no flood")
    assert (len(ann.packets), port.counters.flooded) == (PACKETS_BURST, 100)


async def test_checks_of_strangers_are_looked_into_within_bounds(
    port: LivePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what all strangers together may send nothing is looked into; a known viewer's checks are."""
    guest = FakeGuest()
    port.admit("annsfragment", guest)
    with closing(Stranger()) as viewer:
        await _known(port, "annsfragment", viewer, guest)
        now_ns = port.clock.monotonic_ns()
        monkeypatch.setattr(port._strangers, "_left", 3.0)
        for number in range(5):
            port._take(check("nobody"), port.paths["127.0.0.1"], ("192.0.2.1", number), now_ns)
        assert (port.counters.unknown, port.counters.flooded) == (3, 2)
        await _known(port, "annsfragment", viewer, guest)
    assert STRANGERS_BURST > 1000


async def test_one_turn_reads_no_more_than_a_batch(port: LivePort) -> None:
    """However much has come, the loop gets its turn after so many datagrams."""
    with closing(Stranger()) as stranger:
        for _ in range(3 * BATCH):
            stranger.send(b"\x80", _at(port))
        port._readable(port.paths["127.0.0.1"])
        assert port.counters.received == BATCH
        await until(lambda: port.counters.received == 3 * BATCH, what="the rest")


async def test_udp_and_tcp_have_one_number_at_every_address(clock: ManualClock) -> None:
    """All addresses, IPv4 and IPv6, share the number, which is a free one where 0 is asked for."""
    settings = LiveSettings.model_validate({"addresses": ["127.0.0.1", "127.0.0.3", "::1"], "port": 0})
    async with open_port(settings, clock=clock, machine=list) as port:
        assert [path.local for path in port.serving] == [_at(port, host) for host in ("127.0.0.1", "127.0.0.3", "::1")]
        assert port.listening == [path.local for path in port.serving]
        guest = FakeGuest()
        port.admit("annsfragment", guest)
        with closing(Stranger("::1")) as viewer:
            viewer.send(check("annsfragment"), _at(port, "::1"))
            await until(lambda: guest.requests, what="the check over IPv6")
            assert guest.requests[0][2] == viewer.address
            assert guest.requests[0][1].send(b"hello", viewer.address)
            await until(viewer.heard, what="a packet back")


async def test_without_tcp_nothing_listens(clock: ManualClock) -> None:
    """Where TCP is switched off no connection is taken, and none is told of."""
    async with open_port(SETTINGS.model_copy(update={"tcp": False}), clock=clock, machine=list) as port:
        assert port.listening == []
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*_at(port))


async def test_all_addresses_of_the_machine_serve_where_none_is_named(clock: ManualClock) -> None:
    """Without addresses every one of the machine serves, and loopback where it is wished for."""
    settings = LiveSettings(port=0, loopback=True)
    async with open_port(settings, clock=clock, machine=lambda: ["127.0.0.5"]) as port:
        assert [host for host, _ in port.listening] == ["127.0.0.5", "127.0.0.1"]


async def test_an_address_that_comes_later_serves_and_one_that_goes_is_not_told(clock: ManualClock) -> None:
    """The machine's addresses are looked at again for each viewer; the number stays, and so does what is open."""
    hosts = ["127.0.0.1"]
    async with open_port(LiveSettings(port=0), clock=clock, machine=lambda: hosts) as port:
        number = port.number
        hosts[:] = ["127.0.0.4"]
        await port.widen()
        assert (port.number, port.listening) == (number, [("127.0.0.4", number)])
        assert [path.local[0] for path in port.serving] == ["127.0.0.4"]
        assert set(port.paths) == {"127.0.0.1", "127.0.0.4"}


async def test_an_address_that_is_not_ours_is_left_out_and_told_of_once(clock: ManualClock) -> None:
    """A configured address that the machine has not (yet) does not keep the others from serving."""
    settings = LiveSettings.model_validate({"addresses": ["127.0.0.1", "192.0.2.77"], "port": 0})
    with capture_logs() as logs:
        async with open_port(settings, clock=clock, machine=list) as port:
            await port.widen()
            await port.widen()
            assert [host for host, _ in port.listening] == ["127.0.0.1"]
    assert [entry["address"] for entry in logs if entry["event"] == "live.address-left-out"] == ["192.0.2.77"]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
async def test_a_number_that_is_anothers_ends_the_start(clock: ManualClock, kind: socket.SocketKind) -> None:
    """Another program on the number, over UDP or TCP, is an error that says what to do; no socket is left behind."""
    with socket.socket(socket.AF_INET, kind) as other:
        # Not one that the machine gives to whoever asks: it is let go of here, and had again.
        number = free_port()
        other.bind(("127.0.0.1", number))
        if kind == socket.SOCK_STREAM:
            other.listen()
        settings = SETTINGS.model_copy(update={"port": number})
        with pytest.raises(LivePortError, match=str(number)) as error:
            async with open_port(settings, clock=clock, machine=list):
                pass
    assert "live.port" in error.value.cure
    async with open_port(settings, clock=clock, machine=list) as port:
        assert port.number == number


async def test_a_number_that_is_taken_at_a_later_address_leaves_that_out(clock: ManualClock) -> None:
    """After the start a conflict at a new address costs that address alone."""
    hosts = ["127.0.0.1"]
    async with open_port(LiveSettings(port=0), clock=clock, machine=lambda: hosts) as port:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.6", port.number))
            hosts.append("127.0.0.6")
            await port.widen()
            assert [path.local[0] for path in port.serving] == ["127.0.0.1"]
        await port.widen()
        assert [path.local[0] for path in port.serving] == ["127.0.0.1", "127.0.0.6"]


async def test_a_free_number_is_free_at_every_address(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a number is free at one address and taken at another the next one is tried, some times."""
    bind, tries = LivePort._bind, 0

    def taken(self: LivePort, host: str, number: int, *, start: bool) -> object:
        nonlocal tries
        if host == "127.0.0.2" and (tries := tries + 1) < 4:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return bind(self, host, number, start=start)

    monkeypatch.setattr(LivePort, "_bind", taken)
    settings = LiveSettings.model_validate({"addresses": ["127.0.0.1", "127.0.0.2"], "port": 0})
    async with open_port(settings, clock=clock, machine=list) as port:
        assert [host for host, _ in port.listening] == ["127.0.0.1", "127.0.0.2"]
    assert tries == 4


async def test_the_watch_forgets_silent_addresses(port: LivePort, clock: ManualClock) -> None:
    """An address that its viewer has left is a stranger's again, without anybody asking."""
    guest = FakeGuest()
    seat = port.admit("annsfragment", guest)
    watch = asyncio.create_task(port.watch())
    with closing(Stranger()) as viewer:
        await _known(port, "annsfragment", viewer, guest)
        await clock.turn(FORGET_NS / NS_PER_S + 2)
        assert seat.addresses == []
    watch.cancel()
    await asyncio.wait([watch])


async def test_a_full_socket_has_room_again(port: LivePort, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel takes no more nothing was sent, and all who wait are woken together once it does."""
    path = port.paths["127.0.0.1"]

    class Full:
        """A socket without room."""

        fileno = staticmethod(path.sock.fileno)

        @staticmethod
        def sendto(data: bytes, address: tuple[str, int]) -> int:
            """Take nothing."""
            raise BlockingIOError(errno.EAGAIN, f"{len(data)} {address}")

    with monkeypatch.context() as patch:
        patch.setattr(path, "sock", Full())
        assert not path.send(b"data", ("127.0.0.1", 9))
    waiting = [asyncio.create_task(path.room()) for _ in range(3)]
    await asyncio.wait_for(asyncio.gather(*waiting), 20)
    await settle()
    assert path._room is None


async def test_what_the_network_refuses_is_lost(port: LivePort) -> None:
    """An address that cannot be sent to is no error: consent decides about that viewer."""
    assert port.paths["127.0.0.1"].send(b"data", ("127.0.0.1", 0))


async def test_closing_wakes_who_waits_and_frees_the_number(clock: ManualClock) -> None:
    """Nothing is left: no task waits for room, and the number can be had at once."""
    number = free_port()
    async with open_port(SETTINGS.model_copy(update={"port": number}), clock=clock, machine=list) as port:
        waiting = asyncio.create_task(port.paths["127.0.0.1"].room())
        await settle()
    await asyncio.wait_for(waiting, 20)
    with ExitStack() as stack:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            again = stack.enter_context(socket.socket(socket.AF_INET, kind))
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", number))
