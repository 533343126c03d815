"""Where a unit is and how it gets elsewhere: in a van along the streets, then up a post; or off with a thief.

A move is a function of time from the moment it begins, so nobody is ever in two places, and nobody jumps.
"""

import heapq
import itertools
import math
from dataclasses import dataclass, field
from functools import lru_cache

from drivers.simulator.town.streets import JUNCTIONS, STREETS, Path, Point, Street, along

DRIVING_M_S = 8.0
CARRYING_M_S = 1.4
LIFTING_M_S = 0.12
"""By a man on a ladder, with a rope."""
_BOOT_M = 0.8
"""Height of a van's floor, and of what a man carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a unit can stand: metres from Market Square, and how it is set there."""

    at: Point
    height_m: float
    bearing_deg: float
    tilt_deg: float = -9.0
    zoom: float = 0.0
    wide_deg: float = 62.0
    street: str = ""
    mains: bool = True
    """There is current in the post; a unit elsewhere lives on its battery and the sun."""


@dataclass(frozen=True, slots=True)
class Where:
    """A true place at one instant."""

    at: Point
    height_m: float
    course_deg: float | None
    """Bearing of its movement, or None where it stands."""
    speed_m_s: float


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of a move: along ``path``, or on the spot from one height to another."""

    path: Path | None
    from_m: float
    to_m: float
    """Stations along the path, or heights above the ground."""
    at: Point
    height_m: float
    speed_m_s: float

    @property
    def lasts_s(self) -> float:
        """Return how long it takes."""
        return abs(self.to_m - self.from_m) / self.speed_m_s

    def where(self, since_s: float) -> Where:
        """Return the place so long after the leg began."""
        gone = min(since_s * self.speed_m_s, abs(self.to_m - self.from_m))
        reached = self.from_m + math.copysign(gone, self.to_m - self.from_m)
        if self.path is None:
            return Where(self.at, reached, None, 0.0)
        at, heading = self.path.one(reached)
        return Where(at, self.height_m, math.degrees(math.atan2(heading[0], heading[1])) % 360.0, self.speed_m_s)


@dataclass(frozen=True, slots=True)
class Move:
    """Legs one after the other from ``began_s`` on (monotonic seconds)."""

    began_s: float
    legs: tuple[Leg, ...]
    ends_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Add it up."""
        object.__setattr__(self, "ends_s", self.began_s + sum(leg.lasts_s for leg in self.legs))

    def where(self, now_s: float) -> Where:
        """Return the place at an instant; after the end it stands there."""
        since_s = max(0.0, now_s - self.began_s)
        for leg in self.legs:
            if since_s < leg.lasts_s:
                return leg.where(since_s)
            since_s -= leg.lasts_s
        last = self.legs[-1].where(math.inf if self.legs[-1].lasts_s else 0.0)
        return Where(last.at, last.height_m, None, 0.0)


def _ride(points: list[Point], speed_m_s: float) -> list[Leg]:
    kept = points[:1] + [now for before, now in itertools.pairwise(points) if math.dist(before, now) > 0.05]
    if len(kept) < 2:
        return []
    path = Path(tuple(kept))
    return [Leg(path, 0.0, path.length_m, kept[0], _BOOT_M, speed_m_s)]


def _lift(at: Point, from_m: float, to_m: float) -> list[Leg]:
    return [Leg(None, from_m, to_m, at, to_m, LIFTING_M_S)] if abs(from_m - to_m) > 0.01 else []


def journey(now_s: float, here: Where, post: Post) -> Move:
    """Return how a field team takes a unit from where it is to a post: down, to the van, along the streets, up."""
    start, goal = _kerb(here.at), _kerb(post.at)
    legs = [
        *_lift(here.at, here.height_m, _BOOT_M),
        *_ride([here.at, start.at], CARRYING_M_S),
        *_ride(_way(start, goal), DRIVING_M_S),
        *_ride([goal.at, post.at], CARRYING_M_S),
        *_lift(post.at, _BOOT_M, post.height_m),
    ]
    return Move(now_s, tuple(legs) or (Leg(None, post.height_m, post.height_m, post.at, post.height_m, LIFTING_M_S),))


def flight(now_s: float, here: Where) -> Move:
    """Return how a thief takes it away: it falls, and leaves town by the nearest end of a street."""
    start = _kerb(here.at)
    ends = [Station(line, station_m) for line in STREETS for station_m in (0.0, line.path.length_m)]
    ways = [_way(start, end) for end in ends]
    shortest = min(ways, key=lambda way: sum(math.dist(a, b) for a, b in itertools.pairwise(way)))
    legs = [
        *([Leg(None, here.height_m, _BOOT_M, here.at, _BOOT_M, 2.0)] if here.height_m > _BOOT_M else []),
        *_ride([here.at, start.at], 3.0),
        *_ride(shortest, DRIVING_M_S),
    ]
    return Move(now_s, tuple(legs) or (Leg(None, here.height_m, here.height_m, here.at, here.height_m, LIFTING_M_S),))


def kerbside(at: Point, bearing_deg: float, *, height_m: float = 6.0, mains: bool = True) -> Post:
    """Return a post at the kerb of the street nearest to a point, looking that way."""
    near = _kerb(at)
    line, station_m = near.street, near.station_m
    posts = [along(line, station_m, side * (line.carriageway_m / 2 + 0.7))[0] for side in (1, -1)]
    chosen = min(posts, key=lambda place: math.dist(place, at))
    return Post(at=chosen, height_m=height_m, bearing_deg=bearing_deg, street=line.name, mains=mains)


def post_at(at: Point, bearing_deg: float, *, height_m: float = 6.0, mains: bool = True) -> Post:
    """Return a post at exactly a point, for who says where it is; its street is the nearest."""
    return Post(at=at, height_m=height_m, bearing_deg=bearing_deg, street=_kerb(at).street.name, mains=mains)


@dataclass(frozen=True, slots=True)
class Station:
    """A point in the middle of a street."""

    street: Street
    station_m: float

    @property
    def at(self) -> Point:
        """Return it in metres from Market Square."""
        return self.street.path.one(self.station_m)[0]


def _kerb(at: Point) -> Station:
    """Return the point of any street that is nearest."""
    best = (math.inf, STREETS[0], 0.0)
    for line in STREETS:
        for index, ((x0, y0), (x1, y1)) in enumerate(itertools.pairwise(line.path.points)):
            length = math.hypot(x1 - x0, y1 - y0)
            on = ((at[0] - x0) * (x1 - x0) + (at[1] - y0) * (y1 - y0)) / length
            on = min(max(on, 0.0), length)
            foot = (x0 + (x1 - x0) * on / length, y0 + (y1 - y0) * on / length)
            best = min(best, (math.dist(foot, at), line, float(line.path.stations[index]) + on), key=lambda one: one[0])
    return Station(best[1], best[2])


@lru_cache(maxsize=1)
def _neighbours() -> dict[Point, list[tuple[Point, float]]]:
    """Return each junction's next ones with the way to them; the streets run straight between junctions."""
    found: dict[Point, list[tuple[Point, float]]] = {junction.at: [] for junction in JUNCTIONS}
    for line in STREETS:
        for one, other in itertools.pairwise([point for point in line.path.points if point in found]):
            found[one].append((other, math.dist(one, other)))
            found[other].append((one, math.dist(one, other)))
    return found


def _exits(station: Station) -> list[tuple[Point, float]]:
    """Return the junctions on either side of a point of a street, and how far they are."""
    path = station.street.path
    crossings = [
        (float(m), point) for m, point in zip(path.stations, path.points, strict=True) if point in _neighbours()
    ]
    before = [one for one in crossings if one[0] <= station.station_m][-1:]
    after = [one for one in crossings if one[0] >= station.station_m][:1]
    return [(point, abs(station_m - station.station_m)) for station_m, point in (*before, *after)]


def _way(start: Station, goal: Station) -> list[Point]:
    """Return the shortest way along the streets (Dijkstra over the junctions)."""
    direct = [start.at, goal.at]
    best_m = math.inf
    if start.street is goal.street and _clear(start, goal):
        return direct
    ends = dict(_exits(goal))
    heap = [(far, [point]) for point, far in _exits(start)]
    heapq.heapify(heap)
    done: set[Point] = set()
    best = direct
    while heap:
        far, way = heapq.heappop(heap)
        if way[-1] in done or far >= best_m:
            continue
        done.add(way[-1])
        if way[-1] in ends and far + ends[way[-1]] < best_m:
            best_m, best = far + ends[way[-1]], [start.at, *way, goal.at]
        for point, step_m in _neighbours()[way[-1]]:
            heapq.heappush(heap, (far + step_m, [*way, point]))
    return best


def _clear(start: Station, goal: Station) -> bool:
    """Return whether no corner of their common street lies between them."""
    low, high = sorted((start.station_m, goal.station_m))
    return not any(low < float(corner) < high for corner in start.street.path.stations)
