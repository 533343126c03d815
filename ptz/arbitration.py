"""Who holds the stick of one head: one at a time. The room takes it from a guest, never a guest from the room."""

from dataclasses import dataclass
from enum import IntEnum

from kernel.clock import NS_PER_S, Clock
from ptz.errors import StickHeldError, StickNotHeldError


class Priority(IntEnum):
    """Whose hand it is: the higher takes the stick from the lower at once."""

    GUEST = 0
    """Somebody outside, to whom the stick is lent."""
    ROOM = 1


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody steering. ``id`` tells two sessions of one person apart."""

    id: str
    name: str
    user_id: str = ""
    priority: Priority = Priority.ROOM


@dataclass(frozen=True, slots=True)
class StickState:
    """What everybody may see of a stick."""

    holder: Holder | None
    since_ns: int | None
    """Wall time of the taking."""
    idle_s: float


class Stick:
    """The right to steer one head now."""

    __slots__ = ("_clock", "_holder", "_idle_release_ns", "_since_ns", "_touched_ns")

    def __init__(self, *, clock: Clock, idle_release_s: float) -> None:
        self._clock = clock
        self._idle_release_ns = round(idle_release_s * NS_PER_S)
        self._holder: Holder | None = None
        self._since_ns: int | None = None
        self._touched_ns = 0

    @property
    def state(self) -> StickState:
        """Return who holds it, since when, and how long it has not been touched."""
        idle_s = (self._clock.monotonic_ns() - self._touched_ns) / NS_PER_S if self._holder else 0.0
        return StickState(self._holder, self._since_ns, idle_s)

    def take(self, holder: Holder) -> Holder | None:
        """Give the stick to ``holder`` and return who lost it, if somebody did.

        Raises:
            StickHeldError: somebody else of the same priority holds it and has touched it lately, or one of a higher.
        """
        now_ns = self._clock.monotonic_ns()
        lost = self._holder
        if lost is not None and lost.id == holder.id:
            self._touched_ns = now_ns
            return None
        if lost is not None and holder.priority < lost.priority:
            raise StickHeldError(
                f"{lost.name} of the control room is steering this camera.",
                cure="Ask them to let go of it.",
                holder=lost.name,
                idle_s=(now_ns - self._touched_ns) / NS_PER_S,
            )
        equal = lost is not None and holder.priority == lost.priority
        if lost is not None and equal and now_ns - self._touched_ns < self._idle_release_ns:
            left_s = (self._idle_release_ns - (now_ns - self._touched_ns)) / NS_PER_S
            raise StickHeldError(
                f"{lost.name} is steering this camera.",
                cure=f"Ask them to let go; the stick is free if they leave it alone for {left_s:.0f} s.",
                holder=lost.name,
                idle_s=(now_ns - self._touched_ns) / NS_PER_S,
            )
        self._holder = holder
        self._since_ns = self._clock.wall_ns()
        self._touched_ns = now_ns
        return lost

    def touch(self, holder_id: str) -> None:
        """Note that the holder moved it.

        Raises:
            StickNotHeldError: ``holder_id`` does not hold it.
        """
        if self._holder is None or self._holder.id != holder_id:
            who = self._holder.name if self._holder else "Nobody"
            raise StickNotHeldError(f"{who} holds the stick of this camera, not you.", cure="Take the stick first.")
        self._touched_ns = self._clock.monotonic_ns()

    def release(self, holder_id: str) -> bool:
        """Let go; return whether ``holder_id`` held it. Letting go twice is harmless."""
        if self._holder is None or self._holder.id != holder_id:
            return False
        self._holder = None
        self._since_ns = None
        return True
