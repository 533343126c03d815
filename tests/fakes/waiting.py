"""Awaiting a condition, in place of sleeping."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], *, timeout_s: float = 20.0, what: str = "the condition") -> None:
    """Return once ``condition()`` is true.

    Raises:
        AssertionError: it was not within ``timeout_s`` of real time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not condition():
        if loop.time() > deadline:
            msg = f"waited {timeout_s} s for {what}"
            raise AssertionError(msg)
        await asyncio.sleep(0.01)
