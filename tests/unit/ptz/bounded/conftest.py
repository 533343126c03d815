"""A head that looks straight ahead, 40 degrees left of flats that guests may not look into."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from config.steering import SteeringSettings
from kernel.head import Position
from ptz import HeadController, open_controller
from tests.fakes.clock import ManualClock
from tests.fakes.head import FULL
from tests.fakes.heavy_head import HeavyHead
from tests.unit.ptz.bounded.stick import FOR_GUESTS, TELE


@pytest.fixture
def head(clock: ManualClock) -> HeavyHead:
    """A head that looks straight ahead, 40 degrees left of the flats, with two presets."""
    head = HeavyHead(clock=clock, delay_s=0.03)
    head.abilities = replace(FULL, fov_relative=False, auxiliary=("tt:Wiper|On", "Patrol|1"))
    head.put(Position(0.0, 0.6, TELE))
    head.stored = {
        "near": Position(0.1, 0.6, TELE),
        "flats": Position(60 / 180, 0.6, TELE),
        "beyond": Position(0.6, 0.6, TELE),
        "secret": None,
    }
    return head


@pytest_asyncio.fixture
async def controller(head: HeavyHead, clock: ManualClock) -> AsyncIterator[HeadController]:
    """Its controller, the flats barred to guests."""
    block = open_controller(head, clock=clock, settings=SteeringSettings())
    async with block as controller:
        controller.keep_within(FOR_GUESTS)
        await clock.turn(0.3)
        head.requests.clear()
        yield controller
        head.silent = head.unreachable = False
        leaving = asyncio.ensure_future(block.__aexit__(None, None, None))
        while not leaving.done():
            await clock.turn(0.1)
