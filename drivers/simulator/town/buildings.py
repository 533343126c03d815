"""What stands in the town: buildings along every street, trees, lamps, crossings' beacons, benches, parked cars."""

import math
import random
from dataclasses import dataclass

from drivers.simulator.town.streets import AREAS, JUNCTIONS, STREETS, Area, Point, Street

BRICKS = ((158, 92, 70), (172, 108, 80), (146, 84, 66), (188, 150, 104), (200, 176, 134), (164, 118, 92))
RENDERS = ((222, 214, 196), (208, 202, 190), (226, 206, 176), (196, 206, 208), (218, 190, 176))
SLATES = ((84, 88, 98), (96, 92, 94), (124, 80, 64), (140, 88, 66))
FASCIAS = ((32, 74, 60), (128, 34, 40), (36, 56, 104), (214, 160, 42), (60, 52, 62), (198, 84, 40), (24, 110, 118))


@dataclass(frozen=True, slots=True)
class Building:
    """A box with a roof. ``front`` is the unit vector from its middle to its street."""

    centre: Point
    front: Point
    width_m: float
    depth_m: float
    storeys: int
    storey_m: float
    roof: str
    """``gable``, ``flat`` or ``spire``."""
    roof_m: float
    wall: tuple[int, int, int]
    tiles: tuple[int, int, int]
    shop: tuple[int, int, int] | None
    """Colour of the fascia, where the ground floor is a shop."""
    seed: int
    name: str = ""

    @property
    def eaves_m(self) -> float:
        """Return the height of the walls."""
        return self.storeys * self.storey_m

    def outline(self) -> tuple[Point, Point, Point, Point]:
        """Return its corners anticlockwise, the street's side first."""
        (cx, cy), (fx, fy) = self.centre, self.front
        rx, ry = -fy, fx  # along the front
        w, d = self.width_m / 2, self.depth_m / 2
        return (
            (cx + fx * d - rx * w, cy + fy * d - ry * w),
            (cx + fx * d + rx * w, cy + fy * d + ry * w),
            (cx - fx * d + rx * w, cy - fy * d + ry * w),
            (cx - fx * d - rx * w, cy - fy * d - ry * w),
        )


@dataclass(frozen=True, slots=True)
class Prop:
    """A small thing that stands: ``kind`` is tree, lamp, signal, bench, car, stall or boat."""

    kind: str
    at: Point
    heading: Point
    size_m: float
    colour: tuple[int, int, int]
    seed: int


def separate(a: tuple[Point, ...], b: tuple[Point, ...]) -> bool:
    """Return whether two convex outlines (anticlockwise) have a line between them."""
    for one, other in ((a, b), (b, a)):
        for (x0, y0), (x1, y1) in zip(one, one[1:] + one[:1], strict=True):
            if all((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) <= 0.0 for x, y in other):
                return True
    return False


def _corridors() -> list[tuple[Point, ...]]:
    """Return convex pieces of all ground that must stay free."""
    free: list[tuple[Point, ...]] = [area.outline for area in AREAS]
    for line in STREETS:
        wide = line.half_m - 0.05
        for (x0, y0), (x1, y1) in zip(line.path.points, line.path.points[1:], strict=False):
            length = math.hypot(x1 - x0, y1 - y0)
            ux, uy = (x1 - x0) / length, (y1 - y0) / length
            free.append(
                (
                    (x0 + uy * wide, y0 - ux * wide),
                    (x1 + uy * wide, y1 - ux * wide),
                    (x1 - uy * wide, y1 + ux * wide),
                    (x0 - uy * wide, y0 + ux * wide),
                )
            )
    return free


def _landmarks() -> list[Building]:
    stone, lead = (206, 196, 172), (96, 112, 110)
    return [
        Building((-8.0, 84.0), (0.0, -1.0), 46.0, 18.0, 3, 4.6, "flat", 1.2, stone, lead, None, 1, "Town Hall"),
        Building((-8.0, 99.0), (0.0, -1.0), 9.0, 9.0, 6, 4.6, "spire", 12.0, stone, lead, None, 2, "Town Hall tower"),
        Building(
            (-160.0, 60.0), (1.0, 0.0), 15.0, 40.0, 2, 5.0, "gable", 7.0, (150, 142, 124), (92, 88, 86), None, 3,
            "St Anne's",
        ),
        Building(
            (-137.0, 60.0), (1.0, 0.0), 8.0, 6.0, 4, 5.0, "spire", 18.0, (150, 142, 124), (88, 96, 92), None, 4,
            "St Anne's tower",
        ),
        Building(
            (112.0, -186.0), (0.0, -1.0), 64.0, 14.0, 2, 4.4, "gable", 4.5, (170, 104, 78), (82, 86, 96), None, 5,
            "Station",
        ),
    ]  # fmt: skip


def _house(rng: random.Random, line: Street, width: float) -> tuple[int, float, str, float]:
    if line.shops:
        return rng.choice((2, 3, 3, 3, 4)), rng.uniform(3.1, 3.6), rng.choice(("gable", "gable", "flat")), 3.2
    return rng.choice((2, 2, 2, 3)), rng.uniform(2.8, 3.1), "gable" if width < 16 else "flat", rng.uniform(2.6, 3.6)


def _row(rng: random.Random, line: Street, side: int, taken: list[tuple[Point, ...]]) -> list[Building]:
    row: list[Building] = []
    station = 4.0
    setback = 0.0 if line.shops else rng.choice((1.5, 3.0))
    row_wall = rng.choice(BRICKS)
    while station < line.path.length_m - 20.0:
        width = rng.uniform(8.0, 15.0) if line.shops else rng.uniform(6.5, 11.0)
        if rng.random() < 0.06:
            width = rng.uniform(20.0, 26.0)
        depth = rng.uniform(10.0, 14.0)
        (x, y), (hx, hy) = line.path.one(station + width / 2, side * (line.half_m + setback + depth / 2))
        storeys, storey, roof, roof_m = _house(rng, line, width)
        if rng.random() < 0.3:
            row_wall = rng.choice(BRICKS + RENDERS)
        building = Building(
            (x, y), (hy * side, -hx * side), width - 0.02, depth, storeys, storey, roof,
            0.7 if roof == "flat" else roof_m, row_wall, rng.choice(SLATES),
            rng.choice(FASCIAS) if line.shops else None, rng.randrange(1 << 30),
        )  # fmt: skip
        outline = building.outline()
        if all(
            separate(outline, other)
            for other in taken
            if abs(other[0][0] - x) < 90.0 or abs(other[2][0] - x) < 90.0 or len(other) != 4
        ):
            row.append(building)
            taken.append(outline)
            station += width + (rng.uniform(2.0, 5.0) if rng.random() < 0.12 else 0.0)
        else:
            station += 3.0
    return row


def raise_buildings(seed: int) -> list[Building]:
    """Return the town's buildings; none stands on a street, a square, a park or another."""
    rng = random.Random(f"buildings {seed}")  # noqa: S311 - a drawing
    built = _landmarks()
    taken = _corridors() + [building.outline() for building in built]
    for line in sorted(STREETS, key=lambda one: not one.shops):
        for side in (1, -1):
            built += _row(rng, line, side, taken)
    return built


def _near_junction(line: Street, station: float, within_m: float) -> bool:
    return any(
        abs(station - (j.first_m if j.first is line else j.second_m)) < within_m
        for j in JUNCTIONS
        if line is j.first or line is j.second
    )


CAR_COLOURS = (
    (190, 194, 198),
    (34, 38, 44),
    (150, 30, 34),
    (40, 66, 118),
    (226, 226, 222),
    (96, 102, 106),
    (70, 84, 66),
)


def _along_street(rng: random.Random, line: Street) -> list[Prop]:
    props = []
    for step in range(int(line.path.length_m // 13)):
        station = step * 13.0 + 6.0
        side = 1 if step % 2 else -1
        if _near_junction(line, station, 15.0):
            continue
        kerb = line.carriageway_m / 2
        point, heading = line.path.one(station, side * (kerb + 0.6))
        if step % 5 in {0, 1}:
            props.append(Prop("lamp", point, (-heading[1] * -side, heading[0] * -side), 7.5, (86, 92, 94), step))
        elif step % 5 == 3 and line.pavement_m >= 2.8:
            where, _ = line.path.one(station, side * (kerb + 1.0))
            props.append(Prop("tree", where, heading, rng.uniform(5.0, 7.5), (70, 108, 52), rng.randrange(1 << 30)))
        elif not line.shops and rng.random() < 0.55:
            parked, _ = line.path.one(station, side * (kerb - 1.0))
            drive = heading if side > 0 else (-heading[0], -heading[1])
            props.append(Prop("car", parked, drive, 1.0, rng.choice(CAR_COLOURS), rng.randrange(1 << 30)))
    return props


def _inside(area: Area, x: float, y: float, margin: float) -> bool:
    """Return whether a point is inside an anticlockwise outline by ``margin`` metres."""
    corners = area.outline
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / math.hypot(x1 - x0, y1 - y0) < margin:
            return False
    return True


def _furnish(rng: random.Random, area: Area, standing: list[Prop]) -> None:
    """Trees in parks; stalls, benches and trees on squares; never two on one spot."""
    xs, ys = [p[0] for p in area.outline], [p[1] for p in area.outline]
    kinds = ("tree",) if area.kind == "park" else ("stall", "stall", "bench", "tree")
    wanted = int((max(xs) - min(xs)) * (max(ys) - min(ys)) / (220 if area.kind == "park" else 300))
    church = _landmarks()
    for _ in range(wanted):
        x, y = rng.uniform(min(xs), max(xs)), rng.uniform(min(ys), max(ys))
        kind = rng.choice(kinds)
        around = ((x - 4, y - 4), (x + 4, y - 4), (x + 4, y + 4), (x - 4, y + 4))
        if not _inside(area, x, y, 3.5) or not all(separate(around, b.outline()) for b in church):
            continue
        if any(math.hypot(x - p.at[0], y - p.at[1]) < 6.0 for p in standing):
            continue
        size = rng.uniform(6.0, 10.0) if kind == "tree" else 1.0
        colour = (70, 108, 52) if kind == "tree" else rng.choice(FASCIAS)
        standing.append(Prop(kind, (x, y), (1.0, 0.0), size, colour, rng.randrange(1 << 30)))


def _moored(rng: random.Random, area: Area) -> list[Prop]:
    """Narrowboats along two quays."""
    boats = []
    corners = area.outline
    for (x0, y0), (x1, y1) in ((corners[0], corners[1]), (corners[2], corners[3])):
        length = math.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        for berth in range(int(length / 17.0)):
            if rng.random() < 0.8:
                along = 10.0 + berth * 17.0
                at = (x0 + ux * along - uy * 3.4, y0 + uy * along + ux * 3.4)
                boats.append(Prop("boat", at, (ux, uy), 14.0, rng.choice(FASCIAS), rng.randrange(1 << 30)))
    return boats


def furnish(seed: int) -> list[Prop]:
    """Return everything small that stands in the town."""
    rng = random.Random(f"props {seed}")  # noqa: S311 - a drawing
    props: list[Prop] = []
    for line in STREETS:
        props += _along_street(rng, line)
    for junction in JUNCTIONS:
        for turn in (1, -1):
            point, heading = junction.first.path.one(
                junction.first_m + turn * (junction.second.half_m - 0.5),
                turn * (junction.first.carriageway_m / 2 + 0.5),
            )
            props.append(Prop("signal", point, heading, 3.4, (40, 42, 44), round(junction.green_s * 1000)))
    for area in AREAS:
        if area.kind == "water":
            props += _moored(rng, area)
        else:
            _furnish(rng, area, props)
    return props
