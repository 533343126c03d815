"""Lanes keep their policies."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.lanes import LaneClosedError, LaneOverflowError, LiveLane, RecordLane, StateLane
from tests.fakes.clock import settle


@dataclass(frozen=True)
class Item:
    """A picture of some size."""

    name: int
    keyframe: bool = False
    size_bytes: int = 1


async def drain(lane: RecordLane[Item] | LiveLane[Item]) -> list[int]:
    """Take all that waits."""
    lane.close()
    taken: list[int] = []
    while True:
        try:
            taken.append((await lane.get()).name)
        except LaneClosedError:
            return taken


async def test_record_lane_never_continues_over_a_hole() -> None:
    """After an overflow nothing is accepted until the consumer has been told, after the last good item."""
    lane: RecordLane[Item] = RecordLane(capacity_bytes=2)
    assert [lane.put(Item(n)) for n in range(4)] == [True, True, False, False]
    assert (await lane.get()).name == 0
    assert not lane.put(Item(4))
    assert (await lane.get()).name == 1
    with pytest.raises(LaneOverflowError):
        await lane.get()
    assert lane.put(Item(5))
    assert (await lane.get()).name == 5
    assert (lane.counters.accepted, lane.counters.dropped, lane.counters.overflows) == (3, 3, 1)


async def test_record_lane_counts_bytes() -> None:
    """The capacity is bytes, not items."""
    lane: RecordLane[Item] = RecordLane(capacity_bytes=10)
    lane.put(Item(0, size_bytes=9))
    assert (lane.depth_bytes, len(lane)) == (9, 1)
    assert not lane.put(Item(1, size_bytes=2))
    await lane.get()
    assert lane.depth_bytes == 0


async def test_waiting_consumer_learns_of_an_overflow() -> None:
    """A consumer that waits on an empty lane is woken by an item too large for it."""
    lane: RecordLane[Item] = RecordLane(capacity_bytes=1)
    task = asyncio.ensure_future(lane.get())
    await settle()
    lane.put(Item(0, size_bytes=2))
    with pytest.raises(LaneOverflowError):
        await task


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
def test_live_lane_starts_again_at_a_keyframe(keyframes: list[bool], capacity: int) -> None:
    """What comes out of a live lane after a drop begins with a keyframe."""
    lane: LiveLane[Item] = LiveLane(capacity=capacity)
    items = [Item(n, keyframe) for n, keyframe in enumerate(keyframes)]
    kept = [item.name for item in items if lane.put(item)]
    taken = asyncio.run(drain(lane))
    assert taken == kept[len(kept) - len(taken) :]
    assert len(taken) <= capacity
    if lane.counters.overflows and taken:
        assert items[taken[0]].keyframe
        assert taken == list(range(taken[0], taken[0] + len(taken)))


async def test_state_lane_keeps_the_latest() -> None:
    """Only the newest value waits."""
    lane: StateLane[int] = StateLane()
    lane.put(1)
    lane.put(2)
    assert await lane.get() == 2
    assert lane.counters.dropped == 1


@pytest.mark.parametrize("lane", [RecordLane[Item](capacity_bytes=9), LiveLane[Item](capacity=9), StateLane[Item]()])
async def test_waiting_and_closing(lane: RecordLane[Item] | LiveLane[Item] | StateLane[Item]) -> None:
    """A consumer waits for an item, meets the end of a closed lane, and nothing is put after it."""
    task = asyncio.ensure_future(lane.get())
    await settle()
    assert not task.done()
    lane.put(Item(1))
    assert (await task).name == 1
    task = asyncio.ensure_future(lane.get())
    await settle()
    lane.close()
    with pytest.raises(LaneClosedError):
        await task
    lane.put(Item(2))
    assert len(lane) == 0
