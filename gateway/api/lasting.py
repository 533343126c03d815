"""Something that goes on for a while, and is over with the session it goes through or the right that allows it."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.rooms import Rooms
from kernel.ids import CameraId


class Lasting:
    """``over`` says why it may not go on; ``None`` while it may."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over: str | None = None


@contextmanager
def lasting(the: Rooms, who: Identity, permission: Permission, camera: CameraId) -> Iterator[Lasting]:
    """Watch over something for the time of the block."""
    it = Lasting()

    def session_ended(session: str) -> None:
        if session == who.session:
            it.over = it.over or "session ended"

    def rights_changed() -> None:
        if not the.decider.still(who.user_id, who.session, permission, camera):
            it.over = it.over or "right ended"

    stop_watching = the.access.when_ended(session_ended)
    stop_deciding = the.decider.when_changed(rights_changed)
    try:
        yield it
    finally:
        stop_watching()
        stop_deciding()
