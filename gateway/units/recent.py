"""What units told lately of what is foretold, in memory: a thousand are judged without asking the database.

Thinned so that nothing is lost of what a forecast is made of. Of a counter only its resets and the last value before
each matter to its sum; where it begins anew more often than anybody can look at, the oldest are folded into one, which
loses when it was sent and not how much. Of a battery the last level of every few minutes says how fast it falls.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from gateway.units.budget import Reading, used
from gateway.units.trends import KEPT_NS, Point
from kernel.clock import NS_PER_S

BATTERY = "state/battery"
DATA = "state/data"
POINTS_MAX = 2_000
"""Of a unit and kind. A counter that begins anew daily has some hundreds in a month."""


def restarted(before: Point, after: Point) -> bool:
    """Return whether a unit's counter of data began anew between two of its readings."""
    one, other = before.values, after.values
    return one.get("since") != other.get("since") or float(str(other["sent_bytes"])) < float(str(one["sent_bytes"]))


def since_never_back(before: Point, after: Point) -> Point:
    """Return a reading, begun no earlier than the one before it: else a counter began anew as often as somebody likes.

    What it sent is believed all the same: where that is less than before, it did begin anew.
    """
    began, begins = str(before.values.get("since")), str(after.values.get("since"))
    if began == begins or _instant(begins) >= _instant(began):
        return after
    return Point(after.at_ns, {**after.values, "since": began})


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def folded(one: Point, other: Point, third: Point) -> Point:
    """Return a reading in the place of the first two of three, from which as much was sent until the third."""
    sent = used([_reading(one), _reading(other), _reading(third)])
    return Point(one.at_ns, {**third.values, "sent_bytes": _reading(third).sent_bytes - sent})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How much of a kind is kept."""

    step_ns: int
    """Of points in one stretch of this length the last is kept..."""
    kept_ns: int
    parted: Callable[[Point, Point], bool] = lambda _before, _after: False
    """...but both of two points between which this is so."""
    onward: Callable[[Point, Point], Point] = lambda _before, after: after
    """What is kept of a point that comes after another."""
    folded: Callable[[Point, Point, Point], Point] = lambda _one, other, _third: other
    """Where there are ``POINTS_MAX``: what stands for the oldest two, before the third."""


KEPT: Mapping[str, Keeping] = MappingProxyType(
    {
        BATTERY: Keeping(step_ns=300 * NS_PER_S, kept_ns=6 * 3600 * NS_PER_S),
        DATA: Keeping(
            step_ns=2 * 3600 * NS_PER_S, kept_ns=KEPT_NS, parted=restarted, onward=since_never_back, folded=folded
        ),
    }
)


class Recents:
    """What all units told lately of the kinds in ``KEPT``."""

    def __init__(self) -> None:
        self._points: dict[tuple[str, str], deque[Point]] = {}

    def add(self, label: str, name: str, point: Point) -> None:
        """Keep what a unit has just told; of another kind nothing is kept."""
        keeping = KEPT.get(name)
        if keeping is None:
            return
        points = self._points.setdefault((label, name), deque())
        while points and point.at_ns - points[0].at_ns > keeping.kept_ns:
            points.popleft()
        if points:
            point = keeping.onward(points[-1], point)
        # The newest is always there; it gives way to the next of its stretch.
        if len(points) > 1 and self._gives_way(points[-2], points[-1], point, keeping):
            points.pop()
        points.append(point)
        if len(points) > POINTS_MAX:
            one, other = points.popleft(), points.popleft()
            points.appendleft(keeping.folded(one, other, points[0]))

    def _gives_way(self, before: Point, last: Point, now: Point, keeping: Keeping) -> bool:
        same = last.at_ns // keeping.step_ns == now.at_ns // keeping.step_ns
        return same and not keeping.parted(before, last) and not keeping.parted(last, now)

    def add_newer(self, label: str, name: str, point: Point) -> None:
        """Keep what a unit told last before we began, where that is not kept: it was within a minute of what is."""
        last = self.last(label, name)
        if last is None or last.at_ns < point.at_ns:
            self.add(label, name, point)

    def last(self, label: str, name: str) -> Point | None:
        """Return the newest that is kept of a unit and kind."""
        points = self._points.get((label, name))
        return points[-1] if points else None

    def of(self, label: str, name: str) -> list[Point]:
        """Return what is kept of a unit and kind, in order."""
        return list(self._points.get((label, name), ()))

    def readings(self, label: str) -> list[Reading]:
        """Return what a unit's counter of data said, of a month and more, in order."""
        return [_reading(point) for point in self.of(label, DATA)]


def _reading(point: Point) -> Reading:
    sent = point.values["sent_bytes"]
    assert isinstance(sent, int)
    return Reading(at_ns=point.at_ns, sent_bytes=sent, since=str(point.values["since"]))
