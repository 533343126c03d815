"""The events WebSocket and those who misuse it."""

import json
from contextlib import AsyncExitStack

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.api.sockets import SOCKETS_PER_SESSION
from tests.fakes.desk import Desk
from tests.fakes.waiting import until

EVENTS = "/api/v1/events"


async def end_of(socket: ClientConnection) -> tuple[int, str]:
    """Wait for the end of a socket; return its close code and reason."""
    await socket.wait_closed()
    return socket.close_code or 0, socket.close_reason or ""


async def test_a_binary_message_ends_the_socket(desk: Desk) -> None:
    """1008 and a sentence, logged once; nothing fails inside."""
    with capture_logs() as logs:
        async with desk.socket(desk.admin, EVENTS) as socket:
            await socket.send(b"\x00\x01")
            assert await end_of(socket) == (1008, "A binary message came.")
    assert [entry["event"] for entry in logs if entry["log_level"] in {"warning", "error"}] == ["events.nonsense"]


async def test_a_flood_ends_the_socket(desk: Desk) -> None:
    """More than a hundred messages within a second are too many, logged once."""
    with capture_logs() as logs:
        async with desk.socket(desk.admin, EVENTS) as socket:
            try:
                for _ in range(5000):
                    await socket.send("{}")
            except ConnectionClosed:
                pass
            assert await end_of(socket) == (1008, "More than 100 messages came within a second.")
    assert [entry["event"] for entry in logs if entry["log_level"] in {"warning", "error"}] == ["events.nonsense"]


async def test_a_word_or_two_is_passed_over(desk: Desk) -> None:
    """A client that keeps its line alive with text is not turned away."""
    async with desk.socket(desk.admin, EVENTS) as socket:
        await socket.send("ping")
        for _ in range(2):
            assert json.loads(await socket.recv())["t"] == "time"


async def test_a_session_has_only_so_many_sockets(desk: Desk) -> None:
    """The next is refused in words before it opens, logged once; others are not touched; a closed one frees a place."""
    viewer = await desk.person("viewer")
    with capture_logs() as logs:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(desk.socket(viewer, EVENTS)) for _ in range(SOCKETS_PER_SESSION)]
            for _ in range(3):
                with pytest.raises(InvalidStatus) as caught:
                    await stack.enter_async_context(desk.socket(viewer, EVENTS))
                assert caught.value.response.status_code == 429
                assert json.loads(caught.value.response.body or b"")["type"] == "api.sockets"
            await stack.enter_async_context(desk.socket(desk.admin, EVENTS))
            await sockets[0].close()
            session = next(key for key, count in desk.gateway.rooms.places._open.items() if count > 1)
            await until(
                lambda: desk.gateway.rooms.places._open[session] < SOCKETS_PER_SESSION, what="the place to be free"
            )
            await stack.enter_async_context(desk.socket(viewer, EVENTS))
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["events.too_many"]
