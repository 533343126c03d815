"""The events WebSocket of those outside: what is shared with them, as it changes, and what is said to them."""

import asyncio
from collections import deque
from typing import Any

import structlog
from fastapi import APIRouter, WebSocket

from gateway.access.errors import NotSignedInError
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import share_views as shown
from gateway.api.errors import TooManySocketsError
from gateway.api.guard import admit, identify
from gateway.api.problems import refusal
from gateway.api.rooms import Rooms, The
from gateway.api.sockets import only_tell
from gateway.api.times import iso
from gateway.db.errors import DatabaseError
from gateway.db.sharing import ShareRow
from gateway.fleet.changes import FleetChange, StateChanged
from gateway.sharing import (
    Began,
    Ended,
    Noted,
    SharingChange,
    StickLent,
    StickRefused,
    StickTakenBack,
)
from gateway.sharing.errors import UnknownShareError
from kernel.clock import every

log = structlog.get_logger()

router = APIRouter()

BEAT_S = 1.0
RECHECK_BEATS = 10
WAITING_MAX = 200


class _Outbox:
    """What one reader outside has not been told yet."""

    def __init__(self, the: Rooms, who: Identity) -> None:
        self._the = the
        self._who = who
        self._told: dict[str, Any] = {}
        self._cameras: frozenset[str] = frozenset()
        self.wake = asyncio.Event()
        self.wake.set()
        self.waiting: deque[dict[str, Any]] = deque(maxlen=WAITING_MAX)
        self.over = False

    def look_again(self) -> None:
        """See what is shared by now."""
        self.wake.set()

    def camera(self, change: FleetChange) -> None:
        """See whether a camera that changed is one of theirs."""
        if isinstance(change, StateChanged) and change.camera in self._cameras:
            self.wake.set()

    def heard(self, change: SharingChange) -> None:
        """Take in what happened to a share of theirs."""
        match change:
            case Began(share) if self._theirs(share):
                self._add("began", self._named(share))
            case Ended(share, by) if self._theirs(share):
                self._add("ended", {**self._named(share), "by": by.name if by is not None else None})
            case Noted(share, note) if self._theirs(share):
                self._add("note", shown.note(note).model_dump(mode="json"))
            case StickRefused(_, request) if request.by.user_id == self._who.user_id:
                self._add("stick-refused", shown.request(request).model_dump(mode="json"))
            case StickLent(_, loan) if loan.to.user_id == self._who.user_id:
                self._add("stick-lent", shown.lent(loan).model_dump(mode="json"))
            case StickTakenBack(_, loan, by) if loan.to.user_id == self._who.user_id:
                given = by is not None and by.user_id == loan.to.user_id
                back = {"back_by": by.name if by is not None else None, "given": given}
                self._add("stick-back", {**shown.lent(loan).model_dump(mode="json"), **back})
            case _:
                pass
        self.wake.set()

    def _named(self, share: ShareRow) -> dict[str, Any]:
        return {"share": share.id, "title": shown.title(self._the, share), "kind": share.kind}

    def _theirs(self, share: ShareRow) -> bool:
        admitted = self._the.sharing.partners.admitted(self._who.user_id) is not None
        return admitted and self._the.sharing.shares.received(share, self._who.user_id)

    def _add(self, kind: str, body: dict[str, Any]) -> None:
        self.waiting.append({"t": kind, **body})

    def turned(self, session: str) -> None:
        """Say that their session was locked, or opened again, if it is theirs."""
        if session == self._who.session:
            self._add("session", {})
            self.wake.set()

    def news(self) -> dict[str, Any] | None:
        """Return what is shared, where it is not as it was told last."""
        body = shown.mine(self._the, self._who).model_dump(mode="json")
        del body["server_time"]
        if body == self._told:
            return None
        self._told = body
        self._cameras = frozenset(camera["id"] for share in body["shares"] for camera in share["cameras"])
        return {"t": "mine", **body}

    def end(self) -> None:
        self.over = True
        self.wake.set()


@router.websocket("/api/v1/shares/events")
async def events(websocket: WebSocket, the: The) -> None:
    """Send what is shared with the reader, then changes, notes, the stick's way, and the time each second."""
    who = await admit(websocket, Permission.SIGNED_IN)
    if who is None:
        return
    try:
        the.sharing.partners.own(who.user_id)
        with the.places.one(who.session):
            await websocket.accept()
            await _tell(websocket, the, who)
    except (TooManySocketsError, UnknownShareError) as error:
        await websocket.send_denial_response(refusal(error))


async def _tell(websocket: WebSocket, the: Rooms, who: Identity) -> None:
    outbox = _Outbox(the, who)
    detach = [
        the.sharing.bell.listen(outbox.heard),
        the.fleet.listen(outbox.camera),
        the.decider.when_changed(outbox.look_again),
        the.access.when_ended(lambda session: outbox.end() if session == who.session else None),
        the.access.when_state(lambda session, _: outbox.turned(session)),
    ]
    if the.access.has_ended(who.session):
        outbox.end()
    try:
        await only_tell(
            websocket,
            _send(websocket, outbox),
            _beat(websocket, the, outbox),
            over=lambda: outbox.over,
            clock=the.clock,
            nonsense=lambda what: log.warning("shares.nonsense", user=who.username, error=what),
        )
    finally:
        for call in detach:
            call()


async def _send(websocket: WebSocket, outbox: _Outbox) -> None:
    while True:
        await outbox.wake.wait()
        outbox.wake.clear()
        if outbox.over:
            return
        while outbox.waiting:
            await websocket.send_json(outbox.waiting.popleft())
        try:
            news = outbox.news()
        except UnknownShareError:
            outbox.over = True  # they were removed
            return
        if news is not None:
            await websocket.send_json(news)


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
                    log.warning("shares.unchecked", error=error.code)
            await websocket.send_json({"t": "time", "server": iso(the.clock.wall_ns())})
