"""How fast one viewer's line is filled: what a picture needs at once goes at once, a keyframe is spread out."""

from kernel.clock import NS_PER_S

BURST_BYTES = 64 * 1024
"""Goes out at once: every ordinary picture, and what a browser's socket buffer holds."""
HEADROOM = 2.0
"""Faster than the viewer's own estimate of its line (REMB): that follows what is sent, and must be able to grow."""
LEAST_BIT_S = 1_000_000.0
DEBT_S = 0.3
"""Retransmissions may run so far ahead of the pace: a lost keyframe goes in one go, but a thin line is not filled
with what was lost on it while what comes now waits for seconds."""


class Pacer:
    """A token bucket in bytes, filled at ``most_bit_s`` or as fast as the viewer says that its line is."""

    __slots__ = ("_at_ns", "_bytes_per_ns", "_left", "_most_bit_s")

    def __init__(self, most_bit_s: float) -> None:
        self._most_bit_s = most_bit_s
        self._bytes_per_ns = most_bit_s / 8 / NS_PER_S
        self._left = float(BURST_BYTES)
        self._at_ns = 0

    def free(self) -> None:
        """Go at the configured pace: nothing says that the line could not take it."""
        self._bytes_per_ns = self._most_bit_s / 8 / NS_PER_S

    def estimated(self, bit_s: float) -> None:
        """Note how fast the line is thought to be: never below the rate of what is shown, or it would lag behind."""
        rate = min(self._most_bit_s, max(LEAST_BIT_S, HEADROOM * bit_s))
        self._bytes_per_ns = rate / 8 / NS_PER_S

    def room(self, now_ns: int) -> int:
        """Return how many bytes may go now; less than one where none may."""
        left = self._left + (now_ns - self._at_ns) * self._bytes_per_ns
        self._at_ns = now_ns
        self._left = min(left, BURST_BYTES)
        return int(self._left)

    def spend(self, size_bytes: int) -> None:
        """Count what went; it may be more than there was room for."""
        self._left -= size_bytes

    def credit(self, now_ns: int) -> int:
        """Return how many bytes may be sent again now, on which newer pictures then wait; less than one: none."""
        return int(self.room(now_ns) + DEBT_S * NS_PER_S * self._bytes_per_ns)

    def forgive(self) -> None:
        """Begin anew with another stream, which does not pay for what was sent of the one before."""
        self._left = max(self._left, BURST_BYTES / 2)

    def wait_s(self, size_bytes: int) -> float:
        """Return how long until there is room for ``size_bytes``, or for as much as ever goes at once."""
        missing = min(size_bytes, BURST_BYTES // 2) - self._left
        return max(0.0, missing / self._bytes_per_ns / NS_PER_S)
