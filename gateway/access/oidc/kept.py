"""Something of a provider's that is kept for a while, and asked for once however many want it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from gateway.access.oidc.errors import ProviderError
from kernel.clock import NS_PER_S, Clock

T = TypeVar("T")

FRESH_S = 3600
"""What a provider withdraws (a key, above all) is forgotten here by then; nothing older is ever used."""
PAUSE_S = 30
"""Somebody who shows tokens with made-up key names has the keys asked for no more often than this."""
FAILED_S = 5
"""For so long a failure is told to whoever asks: a crowd at the door of a dead provider waits once, not in turn."""


class Kept(Generic[T]):
    """One such thing, got by ``ask``."""

    __slots__ = ("_ask", "_at_ns", "_clock", "_failed_ns", "_failure", "_turn", "_value")

    def __init__(self, ask: Callable[[], Awaitable[T]], *, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._turn = asyncio.Lock()
        self._value: T | None = None
        self._at_ns = 0
        self._failure: ProviderError | None = None
        self._failed_ns = 0

    async def get(self, *, renew: bool = False) -> T:
        """Return it; with ``renew`` asked for anew, unless that was a moment ago.

        Raises:
            ProviderError: it cannot be had.
        """
        async with self._turn:
            now_ns = self._clock.monotonic_ns()
            fresh_s = PAUSE_S if renew else FRESH_S
            if self._value is not None and now_ns - self._at_ns < fresh_s * NS_PER_S:
                return self._value
            if self._failure is not None and now_ns - self._failed_ns < FAILED_S * NS_PER_S:
                raise self._failure.with_traceback(None)
            try:
                self._value = await self._ask()
            except ProviderError as error:
                self._failure, self._failed_ns = error, self._clock.monotonic_ns()
                raise
            self._at_ns, self._failure = self._clock.monotonic_ns(), None
            return self._value
