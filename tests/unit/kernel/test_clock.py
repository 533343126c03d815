"""Clocks and the conversion of times."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import BELIEVED_S, LEAP_NS, NS_PER_S, SteadyClock, SystemClock, every, to_ns, utc
from tests.fakes.clock import ManualClock

moments = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]),
)


@given(moments)
def test_times_survive_conversion(moment: datetime) -> None:
    """A time with a zone survives the way to nanoseconds and back, to the microsecond."""
    assert utc(to_ns(moment)) == moment


@given(st.integers(0, 7_000_000_000 * NS_PER_S))
def test_nanoseconds_survive_to_the_microsecond(wall_ns: int) -> None:
    """Nanoseconds lose only what a datetime cannot hold."""
    assert to_ns(utc(wall_ns)) == wall_ns // 1000 * 1000


def test_naive_times_are_refused() -> None:
    """A time without a zone is an error, not a guess."""
    with pytest.raises(ValueError, match="without a zone"):
        to_ns(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_leap_ahead_ages_nothing() -> None:
    """By the steady clock the day goes on as it was, and again with the wall clock once that is put right."""
    clock = ManualClock()
    steady, began_ns = SteadyClock(clock), clock.wall_ns()
    clock.jump_wall(30 * 86_400)
    clock.pass_by(7200)
    assert steady.wall_ns() == began_ns + 7200 * NS_PER_S
    clock.jump_wall(-30 * 86_400)
    assert steady.wall_ns() == clock.wall_ns() == began_ns + 7200 * NS_PER_S


@pytest.mark.parametrize("moved_s", [LEAP_NS / NS_PER_S, 1.0, -1.0, -30 * 86_400])
def test_a_clock_that_is_put_right_or_back_is_followed(moved_s: float) -> None:
    """By less than an hour ahead, or by whatever back: nothing is too old by that."""
    clock = ManualClock()
    steady = SteadyClock(clock)
    clock.jump_wall(moved_s)
    assert steady.wall_ns() == clock.wall_ns()


def test_a_leap_that_lasts_is_believed_of_what_is_to_end_on_time_too() -> None:
    """A day after it was seen; one that was put right between began anew."""
    clock = ManualClock()
    steady, never = SteadyClock(clock, believed_s=BELIEVED_S), SteadyClock(clock)
    for back_s in (30 * 86_400, 0):
        clock.jump_wall(30 * 86_400)
        assert steady.wall_ns() < clock.wall_ns()
        clock.pass_by(BELIEVED_S - 1)
        assert steady.wall_ns() < clock.wall_ns()
        clock.jump_wall(-back_s)
        if back_s:
            assert steady.wall_ns() == clock.wall_ns()
    clock.pass_by(1)
    assert steady.wall_ns() == clock.wall_ns()
    assert never.wall_ns() < clock.wall_ns()
    clock.jump_wall(30 * 86_400)
    assert steady.wall_ns() < clock.wall_ns()


async def test_system_clock_moves() -> None:
    """The machine's clock goes on while one sleeps, also for a time already past."""
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    await clock.sleep(0.001)
    await clock.sleep_until(began_ns)
    assert clock.monotonic_ns() - began_ns >= 1_000_000
    assert clock.wall_ns() > 1_700_000_000 * NS_PER_S


async def test_ticks_do_not_drift(clock: ManualClock) -> None:
    """Ticks keep to their period, and those missed by a slow consumer are skipped, not bunched."""
    seen: list[int] = []
    gate = asyncio.Event()
    gate.set()

    async def count() -> None:
        async with every(clock, 1.0) as ticks:
            async for _ in ticks:
                seen.append(clock.monotonic_ns() // NS_PER_S)
                await gate.wait()

    task = asyncio.ensure_future(count())
    await clock.turn(2.5)
    gate.clear()
    await clock.turn(4.0)
    gate.set()
    await clock.turn(1.2)
    assert seen == [1000, 1001, 1002, 1003, 1006, 1007]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
