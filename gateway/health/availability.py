"""How much of a month a camera's footage is there, and to what the rest was lost. Pure arithmetic over a timeline."""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from kernel.clock import to_ns
from kernel.media import GapCause

LOSSES = (GapCause.CAMERA, GapCause.NETWORK, GapCause.HOST, GapCause.STORAGE)
"""Causes that count against a camera's availability. What privacy forbade, retention took or was off does not."""


class Span(Protocol):
    """From an instant until before another, in ns since 1970."""

    @property
    def start_ns(self) -> int:
        """Return its first instant."""
        ...

    @property
    def end_ns(self) -> int:
        """Return its end."""
        ...


class Gap(Span, Protocol):
    """No footage, and why."""

    @property
    def cause(self) -> GapCause:
        """Return why."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A calendar month (UTC) in ns since 1970: from an instant until before another."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of a range: in ns, what was recorded, what was lost to each cause, and what neither counts for nor against."""

    recorded_ns: int
    lost_ns: Mapping[GapCause, int]
    withheld_ns: int
    """Recording was forbidden for privacy."""
    off_ns: int
    """Recording was switched off, or the camera was taken from its host."""
    unknown_ns: int
    """Retention has taken what told of it, or nothing does: before the first recording, for instance."""

    @property
    def share(self) -> float | None:
        """Return what of the time that should have been recorded was, 0 to 1; ``None`` where there was no such time."""
        asked_ns = self.recorded_ns + sum(self.lost_ns.values())
        return self.recorded_ns / asked_ns if asked_ns else None


def month_of(year: int, month: int) -> Month:
    """Return a calendar month."""
    first = datetime(year, month, 1, tzinfo=UTC)
    return Month(start_ns=to_ns(first), end_ns=to_ns(first + timedelta(days=calendar.monthrange(year, month)[1])))


def figures(spans: Iterable[Span], gaps: Iterable[Gap], *, start_ns: int, end_ns: int) -> Figures:
    """Return the figures of a range, of which a timeline tells; every instant of it counts once.

    ``spans`` do not overlap one another, nor do ``gaps``. Where footage and a gap overlap, there is footage: a gap that
    was written late says less than what can be played.
    """
    footage = _within(((one.start_ns, one.end_ns) for one in spans), start_ns, end_ns)
    missing: dict[GapCause, int] = {}
    for gap in gaps:
        for from_ns, to_ns_ in _less(_within([(gap.start_ns, gap.end_ns)], start_ns, end_ns), footage):
            missing[gap.cause] = missing.get(gap.cause, 0) + to_ns_ - from_ns
    recorded_ns = sum(until_ns - from_ns for from_ns, until_ns in footage)
    told_ns = recorded_ns + sum(missing.values()) - missing.get(GapCause.RETENTION, 0)
    return Figures(
        recorded_ns=recorded_ns,
        lost_ns={cause: missing[cause] for cause in LOSSES if cause in missing},
        withheld_ns=missing.get(GapCause.PRIVACY, 0),
        off_ns=missing.get(GapCause.OFF, 0),
        unknown_ns=max(0, end_ns - start_ns - told_ns),
    )


_Stretch = tuple[int, int]


def _within(stretches: Iterable[_Stretch], start_ns: int, end_ns: int) -> list[_Stretch]:
    """Return what of stretches lies in a range, in order."""
    cut = ((max(from_ns, start_ns), min(until_ns, end_ns)) for from_ns, until_ns in stretches)
    return sorted((from_ns, until_ns) for from_ns, until_ns in cut if from_ns < until_ns)


def _less(stretches: list[_Stretch], taken: list[_Stretch]) -> list[_Stretch]:
    """Return what of stretches none of ``taken``, in order, covers."""
    left: list[_Stretch] = []
    for from_ns, until_ns in stretches:
        at_ns = from_ns
        for taken_from_ns, taken_until_ns in taken:
            if taken_from_ns >= until_ns:
                break
            if taken_until_ns > at_ns:
                if taken_from_ns > at_ns:
                    left.append((at_ns, taken_from_ns))
                at_ns = taken_until_ns
        if at_ns < until_ns:
            left.append((at_ns, until_ns))
    return left
