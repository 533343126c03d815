"""Messages and packets on one connection."""

import asyncio
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.errors import CameraAnswerError
from drivers.rtsp.connection import Connection
from drivers.rtsp.errors import StreamFellError
from drivers.rtsp.messages import take
from drivers.simulator.rtsp.packets import interleave
from tests.fakes.clock import ManualClock, settle

OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += bytes(data)

    def is_closing(self) -> bool:
        """Whether it was aborted."""
        return self.aborted

    def abort(self) -> None:
        """Note it."""
        self.aborted = True


def receive(connection: Connection, data: bytes) -> None:
    """Hand over bytes as the loop does: into the connection's buffer."""
    view = connection.get_buffer(-1)
    view[: len(data)] = data
    connection.buffer_updated(len(data))


@pytest.fixture
async def connection(clock: ManualClock) -> Connection:
    """Return a connection on a wire."""
    made = Connection(clock)
    made.connection_made(Wire())
    return made


def wire(connection: Connection) -> Wire:
    """Return its wire."""
    assert isinstance(connection._transport, Wire)
    return connection._transport


@given(
    packets=st.lists(st.tuples(st.sampled_from([0, 1, 2, 9]), st.binary(max_size=300)), max_size=12),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
)
def test_any_cutting_of_the_bytes_gives_the_same_packets(packets: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """However the bytes arrive, each packet reaches the handler of its channel once, whole and in order."""

    async def run() -> None:
        connection = Connection(ManualClock())
        connection.connection_made(Wire())
        other = Connection(ManualClock())
        got: list[tuple[int, bytes]] = []
        for channel in (0, 1, 2):
            connection.handlers[channel] = lambda buffer, start, end, channel=channel: got.append(
                (channel, bytes(buffer[start:end]))
            )
        stream = b"".join(interleave(channel, data) + b"\r\n" * (channel == 2) for channel, data in packets)
        places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
        for begin, end in itertools.pairwise(places):
            receive(connection, stream[begin:end])
            receive(other, b"$\x00\xff")  # another connection uses the same buffer in between
            other._tail = bytearray()
        assert got == [(channel, data) for channel, data in packets if channel != 9]
        assert connection.packets == len(got)

    asyncio.run(run())


async def test_an_answer_reaches_its_request(connection: Connection) -> None:
    """Packets around it do not disturb an answer with a body."""
    asking = asyncio.create_task(connection.request("DESCRIBE", "rtsp://c/x", [("A", "b")], timeout_s=5))
    await settle(2)
    assert wire(connection).written == b"DESCRIBE rtsp://c/x RTSP/1.0\r\nCSeq: 1\r\nA: b\r\n\r\n"
    answer = b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\nX: 1\r\nX: 2\r\nContent-Length: 4\r\n\r\nbody"
    receive(connection, interleave(0, b"a") + answer[:30])
    receive(connection, answer[30:] + interleave(0, b"b"))
    message = await asking
    assert (message.status, message.reason, message.body, message.all("x")) == (404, "Not Found", b"body", ["1", "2"])


@pytest.mark.parametrize("cseq", [b"CSeq: 2\r\n", b"CSeq: 0\r\n", b"", b"CSeq: x\r\n"])
async def test_cameras_that_count_badly_are_understood(connection: Connection, cseq: bytes) -> None:
    """An answer without a usable number is the answer to what was asked last; an old one is not."""
    with pytest.raises(TimeoutError):
        await connection.request("OPTIONS", "x", [], timeout_s=0.001)
    asking = asyncio.create_task(connection.request("OPTIONS", "x", [], timeout_s=5))
    await settle(2)
    receive(connection, OK)
    receive(connection, b"RTSP/1.0 100 Continue\r\n\r\n")
    assert not asking.done()
    receive(connection, b"RTSP/1.0 201 Created\r\n" + cseq + b"\r\n")
    assert (await asking).status == 201


async def test_an_answer_nobody_asked_for_is_passed_over(connection: Connection) -> None:
    """It ends nothing."""
    receive(connection, OK)
    assert not connection.ended.done()


async def test_a_camera_may_ask_whether_we_live(connection: Connection) -> None:
    """OPTIONS from the camera is answered, what we do not do is refused."""
    receive(connection, b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\nANNOUNCE rtsp://c RTSP/1.0\r\nCSeq: 8\r\n\r\n")
    assert wire(connection).written == (
        b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\nRTSP/1.0 501 Not Implemented\r\nCSeq: 8\r\n\r\n"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\x84\x00\x5a\x85\xf0",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nX: " + b"y" * 20_000,
        b"RTSP/1.0 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HELLO\x00\x00\x00",
    ],
)
async def test_garbage_cuts_the_connection(connection: Connection, data: bytes) -> None:
    """What is not RTSP, and what has no end, is answered by hanging up, with a sentence."""
    asking = asyncio.create_task(connection.request("OPTIONS", "x", [], timeout_s=5))
    await settle(2)
    receive(connection, data)
    with pytest.raises(CameraAnswerError):
        await asking
    assert wire(connection).aborted
    with pytest.raises(CameraAnswerError):
        await connection.request("OPTIONS", "x", [], timeout_s=5)


@given(st.binary(max_size=300))
@example(b"\n\n")
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    """Any bytes are a message, the beginning of one, or the named error."""
    try:
        found = take(bytearray(data), 0, len(data))
    except CameraAnswerError:
        return
    assert found is None or 0 < found[1] <= len(data)


async def test_the_end_of_the_connection_reaches_whoever_waits(connection: Connection) -> None:
    """A closed connection fails the request under way and every later one."""
    asking = asyncio.create_task(connection.request("OPTIONS", "x", [], timeout_s=5))
    await settle(2)
    connection.connection_lost(ConnectionResetError())
    with pytest.raises(StreamFellError, match="closed the connection"):
        await asking
    with pytest.raises(StreamFellError):
        await connection.ended


async def test_a_bug_in_a_handler_escapes(connection: Connection) -> None:
    """What is no failure of the link is not dressed up as one."""
    connection.connection_lost(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await connection.ended


async def test_after_closing_nothing_is_sent(connection: Connection) -> None:
    """A closed connection takes no more packets and reports no failure."""
    await connection.close()
    connection.send_packet(1, b"x")
    connection.connection_lost(None)
    assert wire(connection).written == b""
    assert connection.ended.result() is None
