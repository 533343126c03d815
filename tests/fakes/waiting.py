"""Awaiting a condition, in place of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from playwright.async_api import Page

T = TypeVar("T")

PATIENCE_S = 40.0
"""Far beyond what anything here takes: a machine with other work to do is slow, and slowness is no fault."""


async def until(condition: Callable[[], object], *, timeout_s: float = PATIENCE_S, what: str = "the condition") -> None:
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


async def told(
    ask: Callable[[], Awaitable[T]],
    wanted: Callable[[T], object],
    *,
    timeout_s: float = PATIENCE_S,
    what: str = "the answer",
) -> T:
    """Return the first answer to ``ask()`` that is as wanted.

    Raises:
        AssertionError: none was within ``timeout_s`` of real time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not wanted(answer := await ask()):
        if loop.time() > deadline:
            msg = f"waited {timeout_s} s for {what}; the last answer was {answer}"
            raise AssertionError(msg)
        await asyncio.sleep(0.05)
    return answer


async def until_page(page: "Page", expression: str, *, timeout_s: float = PATIENCE_S, what: str = "the page") -> Any:
    """Return what ``expression``, which may await, gives in the page, once that is truthy.

    ``Page.wait_for_function`` takes the promise of an asynchronous function for its value, and so waits for nothing.

    Raises:
        AssertionError: it was not within ``timeout_s`` of real time.
    """
    return await told(lambda: page.evaluate(expression), bool, timeout_s=timeout_s, what=what)
