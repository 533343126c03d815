"""Trying forever, politely."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.supervision import Backoff, attempt, try_forever
from tests.fakes.clock import ManualClock, settle
from tests.fakes.waiting import until


@given(st.integers(1, 10_000), st.integers(0, 100))
def test_delays_are_jittered_and_capped(failures: int, seed: int) -> None:
    """A delay is between nothing and the cap, whatever came before."""
    assert 0.0 <= Backoff(cap_s=30.0).delay_s(failures, random.Random(seed)) <= 30.0  # noqa: S311


async def test_expected_failures_are_retried(clock: ManualClock) -> None:
    """A named failure is told with its delay and tried again; a healthy minute forgives."""
    failures: list[float] = []
    attempts = 0

    async def run_once() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 4:
            await clock.sleep(61.0)
        raise OSError

    class Longest(random.Random):
        """Always the longest delay."""

        def uniform(self, a: float, b: float) -> float:
            return b

    task = asyncio.ensure_future(
        try_forever(
            run_once,
            clock=clock,
            expected=(OSError,),
            on_failure=lambda _, delay_s: failures.append(delay_s),
            backoff=Backoff(base_s=1.0),
            rng=Longest(),
        )
    )
    await clock.turn(80.0)
    assert failures[:5] == [2.0, 4.0, 8.0, 2.0, 4.0]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_orderly_end_is_run_again(clock: ManualClock) -> None:
    """A run that ends in order is begun again after the base delay, without a failure."""
    runs = 0

    async def run_once() -> None:
        nonlocal runs
        runs += 1

    task = asyncio.ensure_future(
        try_forever(run_once, clock=clock, expected=(OSError,), on_failure=lambda *_: pytest.fail("no failure"))
    )
    await clock.turn(1.1)
    assert runs == 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_bugs_escape(clock: ManualClock) -> None:
    """What nobody expected is raised, not retried."""

    async def run_once() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await try_forever(run_once, clock=clock, expected=(OSError,), on_failure=lambda *_: None)


@pytest.mark.parametrize("failing", [True, False])
async def test_a_cancellation_that_was_lost_on_the_way_ends_it(clock: ManualClock, *, failing: bool) -> None:
    """A group's member fails in the turn in which its task is cancelled: until Python 3.13 only that is raised."""
    breaking = asyncio.Event()

    async def member() -> None:
        await breaking.wait()
        raise OSError

    async def run_once() -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(member())
        except* OSError as group:
            if failing:
                raise group.exceptions[0] from None

    task = asyncio.ensure_future(try_forever(run_once, clock=clock, expected=(OSError,), on_failure=lambda *_: None))
    await settle()
    breaking.set()
    task.cancel()
    await until(task.done, what="the end")
    assert task.cancelled()


async def test_what_breaks_as_it_is_cancelled_is_raised() -> None:
    """A bug escapes also then; a failure that was expected ends nothing that is ended already."""
    for raised, known in ((ZeroDivisionError(), False), (OSError(), True), (ExceptionGroup("", [OSError()]), True)):
        begun = asyncio.Event()

        async def breaks(raised: Exception = raised, begun: asyncio.Event = begun) -> None:
            try:
                begun.set()
                await asyncio.Event().wait()
            finally:
                raise raised

        task = asyncio.ensure_future(attempt(breaks(), expected=(OSError,)))
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() is known
        assert known or task.exception() is raised


async def test_who_is_cancelled_twice_waits_for_what_it_began() -> None:
    """The second time cuts short what the first one is being ended by; nothing is left running."""
    cleaning, ended = asyncio.Event(), False

    async def lingers() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended = True

    task = asyncio.ensure_future(attempt(lingers(), expected=()))
    await settle()
    task.cancel()
    await cleaning.wait()
    task.cancel()
    await asyncio.wait([task])
    assert (task.cancelled(), ended) == (True, True)


async def test_a_failure_in_a_group_whose_body_has_ended_is_retried(clock: ManualClock) -> None:
    """What a group leaves behind then looks like a cancellation, and is none."""
    runs = 0

    async def fails() -> None:
        await settle(1)
        raise OSError

    async def run_once() -> None:
        nonlocal runs
        runs += 1
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fails())
        except* OSError as group:
            raise group.exceptions[0] from None

    task = asyncio.ensure_future(try_forever(run_once, clock=clock, expected=(OSError,), on_failure=lambda *_: None))
    await clock.turn(10)
    assert runs > 1
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
