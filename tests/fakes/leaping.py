"""A clock that runs as the machine's does, and leaps on when a test says so."""

import asyncio
import time

from kernel.clock import NS_PER_S


class LeapingClock:
    """Satisfies ``kernel.clock.Clock``. Who sleeps wakes at once where a leap reaches their time."""

    def __init__(self) -> None:
        self._leapt_ns = 0
        self._wall_ns = 0
        self._leaping = asyncio.Event()

    def leap(self, seconds: float) -> None:
        """Let so much time have gone by."""
        self._leapt_ns += round(seconds * NS_PER_S)
        self._leaping.set()
        self._leaping = asyncio.Event()

    def set_wall(self, seconds: float) -> None:
        """Set the time of day alone so much ahead, as a bad time server would."""
        self._wall_ns += round(seconds * NS_PER_S)

    def wall_ns(self) -> int:
        """Return the time of day, with every leap."""
        return time.time_ns() + self._leapt_ns + self._wall_ns

    def monotonic_ns(self) -> int:
        """Return the same of the machine's monotonic clock."""
        return time.monotonic_ns() + self._leapt_ns

    async def sleep(self, duration_s: float) -> None:
        """Sleep for so long, leaps included."""
        await self.sleep_until(self.monotonic_ns() + round(duration_s * NS_PER_S))

    async def sleep_until(self, deadline_ns: int) -> None:
        """Sleep until this clock shows ``deadline_ns``."""
        while (left_ns := deadline_ns - self.monotonic_ns()) > 0:
            leaping = asyncio.create_task(self._leaping.wait())
            try:
                await asyncio.wait((leaping,), timeout=left_ns / NS_PER_S)
            finally:
                leaping.cancel()
