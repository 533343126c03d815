"""What happens to shares, and who is told."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.db.sharing import NoteRow, RoomTestRow, ShareRow
from gateway.listeners import Listeners
from kernel.ids import CameraId

TIME_UP = "its time was up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who does something: in the room, or of a partner."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StickRequest:
    """A recipient asks to steer a camera that is shared with them."""

    share_id: str
    camera: CameraId
    by: Person
    note: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """The stick of one camera, lent to one recipient for a while."""

    share_id: str
    camera: CameraId
    to: Person
    by: Person
    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Began:
    """A share's time has come."""

    share: ShareRow


@dataclass(frozen=True, slots=True)
class Changed:
    """A running share is not what it was. ``reason`` says why, where nobody changed it."""

    share: ShareRow
    was: ShareRow
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A share is over. ``by`` is ``None`` where nobody ended it: for the ``reason``."""

    share: ShareRow
    by: Person | None
    reason: str = TIME_UP


@dataclass(frozen=True, slots=True)
class Noted:
    """Somebody wrote a line."""

    share: ShareRow
    note: NoteRow


@dataclass(frozen=True, slots=True)
class StickAsked:
    """A recipient asks for the stick."""

    share: ShareRow
    request: StickRequest


@dataclass(frozen=True, slots=True)
class StickRefused:
    """The room says no, or nobody answered."""

    share: ShareRow
    request: StickRequest


@dataclass(frozen=True, slots=True)
class StickWithdrawn:
    """Who asked does so no more."""

    share: ShareRow
    request: StickRequest


@dataclass(frozen=True, slots=True)
class StickLent:
    """The stick is lent."""

    share: ShareRow
    loan: Loan


@dataclass(frozen=True, slots=True)
class StickTakenBack:
    """A loan is over. ``by`` is ``None`` where nobody took it back: for the ``reason``."""

    share: ShareRow
    loan: Loan
    by: Person | None
    reason: str = TIME_UP


@dataclass(frozen=True, slots=True)
class Tested:
    """The test of a link has its result."""

    test: RoomTestRow


SharingChange = (
    Began | Changed | Ended | Noted | StickAsked | StickRefused | StickWithdrawn | StickLent | StickTakenBack | Tested
)


class Bell:
    """Tells whoever listens, on the event loop, in order."""

    def __init__(self, rights_changed: Callable[[], None]) -> None:
        """``rights_changed`` is called when what somebody may see or steer may be another, before anybody is told."""
        self.rights_changed = rights_changed
        self._listening: Listeners[[SharingChange]] = Listeners("share.untold")

    def listen(self, call: Callable[[SharingChange], None]) -> Callable[[], None]:
        """Call ``call`` with every change; returns the detaching call."""
        return self._listening.add(call)

    def ring(self, change: SharingChange) -> None:
        """Tell everybody: what a share gave is taken away whoever fails at hearing of it."""
        self._listening.tell(change)
