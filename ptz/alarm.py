"""Waiting for an instant, or for something new, or for a request to end: whichever is first."""

import asyncio
from collections.abc import Callable
from typing import Any

from kernel.clock import Clock


class Alarm:
    """One waiter's clock and bell."""

    __slots__ = ("_bell", "_clock")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter: there is something new to decide on."""
        self._bell.set()

    async def until(self, deadline_ns: int, task: asyncio.Future[Any] | None = None) -> None:
        """Wait for the monotonic ``deadline_ns``, the bell, or ``task``.

        A ring before this call is forgotten: the caller has just decided on all there is, without awaiting since.
        """
        self._bell.clear()
        waiters: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(self._clock.sleep_until(deadline_ns)),
            asyncio.ensure_future(self._bell.wait()),
        }
        try:
            await asyncio.wait(waiters | ({task} if task else set()), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)

    async def through(self, deadline_ns: int, *, unless: Callable[[], bool]) -> None:
        """Wait until the monotonic ``deadline_ns``, whatever rings, ``unless`` what is new ends the waiting."""
        while self._clock.monotonic_ns() < deadline_ns and not unless():
            await self.until(deadline_ns)
