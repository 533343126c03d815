"""The state stream: the latest of each camera, each event, and a heartbeat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from gateway.fleet import rpc
from gateway.worker.broadcast import Broadcast
from kernel.ids import CameraId
from tests.fakes.clock import ManualClock, settle

ONE, TWO = CameraId("1"), CameraId("2")


def _state(camera: CameraId, frames: int) -> rpc.CameraState:
    return rpc.CameraState(
        id=camera, live=rpc.LiveState.LIVE, main=rpc.StreamFacts(state=rpc.LiveState.LIVE, frames=frames)
    )


def _event(number: int) -> rpc.CameraHappened:
    return rpc.CameraHappened(id=ONE, topic=f"t{number}", wall_ns=number)


@asynccontextmanager
async def _listening(broadcast: Broadcast) -> AsyncIterator[AsyncIterator[rpc.StateLine]]:
    lines = broadcast.listen()
    async with aclosing(lines):  # type: ignore[type-var]
        assert isinstance(await anext(lines), rpc.Heartbeat)
        yield lines


async def test_a_listener_begins_with_every_camera(clock: ManualClock) -> None:
    """Whoever connects is told the state of all cameras first."""
    broadcast = Broadcast(clock=clock)
    broadcast.changed(_state(ONE, 1))
    broadcast.changed(_state(TWO, 2))
    async with _listening(broadcast) as lines:
        told = [await anext(lines), await anext(lines)]
    assert told == [rpc.CameraChanged(state=_state(ONE, 1)), rpc.CameraChanged(state=_state(TWO, 2))]


async def test_a_slow_listener_gets_the_latest_state_only(clock: ManualClock) -> None:
    """States that were overtaken are skipped; events are not."""
    broadcast = Broadcast(clock=clock)
    async with _listening(broadcast) as lines:
        for frames in range(5):
            broadcast.changed(_state(ONE, frames))
            broadcast.happened(_event(frames))
        told = [await anext(lines) for _ in range(6)]
    assert told == [rpc.CameraChanged(state=_state(ONE, 4)), *(_event(number) for number in range(5))]


async def test_what_was_told_is_not_told_again(clock: ManualClock) -> None:
    """A state equal to the last one is no news; a release is."""
    broadcast = Broadcast(clock=clock)
    broadcast.changed(_state(ONE, 1))
    async with _listening(broadcast) as lines:
        assert await anext(lines) == rpc.CameraChanged(state=_state(ONE, 1))
        broadcast.changed(_state(ONE, 1))
        broadcast.released(ONE)
        assert await anext(lines) == rpc.CameraReleased(id=ONE)


async def test_a_silent_second_has_its_heartbeat(clock: ManualClock) -> None:
    """With nothing to tell a beat comes within a second, and another within the next."""
    broadcast = Broadcast(clock=clock)
    async with _listening(broadcast) as lines:
        for _ in range(3):
            before_ns = clock.wall_ns()
            await clock.turn(rpc.HEARTBEAT_S)
            beat = await anext(lines)
            assert isinstance(beat, rpc.Heartbeat)
            assert beat.wall_ns > before_ns, "a beat of this second, not one that was kept"


async def test_a_beat_comes_before_a_crowd_of_states(clock: ManualClock) -> None:
    """Whatever else there is to tell, the beat of this second, and the load in it, does not wait behind it."""
    broadcast = Broadcast(clock=clock)
    async with _listening(broadcast) as lines:
        await clock.turn(rpc.HEARTBEAT_S)
        for number in range(300):
            broadcast.changed(_state(CameraId(str(number)), number))
        assert isinstance(await anext(lines), rpc.Heartbeat)
        assert isinstance(await anext(lines), rpc.CameraChanged)


async def test_a_slow_listener_is_not_told_old_beats(clock: ManualClock) -> None:
    """Beats that nobody read in time are one beat, not many."""
    broadcast = Broadcast(clock=clock)
    async with _listening(broadcast) as lines:
        await clock.turn(10 * rpc.HEARTBEAT_S)
        broadcast.released(ONE)
        assert isinstance(await anext(lines), rpc.Heartbeat)
        assert await anext(lines) == rpc.CameraReleased(id=ONE)


async def test_closing_ends_every_stream(clock: ManualClock) -> None:
    """A host that stops ends its listeners' streams in order."""
    broadcast = Broadcast(clock=clock)
    broadcast.changed(_state(ONE, 1))
    async with _listening(broadcast) as lines:
        assert await anext(lines) == rpc.CameraChanged(state=_state(ONE, 1))
        reading = asyncio.ensure_future(anext(lines))
        await settle()
        broadcast.close()
        with pytest.raises(StopAsyncIteration):
            await reading
