"""The white van: it drives its round through the town until it is told to flee.

Where it is follows from the time and from what it was told and when, and from nothing else.
"""

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass

from drivers.simulator.town.streets import JUNCTIONS, Path, Point, street
from drivers.simulator.town.traffic import Actor
from kernel.clock import NS_PER_S, Clock

_ROUND_M_S = 8.0
_FLEE_M_S = 21.0
_PULL_M_S2 = 4.0
_WHITE = (238, 240, 238)


def _corner(first: str, second: str) -> Point:
    for junction in JUNCTIONS:
        if {junction.first.name, junction.second.name} == {first, second}:
            return junction.at
    msg = f"{first} and {second} do not cross."
    raise KeyError(msg)


_ROUND: tuple[Point, ...] = (
    _corner("High Street", "Church Street"),
    _corner("High Street", "Station Road"),
    _corner("High Street", "Park Avenue"),
    _corner("Mill Lane", "Park Avenue"),
    _corner("Mill Lane", "Station Road"),
    _corner("Mill Lane", "Church Street"),
)

ROUTES: dict[str, tuple[Point, ...]] = {
    "north": tuple(p for p in street("Station Road").path.points if p[1] >= 0.0),
    "east": tuple(p for p in street("High Street").path.points if p[0] >= 48.0),
    "south": tuple(reversed([p for p in street("Church Street").path.points if p[1] <= 0.0])),
    "west": tuple(reversed([p for p in street("Mill Lane").path.points if p[0] <= -104.0])),
}
"""Ways out of town by name; each begins at a corner of the van's round."""


def _left_of(points: tuple[Point, ...], offset_m: float, *, closed: bool) -> Path:
    """Return the lane beside a polyline, corners cut by a short chord."""
    ring = (*points, points[0]) if closed else points
    lane: list[Point] = []
    for (x0, y0), (x1, y1) in itertools.pairwise(ring):
        length = math.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        cut = min(6.0, length / 3)
        lane += [(x0 + ux * along - uy * offset_m, y0 + uy * along + ux * offset_m) for along in (cut, length - cut)]
    return Path((*lane, lane[0]) if closed else tuple(lane))


@dataclass(frozen=True, slots=True)
class _Told:
    """One order: from ``wall_ns`` on. ``route`` None is the round, joined at station ``from_m``."""

    wall_ns: int
    route: str | None
    way: Path | None
    from_m: float


class Van:
    """The van of one town."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._round = _left_of(_ROUND, 2.1, closed=True)
        self._orders: list[_Told] = [_Told(-(1 << 62), None, None, 0.0)]

    @property
    def routes(self) -> tuple[str, ...]:
        """Return the names of the ways out of town."""
        return tuple(ROUTES)

    @property
    def fleeing(self) -> str | None:
        """Return the route it flees along, or None while it drives its round."""
        return self._orders[-1].route

    def flee(self, route: str | None = "north") -> None:
        """Flee along a named route from this instant on; None goes back to the round.

        Raises:
            ValueError: there is no such route; the sentence names those there are.
        """
        now_ns = self._clock.wall_ns()
        here = self.where(now_ns)
        if route is None:
            if self.fleeing is not None:
                self._orders.append(_Told(now_ns, None, None, 0.0))
            return
        if route not in ROUTES:
            msg = f"The van knows no route {route!r}. It can flee {', '.join(ROUTES)}."
            raise ValueError(msg)
        corners = self._corners_to(here, ROUTES[route][0])
        points = ((here.x, here.y), *corners, *_left_of(ROUTES[route], 2.1, closed=False).points)
        self._orders.append(_Told(now_ns, route, Path(_apart(points)), 0.0))

    def _corners_to(self, here: Actor, goal: Point) -> list[Point]:
        """Return the round's own corners from where the van is up to the one where the route begins."""
        order = self._orders[-1]
        if order.route is not None:
            return []
        ahead = list(self._round.points[:-1])
        station = self._station(self._clock.wall_ns())
        index = bisect_right(list(self._round.stations), station)
        turned = ahead[index % len(ahead) :] + ahead[: index % len(ahead)]
        nearest = min(range(len(turned)), key=lambda i: math.dist(turned[i], goal))
        return [p for p in turned[: nearest + 1] if math.dist(p, (here.x, here.y)) > 0.5]

    def _station(self, wall_ns: int) -> float:
        return wall_ns * 1e-9 * _ROUND_M_S % self._round.length_m

    def where(self, wall_ns: int) -> Actor:
        """Return the van at a true instant."""
        order = self._orders[max(0, bisect_right([one.wall_ns for one in self._orders], wall_ns) - 1)]
        if order.way is None:
            path, station, speed = self._round, self._station(wall_ns), _ROUND_M_S
        else:
            since = (wall_ns - order.wall_ns) / NS_PER_S
            rising = (_FLEE_M_S - _ROUND_M_S) / _PULL_M_S2
            up = min(since, rising)
            station = _ROUND_M_S * up + _PULL_M_S2 * up * up / 2 + max(0.0, since - rising) * _FLEE_M_S
            path = order.way
            speed = min(_FLEE_M_S, _ROUND_M_S + _PULL_M_S2 * since) if station < path.length_m else 0.0
        (x, y), heading = path.one(station)
        return Actor("van", x, y, heading, _WHITE, 1, speed)


def _apart(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Return the points without such as lie on the one before."""
    kept = [points[0]]
    kept += [now for before, now in itertools.pairwise(points) if math.dist(before, now) > 0.05]
    return tuple(kept)
