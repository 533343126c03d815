"""What happens to shares, and who is told."""

from collections.abc import Callable, Iterable
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
class Doer(Person):
    """Somebody who does something now, with what whoever records it has to know. This room passes that on."""

    shown: str
    """What the record calls them."""
    address: str
    """From where."""
    rule: str
    """What allows it."""
    reference: str
    """The incident or request that they are at work on."""


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
    by: Doer | None
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
    """A loan is over, for the ``reason``. ``by`` is ``None`` where nobody took it back."""

    share: ShareRow
    loan: Loan
    by: Doer | None
    reason: str


@dataclass(frozen=True, slots=True)
class Tested:
    """The test of a link has its result."""

    test: RoomTestRow


SharingChange = (
    Began | Changed | Ended | Noted | StickAsked | StickRefused | StickWithdrawn | StickLent | StickTakenBack | Tested
)


Settle = Callable[[SharingChange], Iterable[SharingChange]]


class Bell:
    """Tells whoever listens, on the event loop, in order."""

    def __init__(self, rights_changed: Callable[[], None]) -> None:
        """``rights_changed`` is called when what somebody may see or steer may be another, before anybody is told."""
        self._rights_changed = rights_changed
        self._settling: list[Settle] = []
        self._listening: Listeners[[SharingChange]] = Listeners("share.untold")

    def settle(self, call: Settle) -> None:
        """Have ``call`` let go of what does not outlive a change; it returns what else has changed by that.

        It comes before anybody is told: whoever hears that rights have changed, and acts on it, finds nothing in this
        room that hangs on what is no more.
        """
        self._settling.append(call)

    def listen(self, call: Callable[[SharingChange], None]) -> Callable[[], None]:
        """Call ``call`` with every change; returns the detaching call."""
        return self._listening.add(call)

    def change(self, *changes: SharingChange) -> None:
        """Tell of what lets somebody see or steer more, or less: who decides on rights hears of it first."""
        more = [one for change in changes for settle in self._settling for one in settle(change)]
        self._rights_changed()
        for change in (*more, *changes):
            self.ring(change)

    def ring(self, change: SharingChange) -> None:
        """Tell everybody: what a share gave is taken away whoever fails at hearing of it."""
        self._listening.tell(change)
