"""The streets: where they run, how wide they are, where they cross."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Floats = npt.NDArray[np.float64]
TURN_M = 5.0
"""Whoever moves along a street turns at its corners from so far before to so far behind them."""


@dataclass(frozen=True)
class Path:
    """A polyline with its stations: metres along it from its first point."""

    points: tuple[Point, ...]
    stations: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Measure it."""
        steps = np.hypot(*np.diff(np.array(self.points), axis=0).T)
        object.__setattr__(self, "stations", np.concatenate(([0.0], np.cumsum(steps))))

    @property
    def length_m(self) -> float:
        """Return the station of the last point."""
        return float(self.stations[-1])

    def at(self, station_m: Floats, left_m: Floats | float = 0.0) -> tuple[Floats, Floats]:
        """Return points (n, 2) at stations, ``left_m`` to the left of the path, and unit headings (n, 2) there."""
        corners = np.array(self.points)
        along = np.clip(station_m, 0.0, self.length_m)
        index = np.clip(np.searchsorted(self.stations, along, side="right") - 1, 0, len(corners) - 2)
        chords = np.diff(corners, axis=0)
        headings = (chords / np.hypot(*chords.T)[:, None])[index]
        points = corners[index] + headings * (along - self.stations[index])[:, None]
        left = np.stack((-headings[:, 1], headings[:, 0]), axis=1)
        return points + left * np.asarray(left_m)[..., None], headings

    def turning(self, station_m: Floats, left_m: Floats | float = 0.0) -> tuple[Floats, Floats]:
        """Return what :meth:`at` does for those who move: at a corner they turn over some metres.

        Without it whoever walks the outer pavement of a bend of 8 degrees would be a metre further on from one step to
        the next.
        """
        middle, headings = self.at(station_m)
        if len(self.points) > 2:
            along = np.clip(station_m, 0.0, self.length_m)
            inner = self.stations[1:-1]
            corner = inner[np.abs(along[:, None] - inner).argmin(axis=1)]
            before, after = self.at(corner - TURN_M)[1], self.at(corner + TURN_M)[1]
            share = np.clip((along - corner) / (2 * TURN_M) + 0.5, 0.0, 1.0)[:, None]
            near = (np.abs(along - corner) < TURN_M)[:, None]
            mixed = before * (1 - share) + after * share
            headings = np.where(near, mixed / np.hypot(*mixed.T)[:, None], headings)
        left = np.stack((-headings[:, 1], headings[:, 0]), axis=1)
        return middle + left * np.asarray(left_m)[..., None], headings

    def one(self, station_m: float, left_m: float = 0.0) -> tuple[Point, Point]:
        """Return the point and the heading at one station."""
        points, headings = self.at(np.array([station_m]), left_m)
        return (float(points[0, 0]), float(points[0, 1])), (float(headings[0, 0]), float(headings[0, 1]))


@dataclass(frozen=True)
class Street:
    """One street. ``shops`` line it; ``busy`` is vehicles per signal cycle and lane."""

    name: str
    path: Path
    carriageway_m: float
    pavement_m: float
    shops: bool = False
    busy: int = 2
    east_west: bool = True

    @property
    def half_m(self) -> float:
        """Return the distance from the middle to the building line."""
        return self.carriageway_m / 2 + self.pavement_m


@dataclass(frozen=True, slots=True)
class Junction:
    """Where two streets cross; ``first`` runs east and west. ``green_s`` is when its green begins in the cycle."""

    first: Street
    second: Street
    first_m: float
    second_m: float
    at: Point
    green_s: float


CYCLE_S = 40.0
"""One round of every traffic signal."""
GREEN_S = 17.0
"""Green of each street at a junction; the other has it half a cycle later."""


def _street(  # noqa: PLR0913 - one row of the table below
    name: str, points: tuple[Point, ...], width: float, pavement: float, *, shops: bool, busy: int, ew: bool
) -> Street:
    return Street(name, Path(points), width, pavement, shops=shops, busy=busy, east_west=ew)


STREETS: tuple[Street, ...] = (
    _street(
        "High Street",
        ((-420.0, -42.0), (-274.0, -24.0), (-112.0, -6.0), (48.0, 0.0), (212.0, 8.0), (420.0, 46.0)),
        9.0, 4.0, shops=True, busy=4, ew=True,
    ),
    _street(
        "Mill Lane",
        ((-420.0, 138.0), (-284.0, 126.0), (-104.0, 112.0), (52.0, 110.0), (226.0, 130.0), (420.0, 166.0)),
        7.0, 2.6, shops=False, busy=2, ew=True,
    ),
    _street(
        "Canal Street",
        ((-420.0, -158.0), (-281.0, -146.0), (-123.0, -134.0), (53.0, -130.0), (215.0, -112.0), (420.0, -96.0)),
        7.5, 2.8, shops=False, busy=3, ew=True,
    ),
    _street(
        "North Parade",
        ((-420.0, 262.0), (-312.0, 252.0), (-120.0, 240.0), (66.0, 244.0), (244.0, 258.0), (420.0, 290.0)),
        7.5, 3.0, shops=True, busy=2, ew=True,
    ),
    _street(
        "Wharf Road",
        ((-420.0, -268.0), (-296.0, -262.0), (-148.0, -256.0), (58.0, -258.0), (206.0, -250.0), (420.0, -236.0)),
        7.0, 2.5, shops=False, busy=2, ew=True,
    ),
    _street(
        "Bridge Street",
        ((-300.0, -420.0), (-296.0, -262.0), (-281.0, -146.0), (-274.0, -24.0), (-284.0, 126.0), (-312.0, 252.0),
         (-346.0, 420.0)),
        7.5, 2.8, shops=False, busy=2, ew=False,
    ),
    _street(
        "Church Street",
        ((-172.0, -420.0), (-148.0, -256.0), (-123.0, -134.0), (-112.0, -6.0), (-104.0, 112.0), (-120.0, 240.0),
         (-140.0, 420.0)),
        7.0, 3.0, shops=True, busy=2, ew=False,
    ),
    _street(
        "Station Road",
        ((66.0, -420.0), (58.0, -258.0), (53.0, -130.0), (48.0, 0.0), (52.0, 110.0), (66.0, 244.0), (92.0, 420.0)),
        9.0, 3.6, shops=True, busy=3, ew=False,
    ),
    _street(
        "Park Avenue",
        ((196.0, -420.0), (206.0, -250.0), (215.0, -112.0), (212.0, 8.0), (226.0, 130.0), (244.0, 258.0),
         (276.0, 420.0)),
        8.0, 3.0, shops=False, busy=2, ew=False,
    ),
)  # fmt: skip


def street(name: str) -> Street:
    """Return the street of that name.

    Raises:
        KeyError: there is none.
    """
    for candidate in STREETS:
        if candidate.name == name:
            return candidate
    raise KeyError(name)


def _crossings() -> tuple[Junction, ...]:
    found = []
    for first in (s for s in STREETS if s.east_west):
        for second in (s for s in STREETS if not s.east_west):
            # The table gives both streets the crossing as a corner.
            common = set(first.path.points) & set(second.path.points)
            found += [
                Junction(
                    first,
                    second,
                    float(first.path.stations[first.path.points.index(at)]),
                    float(second.path.stations[second.path.points.index(at)]),
                    at,
                    (at[0] * 0.37 + at[1] * 0.29) % CYCLE_S,
                )
                for at in common
            ]
    return tuple(found)


JUNCTIONS: tuple[Junction, ...] = _crossings()


@dataclass(frozen=True, slots=True)
class Area:
    """A piece of ground that is not a street."""

    name: str
    kind: str
    """``square``, ``park`` or ``water``."""
    outline: tuple[Point, ...]


AREAS: tuple[Area, ...] = (
    Area("Market Square", "square", ((-46.0, 10.5), (34.0, 12.5), (35.0, 74.0), (-46.0, 72.0))),
    Area("Jubilee Park", "park", ((228.0, 24.0), (340.0, 44.0), (346.0, 134.0), (242.0, 116.0))),
    Area("St Anne's Churchyard", "park", ((-196.0, 16.0), (-130.0, 14.0), (-124.0, 94.0), (-196.0, 96.0))),
    Area("Station Forecourt", "square", ((76.0, -242.0), (150.0, -240.0), (150.0, -196.0), (74.0, -198.0))),
    Area("Wharf Basin", "water", ((-262.0, -238.0), (-170.0, -232.0), (-160.0, -176.0), (-254.0, -184.0))),
    Area("Weavers Green", "park", ((-256.0, 150.0), (-150.0, 142.0), (-146.0, 214.0), (-262.0, 224.0))),
)


def along(line: Street, station_m: float, left_m: float) -> tuple[Point, float]:
    """Return a point beside the street and the street's bearing there in degrees."""
    point, heading = line.path.one(station_m, left_m)
    return point, math.degrees(math.atan2(heading[0], heading[1])) % 360.0
