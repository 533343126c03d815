"""Who moves: cars, buses and people. Every position is a pure function of the seed and the time.

Vehicles of one lane follow a handful of trajectories that were driven once, through the signals and behind each
other, and repeat every signal cycle: whoever enters at the same second of another cycle meets the same lights. What
it looks like is drawn from the number of its cycle, so the street does not repeat itself.
"""

import math
import random
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from drivers.simulator.town.buildings import CAR_COLOURS
from drivers.simulator.town.streets import AREAS, CYCLE_S, GREEN_S, JUNCTIONS, STREETS, Floats, Street

Colour = tuple[int, int, int]
COATS: tuple[Colour, ...] = (
    (150, 40, 44), (38, 52, 92), (52, 54, 60), (196, 170, 120), (60, 96, 70), (206, 204, 198), (110, 64, 100),
    (212, 140, 40),
)  # fmt: skip
SKINS: tuple[Colour, ...] = ((232, 196, 170), (198, 150, 118), (140, 98, 72), (96, 66, 50))
_STEP_S = 0.25
_ROUNDS = 8
_CRUISE_M_S = 9.5
_PULL_M_S2 = 1.8
_BRAKE_M_S2 = 3.0
_QUEUE_M = {"car": 7.5, "bus": 14.0, "van": 8.5}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that moves, where it is now."""

    kind: str
    """``car``, ``bus``, ``van`` or ``person``."""
    x: float
    y: float
    heading: tuple[float, float]
    colour: Colour
    identity: int
    """The same from moment to moment."""
    speed_m_s: float = 0.0
    braking: bool = False
    stride: float = 0.0
    """A person's phase of walking, in radians."""


@dataclass(frozen=True)
class _Trajectory:
    kind: str
    enters_s: float
    stations: Floats
    """Every ``_STEP_S`` from entering."""


@dataclass(frozen=True)
class _Fleet:
    """All trajectories as one long array of points, and one row per vehicle that may be on the road."""

    kinds: tuple[str, ...]
    points: Floats
    headings: Floats
    first: npt.NDArray[np.intp]
    count: npt.NDArray[np.intp]
    enters_s: Floats
    cycles_ago: npt.NDArray[np.intp]
    way: npt.NDArray[np.intp]
    """Which trajectory the row drives."""


def green(junction_green_s: float, *, first: bool, at_s: float) -> bool:
    """Return whether the signal of a junction's first (or second) street is green."""
    phase = (at_s - junction_green_s - (0.0 if first else CYCLE_S / 2)) % CYCLE_S
    return phase < GREEN_S


def _stops(street: Street, *, forward: bool) -> list[tuple[float, float, bool]]:
    """Return (station in driving direction, the junction's green, first street?) in the order they are met."""
    length = street.path.length_m
    stops = []
    for junction in JUNCTIONS:
        if street in (junction.first, junction.second):
            first = street is junction.first
            station = junction.first_m if first else junction.second_m
            other = junction.second if first else junction.first
            line = (station if forward else length - station) - other.half_m - 4.0
            stops.append((line, junction.green_s, first))
    return sorted(stops)


def _drive(
    kind: str,
    enters_s: float,
    length_m: float,
    stops: list[tuple[float, float, bool]],
    ahead: tuple[_Trajectory, ...],
) -> _Trajectory:
    station, speed, now_s = 0.0, _CRUISE_M_S, enters_s
    stations = [0.0]
    leaders = [(leader, round((enters_s - leader.enters_s) / _STEP_S), _QUEUE_M[leader.kind]) for leader in ahead]
    while station < length_m and len(stations) < 4000:
        room = math.inf
        for line, green_s, first in stops:
            to_go = line - station
            if to_go > -0.5:
                # Who cannot stop any more goes on.
                if not green(green_s, first=first, at_s=now_s) and to_go >= speed**2 / (3 * _BRAKE_M_S2):
                    room = to_go
                break
        for leader, lag, queue_m in leaders:
            step = len(stations) - 1 + lag
            if 0 <= step < len(leader.stations):
                room = min(room, float(leader.stations[step]) - queue_m - station)
        allowed = math.sqrt(max(0.0, 2 * _BRAKE_M_S2 * max(0.0, room - 0.5)))
        speed = max(0.0, min(_CRUISE_M_S, speed + _PULL_M_S2 * _STEP_S, allowed))
        station += speed * _STEP_S
        stations.append(station)
        now_s += _STEP_S
    return _Trajectory(kind, enters_s, np.array(stations))


def _driven(
    plan: list[tuple[str, float]], length_m: float, stops: list[tuple[float, float, bool]]
) -> tuple[_Trajectory, ...]:
    """Drive one lane's vehicles behind each other and behind those of the cycles before, until that is settled."""
    settled: tuple[_Trajectory, ...] = ()
    for _ in range(_ROUNDS):
        before = tuple(
            _Trajectory(one.kind, one.enters_s - ago * CYCLE_S, one.stations) for ago in (3, 2, 1) for one in settled
        )
        driven: tuple[_Trajectory, ...] = ()
        for kind, enters_s in plan:
            driven = (*driven, _drive(kind, enters_s, length_m, stops, before + driven))
        if settled and all(
            np.array_equal(one.stations, two.stations) for one, two in zip(driven, settled, strict=True)
        ):
            break
        settled = driven
    return driven


@cache
def _fleet(seed: int) -> _Fleet:
    ways: list[_Trajectory] = []
    points, headings = [], []
    for number, street in enumerate(STREETS):
        for forward in (True, False):
            rng = random.Random(f"lane {seed} {number} {forward}")  # noqa: S311 - a drawing
            stops = _stops(street, forward=forward)
            start = rng.uniform(0.0, CYCLE_S)
            plan = [
                (
                    "bus" if street.busy >= 3 and index == 1 else rng.choice(("car", "car", "car", "van")),
                    start + index * CYCLE_S / street.busy + rng.uniform(0.0, 2.0),
                )
                for index in range(street.busy)
            ]
            driven = _driven(plan, street.path.length_m, stops)
            for way in driven:
                sign = 1.0 if forward else -1.0
                stations = way.stations if forward else street.path.length_m - way.stations
                at, heading = street.path.turning(stations, sign * street.carriageway_m / 4)
                points.append(at)
                headings.append(heading * sign)
            ways += driven
    counts = np.array([len(way.stations) for way in ways])
    firsts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    rows = [(way, ago) for way in range(len(ways)) for ago in range(int(counts[way] * _STEP_S // CYCLE_S) + 1)]
    way_of = np.array([way for way, _ in rows], dtype=np.intp)
    return _Fleet(
        tuple(way.kind for way in ways),
        np.concatenate(points),
        np.concatenate(headings),
        firsts[way_of],
        counts[way_of],
        np.array([way.enters_s for way in ways])[way_of],
        np.array([ago for _, ago in rows], dtype=np.intp),
        way_of,
    )


def _mixed(*parts: int) -> int:
    """Return a well-stirred 32-bit number of its parts (splitmix)."""
    value = 0
    for part in parts:
        value = (value + part + 0x9E37_79B9_7F4A_7C15) & 0xFFFF_FFFF_FFFF_FFFF
        value = (value ^ value >> 30) * 0xBF58_476D_1CE4_E5B9 & 0xFFFF_FFFF_FFFF_FFFF
        value = (value ^ value >> 27) * 0x94D0_49BB_1331_11EB & 0xFFFF_FFFF_FFFF_FFFF
    return value >> 32


@dataclass(frozen=True, slots=True)
class Near:
    """Whom one asks for: those within ``reach_m`` of a point."""

    x: float = 0.0
    y: float = 0.0
    reach_m: float = math.inf

    def holds(self, points: Floats) -> npt.NDArray[np.bool_]:
        """Return which of (n, 2) points are meant."""
        inside: npt.NDArray[np.bool_] = np.hypot(points[:, 0] - self.x, points[:, 1] - self.y) < self.reach_m
        return inside


EVERYWHERE = Near()


def vehicles(seed: int, time_s: float, near: Near = EVERYWHERE) -> list[Actor]:
    """Return cars, vans and buses on all streets at ``time_s`` (seconds since 1970)."""
    fleet = _fleet(seed)
    cycle = np.floor((time_s - fleet.enters_s) / CYCLE_S).astype(np.int64) - fleet.cycles_ago
    step = (time_s - fleet.enters_s - cycle * CYCLE_S) / _STEP_S
    index = step.astype(np.intp)
    driving = np.flatnonzero(index < fleet.count - 2)
    at = (fleet.first + index)[driving]
    part = (step - index)[driving, None]
    here, there, beyond = fleet.points[at], fleet.points[at + 1], fleet.points[at + 2]
    points = here + (there - here) * part
    headings = fleet.headings[at] * (1 - part) + fleet.headings[at + 1] * part
    headings /= np.hypot(*headings.T)[:, None]
    gone, going = np.hypot(*(there - here).T), np.hypot(*(beyond - there).T)
    found = []
    for row in np.flatnonzero(near.holds(points)):
        way = int(fleet.way[driving[row]])
        identity = _mixed(seed, way, int(cycle[driving[row]]))
        kind = fleet.kinds[way]
        found.append(
            Actor(
                kind,
                float(points[row, 0]),
                float(points[row, 1]),
                (float(headings[row, 0]), float(headings[row, 1])),
                (188, 26, 34) if kind == "bus" else CAR_COLOURS[identity % len(CAR_COLOURS)],
                identity,
                float(gone[row]) / _STEP_S,
                bool(going[row] < gone[row] - 0.02 or gone[row] < 0.05),
            )
        )
    return found


@dataclass(frozen=True)
class _Walkers:
    """People on all pavements as arrays; each walks its street's length, turns, and comes back."""

    street: npt.NDArray[np.intp]
    start_m: Floats
    speed: Floats
    side_m: Floats


@cache
def _walkers(seed: int) -> _Walkers:
    rng = random.Random(f"walkers {seed}")  # noqa: S311 - a drawing
    rows = []
    for number, street in enumerate(STREETS):
        for _ in range(int(street.path.length_m / (11.0 if street.shops else 26.0))):
            reach = street.pavement_m / 2 - 0.5
            side = rng.choice((-1.0, 1.0)) * (
                street.carriageway_m / 2 + street.pavement_m / 2 + rng.uniform(-reach, reach)
            )
            rows.append((number, rng.uniform(0.0, 2 * street.path.length_m), rng.uniform(0.9, 1.7), side))
    columns = list(zip(*rows, strict=True))
    return _Walkers(
        np.array(columns[0], dtype=np.intp), *(np.array(column, dtype=np.float64) for column in columns[1:])
    )


def _look(identity: int) -> Colour:
    return COATS[identity % len(COATS)]


def walkers(seed: int, time_s: float, near: Near = EVERYWHERE) -> list[Actor]:
    """Return the people on the pavements at ``time_s``."""
    crowd = _walkers(seed)
    found = []
    for number, street in enumerate(STREETS):
        who = np.flatnonzero(crowd.street == number)
        length = street.path.length_m
        walked = (crowd.start_m[who] + crowd.speed[who] * time_s) % (2 * length)
        back = walked > length
        points, headings = street.path.turning(np.where(back, 2 * length - walked, walked), crowd.side_m[who])
        headings = np.where(back[:, None], -headings, headings)
        for row in np.flatnonzero(near.holds(points)):
            index = who[row]
            identity = _mixed(seed, 7919, int(index))
            found.append(
                Actor(
                    "person",
                    float(points[row, 0]),
                    float(points[row, 1]),
                    (float(headings[row, 0]), float(headings[row, 1])),
                    _look(identity),
                    identity,
                    float(crowd.speed[index]),
                    stride=float(walked[row]) * 4.2,
                )
            )
    return found


def strollers(seed: int, time_s: float, near: Near = EVERYWHERE) -> list[Actor]:
    """Return the people on squares and in parks, who wander in slow loops and stand for a while."""
    found = []
    for number, area in enumerate(area for area in AREAS if area.kind != "water"):
        xs, ys = [p[0] for p in area.outline], [p[1] for p in area.outline]
        middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
        if math.hypot(middle_x - near.x, middle_y - near.y) > near.reach_m + 60.0:
            continue
        reach_x, reach_y = (max(xs) - min(xs)) / 2 - 6.0, (max(ys) - min(ys)) / 2 - 8.0
        for one in range(18 if area.kind == "square" else 7):
            identity = _mixed(seed, 104_729, number, one)
            phase, period = identity % 628 / 100, 150.0 + identity % 97
            lean = 0.25 + identity // 7 % 60 / 100
            turn = 2 * math.pi * (time_s % (period * 1000)) / period
            angle = phase + turn + 0.9 * math.sin(turn)
            pace = 2 * math.pi / period * (1 + 0.9 * math.cos(turn))
            dx = -reach_x * lean * math.sin(angle) * pace
            dy = reach_y * (1.1 - lean) * math.cos(angle) * pace
            speed = math.hypot(dx, dy)
            found.append(
                Actor(
                    "person",
                    middle_x + reach_x * lean * math.cos(angle),
                    middle_y + reach_y * (1.1 - lean) * math.sin(angle),
                    (dx / speed, dy / speed) if speed > 1e-6 else (1.0, 0.0),
                    _look(identity),
                    identity,
                    speed,
                    stride=angle * (reach_x * lean + reach_y * (1.1 - lean)) * 2.1,
                )
            )
    return found
