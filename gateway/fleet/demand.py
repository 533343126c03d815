"""Main streams of cameras behind thin links: taken while somebody asks for them, and the sub stream alone else.

What a SIM carries is paid for, and ends. Who asks says for how long; then it ends by itself, also when nobody thinks of
it. It is kept in memory: a gateway that starts anew begins with the small pictures.
"""

from collections.abc import Callable

from kernel.clock import NS_PER_S, Clock

DEMAND_MAX_S = 3600
LOOK_S = 1.0


class Demand:
    """Those of a fleet. ``thin`` says of a device, by its endpoint reference, whether its link is."""

    def __init__(self, thin: Callable[[str], bool], *, clock: Clock) -> None:
        self.thin = thin
        self._clock = clock
        self._until_ns: dict[str, int] = {}
        """By device, on the monotonic clock."""

    def small_only(self, urn: str) -> bool:
        """Return whether the sub stream alone is to be taken of a device now."""
        return self.thin(urn) and self.left_s(urn) is None

    def left_s(self, urn: str) -> float | None:
        """Return for how long its main streams are asked for yet; ``None`` where they are not."""
        left_ns = self._until_ns.get(urn, 0) - self._clock.monotonic_ns()
        return left_ns / NS_PER_S if left_ns > 0 else None

    def ask(self, urn: str, seconds: int) -> None:
        """Have them taken, from now on, for so long."""
        self._until_ns[urn] = self._clock.monotonic_ns() + seconds * NS_PER_S

    def lapsed(self) -> list[str]:
        """Return the devices whose time is over and that nobody has forgotten yet."""
        return [urn for urn in self._until_ns if self.left_s(urn) is None]

    def forget(self, urn: str) -> None:
        """Have them not taken any more."""
        self._until_ns.pop(urn, None)
