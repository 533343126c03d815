"""The gate that cameras are connected through."""

import asyncio
from contextlib import AsyncExitStack

from gateway.worker.gate import SLOT_S, ConnectGate
from tests.fakes.clock import ManualClock, settle


class Street:
    """Cameras that connect through a gate; each stays in it until it answers."""

    def __init__(self, gate: ConnectGate, tasks: asyncio.TaskGroup) -> None:
        self._gate = gate
        self._tasks = tasks
        self.begun: list[int] = []
        self.answers: dict[int, asyncio.Event] = {}

    async def connect(self, *cameras: int) -> None:
        """Begin with these, in this order."""
        for camera in cameras:
            self.answers[camera] = asyncio.Event()
            self._tasks.create_task(self._one(camera))
        await settle()

    async def answer(self, *cameras: int) -> None:
        """Have these answer."""
        for camera in cameras:
            self.answers[camera].set()
        await settle()

    async def _one(self, camera: int) -> None:
        async with self._gate:
            self.begun.append(camera)
            await self.answers[camera].wait()


async def test_no_more_than_so_many_connect_at_once(clock: ManualClock) -> None:
    """The next one begins when one has connected, in the order they came."""
    async with asyncio.TaskGroup() as tasks:
        street = Street(ConnectGate(3, clock=clock), tasks)
        await street.connect(*range(8))
        assert street.begun == [0, 1, 2]
        await street.answer(1)
        assert street.begun == [0, 1, 2, 3]
        await street.answer(*range(8))
        assert street.begun == list(range(8))


async def test_dead_cameras_do_not_keep_the_others_waiting(clock: ManualClock) -> None:
    """One that has not connected after its slot makes room, and never makes it twice."""
    async with asyncio.TaskGroup() as tasks:
        street = Street(ConnectGate(2, clock=clock), tasks)
        await street.connect(*range(6))
        await clock.turn(SLOT_S - 0.1)
        assert street.begun == [0, 1]
        await clock.turn(0.2)
        assert street.begun == [0, 1, 2, 3]
        await street.answer(0, 1)
        assert street.begun == [0, 1, 2, 3], "their room was made already"
        await street.answer(2)
        assert street.begun == [0, 1, 2, 3, 4]
        await street.answer(*range(6))


async def test_one_that_gives_up_makes_room(clock: ManualClock) -> None:
    """A connection that fails, or is cancelled, lets the next one in at once."""
    gate = ConnectGate(1, clock=clock)
    waiting = asyncio.Event()

    async def connect() -> None:
        async with gate:
            await waiting.wait()

    first = asyncio.create_task(connect())
    await settle()
    first.cancel()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(gate)
        assert gate.locked()
    assert not gate.locked()
    await settle()
    assert clock.sleepers == 0
