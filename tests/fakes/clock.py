"""A clock that stands until a test turns it."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.clock import NS_PER_S


class ManualClock:
    """Satisfies ``kernel.clock.Clock``; time moves only by :meth:`turn` and :meth:`jump_wall`."""

    def __init__(self, *, wall_ns: int = 1_790_000_000 * NS_PER_S, monotonic_ns: int = 1_000 * NS_PER_S) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def wall_ns(self) -> int:
        """Return the turned wall time."""
        return self._wall_ns

    def monotonic_ns(self) -> int:
        """Return the turned monotonic time."""
        return self._monotonic_ns

    async def sleep(self, duration_s: float) -> None:
        """Return when the clock has been turned that far."""
        await self.sleep_until(self._monotonic_ns + round(duration_s * NS_PER_S))

    async def sleep_until(self, deadline_ns: int) -> None:
        """Return when the clock has been turned to ``deadline_ns``."""
        if deadline_ns <= self._monotonic_ns:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (deadline_ns, next(self._order), future))
        await future

    @property
    def sleepers(self) -> int:
        """How many wait on this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def sleeps_for(self, seconds: float) -> bool:
        """Return whether somebody waits for exactly ``seconds`` from now: whoever else waits meanwhile is not meant."""
        due_ns = self._monotonic_ns + round(seconds * NS_PER_S)
        return any(deadline_ns == due_ns and not future.done() for deadline_ns, _, future in self._sleepers)

    def jump_wall(self, seconds: float) -> None:
        """Step the wall clock alone, as a bad time server would."""
        self._wall_ns += round(seconds * NS_PER_S)

    def pass_by(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks at once; who sleeps wakes with the next turn."""
        self._advance(self._monotonic_ns + round(seconds * NS_PER_S))

    async def turn(self, seconds: float) -> None:
        """Let ``seconds`` pass, waking each sleeper at its own instant, and let what they started run."""
        end_ns = self._monotonic_ns + round(seconds * NS_PER_S)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end_ns:
            deadline_ns, _, future = heapq.heappop(self._sleepers)
            self._advance(deadline_ns)
            if not future.done():
                future.set_result(None)
                await settle()
        self._advance(end_ns)
        await settle()

    def _advance(self, to_ns: int) -> None:
        self._wall_ns += max(0, to_ns - self._monotonic_ns)
        self._monotonic_ns = max(self._monotonic_ns, to_ns)


@asynccontextmanager
async def passing(clock: ManualClock, step_s: float) -> AsyncIterator[None]:
    """Let time go by in steps for as long as the context lasts: for who cannot know when somebody begins to wait."""

    async def steps() -> None:
        while True:
            await clock.turn(step_s)
            # What else they wait for, a database or a broker, is real and takes its real time.
            await asyncio.sleep(0.01)

    running = asyncio.create_task(steps())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def settle(rounds: int = 50) -> None:
    """Let every ready task run until nothing more is likely to be ready."""
    for _ in range(rounds):
        await asyncio.sleep(0)
