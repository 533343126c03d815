"""The wire to one camera host: bounded in time and number, and refused at once where the host is silent."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from config.server import ServerSettings
from config.settings import Settings
from gateway.fleet import rpc
from gateway.fleet.calls import (
    BEATS_MISSED,
    IN_FLIGHT_MAX,
    HostBusyError,
    HostError,
    HostSilentError,
    HostUnreachableError,
)
from gateway.fleet.hosts import HostClient
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.clock import settle
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until


@pytest_asyncio.fixture
async def host(tmp_path: Path) -> AsyncIterator[FakeHost]:
    """Return a host that answers."""
    host = FakeHost()
    settings = Settings(server=ServerSettings(data_dir=tmp_path))
    async with host.open(settings, tmp_path / "host.sock", clock=SystemClock()):
        yield host


@pytest_asyncio.fixture
async def client(host: FakeHost, tmp_path: Path) -> AsyncIterator[HostClient]:
    """Return the gateway's hand on it."""
    async with HostClient(tmp_path / "host.sock", timeout_s=20.0) as client:
        yield client


async def test_nobody_there_is_told_at_once(tmp_path: Path) -> None:
    """A socket that is not, or that nobody listens on, refuses a call as unreachable, with a cure."""
    left_over = tmp_path / "left-over.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(left_over))
    for path in (tmp_path / "none.sock", left_over):
        async with HostClient(path) as client:
            with pytest.raises(HostUnreachableError) as caught:
                await client.health()
        assert caught.value.code == caught.value.problem.type == "host.unreachable"
        assert caught.value.status == 503
        assert caught.value.cure


async def test_an_answer_that_never_comes_has_a_time_limit(host: FakeHost, tmp_path: Path) -> None:
    """A host that takes a question and says nothing is silent after the limit."""
    host.slow.clear()
    async with HostClient(tmp_path / "host.sock", timeout_s=0.2) as client:
        with pytest.raises(HostSilentError) as caught:
            await client.health()
    assert caught.value.code == "host.silent"
    host.slow.set()


async def test_when_a_host_is_found_silent_whoever_waits_is_told_now(host: FakeHost, client: HostClient) -> None:
    """Calls on their way end at once, each with the reason, and later ones do not set out."""
    host.slow.clear()
    waiting = [asyncio.create_task(client.health()) for _ in range(5)]
    await until(lambda: host.asked.count("GET /health") == 5, what="the questions")
    client.wire.close_for(HostSilentError(client.socket, "for the test"))
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [HostSilentError] * 5
    with pytest.raises(HostSilentError):
        await client.health()
    assert host.asked.count("GET /health") == 5
    host.slow.set()


async def test_an_export_that_runs_ends_with_its_host(host: FakeHost, client: HostClient) -> None:
    """An answer that is being read piece by piece is cut off, too."""
    endless = asyncio.Event()

    async def read() -> None:
        async with client.export(CameraId("1"), StreamName.MAIN, 0, 1) as pieces:
            async for _ in pieces:
                await endless.wait()

    reading = asyncio.create_task(read())
    await until(lambda: "GET /cameras/1/export/main" in host.asked, what="the export")
    client.wire.close_for(HostSilentError(client.socket, "for the test"))
    with pytest.raises(HostSilentError):
        await reading


async def test_a_host_that_is_back_is_asked_again(client: HostClient) -> None:
    """Reopened, calls go through."""
    client.wire.close_for(HostSilentError(client.socket, "for the test"))
    client.wire.reopen()
    assert (await client.health()).pid == 1


async def test_the_links_own_questions_go_through_a_shut_wire(client: HostClient) -> None:
    """Else nobody could find out that the host is back."""
    client.wire.close_for(HostSilentError(client.socket, "for the test"))
    assert (await client.version()).pid == 1


async def test_a_refusal_does_not_grow(client: HostClient) -> None:
    """The one reason is raised a thousand times and keeps nothing of whom it was raised to."""
    error = HostSilentError(client.socket, "for the test")
    client.wire.close_for(error)
    for _ in range(1000):
        with pytest.raises(HostSilentError):
            await client.health()
    depth, frame = 0, error.__traceback__
    while frame is not None:
        depth, frame = depth + 1, frame.tb_next
    assert depth < 50


async def test_more_than_so_many_questions_are_refused_not_queued(host: FakeHost, client: HostClient) -> None:
    """A slow host costs the gateway a bounded number of waiting requests."""
    host.slow.clear()
    waiting = [asyncio.create_task(client.health()) for _ in range(IN_FLIGHT_MAX)]
    await until(lambda: host.asked.count("GET /health") == IN_FLIGHT_MAX, what="the questions")
    with pytest.raises(HostBusyError) as caught:
        await client.health()
    assert caught.value.retry_after_s
    host.slow.set()
    await asyncio.gather(*waiting)
    assert (await client.health()).pid == 1


async def test_a_hosts_own_words_arrive(host: FakeHost, client: HostClient) -> None:
    """Type, sentence, cure and status of a refusal are the host's."""
    said = rpc.Problem(type="recording.nothing", title="Nothing.", cure="Look elsewhere.", status=404, retry_after_s=3)
    host.refuse["timeline"] = said
    with pytest.raises(HostError) as caught:
        await client.timeline(CameraId("1"), StreamName.MAIN, 0, 1)
    assert caught.value.problem == said


async def test_what_no_host_says_is_told_as_garbled(tmp_path: Path) -> None:
    """An answer that is no message of this wire is a plain error, not a bug."""

    async def other_program(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{"hello": 1}')
        writer.close()
        await writer.wait_closed()

    async with AsyncExitStack() as stack:
        server = await asyncio.start_unix_server(other_program, str(tmp_path / "other.sock"))
        await stack.enter_async_context(server)
        client = await stack.enter_async_context(HostClient(tmp_path / "other.sock"))
        with pytest.raises(HostError, match="its version does not say"):
            await client.health()


async def test_who_stood_still_oneself_does_not_call_a_host_silent(
    host: FakeHost, client: HostClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that wakes with every limit passed hears first what was said; a host that says nothing is found out."""
    monkeypatch.setattr(rpc, "HEARTBEAT_S", 0.1)
    loop = asyncio.get_running_loop()
    async with aclosing(client.states()) as lines:
        await anext(lines)
        for _ in range(3):
            coming = asyncio.ensure_future(anext(lines))
            await settle()
            wakes = loop.time() + 2 * BEATS_MISSED * rpc.HEARTBEAT_S
            while loop.time() < wakes:
                pass
            assert isinstance(await coming, rpc.Heartbeat)
        host.silent = True
        with pytest.raises(HostSilentError):
            _ = [line async for line in lines]
