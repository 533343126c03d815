"""How far a unit's clock is off, and when something happened that it tells of late. No clock of ours, no database.

What a unit says is at once proof of its clock and of its delay: unit's time less ours is the clock's offset less the
delay. So the offset is the highest of what was seen lately. "Lately" is counted in moments, not in messages: a unit
whose link was away sends what it has kept all at once, and sixty late messages must not pass for a slow clock.
"""

from collections import deque
from collections.abc import Iterable

from gateway.units.report import Stored
from kernel.clock import NS_PER_S

MOMENT_NS = 300 * NS_PER_S
"""What comes within so long is one moment."""
MOMENTS = 12
"""A clock is judged by the last so many in which the unit said something."""
SET_BACK_NS = 30 * NS_PER_S
"""A later number with an earlier time, by more than this, says that the clock was set back."""
LATE_NS = 5 * NS_PER_S
"""What is told within this is told at once."""
PLAUSIBLE_NS = 86_400 * NS_PER_S
"""What is said to have happened longer ago than this is a clock that lies."""


class UnitClock:
    """What is known of one unit's clock. ``offset_ns``: before ours (positive) or behind; ``None`` where not known."""

    def __init__(self) -> None:
        self._boot = ""
        self._last_ns = 0
        self._moments: deque[tuple[int, int]] = deque(maxlen=MOMENTS)
        """When each was, by our monotonic clock in moments, and the highest offset in it."""

    @property
    def offset_ns(self) -> int | None:
        """Return it."""
        return max(offset for _, offset in self._moments) if self._moments else None

    def heard(self, boot: str, unit_ns: int, *, wall_ns: int, monotonic_ns: int) -> None:
        """Take in that a unit says something of now or of before, in the order of its numbers."""
        if boot != self._boot or unit_ns < self._last_ns - SET_BACK_NS:
            # It started anew, or somebody set it: what was known is of another clock.
            self._moments.clear()
        self._boot, self._last_ns = boot, unit_ns
        moment, offset = monotonic_ns // MOMENT_NS, unit_ns - wall_ns
        if self._moments and self._moments[-1][0] == moment:
            offset = max(offset, self._moments.pop()[1])
        self._moments.append((moment, offset))


def clock_of(boot: str, states: Iterable[Stored]) -> UnitClock:
    """Return what a unit's states tell of its clock after a restart of ours: what came fastest of its boot of now."""
    clock = UnitClock()
    fastest = max((one for one in states if one.boot == boot), key=lambda one: one.unit_ns - one.taken_ns, default=None)
    if fastest is not None:
        clock.heard(boot, fastest.unit_ns, wall_ns=fastest.taken_ns, monotonic_ns=0)
    return clock


def late(happened_ns: int, told_ns: int) -> int | None:
    """Return when something happened that was told late, by our clock; ``None`` where it was told at once.

    It lies neither in the future nor longer ago than anything is kept for: such a time is not believed.
    """
    return happened_ns if LATE_NS < told_ns - happened_ns <= PLAUSIBLE_NS else None
