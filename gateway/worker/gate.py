"""Cameras are connected to a few at a time: hundreds at once fail each other (docs/design/hosts.md)."""

import asyncio
from types import TracebackType

from kernel.clock import Clock

SLOT_S = 2.0
"""Whoever has not connected by then makes room: a street whose cameras are dead must not keep the others waiting."""


class ConnectGate(asyncio.Semaphore):
    """Lets so many connect at once, in the order they came. Each block counts for ``slot_s`` seconds at most.

    So ``size`` connections begin at once, and where none of them gets an answer, as many more every ``slot_s``.
    """

    def __init__(self, size: int, *, clock: Clock, slot_s: float = SLOT_S) -> None:
        super().__init__(size)
        self._clock = clock
        self._slot_s = slot_s
        self._slots: dict[asyncio.Task[object] | None, asyncio.Task[None]] = {}

    async def __aenter__(self) -> None:
        """Wait for one's turn."""
        await self.acquire()
        self._slots[asyncio.current_task()] = asyncio.create_task(self._make_room(), name="connecting slowly")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the next one in, unless that was done already."""
        slot = self._slots.pop(asyncio.current_task())
        if not slot.done():
            slot.cancel()
            self.release()

    async def _make_room(self) -> None:
        await self._clock.sleep(self._slot_s)
        self.release()
