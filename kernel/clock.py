"""Time is asked of an injected clock, so that tests can turn it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What fits into 63 bits of nanoseconds, with room for what is added to it."""


class Clock(Protocol):
    """What the rooms may know of time."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00Z. May jump."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start. Never jumps."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Return after ``duration_s`` seconds of this clock."""
        ...

    async def sleep_until(self, deadline_ns: int) -> None:
        """Return once :meth:`monotonic_ns` has reached ``deadline_ns``."""
        ...


class SystemClock:
    """The machine's own clocks."""

    __slots__ = ()

    def wall_ns(self) -> int:
        """Return CLOCK_REALTIME."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(max(0.0, duration_s))

    async def sleep_until(self, deadline_ns: int) -> None:
        """Sleep on the running event loop until a monotonic instant."""
        await self.sleep((deadline_ns - self.monotonic_ns()) / NS_PER_S)


LEAP_NS = 3600 * NS_PER_S
"""A wall clock that is put right moves by less."""

BELIEVED_S = 86_400.0
"""Of what is to end on time as well, a leap that has lasted for so long is believed: then nobody put the clock back."""


class SteadyClock:
    """A clock whose time of day goes on as it was where that of another leaps ahead, as a bad time server has it leap.

    Whatever deletes or ends something for its age asks this one: what a leap of a month deletes cannot be had again.
    One that leaps back is followed, for nothing is too old by that. What the clock was when this was made is believed:
    a leap that is older is not found.

    ``believed_s``: a leap that was first seen so long ago is the time of day all the same; ``None``: none is.
    """

    __slots__ = ("_believed_ns", "_clock", "_offset_ns", "_since_ns")

    def __init__(self, clock: Clock, *, believed_s: float | None = None) -> None:
        self._clock = clock
        self._believed_ns = round(believed_s * NS_PER_S) if believed_s is not None else None
        self._offset_ns = clock.wall_ns() - clock.monotonic_ns()
        self._since_ns: int | None = None

    def wall_ns(self) -> int:
        """Return the time of day, without a leap ahead of more than ``LEAP_NS``."""
        wall_ns, now_ns = self._clock.wall_ns(), self._clock.monotonic_ns()
        steady_ns = now_ns + self._offset_ns
        if wall_ns - steady_ns <= LEAP_NS:
            self._since_ns = None
            return wall_ns
        if self._since_ns is None:
            self._since_ns = now_ns
        if self._believed_ns is None or now_ns - self._since_ns < self._believed_ns:
            return steady_ns
        self._offset_ns, self._since_ns = wall_ns - now_ns, None
        return wall_ns

    def monotonic_ns(self) -> int:
        """Return that of the other."""
        return self._clock.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        """Sleep as the other does."""
        await self._clock.sleep(duration_s)

    async def sleep_until(self, deadline_ns: int) -> None:
        """Sleep as the other does."""
        await self._clock.sleep_until(deadline_ns)


def utc(wall_ns: int) -> datetime:
    """Return the aware UTC datetime of ``wall_ns`` (microsecond precision)."""
    seconds, rest = divmod(wall_ns, NS_PER_S)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def to_ns(moment: datetime) -> int:
    """Return nanoseconds since 1970 of an aware datetime.

    Raises:
        ValueError: the datetime is naive.
    """
    if moment.tzinfo is None:
        msg = f"a time without a zone cannot be placed: {moment.isoformat()}"
        raise ValueError(msg)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * NS_PER_S + delta.microseconds * 1000


def of_our_time(moment: datetime) -> datetime:
    """Return an aware datetime that is from ``FIRST`` to before ``LAST``: what others say is not to be stored else.

    Raises:
        ValueError: it is not.
    """
    if not FIRST <= moment < LAST:
        msg = f"should be from {FIRST:%Y} to before {LAST:%Y}"
        raise ValueError(msg)
    return moment


@asynccontextmanager
async def every(clock: Clock, period_s: float) -> AsyncIterator[AsyncIterator[int]]:
    """Give an iterator that ticks each ``period_s`` without drift; late ticks are skipped, not bunched."""

    async def ticks() -> AsyncGenerator[int, None]:
        period_ns = round(period_s * NS_PER_S)
        due = clock.monotonic_ns()
        count = 0
        while True:
            yield count
            count += 1
            due = max(due + period_ns, clock.monotonic_ns())
            await clock.sleep_until(due)

    iterator = ticks()
    try:
        yield iterator
    finally:
        await iterator.aclose()
