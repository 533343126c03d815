"""A clock that gives whoever sleeps their time at once: what is told of time is exact, on any machine."""

import asyncio

from kernel.clock import NS_PER_S


class GivenClock:
    """Satisfies ``kernel.clock.Clock``. For one task: others would see its sleeps as leaps."""

    def __init__(self) -> None:
        self._now_ns = 1_790_000_000 * NS_PER_S

    def wall_ns(self) -> int:
        """Return what has been given so far."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Return the same."""
        return self._now_ns

    async def sleep(self, duration_s: float) -> None:
        """Give it."""
        self._now_ns += max(0, round(duration_s * NS_PER_S))
        await asyncio.sleep(0)

    async def sleep_until(self, deadline_ns: int) -> None:
        """Give what is missing."""
        await self.sleep((deadline_ns - self._now_ns) / NS_PER_S)
