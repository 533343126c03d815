"""Steering over the WebSocket: one holder, the newest wish, a stop that overtakes, nonsense and floods turned away."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.fleet import rpc
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from tests.fakes.clock import settle
from tests.fakes.descriptions import description, view
from tests.fakes.desk import Desk
from tests.fakes.waiting import until


async def say(socket: ClientConnection, **message: Any) -> None:
    """Send a message."""
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["t"] == kind:
            return message


async def take(socket: ClientConnection) -> None:
    """Take the stick."""
    await say(socket, t="take")
    while not ((message := json.loads(await socket.recv()))["t"] == "stick" and message["mine"]):
        assert message["t"] != "error", message


async def test_who_takes_the_stick_steers(desk: Desk) -> None:
    """Each wish reaches the host under its holder, and is acknowledged."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        assert (await hear(socket, "stick")) == {"t": "stick", "holder": None, "mine": False}
        assert (await hear(socket, "head"))["bearing_deg"] == 90.0
        await take(socket)
        wishes: list[dict[str, Any]] = [
            {"t": "move", "pan": 0.5, "tilt": -0.25, "zoom": 0.0},
            {"t": "view", "right": 0.5, "up": -0.5},
            {"t": "box", "x0": 0.1, "y0": 0.1, "x1": 0.6, "y1": 0.6},
            {"t": "preset", "token": "1"},
            {"t": "home"},
            {"t": "aux", "command": "tt:Wiper|On"},
            {"t": "stop"},
        ]
        for number, wish in enumerate(wishes, 1):
            await say(socket, **wish, n=number)
            while (await hear(socket, "ack"))["n"] != number:
                pass
    assert [wish.model_dump() for wish in desk.host.wishes] == wishes


async def test_a_stick_is_one_span_in_the_audit(desk: Desk) -> None:
    """Who steered which camera, from when to when, and how often."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        await say(socket, t="move", pan=1.0, n=1)
        while (await hear(socket, "ack"))["n"] != 1:
            pass
        await say(socket, t="release", n=2)
        while (await hear(socket, "ack"))["n"] != 2:
            pass
    started, ended = await desk.audit("steer.started") + await desk.audit("steer.ended")
    assert (started.actor, started.subject) == ("root", camera)
    told = json.loads(ended.details)
    assert ended.from_ns is not None
    assert ended.to_ns is not None
    # How long it took is the machine's affair.
    assert 0 <= told.pop("seconds") <= (ended.to_ns - ended.from_ns) / NS_PER_S
    assert told == {"moves": 1, "presets": 0, "reason": "let go"}


async def test_a_socket_that_closes_lets_go(desk: Desk) -> None:
    """However it ends: the stick is free and the head stands."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        socket.transport.abort()
    await until(lambda: desk.host.dropped, what="the stick to be let go")
    assert desk.host.sticks == {}
    await until(lambda: desk.gateway.rooms.ledger.open_spans == 0, what="the span to end")
    assert len(await desk.audit("steer.ended")) == 1


async def test_somebody_elses_stick_is_told(desk: Desk) -> None:
    """The second is refused with who holds it, and sees it on the wall too."""
    camera = await desk.enrol()
    operator = await desk.person("operator", "olga")
    path = f"/api/v1/cameras/{camera}/steer"
    async with desk.socket(operator, path) as first, desk.socket(desk.admin, path) as second:
        await take(first)
        await say(second, t="take", n=1)
        assert (await hear(second, "error"))["type"] == "steering.held"
        await say(second, t="move", pan=1.0, n=2)
        assert (await hear(second, "error"))["type"] == "steering.not-held"
        (shown,) = (await desk.admin.get("/api/v1/cameras")).json()
        assert (shown["state"]["stick"]["holder"], shown["state"]["stick"]["mine"]) == ("Olga", False)
        (shown,) = (await operator.get("/api/v1/cameras")).json()
        assert shown["state"]["stick"]["mine"] is True


async def test_a_stick_that_was_taken_over_is_told(desk: Desk) -> None:
    """Its loser's span ends, and they see who has it."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        desk.host.sticks[camera] = rpc.StickState(holder="u2.x", name="Olga", since_ns=2)
        desk.host.state(desk.host.live(camera))
        while (said := await hear(socket, "stick"))["mine"]:
            pass
        assert said["holder"]["name"] == "Olga"
        (ended,) = await desk.audit("steer.ended")
        assert json.loads(ended.details)["reason"] == "taken over"


async def test_only_the_newest_move_waits_and_a_stop_overtakes(desk: Desk) -> None:
    """While the host is slow: moves are not queued, and a stop goes at once, and again behind what it overtook."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        desk.host.steering.clear()
        await say(socket, t="move", pan=0.1, n=1)
        await until(lambda: len(desk.host.wishes) == 1, what="the first move")
        for number in range(2, 9):
            await say(socket, t="move", pan=number / 10, n=number)
        await say(socket, t="beat")
        await say(socket, t="stop", n=9)
        await until(lambda: len(desk.host.wishes) == 2, what="the stop to overtake")
        desk.host.steering.set()
        while (await hear(socket, "ack"))["n"] != 9:
            pass
    assert [wish.t for wish in desk.host.wishes] == ["move", "stop", "stop"]


async def test_of_many_stops_one_overtakes_at_a_time(desk: Desk) -> None:
    """A host that hangs is not buried in stops, and none is left under way when the socket ends."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        desk.host.steering.clear()
        desk.host.stopping.clear()
        await say(socket, t="move", pan=0.1, n=1)
        await until(lambda: len(desk.host.wishes) == 1, what="the move")
        await say(socket, t="stop", n=2)
        await until(lambda: len(desk.host.wishes) == 2, what="the stop to overtake")
        for number in range(3, 40):
            await say(socket, t="stop", n=number)
        # The pong says that the stops before it have been read off the line.
        await (await socket.ping())
    await until(lambda: desk.host.dropped, what="the stick to be let go")
    assert [wish.t for wish in desk.host.wishes] == ["move", "stop"]
    desk.host.steering.set()
    desk.host.stopping.set()


async def test_of_many_moves_the_newest_goes(desk: Desk) -> None:
    """What was wished in between is not wished any more."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        desk.host.steering.clear()
        await say(socket, t="move", pan=0.1)
        await until(lambda: len(desk.host.wishes) == 1, what="the first move")
        for number in range(2, 9):
            await say(socket, t="move", pan=number / 10, n=number)
        await say(socket, t="home", n=20)
        # The pong says that all before it have been read off the line.
        await (await socket.ping())
        await settle()
        assert len(desk.host.wishes) == 1
        desk.host.steering.set()
        while (await hear(socket, "ack"))["n"] != 20:
            pass
    assert [getattr(wish, "pan", wish.t) for wish in desk.host.wishes] == [0.1, 0.8, "home"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "nonsense",
        "[]",
        '{"t":"fly"}',
        '{"t":"move","pan":2}',
        '{"t":"move","pan":NaN}',
        '{"t":"move","pan":"left"}',
        '{"t":"move","speed":1}',
        '{"t":"box","x0":0}',
        json.dumps({"t": "preset", "token": "x" * 5000}),
        b"\x00\x01",
        "[" * 4000,
    ],
    ids=lambda message: repr(message[:40]),
)
async def test_nonsense_is_told_and_ends_the_socket(desk: Desk, message: str | bytes) -> None:
    """An error in words, then 1008; the stick is free, the gateway unharmed."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        await socket.send(message)
        assert (await hear(socket, "error"))["type"] == "api.socket"
        with pytest.raises(ConnectionClosed) as caught:
            await hear(socket, "never")
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008
    await until(lambda: desk.host.dropped, what="the stick to be let go")
    assert (await desk.admin.get("/api/v1/cameras")).status_code == 200


async def test_a_flood_is_told_and_ends_the_socket(desk: Desk) -> None:
    """More than a hundred messages within a second are too many."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        await flood(socket)
        said = await hear(socket, "error")
        assert "100 messages" in said["title"]
        with pytest.raises(ConnectionClosed) as caught:
            await hear(socket, "never")
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


async def flood(socket: ClientConnection) -> None:
    """Send far more than is allowed, until the other side has had enough."""
    try:
        for _ in range(2000):
            await socket.send('{"t":"beat"}')
    except ConnectionClosed:
        pass


async def test_an_oversized_frame_ends_the_socket(desk: Desk) -> None:
    """What is far beyond any message is not even read."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await socket.send("x" * 100_000)
        with pytest.raises(ConnectionClosed) as caught:
            await hear(socket, "never")
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009


async def test_signing_out_takes_the_stick(desk: Desk) -> None:
    """Who signs out, or is disabled, steers no more."""
    camera = await desk.enrol()
    operator = await desk.person("operator")
    async with desk.socket(operator, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        await operator.delete("/api/v1/session")
        with pytest.raises(ConnectionClosed) as caught:
            await hear(socket, "never")
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401
    await until(lambda: desk.host.sticks == {}, what="the stick to be free")


async def test_what_does_not_move_is_not_steered(desk: Desk) -> None:
    """A fixed camera and an unknown one are refused before the socket opens."""
    desk.host.found = description(views=(view("a", head=None),))
    camera = await desk.enrol()
    for path in (f"/api/v1/cameras/{camera}/steer", "/api/v1/cameras/none/steer"):
        with pytest.raises(InvalidStatus) as caught:
            async with desk.socket(desk.admin, path):
                pass
        assert caught.value.response.status_code == 404


async def test_presets_are_kept_at_the_camera(desk: Desk) -> None:
    """Listed, stored, overwritten and removed; what was changed is recorded."""
    path = f"/api/v1/cameras/{await desk.enrol()}/presets"
    assert (await desk.admin.get(path)).json() == [{"token": "1", "name": "Gate", "confirmed": True}]
    assert (await desk.admin.post(path, json={"name": "Bridge"})).json() == {
        "token": "2",
        "name": "Bridge",
        "confirmed": True,
    }
    assert (await desk.admin.post(path, json={"name": "Old gate", "token": "1"})).status_code == 201
    assert (await desk.admin.delete(f"{path}/2")).status_code == 204
    assert (await desk.admin.get(path)).json() == [{"token": "1", "name": "Old gate", "confirmed": True}]
    assert [entry.action for entry in await desk.audit()][-3:] == ["preset.stored", "preset.stored", "preset.removed"]


async def test_events_tell_states_lists_and_time(desk: Desk) -> None:
    """First every camera, then what changes, and the time each second."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, "/api/v1/events") as socket:
        first = await hear(socket, "camera")
        assert (first["id"], first["state"]["live"]) == (camera, "live")
        assert (await hear(socket, "time"))["server"].endswith("Z")
        parked = desk.host.live(camera).model_copy(
            update={
                "live": rpc.LiveState.PARKED,
                "problem": rpc.Problem(type="camera.authentication", title="Wrong password.", cure="Enrol again."),
            }
        )
        desk.host.state(parked)
        while (said := await hear(socket, "camera"))["state"]["live"] != "parked":
            pass
        assert said["state"]["problem"] == {
            "type": "camera.authentication",
            "title": "Wrong password.",
            "cure": "Enrol again.",
        }
        desk.host.say(rpc.CameraHappened(id=CameraId(camera), topic="motion", data={"on": "true"}, wall_ns=1))
        assert (await hear(socket, "event"))["topic"] == "motion"
        desk.host.found = description("urn:uuid:2")
        await desk.enrol(address="192.0.2.2")
        await hear(socket, "cameras")


async def test_events_end_with_the_session(desk: Desk) -> None:
    """A wall that is signed out goes dark at once."""
    viewer = await desk.person("viewer")
    async with desk.socket(viewer, "/api/v1/events") as socket:
        await hear(socket, "time")
        await viewer.delete("/api/v1/session")
        with pytest.raises(ConnectionClosed) as caught:
            await hear(socket, "never")
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401


async def test_a_stick_taken_through_an_open_socket_is_for_it(desk: Desk) -> None:
    """The socket was opened before it was said; the hold of the stick that follows, and one that goes on, carry it."""
    camera = await desk.enrol()
    operator = await desk.person("operator")
    async with desk.socket(operator, f"/api/v1/cameras/{camera}/steer") as socket:
        await take(socket)
        assert (await operator.put("/api/v1/session/reference", json={"reference": "CAD 5"})).status_code == 204
    await until(lambda: desk.gateway.rooms.ledger.open_spans == 0, what="the span to end")
    told = [entry for entry in await desk.audit() if entry.action.startswith("steer.")]
    assert [(one.action, one.reference) for one in told] == [
        ("steer.started", ""),
        ("steer.ended", ""),
        ("steer.started", "CAD 5"),
        ("steer.ended", "CAD 5"),
    ]
