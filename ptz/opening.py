"""Opening a head's controller: it runs for a block, and leaves the head at rest."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from config.steering import SteeringSettings
from kernel.clock import Clock
from ptz.controller import HeadController
from ptz.ports import Head
from ptz.state import HeadState


@asynccontextmanager
async def open_controller(
    head: Head,
    *,
    clock: Clock,
    settings: SteeringSettings,
    on_state: Callable[[HeadState], None] = lambda _: None,
) -> AsyncIterator[HeadController]:
    """Run a controller for the time of the block; on leaving, a moving head is brought to rest."""
    controller = HeadController(head, clock=clock, settings=settings, on_state=on_state)
    async with asyncio.TaskGroup() as tasks:
        actor = tasks.create_task(controller.run(), name="head controller")
        try:
            yield controller
        finally:
            actor.cancel()
            await asyncio.gather(actor, return_exceptions=True)
            await controller.leave()
