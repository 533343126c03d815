"""Trying forever, politely: full jitter, a cap, and a fresh start after a healthy minute.

Only named, expected failures are retried. A bug escapes, ends the process, and the service manager restarts it.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from kernel.clock import NS_PER_S, Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Delays between attempts: uniform in 0..min(cap, base * 2**failures) seconds ("full jitter", AWS 2015)."""

    base_s: float = 0.5
    cap_s: float = 30.0
    healthy_s: float = 60.0
    """A run that lasted this long forgives the failures before it."""

    def delay_s(self, failures: int, rng: random.Random) -> float:
        """Return how long to wait after the ``failures``-th failure in a row (1, 2, ...)."""
        return rng.uniform(0.0, min(self.cap_s, self.base_s * 2.0 ** min(failures, 32)))


async def attempt(work: Coroutine[Any, Any, T], *, expected: tuple[type[Exception], ...]) -> T:
    """Do ``work`` in a task of its own and return what it gives, for whoever tries again after an ``expected`` failure.

    A ``TaskGroup`` of which a member fails in the very turn in which its task is cancelled raises the failure alone (so
    until Python 3.13, CPython issue 116720). Whoever caught that and went on would run for ever, and whoever cancelled
    it would wait as long: a recording would go on that nobody has a right to any more. Here the one that is cancelled
    is not the one that the group is in.

    Raises:
        asyncio.CancelledError: the caller was cancelled; ``work`` has ended by then.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
            task.cancel()
    if cancelled is not None:
        failure = None if task.cancelled() else task.exception()
        if failure is None or _is_of(failure, expected):
            raise cancelled
    return task.result()


def _is_of(error: BaseException, kinds: tuple[type[Exception], ...]) -> bool:
    """Return whether it is of these, or a group of nothing else."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(kinds)[1] is None
    return isinstance(error, kinds)


async def try_forever(  # noqa: PLR0913 - each is a separate, named policy
    run_once: Callable[[], Coroutine[Any, Any, None]],
    *,
    clock: Clock,
    expected: tuple[type[Exception], ...],
    on_failure: Callable[[Exception, float], None],
    backoff: Backoff = Backoff(),
    rng: random.Random | None = None,
) -> None:
    """Run ``run_once`` again and again; after an ``expected`` failure tell ``on_failure(error, delay_s)`` and wait.

    Returns only by cancellation, also where ``run_once`` lost it, or by an unexpected error, which is raised.
    """
    rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
    failures = 0
    while True:
        began_ns = clock.monotonic_ns()
        try:
            await attempt(run_once(), expected=expected)
        except expected as error:
            lasted_s = (clock.monotonic_ns() - began_ns) / NS_PER_S
            failures = 1 if lasted_s >= backoff.healthy_s else failures + 1
            delay_s = backoff.delay_s(failures, rng)
            on_failure(error, delay_s)
            await clock.sleep(delay_s)
        else:
            # An orderly end is not a failure, but it must not spin either.
            failures = 0
            await clock.sleep(backoff.base_s)
