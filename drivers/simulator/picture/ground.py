"""The ground: yards, parks, water, pavements, carriageways and what is painted on them, bottom layer first."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from drivers.simulator.picture.light import Colour, scaled
from drivers.simulator.town.streets import AREAS, JUNCTIONS, STREETS, Area, Point, Street

_ASPHALT: Colour = (92, 94, 98)
_PAVING: Colour = (158, 154, 148)
_KERB: Colour = (186, 184, 178)
_SQUARE: Colour = (182, 168, 148)
_GRASS: Colour = (104, 138, 74)
_WATER: Colour = (86, 116, 128)
_PAINT: Colour = (226, 226, 220)
_YELLOW: Colour = (214, 182, 74)
_REACH_M = 440


@dataclass(frozen=True, slots=True)
class Patch:
    """A flat piece of ground. ``detail_m`` is its narrowest side: too small to be seen, it is left out."""

    outline: tuple[Point, ...]
    colour: Colour
    detail_m: float


def _quad(line: Street, from_m: float, to_m: float, left_m: float, right_m: float) -> tuple[Point, ...]:
    """Return the piece of a street between two stations and two distances to the left of its middle."""
    (a, _), (b, _) = line.path.one(from_m, left_m), line.path.one(to_m, left_m)
    (c, _), (d, _) = line.path.one(to_m, right_m), line.path.one(from_m, right_m)
    return a, b, c, d


def _pieces(line: Street, step_m: float) -> Iterator[tuple[float, float]]:
    """Cut a street into pieces that neither bend nor grow long."""
    for start, end in zip(line.path.stations, line.path.stations[1:], strict=False):
        count = max(1, round((end - start) / step_m))
        for index in range(count):
            # The station before a corner has the heading of the piece that ends there.
            yield (
                float(start + (end - start) * index / count),
                float(start + (end - start) * (index + 1) / count) - 1e-6,
            )


def _disc(at: Point, radius: float, sides: int = 12) -> tuple[Point, ...]:
    turns = [2 * math.pi * index / sides for index in range(sides)]
    return tuple((at[0] + radius * math.cos(turn), at[1] + radius * math.sin(turn)) for turn in turns)


def _yards(rng: random.Random) -> Iterator[Patch]:
    for east in range(-_REACH_M, _REACH_M, 40):
        for north in range(-_REACH_M, _REACH_M, 40):
            tone = rng.choice(((128, 132, 112), (120, 130, 100), (136, 134, 122), (118, 132, 92)))
            yield Patch(
                ((east, north), (east + 40.1, north), (east + 40.1, north + 40.1), (east, north + 40.1)),
                scaled(tone, rng.uniform(0.96, 1.04)),
                40.0,
            )


def _shrunk(area: Area, share: float) -> tuple[Point, ...]:
    x = sum(p[0] for p in area.outline) / len(area.outline)
    y = sum(p[1] for p in area.outline) / len(area.outline)
    return tuple((x + (px - x) * share, y + (py - y) * share) for px, py in area.outline)


def _grid(area: Area, across: int, along: int) -> Iterator[tuple[Point, ...]]:
    a, b, c, d = area.outline

    def at(u: float, v: float) -> Point:
        return tuple(  # type: ignore[return-value]
            (a[i] * (1 - u) + b[i] * u) * (1 - v) + (d[i] * (1 - u) + c[i] * u) * v for i in (0, 1)
        )

    for i in range(across):
        for j in range(along):
            u0, u1, v0, v1 = i / across, (i + 1) / across, j / along, (j + 1) / along
            yield at(u0, v0), at(u1, v0), at(u1, v1), at(u0, v1)


def _areas(rng: random.Random) -> Iterator[Patch]:
    for area in AREAS:
        colour = {"square": _SQUARE, "park": _GRASS, "water": _WATER}[area.kind]
        if area.kind == "square":
            yield Patch(area.outline, _KERB, 1.0)
            for index, cell in enumerate(_grid(area, 9, 7)):
                pattern = 1.035 if (index // 7 + index % 7) % 2 else 0.965
                yield Patch(cell, scaled(colour, pattern * rng.uniform(0.985, 1.015)), 5.0)
        elif area.kind == "park":
            yield Patch(area.outline, (150, 148, 140), 1.0)
            yield Patch(_shrunk(area, 0.97), colour, 10.0)
            for index, cell in enumerate(_grid(Area("", "park", _shrunk(area, 0.97)), 10, 1)):
                yield Patch(cell, scaled(colour, 1.04 if index % 2 else 0.97), 3.0)
            a, b, c, d = _shrunk(area, 0.97)
            for one, other in ((a, c), (b, d)):
                dx, dy = other[0] - one[0], other[1] - one[1]
                nx, ny = -dy / math.hypot(dx, dy) * 1.3, dx / math.hypot(dx, dy) * 1.3
                path = ((one[0] + nx, one[1] + ny), (one[0] - nx, one[1] - ny),
                        (other[0] - nx, other[1] - ny), (other[0] + nx, other[1] + ny))  # fmt: skip
                yield Patch(path, (188, 178, 156), 2.0)
        else:
            yield Patch(area.outline, _KERB, 1.0)
            yield Patch(_shrunk(area, 0.975), colour, 10.0)
            for index, cell in enumerate(_grid(Area("", "water", _shrunk(area, 0.975)), 1, 26)):
                yield Patch(cell, scaled(colour, 1.0 + 0.06 * math.sin(index * 2.4)), 2.0)


def _pavements(rng: random.Random) -> Iterator[Patch]:
    """Pavements first, then the kerbs on them."""
    for line in STREETS:
        outer = line.half_m
        for from_m, to_m in _pieces(line, 18.0):
            yield Patch(
                _quad(line, from_m, to_m, outer, -outer), scaled(_PAVING, rng.uniform(0.97, 1.03)), line.pavement_m
            )
        for corner in line.path.points[1:-1]:
            yield Patch(_disc(corner, outer), _PAVING, line.pavement_m)
    for line in STREETS:
        inner = line.carriageway_m / 2
        for from_m, to_m in _pieces(line, 18.0):
            yield Patch(_quad(line, from_m, to_m, inner + 0.18, -inner - 0.18), _KERB, 0.18)
        for corner in line.path.points[1:-1]:
            yield Patch(_disc(corner, inner + 0.18), _KERB, 0.18)


def _carriageways(rng: random.Random) -> Iterator[Patch]:
    for line in STREETS:
        inner = line.carriageway_m / 2
        for from_m, to_m in _pieces(line, 9.0):
            tone = scaled(_ASPHALT, rng.uniform(0.965, 1.03))
            yield Patch(_quad(line, from_m, to_m, inner, -inner), tone, line.carriageway_m)
        for corner in line.path.points[1:-1]:
            yield Patch(_disc(corner, inner), _ASPHALT, line.carriageway_m)
    for junction in JUNCTIONS:
        # Rounded corners: the carriageway opens where streets meet.
        reach = min(junction.first.carriageway_m, junction.second.carriageway_m) / 2 + 2.2
        yield Patch(_disc(junction.at, reach * 1.12, 16), _ASPHALT, reach)


def _repairs(rng: random.Random) -> Iterator[Patch]:
    """Mended asphalt and covers, so that no stretch looks like the next."""
    for line in STREETS:
        for _ in range(int(line.path.length_m / 22)):
            station, lane = rng.uniform(5, line.path.length_m - 8), rng.choice((-1, 1)) * line.carriageway_m / 4
            if rng.random() < 0.55:
                width, length = rng.uniform(0.5, 1.4), rng.uniform(1.5, 5.0)
                yield Patch(
                    _quad(line, station, station + length, lane + width / 2, lane - width / 2),
                    scaled(_ASPHALT, rng.choice((0.86, 0.9, 1.1))), 0.5,
                )  # fmt: skip
            else:
                yield Patch(_disc(line.path.one(station, lane)[0], 0.33, 10), (64, 64, 66), 0.6)


def _free(line: Street) -> list[tuple[float, float]]:
    """Return the stretches of a street between its junctions' crossings."""
    cuts = sorted(
        [(j.first_m, j.second.half_m) for j in JUNCTIONS if j.first is line]
        + [(j.second_m, j.first.half_m) for j in JUNCTIONS if j.second is line]
    )
    stretches, start = [], 0.0
    for station, half in cuts:
        stretches.append((start, station - half - 1.4))
        start = station + half + 1.4
    return [*stretches, (start, line.path.length_m)]


def _markings() -> Iterator[Patch]:
    for line in STREETS:
        inner = line.carriageway_m / 2
        stretches = _free(line)
        for number, (start, end) in enumerate(stretches):
            station = start + 5.0
            while station < end - 5.0:
                yield Patch(_quad(line, station, station + 2.2, 0.06, -0.06), _PAINT, 0.12)
                station += 5.0
            if line.shops:
                yield from _no_waiting(line, start + 2, end - 2)
            if number:  # stop line towards the junction behind this stretch: drivers on the right half going back
                yield Patch(_quad(line, start + 0.9, start + 1.25, -0.1, -inner + 0.1), _PAINT, 0.35)
            if number < len(stretches) - 1:
                yield Patch(_quad(line, end - 1.25, end - 0.9, inner - 0.1, 0.1), _PAINT, 0.35)


def _no_waiting(line: Street, start: float, end: float) -> Iterator[Patch]:
    """Double yellow lines along both kerbs."""
    inner = line.carriageway_m / 2
    for from_m, to_m in _pieces(line, 9.0):
        if from_m > start and to_m < end:
            for place in (inner - 0.25, inner - 0.48, 0.25 - inner, 0.48 - inner):
                yield Patch(_quad(line, from_m, to_m, place + 0.045, place - 0.045), _YELLOW, 0.09)


def _zebras() -> Iterator[Patch]:
    """Stripes where pavements cross a carriageway."""
    for junction in JUNCTIONS:
        for line, station, other in (
            (junction.first, junction.first_m, junction.second),
            (junction.second, junction.second_m, junction.first),
        ):
            for turn in (-1, 1):
                middle = station + turn * (other.carriageway_m / 2 + other.pavement_m / 2)
                stripes = int(line.carriageway_m / 1.1)
                for stripe in range(stripes):
                    left = line.carriageway_m / 2 - 0.25 - stripe * line.carriageway_m / stripes
                    yield Patch(_quad(line, middle - 1.25, middle + 1.25, left, left - 0.55), _PAINT, 0.55)


@lru_cache(maxsize=4)
def ground(seed: int) -> tuple[Patch, ...]:
    """Return all pieces of the town's ground in painting order."""
    rng = random.Random(f"ground {seed}")  # noqa: S311 - a drawing
    return (*_yards(rng), *_areas(rng), *_pavements(rng), *_carriageways(rng), *_repairs(rng), *_markings(), *_zebras())
