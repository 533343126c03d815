"""Awaiting a condition, in place of sleeping."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Page


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


async def until_page(page: "Page", expression: str, *, timeout_s: float = 20.0, what: str = "the page") -> Any:
    """Return what ``expression``, which may await, gives in the page, once that is truthy.

    ``Page.wait_for_function`` takes the promise of an asynchronous function for its value, and so waits for nothing.

    Raises:
        AssertionError: it was not within ``timeout_s`` of real time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not (found := await page.evaluate(expression)):
        if loop.time() > deadline:
            msg = f"waited {timeout_s} s for {what}"
            raise AssertionError(msg)
        await asyncio.sleep(0.05)
    return found
