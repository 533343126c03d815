"""The events WebSocket: what changes, as it changes. A slow reader gets each camera's newest state, not a queue."""

import asyncio
from collections import deque
from typing import Any

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from gateway.access.errors import NotSignedInError
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import showing
from gateway.api.errors import ControlSocketError, TooManySocketsError
from gateway.api.guard import admit, identify
from gateway.api.problems import refusal
from gateway.api.rooms import Rooms, The
from gateway.api.sockets import POLICY, REASON_MAX, SIGNED_OUT, Rate
from gateway.api.times import iso
from gateway.db.errors import DatabaseError
from gateway.fleet.service import FleetChange, Happened, ListChanged, StateChanged
from kernel.clock import every
from kernel.ids import CameraId

log = structlog.get_logger()

router = APIRouter()

BEAT_S = 1.0
RECHECK_BEATS = 10
HAPPENED_MAX = 200


class _Outbox:
    """What one reader has not been told yet."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.states: dict[CameraId, None] = {}
        self.list_changed = False
        self.happened: deque[Happened] = deque(maxlen=HAPPENED_MAX)
        self.over = False

    def add(self, change: FleetChange) -> None:
        match change:
            case StateChanged(camera):
                self.states[camera] = None
            case ListChanged():
                self.list_changed = True
            case Happened():
                self.happened.append(change)
        self.wake.set()

    def end(self) -> None:
        self.over = True
        self.wake.set()


@router.websocket("/api/v1/events")
async def events(websocket: WebSocket, the: The) -> None:
    """Send every camera's state, then changes, and the time each second."""
    who = await admit(websocket, Permission.VIEW_LIVE)
    if who is None:
        return
    try:
        with the.places.one(who.session):
            await websocket.accept()
            await _tell(websocket, the, who)
    except TooManySocketsError as error:
        await websocket.send_denial_response(refusal(error))


async def _tell(websocket: WebSocket, the: Rooms, who: Identity) -> None:
    outbox = _Outbox()
    for camera in the.fleet.cameras():
        outbox.add(StateChanged(camera.id))
    stop_listening = the.fleet.listen(outbox.add)
    stop_watching = the.access.when_ended(lambda session: outbox.end() if session == who.session else None)
    try:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(_listen(websocket, the))
            jobs = [
                listening,
                tasks.create_task(_send(websocket, the, who, outbox)),
                tasks.create_task(_beat(websocket, the, outbox)),
            ]
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in jobs:
                job.cancel()
        # Closed here, where nobody is sending any more.
        error = None if listening.cancelled() else listening.result()
        if error is not None:
            log.warning("events.nonsense", user=who.username, error=error.message)
            await websocket.close(POLICY, error.message[:REASON_MAX])
        elif outbox.over:
            await websocket.close(SIGNED_OUT, "Your session has ended.")
    except* WebSocketDisconnect:
        pass
    finally:
        stop_listening()
        stop_watching()


async def _send(websocket: WebSocket, the: Rooms, who: Identity, outbox: _Outbox) -> None:
    while True:
        await outbox.wake.wait()
        outbox.wake.clear()
        if outbox.over:
            return
        if outbox.list_changed:
            outbox.list_changed = False
            await websocket.send_json({"t": "cameras"})
        while outbox.happened:
            await websocket.send_json(_happened(outbox.happened.popleft()))
        while outbox.states:
            camera = next(iter(outbox.states))
            del outbox.states[camera]
            state = showing.state(the.fleet.state(camera), user_id=who.user_id)
            await websocket.send_json({"t": "camera", "id": camera, "state": state.model_dump(mode="json")})


async def _beat(websocket: WebSocket, the: Rooms, outbox: _Outbox) -> None:
    """Tell the time; now and then make sure that the session still holds, which also keeps it in use."""
    async with every(the.clock, BEAT_S) as ticks:
        async for tick in ticks:
            if tick % RECHECK_BEATS == RECHECK_BEATS - 1:
                try:
                    await identify(websocket)
                except NotSignedInError:
                    outbox.end()
                except DatabaseError as error:
                    # The wall stays lit while the database is away; the next round asks again.
                    log.warning("events.unchecked", error=error.code)
            await websocket.send_json({"t": "time", "server": iso(the.clock.wall_ns())})


async def _listen(websocket: WebSocket, the: Rooms) -> ControlSocketError | None:
    """Read until the reader leaves, or return what is wrong with what it says; no text means anything here."""
    rate = Rate(the.clock, cure="Say nothing here: this socket only tells.")
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        if message.get("text") is None:
            return ControlSocketError("A binary message came.", cure="Say nothing here: this socket only tells.")
        try:
            rate.count()
        except ControlSocketError as error:
            return error


def _happened(change: Happened) -> dict[str, Any]:
    event = change.event
    return {
        "t": "event",
        "id": event.id,
        "topic": event.topic,
        "source": event.source,
        "data": event.data,
        "at": iso(event.wall_ns),
    }
