"""What a host tells of its work: rates, lateness of the loop, lanes, counts that survive new sessions."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp import StreamStats
from gateway.fleet.load import HostLoad
from gateway.live import LiveHub
from gateway.live.hub import LiveLoad
from gateway.worker.gauges import LOOK_S, Gauges, LoopLag, OwnProcess
from gateway.worker.stream import StreamRun
from kernel.clock import NS_PER_MS
from kernel.ids import CameraId, StreamName
from recording import RecordState
from tests.fakes.clock import ManualClock, settle

MIB = 1024 * 1024


@dataclass
class Plan:
    """Which stream it is."""

    camera: CameraId
    stream: StreamName = StreamName.MAIN


@dataclass
class Writing:
    """A recorder as the gauges see it."""

    state: RecordState = field(default_factory=lambda: RecordState(recording=True))
    waiting_bytes: int = 0


@dataclass
class Running:
    """A stream as the gauges see it."""

    plan: Plan
    stats: StreamStats | None = field(default_factory=StreamStats)
    recorder: Writing | None = field(default_factory=Writing)
    live: bool = True


class Viewers:
    """The viewers' side as the gauges see it."""

    def __init__(self) -> None:
        self.now = LiveLoad(viewers=3, viewers_max=300, waiting=7, dropped=11)

    def load(self) -> LiveLoad:
        """Return it."""
        return self.now


class Used:
    """A process whose CPU time a test sets."""

    def __init__(self) -> None:
        self.cpu = 100.0

    def cpu_s(self) -> float:
        """Return it."""
        return self.cpu

    def memory_bytes(self) -> int:
        """Return some."""
        return 300 * MIB


class Site:
    """Gauges over streams that a test moves."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.streams = [Running(Plan(CameraId("1"))), Running(Plan(CameraId("2")))]
        self.viewers = Viewers()
        self.used = Used()
        self.gauges = Gauges(
            clock=clock,
            hub=cast("LiveHub", self.viewers),
            cameras=lambda: len(self.streams),
            streams=self._streams,
            record_lane_bytes=32 * MIB,
            process=self.used,
        )

    def _streams(self) -> Iterator[StreamRun]:
        return cast("Iterator[StreamRun]", iter(self.streams))

    def load(self) -> HostLoad:
        """Take a sample and return it."""
        self.gauges.sample()
        assert self.gauges.load is not None
        return self.gauges.load

    async def second(self, *, megabits: float = 0.0, frames: int = 0, cpu_s: float = 0.0) -> HostLoad:
        """Let a second pass in which that much came on each stream, and return the load then."""
        for stream in self.streams:
            assert stream.stats is not None
            stream.stats.bytes += round(megabits * 125_000)
            stream.stats.frames += frames
        self.used.cpu += cpu_s
        await self.clock.turn(1.0)
        return self.load()


@pytest.fixture
def site(clock: ManualClock) -> Site:
    """Return gauges over two streams that are recorded."""
    return Site(clock)


@asynccontextmanager
async def looking(lag: LoopLag) -> AsyncIterator[None]:
    """Keep looking for the time of the block."""

    async def look() -> None:
        while True:
            await lag.look()

    task = asyncio.create_task(look())
    await settle()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class Stalling(ManualClock):
    """A clock under which the loop stands still when a test says so: sleepers wake late."""

    async def stall(self, duration_s: float) -> None:
        """Pass ``duration_s`` before anybody is woken."""
        self._monotonic_ns += round(duration_s * 1e9)
        await self.turn(0.0)


async def test_rates_are_those_of_the_last_seconds(site: Site) -> None:
    """Two streams of 4 Mbit/s and 25 pictures, and 0.3 s of CPU a second: 8 Mbit/s, 50 pictures, 30 %."""
    site.load()
    for _ in range(3):
        load = await site.second(megabits=4.0, frames=25, cpu_s=0.3)
    assert (load.mbit_s, load.frames_s, load.cpu_percent) == (8.0, 50.0, 30.0)


async def test_rates_forget_what_was_before(site: Site) -> None:
    """Five silent seconds after a busy one: nothing comes in any more."""
    site.load()
    await site.second(megabits=100.0, frames=25, cpu_s=1.0)
    for _ in range(5):
        load = await site.second()
    assert (load.mbit_s, load.frames_s, load.cpu_percent) == (0.0, 0.0, 0.0)


async def test_the_first_sample_has_no_rates(site: Site) -> None:
    """Before a second has passed there is nothing to divide by, and no figure is made up."""
    load = site.load()
    assert (load.mbit_s, load.frames_s, load.cpu_percent) == (0.0, 0.0, 0.0)


async def test_counts_go_on_over_a_new_session(site: Site) -> None:
    """A stream that is begun anew counts from nothing; what was counted before it stays, and no rate is negative."""
    site.load()
    first = site.streams[0]
    assert first.stats is not None
    first.stats.lost = 9
    await site.second(megabits=4.0, frames=25)
    first.stats = StreamStats(lost=2)
    load = await site.second(megabits=4.0, frames=25)
    assert (load.packets_lost, load.mbit_s, load.frames_s) == (11, 8.0, 50.0)


async def test_a_stream_without_a_session_counts_nothing(site: Site) -> None:
    """Between release and the next session there are no statistics."""
    site.load()
    site.streams[0].stats = None
    site.streams[0].recorder = None
    site.streams[0].live = False
    await site.clock.turn(1.0)
    load = site.load()
    assert (load.streams_live, load.recording, load.mbit_s) == (1, 1, 0.0)


async def test_lanes_are_summed_and_the_fullest_is_told(site: Site) -> None:
    """What waits for the disks, in all and in the fullest lane, beside what a lane holds."""
    for stream, waiting in zip(site.streams, (1 * MIB, 24 * MIB), strict=True):
        assert stream.recorder is not None
        stream.recorder.waiting_bytes = waiting
    load = site.load()
    assert (load.record_lane_bytes, load.record_lane_max_bytes) == (25 * MIB, 24 * MIB)
    assert load.record_lane_limit_bytes == 32 * MIB


async def test_runs_that_the_disks_ended_are_counted_for_ever(site: Site) -> None:
    """A recorder that is replaced takes nothing away from the count."""
    stream = site.streams[1]
    assert stream.recorder is not None
    stream.recorder.state.cut = 2
    assert site.load().gaps == 2
    stream.recorder = Writing()
    assert site.load().gaps == 2
    stream.recorder.state.cut = 1
    assert site.load().gaps == 3


async def test_viewers_are_told(site: Site) -> None:
    """How many, how many there may be, what waits for them and what they could not take."""
    load = site.load()
    assert (load.viewers, load.viewers_max, load.live_lane_pictures, load.pictures_dropped) == (3, 300, 7, 11)


async def test_cameras_that_are_gone_are_forgotten(site: Site) -> None:
    """Nothing is kept of a stream that this host no longer has."""
    site.load()
    site.streams.clear()
    load = site.load()
    assert (load.cameras, load.streams_live, load.record_lane_bytes) == (0, 0, 0)
    assert not site.gauges._known


async def test_it_samples_each_second_by_itself(site: Site) -> None:
    """The load that a heartbeat carries is never older than that."""
    running = asyncio.create_task(site.gauges.run())
    await settle()
    before = site.gauges.load
    site.used.cpu += 0.5
    await site.clock.turn(1.1)
    after = site.gauges.load
    running.cancel()
    await asyncio.wait([running])
    assert before is not None
    assert after is not None
    assert (before.cpu_percent, after.cpu_percent) == (0.0, 50.0)


async def test_a_loop_that_comes_in_time_is_not_late() -> None:
    """No lateness where every sleeper is woken when it is due."""
    clock = Stalling()
    lag = LoopLag(clock)
    assert lag.milliseconds() == (0.0, 0.0)
    async with looking(lag):
        await clock.turn(10.0)
        assert lag.milliseconds() == (0.0, 0.0)


async def test_a_stall_counts_for_all_that_fell_due_in_it() -> None:
    """A second's standstill within a minute is more than 1 % of what was due, and the 99th percentile shows it."""
    clock = Stalling()
    lag = LoopLag(clock)
    async with looking(lag):
        await clock.turn(30.0)
        await clock.stall(1.0)
        await clock.turn(20.0)
        p99_ms, max_ms = lag.milliseconds()
    assert 900.0 <= max_ms <= 1000.0
    assert 300.0 <= p99_ms < max_ms


async def test_a_stall_is_forgotten_after_a_minute() -> None:
    """The figures are those of the last minute."""
    clock = Stalling()
    lag = LoopLag(clock)
    async with looking(lag):
        await clock.stall(1.0)
        await clock.turn(61.0)
        assert lag.milliseconds() == (0.0, 0.0)


async def test_an_hour_of_standstill_costs_no_more_memory_than_a_minute() -> None:
    """A machine that was suspended fills the minute, not more."""
    clock = Stalling()
    lag = LoopLag(clock)
    async with looking(lag):
        await clock.stall(3600.0)
        await clock.turn(1.0)
        assert len(lag._late_ns) <= 60 / LOOK_S
        assert lag.milliseconds()[1] >= 3_500_000.0


@given(late_ms=st.lists(st.integers(min_value=0, max_value=5_000), min_size=1, max_size=200))
def test_the_percentile_is_one_of_what_was_seen(late_ms: list[int]) -> None:
    """The 99th percentile is a lateness that was seen, at least as great as 99 % of them."""
    lag = LoopLag(ManualClock())
    lag._late_ns.extend(one * NS_PER_MS for one in late_ms)
    p99_ms, max_ms = lag.milliseconds()
    assert p99_ms in late_ms
    assert max_ms == max(late_ms)
    assert sum(one <= p99_ms for one in late_ms) >= 0.99 * len(late_ms)


def test_this_process_has_a_size_and_has_worked() -> None:
    """Resident memory and CPU time come from the kernel, and CPU time grows with work."""
    process = OwnProcess()
    assert 1 * MIB < process.memory_bytes() < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    before = process.cpu_s()
    while process.cpu_s() == before:
        sum(range(10_000))
    assert process.cpu_s() > before > 0.0
