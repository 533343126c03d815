"""Lanes: bounded queues, each with a policy and a counter, from a producer that cannot wait to a slower consumer.

RecordLane never drops silently: overflow ends the run and tells the consumer so. LiveLane, when full, drops up to
the next keyframe. StateLane keeps only the latest value.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Sized(Protocol):
    """What a media lane must know of its items."""

    @property
    def keyframe(self) -> bool:
        """Whether decoding can start here."""
        ...

    @property
    def size_bytes(self) -> int:
        """How much memory it holds."""
        ...


M = TypeVar("M", bound=Sized)


@dataclass(slots=True)
class LaneCounters:
    """What passed, since the lane was made."""

    accepted: int = 0
    dropped: int = 0
    overflows: int = 0


class LaneOverflowError(Exception):
    """A record lane was full: the run ends here, and what follows is a new run after a gap."""


class LaneClosedError(Exception):
    """The producer has left and the lane is empty."""


class _Lane(Generic[T]):
    __slots__ = ("_closed", "_items", "_waiter", "counters")

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self.counters = LaneCounters()

    def __len__(self) -> int:
        return len(self._items)

    def close(self) -> None:
        """End the lane: the consumer takes what is left and then meets :class:`LaneClosedError`."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class RecordLane(_Lane[M]):
    """Keeps every item or says that it could not."""

    __slots__ = ("_bytes", "_capacity_bytes", "_overflowed")

    def __init__(self, *, capacity_bytes: int) -> None:
        super().__init__()
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._overflowed = False

    @property
    def depth_bytes(self) -> int:
        """Return how much is waiting."""
        return self._bytes

    def put(self, item: M) -> bool:
        """Append; return False, and mark the end of the run, where there is no room.

        After an overflow items are refused until the consumer has met :class:`LaneOverflowError`, so that a
        run never continues over a hole.
        """
        if self._closed:
            return False
        if self._overflowed or self._bytes + item.size_bytes > self._capacity_bytes:
            if not self._overflowed:
                self._overflowed = True
                self.counters.overflows += 1
                self._wake()
            self.counters.dropped += 1
            return False
        self._items.append(item)
        self._bytes += item.size_bytes
        self.counters.accepted += 1
        self._wake()
        return True

    async def get(self) -> M:
        """Return the next item.

        Raises:
            LaneOverflowError: once, after the last item before an overflow.
            LaneClosedError: the lane was closed and is empty.
        """
        while not self._items:
            if self._overflowed:
                self._overflowed = False
                raise LaneOverflowError
            if self._closed:
                raise LaneClosedError
            await self._wait()
        item = self._items.popleft()
        self._bytes -= item.size_bytes
        return item


class LiveLane(_Lane[M]):
    """Keeps what is fresh: when full, everything up to the next keyframe goes."""

    __slots__ = ("_capacity", "_skipping")

    def __init__(self, *, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity
        self._skipping = False

    def put(self, item: M) -> bool:
        """Append; return False where the item was dropped."""
        if self._closed:
            return False
        if self._skipping and item.keyframe:
            self._skipping = False
        if not self._skipping and len(self._items) >= self._capacity:
            self.counters.overflows += 1
            self.counters.dropped += len(self._items)
            self._items.clear()
            self._skipping = not item.keyframe
        if self._skipping:
            self.counters.dropped += 1
            return False
        self._items.append(item)
        self.counters.accepted += 1
        self._wake()
        return True

    def clear(self) -> None:
        """Forget what waits, as something else takes its place: that is no drop. The next item must be decodable."""
        self._items.clear()
        self._skipping = False

    async def get(self) -> M:
        """Return the next item.

        Raises:
            LaneClosedError: the lane was closed and is empty.
        """
        while not self._items:
            if self._closed:
                raise LaneClosedError
            await self._wait()
        return self._items.popleft()


class StateLane(_Lane[T]):
    """Keeps the latest value only."""

    __slots__ = ()

    def put(self, value: T) -> None:
        """Replace what was there."""
        if self._closed:
            return
        if self._items:
            self._items.clear()
            self.counters.dropped += 1
        self._items.append(value)
        self.counters.accepted += 1
        self._wake()

    async def get(self) -> T:
        """Wait for a value and take it.

        Raises:
            LaneClosedError: the lane was closed and is empty.
        """
        while not self._items:
            if self._closed:
                raise LaneClosedError
            await self._wait()
        return self._items.popleft()
