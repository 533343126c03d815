"""A clock that runs a few times as fast as the machine's: heads turn and trials end sooner, everything else is real."""

import asyncio
import time

from kernel.clock import NS_PER_S


class HastyClock:
    """Satisfies ``kernel.clock.Clock``; camera and client must share one."""

    def __init__(self, factor: int = 4) -> None:
        self._factor = factor
        self._monotonic_ns = time.monotonic_ns()
        self._wall_ns = time.time_ns()

    def _passed_ns(self) -> int:
        return (time.monotonic_ns() - self._monotonic_ns) * self._factor

    def wall_ns(self) -> int:
        """Return the time of day, hurried on since the start."""
        return self._wall_ns + self._passed_ns()

    def monotonic_ns(self) -> int:
        """Return the same from the machine's monotonic clock."""
        return self._monotonic_ns + self._passed_ns()

    async def sleep(self, duration_s: float) -> None:
        """Sleep a fraction of ``duration_s``."""
        await asyncio.sleep(max(0.0, duration_s) / self._factor)

    async def sleep_until(self, deadline_ns: int) -> None:
        """Sleep until this clock shows ``deadline_ns``."""
        await self.sleep((deadline_ns - self.monotonic_ns()) / NS_PER_S)
