"""The events WebSocket: what changes, as it changes. A slow reader gets each camera's newest state, not a queue."""

import asyncio
from collections import deque
from collections.abc import Collection
from typing import Any

import structlog
from fastapi import APIRouter, WebSocket

from gateway.access.approvals import Approval, Standing
from gateway.access.errors import NotSignedInError
from gateway.access.identity import Identity, SessionState
from gateway.access.permissions import Permission, Role
from gateway.api import models, share_views, showing
from gateway.api.errors import TooManySocketsError
from gateway.api.guard import admit, identify
from gateway.api.problems import refusal
from gateway.api.rooms import Rooms, The
from gateway.api.share_news import ShareNews
from gateway.api.sockets import only_tell
from gateway.api.times import iso, iso_or_none
from gateway.api.unit_news import UnitNews
from gateway.db.errors import DatabaseError
from gateway.db.glass import GlassBreak
from gateway.db.rights import GrantRow
from gateway.deployments.service import Taken
from gateway.fleet import rpc
from gateway.fleet.changes import FleetChange, Happened, ListChanged, StateChanged
from kernel.clock import NS_PER_S, every
from kernel.ids import CameraId

log = structlog.get_logger()

router = APIRouter()

BEAT_S = 1.0
RECHECK_BEATS = 10
HAPPENED_MAX = 200
NO_NEWS_S = 10.0
"""Each of 900 cameras has a newer picture every second. One about which nothing else is new is told this often."""


class _Outbox:
    """What one reader has not been told yet."""

    def __init__(self, the: Rooms, who: Identity) -> None:
        self._fleet = the.fleet
        self._decider = the.decider
        self.who = who
        self._visible = self._cameras()
        self._clock = the.clock
        self._told: dict[CameraId, tuple[object, int]] = {}
        """Of each camera: the news that was told last, and when."""
        self.wake = asyncio.Event()
        self.states: dict[CameraId, None] = {}
        self.list_changed = False
        self.rights_changed = False
        self._grants = the.grants
        self._glass_told: set[str] = set()
        self._glass_waiting: set[str] = set()
        """Of those that nobody acknowledged: which a supervisor was told of."""
        self.messages: deque[dict[str, Any]] = deque(maxlen=HAPPENED_MAX)
        """Said each once: approvals, where the glass is broken, what happened to units."""
        self.happened: deque[Happened] = deque(maxlen=HAPPENED_MAX)
        self.session: SessionState | None = None
        self.shares = ShareNews(the, who, wake=self.wake.set, camera=lambda camera: self.add(StateChanged(camera)))
        self.units = UnitNews(the, who)
        self._sticks = the.sharing.sticks
        self.over = False

    def lent(self, camera: CameraId) -> models.Lent | None:
        """Return to whom the stick of a camera is lent."""
        loan = self._sticks.loan(camera)
        return share_views.lent(loan) if loan is not None else None

    def add(self, change: FleetChange) -> None:
        match change:
            case StateChanged(camera):
                if not self._sees(camera) or not self._is_news(camera):
                    return
                self.states[camera] = None
            case ListChanged():
                self.list_changed = True
            case Happened(event):
                if not self._sees(event.id):
                    return
                self.happened.append(change)
        self.wake.set()

    def look_again(self) -> None:
        """See what the reader may see by now. What they may see no longer is forgotten untold."""
        self.look_at_glass()
        visible = self._cameras()
        if visible == self._visible:
            return
        self._visible = visible
        self.states = {camera: None for camera in self.states if self._sees(camera)}
        self.happened = deque((one for one in self.happened if self._sees(one.event.id)), maxlen=HAPPENED_MAX)
        self.rights_changed = True
        for one in self._fleet.cameras():
            self.add(StateChanged(one.id))
        self.wake.set()

    def look_at_glass(self) -> None:
        """Tell a supervisor where the glass is broken and where no more, and anybody else of their own."""
        if self.shut:
            return  # told once somebody is there again
        supervises = self._decider.rights(self.who).rule(Permission.SUPERVISE) is not None
        broken = {row.id: row for row in self._grants.broken() if supervises or row.user_id == self.who.user_id}
        for one in self._glass_told - broken.keys():
            self.messages.append({"t": "glass", "id": one, "over": True})
        for one in broken.keys() - self._glass_told:
            self.messages.append(_broken(broken[one]))
        if broken.keys() != self._glass_told:
            self._glass_told = set(broken)
            self.wake.set()
        self._look_at_waiting(broken.keys(), supervises=supervises)

    def _look_at_waiting(self, broken: Collection[str], *, supervises: bool) -> None:
        """Tell a supervisor what is over that none of them acknowledged, and what one has acknowledged by now."""
        waiting = {row.id: row for row in self._grants.unacknowledged()} if supervises else {}
        if waiting.keys() == self._glass_waiting:
            return
        for one in self._glass_waiting - waiting.keys() if supervises else ():
            self.messages.append({"t": "glass", "id": one, "over": one not in broken, "acknowledged": True})
        new = (row for one, row in waiting.items() if one not in self._glass_waiting and one not in broken)
        self.messages.extend(_was_broken(row) for row in new)
        self._glass_waiting = set(waiting)
        self.wake.set()

    def approval(self, one: Approval) -> None:
        """Tell who may approve that something waits, or no longer; and who asked for it what has become of it."""
        if one.asked_by.user_id == self.who.user_id and one.standing is not Standing.WAITING:
            by = one.decided_by.shown if one.decided_by is not None else ""
            told = {"id": one.id, "standing": one.standing.value, "by": by, "answer": one.answer}
            self.messages.append({"t": "approval", **told})
        if self._decider.rights(self.who).rule(Permission.APPROVE) is not None:
            self.messages.append({"t": "approvals"})
        self.wake.set()

    def taken(self, taken: Taken) -> None:
        """Tell of a step in the life of a deployment, and what has happened to a unit where it stands."""
        news = (self.units.message(taken), self.units.reminder(taken), self.units.step(taken))
        told = [one for one in news if one is not None]
        self.messages.extend(told)
        if told:
            self.wake.set()

    def _cameras(self) -> frozenset[CameraId] | None:
        return self._decider.rights(self.who).cameras(Permission.VIEW_LIVE)

    def _sees(self, camera: CameraId) -> bool:
        return self._visible is None or camera in self._visible

    def _is_news(self, camera: CameraId) -> bool:
        told = self._told.get(camera)
        if told is None or self._clock.monotonic_ns() - told[1] >= NO_NEWS_S * NS_PER_S:
            return True
        return self._news(camera) != told[0]

    def _news(self, camera: CameraId) -> object:
        return (_news(self._fleet.state(camera)), self._sticks.loan(camera))

    def take_state(self) -> tuple[CameraId, rpc.CameraState | None]:
        """Return the next camera to be told of, and its newest state."""
        camera = next(iter(self.states))
        del self.states[camera]
        state = self._fleet.state(camera)
        self._told[camera] = (self._news(camera), self._clock.monotonic_ns())
        return camera, state

    def turn(self, state: SessionState) -> None:
        """Go on for a session that was locked or opened again."""
        self.go_on_as(self.who.turned(state))

    def go_on_as(self, who: Identity) -> None:
        """Go on for the reader as they are now, and tell whether their console was locked or opened again.

        Whoever stands before a locked console or a wallboard sees pictures, and reads nobody's notes or reasons.
        """
        turned, self.who = who.state is not self.who.state, who
        self.shares.turn(who)
        self.units.turn(who)
        self.look_again()
        if not turned:
            return
        self.session = who.state
        if not self.shut:
            # The page reads anew what it was not told meanwhile.
            self.rights_changed = True
            if self._decider.rights(who).rule(Permission.APPROVE) is not None:
                self.messages.append({"t": "approvals"})
        self.wake.set()

    @property
    def shut(self) -> bool:
        """Return whether nobody is there to read more than pictures: a locked console, or a wallboard."""
        return self.who.state is not SessionState.OPEN

    def end(self) -> None:
        self.over = True
        self.wake.set()


@router.websocket("/api/v1/events")
async def events(websocket: WebSocket, the: The) -> None:
    """Send every camera's state, then changes, and the time each second."""
    who = await admit(websocket, Permission.VIEW_LIVE, room=True)
    if who is None:
        return
    try:
        with the.places.one(who.session):
            await websocket.accept()
            await _tell(websocket, the, who)
    except TooManySocketsError as error:
        await websocket.send_denial_response(refusal(error))


async def _tell(websocket: WebSocket, the: Rooms, who: Identity) -> None:
    outbox = _Outbox(the, who)
    outbox.look_at_glass()
    for camera in the.fleet.cameras():
        outbox.add(StateChanged(camera.id))
    stop_listening = the.fleet.listen(outbox.add)
    stop_sharing = the.sharing.bell.listen(outbox.shares.heard)
    stop_deploying = the.deployments.follow(outbox.taken)
    stop_units = the.units.register.listen(outbox.units.heard) if the.units is not None else None
    stop_deciding = the.decider.when_changed(outbox.look_again)
    stop_approving = the.approvals.when_changed(outbox.approval)
    stop_looking = the.access.when_state(lambda session, state: outbox.turn(state) if session == who.session else None)
    stop_watching = the.access.when_ended(lambda session: outbox.end() if session == who.session else None)
    if the.access.has_ended(who.session):
        outbox.end()
    try:
        await only_tell(
            websocket,
            _send(websocket, outbox),
            _beat(websocket, the, outbox),
            over=lambda: outbox.over,
            clock=the.clock,
            nonsense=lambda what: log.warning("events.nonsense", user=who.username, error=what),
        )
    finally:
        stop_listening()
        stop_deciding()
        stop_deploying()
        if stop_units is not None:
            stop_units()
        stop_approving()
        stop_sharing()
        stop_watching()
        stop_looking()


async def _send(websocket: WebSocket, outbox: _Outbox) -> None:
    while True:
        await outbox.wake.wait()
        outbox.wake.clear()
        if outbox.over:
            return
        if outbox.rights_changed:
            outbox.rights_changed = False
            await websocket.send_json({"t": "rights"})
        while outbox.messages and not outbox.shut:
            await websocket.send_json(outbox.messages.popleft())
        if outbox.session is not None:
            state, outbox.session = outbox.session, None
            await websocket.send_json({"t": "session", "state": state.value})
        while outbox.shares.waiting:
            await websocket.send_json(outbox.shares.waiting.popleft())
        if outbox.list_changed:
            outbox.list_changed = False
            await websocket.send_json({"t": "cameras"})
        while outbox.happened:
            await websocket.send_json(_happened(outbox.happened.popleft()))
        while outbox.states:
            camera, known = outbox.take_state()
            shown = showing.state(known, user_id=outbox.who.user_id, lent=outbox.lent(camera))
            await websocket.send_json({"t": "camera", "id": camera, "state": shown.model_dump(mode="json")})


async def _beat(websocket: WebSocket, the: Rooms, outbox: _Outbox) -> None:
    """Tell the time; now and then make sure that the session still holds, which also keeps it in use."""
    async with every(the.clock, BEAT_S) as ticks:
        async for tick in ticks:
            if tick % RECHECK_BEATS == RECHECK_BEATS - 1:
                try:
                    known = outbox.who
                    who, _ = await identify(websocket)
                    if outbox.who is known:  # otherwise it was locked or opened while we asked
                        outbox.go_on_as(who)
                    if who.role is Role.PARTNER:
                        outbox.end()  # that is for the room alone
                except NotSignedInError:
                    outbox.end()
                except DatabaseError as error:
                    # The wall stays lit while the database is away; the next round asks again.
                    log.warning("events.unchecked", error=error.code)
            watching = outbox.shares.watching(tick)
            if watching is not None:
                await websocket.send_json(watching)
            if news := outbox.units.due():
                await websocket.send_json({"t": "units", "units": news})
            await websocket.send_json({"t": "time", "server": iso(the.clock.wall_ns())})


def _news(state: rpc.CameraState | None) -> object:
    """Return of what is shown of a camera all but the times that run on by themselves."""
    if state is None:
        return None
    head = state.head
    return (
        state.live,
        state.problem,
        state.main.recording,
        state.sub.recording if state.sub is not None else None,
        state.viewers,
        head
        and (head.pan, head.tilt, head.zoom, head.pan_deg, head.tilt_deg, head.bearing_deg, head.hfov_deg, head.moving),
        head and head.problem,
        state.stick,
        state.clock_offset_s,
        showing.timed(state),
    )


def _broken(row: GrantRow) -> dict[str, Any]:
    return {
        "t": "glass",
        "id": row.id,
        "over": False,
        "user_id": row.user_id,
        "reason": row.reason,
        "since": iso(row.starts_ns),
        "until": iso_or_none(row.ends_ns),
    }


def _was_broken(row: GlassBreak) -> dict[str, Any]:
    return {
        "t": "glass",
        "id": row.id,
        "over": True,
        "user_id": row.user_id,
        "reason": row.reason,
        "since": iso(row.starts_ns),
        "until": iso(row.ends_ns),
    }


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
