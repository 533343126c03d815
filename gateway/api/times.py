"""Instants and ranges as the API says them: ISO 8601, UTC with Z, milliseconds."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime

from gateway.api.errors import RangeError
from kernel.clock import NS_PER_MS, of_our_time, to_ns, utc

Instant = Annotated[AwareDatetime, AfterValidator(of_our_time)]
"""An instant that is given to us: with its zone, and one that can be."""

Start = Annotated[Instant, Query(description="Instant with its zone, as in 2026-05-01T12:00:00Z")]
End = Annotated[Instant, Query(description="Instant after start")]


def iso(wall_ns: int) -> str:
    """Return an instant as the API says it."""
    return utc(wall_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_after(wall_ns: int) -> str:
    """Return the first millisecond at or after an instant: where footage starts, there is footage by then."""
    return iso(-(-wall_ns // NS_PER_MS) * NS_PER_MS)


def iso_or_none(wall_ns: int | None) -> str | None:
    """Return an instant, or ``None`` where there is none."""
    return iso(wall_ns) if wall_ns is not None else None


def span_ns(start: AwareDatetime, end: AwareDatetime) -> tuple[int, int]:
    """Return a range in nanoseconds.

    Raises:
        RangeError: it ends before it starts, or where it starts.
    """
    start_ns, end_ns = to_ns(start), to_ns(end)
    if end_ns <= start_ns:
        raise RangeError("The range ends before it starts.", cure="Swap start and end, or choose a longer range.")
    return start_ns, end_ns
