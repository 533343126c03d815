"""How much somebody may do: so much a second, and more at once after a pause."""

import math

from kernel.clock import NS_PER_S


class Allowance:
    """A token bucket."""

    __slots__ = ("_at_ns", "_burst", "_left", "_per_ns")

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_ns = per_s / NS_PER_S
        self._burst = self._left = burst
        self._at_ns = 0

    def take(self, now_ns: int, units: int = 1) -> bool:
        """Take so many, or none and return False where there are fewer."""
        left = min(self._left + (now_ns - self._at_ns) * self._per_ns, self._burst)
        self._at_ns = now_ns
        enough = left >= units
        self._left = left - units if enough else left
        return enough

    def wait_s(self, units: int = 1) -> int:
        """Return in how many whole seconds, at least one, there are so many, as :meth:`take` has left it."""
        return max(1, math.ceil((units - self._left) / (self._per_ns * NS_PER_S)))

    def full(self, now_ns: int) -> bool:
        """Return whether all of it is there: forgotten, and made anew, it would be the same."""
        return self._left + (now_ns - self._at_ns) * self._per_ns >= self._burst
