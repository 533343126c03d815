"""Whether the hand that turns a head is still there, and what it wished when it seemed to be gone.

On a thin link beats come late, and then several at once. What is stopped for want of one is not forgotten: a beat says
that the hand is still on the stick, so the next one wishes it again. A stop, a command or another hand ends that.
"""

from config.steering import SteeringSettings
from kernel.clock import NS_PER_S, Clock
from kernel.head import Velocity
from ptz.arbitration import Priority
from ptz.guard import Guard

STILL = Velocity()


class Deadman:
    """One head's."""

    def __init__(self, guard: Guard, *, clock: Clock, settings: SteeringSettings) -> None:
        self._guard = guard
        self._clock = clock
        self._settings = settings
        self._beat_ns = 0
        self._hand = Priority.ROOM
        self._lapsed = STILL

    def beat(self) -> tuple[Velocity, Priority] | None:
        """Note that the hand is there; return what was stopped for want of a beat, and whose that is."""
        self._beat_ns = self._clock.monotonic_ns()
        lapsed, self._lapsed = self._lapsed, STILL
        return None if lapsed.still else (lapsed, self._hand)

    def wished(self, hand: Priority) -> None:
        """Note that somebody wishes the head to turn from now on."""
        self.beat()
        self._hand = hand

    def expire(self, lapsed: Velocity) -> None:
        """Note what was stopped for want of a beat."""
        self._lapsed = lapsed

    def forget(self) -> None:
        """Note that nothing is wished any more: no beat wishes it again."""
        self._lapsed = STILL

    @property
    def due_ns(self) -> int:
        """Return when a moving head is stopped: nobody holds the stick, or bounds bind it and it was not seen."""
        beat_ns = self._beat_ns + round(self._settings.deadman_s * NS_PER_S)
        return min(beat_ns, self._guard.blind_ns) if self._guard.bound else beat_ns
