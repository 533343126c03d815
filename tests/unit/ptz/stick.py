"""A hand on the stick."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from kernel.head import Velocity
from ptz import HeadController
from tests.fakes.clock import ManualClock

T = TypeVar("T")
RIGHT = Velocity(pan=1.0)


async def hold(controller: HeadController, clock: ManualClock, wish: Velocity, seconds: float) -> None:
    """Keep the stick there, beating every 100 ms."""
    for _ in range(round(seconds * 10)):
        controller.wish(wish)
        await clock.turn(0.1)


async def answer(clock: ManualClock, request: Awaitable[T]) -> T:
    """Turn the clock until a command is answered."""
    task = asyncio.ensure_future(request)
    for _ in range(400):
        if task.done():
            break
        await clock.turn(0.05)
    return await task
