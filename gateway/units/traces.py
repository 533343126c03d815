"""Which of what units tell becomes a point of a trend that is kept; around a counter's new beginning each does.

A point a minute draws a trend. What a counter sent adds up over its beginnings only where the last reading before each
of them is kept as well, whenever that was: else less was used after a restart than before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.units.recent import DATA, Recents, restarted, since_never_back
from gateway.units.trends import APART_NS, Point

COUNTERS = frozenset({DATA})


@dataclass(frozen=True, slots=True)
class Kept:
    """A point that is kept. ``anew``: its counter began anew since the one before it that is."""

    point: Point
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is remembered of one unit and kind. ``kept_ns``: when the newest point is that is kept."""

    kept_ns: int | None = None
    last: Point | None = None
    """Of a counter, what it said last."""
    before: Point | None = None
    """And what it said last before it began anew, where that was since the newest point that is kept."""

    def after(self, name: str, point: Point) -> "tuple[Trace, list[Kept]]":
        """Return what is to be remembered after another point, and which points are kept because of it: two at most."""
        last, before = self.last, self.before
        if name in COUNTERS:
            last = since_never_back(self.last, point) if self.last is not None else point
            if before is None and self.last is not None and restarted(self.last, last):
                before = self.last
        # A wall clock that was set back begins a new row of points; it does not wait for the old time to come again.
        if self.kept_ns is not None and 0 <= point.at_ns - self.kept_ns < APART_NS:
            return Trace(kept_ns=self.kept_ns, last=last, before=before), []
        kept = [Kept(point, anew=before is not None)]
        if before is not None and before.at_ns not in {self.kept_ns, point.at_ns}:
            kept.insert(0, Kept(before))
        return Trace(kept_ns=point.at_ns, last=last), kept


def traces_of(newest: Mapping[tuple[str, str], int], recents: Recents) -> dict[tuple[str, str], Trace]:
    """Return what is remembered after a restart: by label and kind, from when the newest point is that was kept."""
    return {
        (label, name): Trace(kept_ns=at_ns, last=recents.last(label, name) if name in COUNTERS else None)
        for (label, name), at_ns in newest.items()
    }
