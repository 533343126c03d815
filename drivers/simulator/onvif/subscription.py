"""One PullPoint: a bounded queue of events that somebody pulls from."""

import asyncio
from collections import deque

from drivers.simulator.device import DeviceEvent
from drivers.simulator.onvif.topics import matches
from kernel.clock import Clock

_LONGEST_QUEUE = 256


class Subscription:
    """Holds what its filter lets through until it is pulled; when nobody pulls, the oldest goes."""

    def __init__(self, clock: Clock, expression: str, ends_ns: int) -> None:
        self._clock = clock
        self._expression = expression
        self._queue: deque[DeviceEvent] = deque(maxlen=_LONGEST_QUEUE)
        self._changed = asyncio.Event()
        self.ends_ns = ends_ns
        """By the monotonic clock."""

    def put(self, event: DeviceEvent) -> None:
        """Queue an event that the filter lets through."""
        if matches(self._expression, event.topic):
            self._queue.append(event)
            self._changed.set()

    def end(self) -> None:
        """Let whoever waits go."""
        self._changed.set()

    async def pull(self, timeout_s: float, limit: int) -> list[DeviceEvent]:
        """Return at most ``limit`` events: at once if there are any, else when one comes or ``timeout_s`` is over."""
        if not self._queue and timeout_s > 0.0:
            self._changed.clear()
            changed = asyncio.ensure_future(self._changed.wait())
            over = asyncio.ensure_future(self._clock.sleep(timeout_s))
            try:
                await asyncio.wait({changed, over}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for waiting in (changed, over):
                    waiting.cancel()
        return [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]
