"""What the events socket tells the room of its shares: each reader what is of cameras that they share, or steer."""

from collections import deque
from collections.abc import Callable
from typing import Any

from gateway.access.identity import Identity, SessionState
from gateway.access.permissions import Permission
from gateway.api import share_views as shown
from gateway.api.outside import watchers
from gateway.api.rooms import Rooms
from gateway.db.sharing import ShareRow
from gateway.sharing import (
    Began,
    Changed,
    Ended,
    Noted,
    SharingChange,
    StickAsked,
    StickLent,
    StickRefused,
    StickTakenBack,
    StickWithdrawn,
    Tested,
)
from kernel.ids import CameraId

WAITING_MAX = 200
_SAID = {StickAsked: "stick-asked", StickRefused: "stick-refused", StickWithdrawn: "stick-withdrawn"}
WATCHING_BEATS = 2
"""Who watches is told at most every so many seconds."""


class ShareNews:
    """What one reader has not been told yet of shares."""

    def __init__(
        self, the: Rooms, who: Identity, *, wake: Callable[[], None], camera: Callable[[CameraId], None]
    ) -> None:
        """``camera`` is called with each camera whose state is told anew: its stick was lent or came back."""
        self._the = the
        self._who = who
        self._wake = wake
        self._camera = camera
        self._watched = False
        self.waiting: deque[dict[str, Any]] = deque(maxlen=WAITING_MAX)

    def turn(self, who: Identity) -> None:
        """Go on for the reader as they are now: at a console that is not open nothing more is told of shares."""
        self._who = who
        if self._shut:
            self.waiting.clear()
            if self._watched:
                # What was told stands on the screen otherwise.
                self._watched = False
                self._add("watching", {"cameras": {}})

    @property
    def _shut(self) -> bool:
        return self._who.state is not SessionState.OPEN

    def heard(self, change: SharingChange) -> None:
        """Take a change in. At a shut console a stick that changed hands is the news of its camera, and no more."""
        match change:
            case StickLent(_, loan) | StickTakenBack(_, loan):
                self._camera(loan.camera)
            case _:
                pass
        if not self._shut:
            self._tell(change)

    def _tell(self, change: SharingChange) -> None:
        match change:
            case Began(share):
                self._add_share("began", share)
            case Changed(share, was):
                self._add_changed(share, was)
            case Ended(share):
                self._add_share("ended", share)
            case Noted(share, note) if self._shares(share):
                self._add("note", shown.note(note).model_dump(mode="json"))
            case StickAsked(_, request) | StickRefused(_, request) | StickWithdrawn(_, request):
                if self._steers(request.camera):
                    self._add(_SAID[type(change)], shown.request(request).model_dump(mode="json"))
            case StickLent(_, loan) | StickTakenBack(_, loan):
                if self._steers(loan.camera):
                    what = "stick-lent" if isinstance(change, StickLent) else "stick-back"
                    self._add(what, shown.lent(loan).model_dump(mode="json"))
            case Tested(test) if self._the.decider.rights(self._who).rule(Permission.SHARE, test.camera_id):
                self._add("room-test", shown.room_test(test).model_dump(mode="json"))
            case _:
                pass

    def watching(self, tick: int) -> dict[str, Any] | None:
        """Return who watches the reader's cameras from outside, where it is time to tell and there is something."""
        if tick % WATCHING_BEATS or self._shut:
            return None
        rights = self._the.decider.rights(self._who)
        seen = rights.cameras(Permission.VIEW_LIVE)
        cameras: dict[str, list[dict[str, Any]]] = {}
        for one in watchers(self._the):
            if seen is None or one.camera in seen:
                cameras.setdefault(one.camera, []).append(shown.viewer(one).model_dump(mode="json"))
        told = bool(cameras) or self._watched
        self._watched = bool(cameras)
        return {"t": "watching", "cameras": cameras} if told else None

    def _add_share(self, what: str, share: ShareRow) -> None:
        if self._shares(share):
            self._tell_share(what, share)

    def _add_changed(self, share: ShareRow, was: ShareRow) -> None:
        if not self._shares(share) and self._shares(was):
            # Whoever reached it by a camera that is out of it hears the last of it.
            self._tell_share("left", was)
        self._add_share("changed", share)

    def _tell_share(self, what: str, share: ShareRow) -> None:
        self._add("share", {"what": what, "share": shown.share(self._the, share).model_dump(mode="json")})

    def _add(self, kind: str, body: dict[str, Any]) -> None:
        self.waiting.append({"t": kind, **body})
        self._wake()

    def _shares(self, share: ShareRow) -> bool:
        own = self._the.decider.rights(self._who).cameras(Permission.SHARE)
        return own is None or share.made_by == self._who.user_id or bool(own & set(share.cameras))

    def _steers(self, camera: CameraId) -> bool:
        return self._the.decider.rights(self._who).rule(Permission.STEER, camera) is not None
