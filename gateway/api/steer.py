"""The steering WebSocket: one console's hand on one head.

The stick is let go of, and with it the head stopped, however the socket ends. Moves are not queued: while one is on
its way to the host only the newest waits. A stop overtakes everything.
"""

import asyncio
from collections import deque
from typing import Any

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from gateway.access.identity import Identity, SessionState
from gateway.access.permissions import Permission, Role
from gateway.api import models, showing
from gateway.api.errors import ControlSocketError, NotHereError, PresetVoidError
from gateway.api.guard import actor, admit
from gateway.api.problems import problem, refusal
from gateway.api.rooms import Rooms, The
from gateway.api.sockets import BARRED, POLICY, REASON_MAX, SIGNED_OUT, Rate
from gateway.api.spans import Span
from gateway.api.steer_messages import Beat, Move, Preset, Release, Said, Stop, Take, parse, wish_of
from gateway.audit.events import Action
from gateway.db.errors import DatabaseError
from gateway.fleet import rpc, wishes
from gateway.fleet.cameras import Camera
from gateway.fleet.changes import FleetChange, StateChanged
from gateway.fleet.errors import UnknownCameraError
from gateway.fleet.hosts import HostError
from kernel.errors import SightlineError
from kernel.ids import new_id
from ptz.arbitration import Priority

log = structlog.get_logger()

router = APIRouter()

WAITING_MAX = 16


@router.websocket("/api/v1/cameras/{camera_id}/steer")
async def steer(websocket: WebSocket, camera_id: str, the: The) -> None:
    """Steer one head."""
    who = await admit(websocket, Permission.STEER)
    if who is None:
        return
    try:
        camera = _steerable(the, camera_id)
    except (UnknownCameraError, NotHereError) as error:
        await websocket.send_denial_response(refusal(error))
        return
    await websocket.accept()
    await _Seat(websocket, the, who, camera).run()


def _steerable(the: Rooms, camera_id: str) -> Camera:
    camera = the.fleet.camera(camera_id)
    if camera.view.head is None:
        raise NotHereError("This camera has no head to steer.", cure="Choose a camera that moves.")
    return camera


class _Seat:
    """One console at one head."""

    def __init__(self, websocket: WebSocket, the: Rooms, who: Identity, camera: Camera) -> None:
        self._socket = websocket
        self._the = the
        self._who = who
        self._camera = camera
        self._host = the.fleet.host_of(camera)
        self._holder = showing.holder_id(who.user_id, new_id()[-12:])
        self._waiting: deque[Said] = deque()
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._busy = False
        self._carried = 0
        """How many wishes have gone to the host in turn."""
        self._urgent: asyncio.Task[None] | None = None
        self._urgent_for = 0
        """Which of them the urgent stop overtook."""
        self._stick_shown: Any = ()
        self._head_shown: Any = None
        self._bound_shown: Any = None
        outside = who.role is Role.PARTNER
        self._priority = Priority.GUEST if outside else Priority.ROOM
        self._holding = False
        """We asked for the stick and have not let go of it since."""
        self._confirmed = False
        """The state stream has said that we hold the stick: from then on it tells when we lose it."""

    async def run(self) -> None:
        """Serve the socket until it ends."""
        stop_listening = self._the.fleet.listen(self._heard)
        ended = asyncio.Event()
        barred = asyncio.Event()
        stop_watching = self._the.access.when_ended(
            lambda session: ended.set() if session == self._who.session else None
        )
        locked = asyncio.Event()
        stop_deciding = self._the.decider.when_changed(lambda: None if self._may() else barred.set())
        stop_looking = self._the.access.when_state(
            lambda session, state: (
                locked.set() if session == self._who.session and state is not SessionState.OPEN else None
            )
        )
        if not self._may():
            barred.set()  # it was taken away while the socket was being accepted
        if self._the.access.has_ended(self._who.session):
            ended.set()
        self._news.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                jobs: list[asyncio.Task[Any]] = [
                    tasks.create_task(job) for job in (self._read(), self._send(), self._tell())
                ]
                jobs += [tasks.create_task(event.wait()) for event in (ended, barred, locked)]
                await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
                for job in jobs:
                    job.cancel()
            if ended.is_set():
                await self._socket.close(SIGNED_OUT, "Your session has ended.")
            elif barred.is_set():
                await self._socket.close(BARRED, "You may not steer this camera any more.")
            elif locked.is_set():
                await self._socket.close(BARRED, "This console is locked.")
        except* WebSocketDisconnect:
            pass
        finally:
            stop_listening()
            stop_deciding()
            stop_watching()
            stop_looking()
            await asyncio.shield(self._part())

    def _may(self) -> bool:
        return self._the.decider.still(self._who.user_id, self._who.session, Permission.STEER, self._camera.id)

    # --- from the console

    async def _read(self) -> None:
        rate = Rate(self._the.clock, cure="Send moves at most 25 times a second.")
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                rate.count()
                self._take_in(parse(message.get("text")))
            except ControlSocketError as error:
                log.warning("steer.nonsense", camera=self._camera.id, user=self._who.username, error=error.message)
                await self._say_error(error)
                await self._socket.close(POLICY, error.message[:REASON_MAX])
                return

    def _take_in(self, said: Said) -> None:
        if isinstance(said, Stop | Release):
            # What was wished before and has not gone is not wished any more.
            self._waiting = deque(one for one in self._waiting if isinstance(one, Take | Release))
            if self._busy and isinstance(said, Stop):
                # A stop does not wait behind a request in flight; it goes again after it, should the two cross.
                self._overtake(said)
        elif isinstance(said, Move | Beat) and self._waiting and isinstance(self._waiting[-1], Move | Beat):
            if isinstance(said, Beat):
                return
            self._waiting.pop()
        if len(self._waiting) >= WAITING_MAX:
            raise ControlSocketError("Too much is wished at once.", cure="Wait until the head follows.")
        self._waiting.append(said)
        self._wake.set()

    def _overtake(self, stop: Stop) -> None:
        """Send a stop at once; one that is under way for the same request in flight does for this one too."""
        if self._urgent is not None and not self._urgent.done():
            if self._urgent_for == self._carried:
                return
            self._urgent.cancel()
        self._urgent_for = self._carried
        self._urgent = asyncio.get_running_loop().create_task(self._carry_out(stop, quiet=True))

    async def _part(self) -> None:
        """Leave nothing under way, and let go of the stick."""
        if self._urgent is not None:
            self._urgent.cancel()
            await asyncio.wait([self._urgent])
        await self._leave("socket closed")

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                said = self._waiting.popleft()
                self._busy = True
                self._carried += 1
                try:
                    await self._carry_out(said)
                finally:
                    self._busy = False

    async def _carry_out(self, said: Said, *, quiet: bool = False) -> None:
        try:
            match said:
                case Take():
                    await self._take()
                case Release():
                    await self._leave("let go")
                case _:
                    if isinstance(said, Preset):
                        await self._check(said)
                    wish = wishes.SteerWish(holder=self._holder, wish=wish_of(said), priority=self._priority)
                    await self._host.steer(self._camera.id, wish)
                    self._count(said)
        except (HostError, PresetVoidError, DatabaseError) as error:
            if not quiet:
                await self._say_error(error, n=said.n)
        else:
            if not quiet and not isinstance(said, Beat):
                await self._socket.send_json({"t": "ack", "n": said.n})

    async def _check(self, recalled: Preset) -> None:
        if await self._the.stays.void_presets(self._camera.id, [recalled.token]):
            raise PresetVoidError(
                "This preset was stored where the camera stood before.", cure="Aim the camera, and store it anew."
            )

    async def _take(self) -> None:
        # From before the asking: a socket that ends in between must let go of what the host gave.
        self._holding = True
        state = await self._host.stick(self._camera.id, self._stick_wish())
        self._confirmed = False
        self._the.ledger.begin(
            Span(
                key=self._key,
                action=Action.STICK_TAKEN,
                actor=actor(self._socket, self._who),
                session=self._who.session,
                camera=self._camera.id,
                details={"moves": 0, "presets": 0},
            )
        )
        await self._say_stick(state)

    def _stick_wish(self) -> wishes.StickWish:
        return wishes.StickWish(holder=self._holder, name=self._who.name, take=True, priority=self._priority)

    async def _leave(self, reason: str) -> None:
        """Let go of the stick, which stops the head."""
        if not self._holding:
            return
        self._the.ledger.end(self._key, reason)
        try:
            state = await self._host.drop_stick(self._camera.id, self._holder)
        except HostError as error:
            # The host's own deadman stops the head.
            log.warning("steer.unreleased", camera=self._camera.id, error=error.code)
            self._holding = False
            return
        # Only now: a socket that closes while the release is on its way lets go again.
        self._holding = False
        if reason == "let go":
            await self._say_stick(state)

    def _count(self, said: Said) -> None:
        span = self._the.ledger.get(self._key)
        if span is not None and said.t != "beat":
            kind = "presets" if said.t in {"preset", "home"} else "moves"
            span.details[kind] = int(span.details[kind] or 0) + (said.t != "stop")

    @property
    def _key(self) -> tuple[str, ...]:
        return ("stick", self._holder)

    # --- to the console

    def _heard(self, change: FleetChange) -> None:
        if isinstance(change, StateChanged) and change.camera == self._camera.id:
            self._news.set()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            state = self._the.fleet.state(self._camera.id)
            if state is None:
                continue
            self._watch_stick(state.stick)
            await self._say_stick(state.stick)
            head = showing.position(state.head)
            if head is not None and head != self._head_shown:
                self._head_shown = head
                await self._socket.send_json({"t": "head", **head.model_dump(mode="json")})
                await self._say_bound(head.bound)

    async def _say_bound(self, bound: models.Bound | None) -> None:
        """Say what holds the head back, once; and that nothing does any more."""
        if bound != self._bound_shown:
            self._bound_shown = bound
            said = bound.model_dump(mode="json") if bound is not None else None
            await self._socket.send_json({"t": "bound", "bound": said})

    def _watch_stick(self, stick: rpc.StickState | None) -> None:
        """Notice that somebody else was given the stick."""
        mine = stick is not None and stick.holder == self._holder
        if mine:
            self._confirmed = True
        elif self._confirmed:
            self._confirmed = False
            self._the.ledger.end(self._key, "taken over")

    async def _say_stick(self, known: rpc.StickState | None) -> None:
        stick = showing.stick(known, user_id=self._who.user_id, holder=self._holder)
        shown = (stick.holder, stick.user_id, stick.since, stick.mine) if stick is not None else None
        if shown == self._stick_shown:
            return
        self._stick_shown = shown
        await self._socket.send_json(
            {
                "t": "stick",
                "holder": {**stick.model_dump(mode="json"), "name": stick.holder} if stick is not None else None,
                "mine": stick is not None and stick.mine,
            }
        )

    async def _say_error(self, error: SightlineError, *, n: int | None = None) -> None:
        said = problem(error)
        body: dict[str, Any] = {"t": "error", "type": said.type, "title": said.title, "detail": said.detail}
        if n is not None:
            body["n"] = n
        await self._socket.send_json(body)
