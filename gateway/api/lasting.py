"""Something that goes on for a while, and is over with the session it goes through or the right that allows it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.access.identity import Identity, SessionState
from gateway.access.permissions import Permission
from gateway.api.rooms import Rooms
from kernel.ids import CameraId


class Lasting:
    """``over`` says why it may not go on; ``None`` while it may."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over: str | None = None

    def end(self, reason: str) -> None:
        """End it; the first reason is the one that counts."""
        self.over = self.over or reason


@asynccontextmanager
async def lasting(the: Rooms, who: Identity, permission: Permission, camera: CameraId) -> AsyncIterator[Lasting]:
    """Watch over something for the time of the block; enter it before anybody is asked for what is to last.

    What ended since the request was let in is found out on entering, so that nothing falls between.

    Raises:
        DatabaseError: it cannot be found out.
    """
    it = Lasting()

    def session_ended(session: str) -> None:
        if session == who.session:
            it.end("session ended")

    def session_turned(session: str, state: SessionState) -> None:
        if session == who.session and state is not SessionState.OPEN:
            it.end("locked")

    def rights_changed() -> None:
        if not the.decider.still(who.user_id, who.session, permission, camera):
            it.end("right ended")

    stops = (
        the.access.when_ended(session_ended),
        the.access.when_state(session_turned),
        the.decider.when_changed(rights_changed),
    )
    try:
        rights_changed()
        if who.token_name is None:
            # Listening already, so whatever this is too early to see is heard.
            there = next((one for one in await the.access.sessions(who.user_id) if one.id == who.session), None)
            if there is None:
                it.end("session ended")
            else:
                session_turned(there.id, there.state)
        yield it
    finally:
        for stop in stops:
            stop()
