"""The data budget of a unit's SIM: what it has used this month, and what it will have by its end."""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

from kernel.clock import NS_PER_S, to_ns, utc

RATE_NS = 7 * 86_400 * NS_PER_S
"""The forecast goes on as the last days went, whichever month they were in."""
RATE_LEAST_NS = 86_400 * NS_PER_S
"""From less than a day nothing is foretold: an hour in which somebody watched would be a month of watching."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a unit's counter said at an instant. ``since`` is when it began to count, as the unit says it."""

    at_ns: int
    sent_bytes: int
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Bytes of this calendar month (UTC). ``by_end_bytes`` is ``None`` where too little is known to say."""

    used_bytes: int
    by_end_bytes: int | None
    budget_bytes: int | None
    exhausted_ns: int | None
    """When the budget will be used up, or was; ``None`` where that is not this month, or there is no budget."""

    @property
    def over(self) -> bool:
        """Return whether the month ends over the budget, as it goes now."""
        return self.exhausted_ns is not None


def month_of(now_ns: int) -> tuple[int, int]:
    """Return the first instant of the calendar month (UTC) and that of the next one."""
    now = utc(now_ns)
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    return to_ns(first), to_ns(first + timedelta(days=calendar.monthrange(now.year, now.month)[1]))


def used(readings: Sequence[Reading]) -> int:
    """Return how much was sent between the first and the last reading, over resets of the counter."""
    return sum(_steps(readings))


def _steps(readings: Sequence[Reading]) -> Iterator[int]:
    """Yield what was sent between each reading and the one before it."""
    for before, after in pairwise(readings):
        restarted = after.since != before.since or after.sent_bytes < before.sent_bytes
        yield after.sent_bytes if restarted else after.sent_bytes - before.sent_bytes


def forecast(told: Sequence[Reading], *, now_ns: int, budget_bytes: int | None) -> Forecast:
    """Tell the month's use and its end. ``told`` in order: what there is of this month and of the last seven days."""
    first_ns, end_ns = month_of(now_ns)
    readings = [*[one for one in told if one.at_ns < first_ns][-1:], *(one for one in told if one.at_ns >= first_ns)]
    spent = used(readings)
    rate = _rate([one for one in told if one.at_ns >= now_ns - RATE_NS])
    by_end = None if rate is None else spent + round(rate * (end_ns - now_ns))
    exhausted = None
    if budget_bytes is not None and readings and spent >= budget_bytes:
        exhausted = _crossed(readings, budget_bytes)
    elif budget_bytes is not None and rate and by_end is not None and by_end > budget_bytes:
        exhausted = now_ns + round((budget_bytes - spent) / rate)
    return Forecast(used_bytes=spent, by_end_bytes=by_end, budget_bytes=budget_bytes, exhausted_ns=exhausted)


def _rate(recent: Sequence[Reading]) -> float | None:
    """Return bytes for each ns; ``None`` where too little is known."""
    span_ns = recent[-1].at_ns - recent[0].at_ns if recent else 0
    return used(recent) / span_ns if span_ns >= RATE_LEAST_NS else None


def _crossed(readings: Sequence[Reading], budget_bytes: int) -> int:
    """Return when the budget was used up, which it is known to be."""
    totals = accumulate(_steps(readings), initial=0)
    return next(one.at_ns for one, total in zip(readings, totals, strict=True) if total >= budget_bytes)
