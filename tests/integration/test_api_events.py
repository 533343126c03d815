"""The events WebSocket and those who misuse it."""

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.api import showing
from gateway.api.sockets import SOCKETS_PER_SESSION
from gateway.fleet import rpc
from kernel.ids import CameraId
from kernel.media import TimeSource
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


async def states_of(socket: ClientConnection, camera: str, *, until_live: str) -> list[dict[str, Any]]:
    """Return what is told of a camera, up to the first state that is so."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["live"] != until_live:
        told = json.loads(await socket.recv())
        if told["t"] == "camera" and told["id"] == camera:
            found.append(told["state"])
    return found


async def test_a_newer_picture_alone_is_no_news(desk: Desk) -> None:
    """900 cameras have one each second; what is told is what somebody would see change, with the newest time."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, EVENTS) as socket:
        await states_of(socket, camera, until_live="live")
        state = desk.host.live(camera)
        for second in range(1, 6):
            desk.host.state(state.model_copy(update={"last_frame_ns": (state.last_frame_ns or 0) + second * 10**9}))
        await until(lambda: _newest(desk, camera) == (state.last_frame_ns or 0) + 5 * 10**9, what="the newest picture")
        desk.host.state(state.model_copy(update={"live": rpc.LiveState.RETRYING, "last_frame_ns": 10**18}))
        (told,) = await states_of(socket, camera, until_live="retrying")
        assert told["last_frame"].startswith("2001-09-09")


@pytest.mark.parametrize(
    "changes",
    [
        {"viewers": 3},
        {"clock_offset_s": 2.0},
        {"problem": rpc.Problem(type="camera.slow", title="It is slow.")},
        {"stick": rpc.StickState(holder="u.1", name="olga")},
        {"head": rpc.HeadFacts(pan=0.5, moving=True)},
        {"main": rpc.StreamFacts(state=rpc.LiveState.LIVE, recording=rpc.StreamRecording(on=False, cause="full"))},
        {"sub": rpc.StreamFacts(state=rpc.LiveState.LIVE, time_source=TimeSource.ARRIVAL)},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_whatever_somebody_would_see_is_told_at_once(desk: Desk, changes: dict[str, Any]) -> None:
    """Each of these alone is news."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, EVENTS) as socket:
        await states_of(socket, camera, until_live="live")
        changed = desk.host.live(camera).model_copy(update=changes)
        desk.host.state(changed)
        (told,) = await states_of(socket, camera, until_live="live")
        assert told == showing.state(changed, user_id="").model_dump(mode="json") | {"stick": told["stick"]}


async def test_a_camera_without_news_is_told_now_and_then(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the time of the newest picture is never far behind."""
    monkeypatch.setattr("gateway.api.events.NO_NEWS_S", 0.0)
    camera = await desk.enrol()
    async with desk.socket(desk.admin, EVENTS) as socket:
        await states_of(socket, camera, until_live="live")
        desk.host.state(desk.host.live(camera).model_copy(update={"last_frame_ns": 10**18}))
        (told,) = await states_of(socket, camera, until_live="live")
        assert told["last_frame"].startswith("2001-09-09")


def _newest(desk: Desk, camera: str) -> int | None:
    state = desk.gateway.fleet.state(CameraId(camera))
    return state.last_frame_ns if state is not None else None
