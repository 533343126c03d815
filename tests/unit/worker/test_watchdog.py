"""The watchdog is fed by progress alone."""

import asyncio
from typing import Any

from gateway.worker.server import feed_watchdog
from tests.fakes.clock import ManualClock


class Host:
    """Has done ``done`` so far."""

    def __init__(self) -> None:
        self.done = 0

    def progress(self) -> int:
        """Return it."""
        return self.done


class Manager:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.fed = 0

    def notify(self, message: str) -> None:
        """Be told."""
        self.fed += message == "WATCHDOG=1"


async def test_a_host_that_does_nothing_is_not_excused(clock: ManualClock) -> None:
    """While work is done the watchdog is fed at a third of its time; when it stops, feeding stops."""
    host: Any = Host()
    manager: Any = Manager()
    feeding = asyncio.create_task(feed_watchdog(host, manager, clock=clock))
    for _ in range(3):
        host.done += 1
        await clock.turn(10)
    fed = manager.fed
    await clock.turn(60)
    starved = manager.fed
    feeding.cancel()
    await asyncio.wait([feeding])
    assert fed >= 3
    assert starved <= fed + 1
