"""What is kept of a unit's readings: points to draw, and what its SIM has sent, the same after any restart."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest_asyncio

from gateway.units import Units
from gateway.vault import Key
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock
from tests.fakes.keys import Memory
from tests.fakes.unit_voice import Voice, enrolled, unit_room


@pytest_asyncio.fixture
async def units(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Units]:
    """Return a room."""
    async with unit_room(tmp_path, clock) as units:
        yield units


async def test_trends_have_a_point_a_minute_and_a_month(units: Units, clock: ManualClock) -> None:
    """Of what is drawn only; older points are forgotten, by no leap; what the broker had kept is no point."""
    voice = await enrolled(units)
    for _ in range(5):
        await units.register.take("D017", voice.report())
        await units.register.take("D017", voice.report("tilt"))
        await clock.turn(30)
    register, end = units.register, clock.wall_ns() + 1
    points = await register.trend("D017", "state/battery", from_ns=0, to_ns=end)
    assert [(one.at_ns - points[0].at_ns) // NS_PER_S for one in points] == [0, 60, 120]
    assert await register.trend("D017", "state/tilt", from_ns=0, to_ns=end) == []
    clock.jump_wall(62 * 86_400)
    await register.forget_old_trends()
    assert len(await register.trend("D017", "state/battery", from_ns=0, to_ns=end)) == 3
    clock.jump_wall(-62 * 86_400)
    clock.pass_by(31 * 86_400 - 60)
    await register.forget_old_trends()
    assert len(await register.trend("D017", "state/battery", from_ns=0, to_ns=end)) == 1


async def test_the_budget_is_forecast_from_what_the_unit_told(units: Units, clock: ManualClock) -> None:
    """Sent since the first reading; by the month's end as it goes now."""
    voice = await enrolled(units, budget_bytes=2_000_000)
    for sent in (0, 43_200, 86_400):
        await units.register.take("D017", voice.report("data", sent_bytes=sent, since="2026-09-01T00:00:00Z"))
        clock.jump_wall(43_200)
    found = units.register.forecast("D017")
    assert found.used_bytes == 86_400
    assert found.by_end_bytes is not None
    assert 700_000 < found.by_end_bytes < 900_000
    assert not found.over


async def test_a_forecast_is_the_same_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    """Over a counter that began anew: from memory, and from what was kept of each minute."""
    keys = Memory(Key.new())
    async with unit_room(tmp_path, clock, keys=keys) as units:
        voice = await enrolled(units, budget_bytes=10_000_000)
        for hour in range(40):
            since = "2026-09-01T00:00:00Z" if hour < 20 else "2026-09-02T00:00:00Z"
            await units.register.take("D017", voice.report("data", sent_bytes=hour % 20 * 1_000, since=since))
            clock.jump_wall(7_200)
        before = units.register.forecast("D017")
    async with unit_room(tmp_path, clock, keys=keys) as units:
        assert units.register.forecast("D017") == before
    assert before.used_bytes == 19_000 + 19_000


SLOWLY = (
    *((0, 100, 1), (3_000, 850, 1), (900, 0, 2), (2_700, 50, 2)),  # begun anew within two hours
    *((86_400, 100, 2), (90, 20, 2), (90, 130, 2)),  # it fell
)
FAST = ((30, 170, 2), (20, 5, 3), (20, 9, 3), (60, 30, 3))  # begun anew within the minute of a point
"""Seconds after the one before, bytes, and the day since when they are counted."""


async def test_what_is_used_is_the_same_after_each_restart(tmp_path: Path, clock: ManualClock) -> None:
    """Wherever a counter began anew, and from the first thing that a unit ever told."""
    keys, voice, expected = Memory(Key.new()), Voice("D017"), 0
    async with unit_room(tmp_path, clock, keys=keys) as units:
        await enrolled(units)
    for before, (after_s, sent, day) in pairwise([SLOWLY[0], *SLOWLY]):
        clock.jump_wall(after_s)
        async with unit_room(tmp_path, clock, keys=keys) as units:
            assert units.register.forecast("D017").used_bytes == expected
            since = f"2026-09-0{day}T00:00:00Z"
            await units.register.take("D017", voice.report("data", sent_bytes=sent, since=since))
            expected += sent - before[1] if (sent >= before[1] and day == before[2]) else sent
            assert units.register.forecast("D017").used_bytes == expected


async def test_what_is_used_is_the_same_after_one_restart(tmp_path: Path, clock: ManualClock) -> None:
    """Of all that was told in one go, what is kept adds up to the same."""
    keys = Memory(Key.new())
    async with unit_room(tmp_path, clock, keys=keys) as units:
        voice = await enrolled(units)
        for after_s, sent, day in (*SLOWLY, *FAST):
            clock.jump_wall(after_s)
            since = f"2026-09-0{day}T00:00:00Z"
            await units.register.take("D017", voice.report("data", sent_bytes=sent, since=since))
        before = units.register.forecast("D017")
    async with unit_room(tmp_path, clock, keys=keys) as units:
        assert units.register.forecast("D017").used_bytes == before.used_bytes
    assert before.used_bytes == 750 + 50 + 50 + 20 + 110 + 40 + 30
