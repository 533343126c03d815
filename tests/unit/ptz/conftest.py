"""A head, and a controller that has looked at it once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from config.steering import SteeringSettings
from ptz import HeadController, HeadState, open_controller
from tests.fakes.clock import ManualClock
from tests.fakes.head import FakeHead


@pytest.fixture
def head(clock: ManualClock) -> FakeHead:
    """A head that does everything right."""
    return FakeHead(clock=clock)


@pytest.fixture
def seen() -> list[HeadState]:
    """Every state that was told."""
    return []


@pytest_asyncio.fixture
async def controller(head: FakeHead, clock: ManualClock, seen: list[HeadState]) -> AsyncIterator[HeadController]:
    """The controller of that head, which has looked once."""
    block = open_controller(head, clock=clock, settings=SteeringSettings(), on_state=seen.append)
    async with block as controller:
        await clock.turn(0.01)
        head.requests.clear()
        yield controller
        head.silent = head.unreachable = False
        leaving = asyncio.ensure_future(block.__aexit__(None, None, None))
        while not leaving.done():
            await clock.turn(0.1)
