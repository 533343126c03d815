"""All that stands still, compiled for one pole: faces in painting order as flat arrays, ready to be projected."""

import math
import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.simulator.picture.facades import enclosing, raise_building
from drivers.simulator.picture.furniture import stand
from drivers.simulator.picture.ground import ground
from drivers.simulator.picture.light import HAZE, hazed_all, mixed, shadow_shift
from drivers.simulator.picture.order import Depths, in_order
from drivers.simulator.picture.projection import Floats, Vertex
from drivers.simulator.picture.solids import Face
from drivers.simulator.town.streets import Point
from drivers.simulator.town.town import Town

_SIGHT_M = 380.0
_SMALL_SIGHT_M = 260.0
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """Polygons in painting order: all corners in one array, and where each polygon's begin."""

    corners: Floats
    first: Ints
    count: Ints
    colours: Ints
    """(n, 3) RGB, light and haze included."""
    detail_m: Floats
    centres: Floats
    radii: Floats
    owner: Ints
    """Index of the solid that a solid face belongs to; -1 for what hides nothing."""

    def __len__(self) -> int:
        return len(self.first)


def layer(faces: list[Face], eye: Vertex, owners: list[int] | None = None) -> Layer:
    """Compile faces."""
    count = np.array([len(face.corners) for face in faces], dtype=np.int64)
    corners = np.array([corner for face in faces for corner in face.corners], dtype=np.float64).reshape(-1, 3)
    first = np.concatenate(([0], np.cumsum(count)[:-1])).astype(np.int64)
    low, high = np.minimum.reduceat(corners, first), np.maximum.reduceat(corners, first)
    centres = (low + high) / 2
    colours = np.array([face.colour for face in faces], dtype=np.float64)
    distances = np.linalg.norm(centres - np.array(eye), axis=1)
    return Layer(
        corners,
        first,
        count,
        hazed_all(colours, distances),
        np.array([face.detail_m for face in faces]),
        centres,
        np.linalg.norm(high - low, axis=1) / 2,
        np.array(owners if owners is not None else [-1] * len(faces), dtype=np.int64),
    )


def _hull(points: list[Point]) -> list[Point]:
    """Return the convex hull, anticlockwise (Andrew's monotone chain)."""
    ordered = sorted(set(points))

    def half(sequence: list[Point]) -> list[Point]:
        chain: list[Point] = []
        for x, y in sequence:
            while len(chain) > 1 and (chain[-1][0] - chain[-2][0]) * (y - chain[-2][1]) <= (
                chain[-1][1] - chain[-2][1]
            ) * (x - chain[-2][0]):
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    return half(ordered) + half(ordered[::-1])


def _shadows(town: Town, eye: Vertex) -> list[Face]:
    faces = []
    for building in town.buildings:
        if math.dist(building.centre, eye[:2]) > _SIGHT_M:
            continue
        outline = building.outline()
        dx, dy = shadow_shift(building.eaves_m)
        points = [*outline, *((x + dx, y + dy) for x, y in outline)]
        if building.roof != "flat":
            rx, ry = shadow_shift(building.eaves_m + building.roof_m)
            points.append((building.centre[0] + rx, building.centre[1] + ry))
        faces.append(Face(tuple((x, y, 0.0) for x, y in _hull(points)), (255, 255, 255), 4.0))
    for prop in town.props:
        if math.dist(prop.at, eye[:2]) > _SMALL_SIGHT_M:
            continue
        x, y = prop.at
        if prop.kind == "tree":
            dx, dy = shadow_shift(prop.size_m * 0.62)
            rng = random.Random(prop.seed)  # noqa: S311 - a drawing
            radius = prop.size_m * 0.36
            turns = [index * math.pi / 8 for index in range(16)]
            reach = [radius * rng.uniform(0.85, 1.1) for _ in turns]
            ring = [
                (x + dx + r * math.cos(t) * 1.1, y + dy + r * math.sin(t) * 1.1)
                for r, t in zip(reach, turns, strict=True)
            ]
        elif prop.kind == "boat":
            continue
        elif prop.kind in {"lamp", "signal"}:
            dx, dy = shadow_shift(prop.size_m)
            ring = [
                (x - 0.06, y + 0.06),
                (x + 0.06, y - 0.06),
                (x + dx + 0.05, y + dy - 0.05),
                (x + dx - 0.05, y + dy + 0.05),
            ]
        else:
            (hx, hy), (dx, dy) = prop.heading, shadow_shift(1.2 if prop.kind == "car" else 2.0)
            a, b = (2.1, 0.9) if prop.kind == "car" else (1.5, 1.1)
            foot = [(x + hx * a * i - hy * b * j, y + hy * a * i + hx * b * j) for i in (-1, 1) for j in (-1, 1)]
            ring = _hull(foot + [(px + dx, py + dy) for px, py in foot])
        faces.append(
            Face(tuple((px, py, 0.0) for px, py in ring), (255, 255, 255), 0.1 if prop.kind == "lamp" else 1.0)
        )
    return faces


def _clouds(seed: int) -> list[Face]:
    """Return fair-weather clouds, drawn so far away that no pole sees them from another side."""
    rng = random.Random(f"clouds {seed}")  # noqa: S311 - a drawing
    faces = []
    for _ in range(34):
        turn, rise = rng.uniform(0.0, 2 * math.pi), math.radians(rng.uniform(3.0, 30.0))
        size = rng.uniform(0.05, 0.14) * (0.5 + rise)
        for shade in (0.55, 0.8):
            for puff in range(5):
                left = (puff - 2) * size * 0.62 + rng.uniform(-0.2, 0.2) * size
                radius = size * rng.uniform(0.34, 0.6) * (1.0 - 0.14 * abs(puff - 2))
                lift = radius * (0.35 if shade > 0.6 else 0.0)
                ring = []
                for corner in range(14):
                    angle = 2 * math.pi * corner / 14
                    azimuth = turn + left + radius * math.cos(angle)
                    up = rise + lift + radius * 0.42 * max(-0.45, math.sin(angle))
                    ring.append((9000.0 * math.sin(azimuth), 9000.0 * math.cos(azimuth), 9000.0 * math.tan(up)))
                colour = mixed((164, 192, 222), (250, 250, 250), shade)
                faces.append(Face(tuple(ring), mixed(colour, HAZE, 0.25), 400.0))
    return faces


class Scene:
    """What stands around one pole."""

    def __init__(self, town: Town, eye: Vertex) -> None:
        self.eye = eye
        around = [b for b in town.buildings if math.dist(b.centre, eye[:2]) < _SIGHT_M]
        small = [p for p in town.props if math.dist(p.at, eye[:2]) < _SMALL_SIGHT_M and math.dist(p.at, eye[:2]) > 1.2]
        # Most buildings stand behind others: windows are made only for those that are seen.
        boxes = {id(box): (box, building) for building in around for box in (enclosing(building),)}
        solids = [box for box, _ in boxes.values()] + [stand(prop, eye) for prop in small]
        self.solids = in_order(solids, eye)
        for solid in self.solids:
            if id(solid) in boxes:
                solid.faces = raise_building(boxes[id(solid)][1], eye).faces
        self.depths = Depths(self.solids, eye)
        faces = [face for solid in self.solids for face in solid.faces]
        owners = [index if face.solid else -1 for index, solid in enumerate(self.solids) for face in solid.faces]
        self.standing = layer(faces, eye, owners)
        flat = [
            Face(tuple((x, y, 0.0) for x, y in patch.outline), patch.colour, patch.detail_m)
            for patch in ground(town.seed)
            if math.dist(patch.outline[0], eye[:2]) < (_SIGHT_M if patch.detail_m > 0.6 else 170.0)
        ]
        self.ground = layer(flat, eye)
        self.shadows = layer(_shadows(town, eye), eye)
        self.clouds = layer(_clouds(town.seed), (0.0, 0.0, 0.0))
        self.clouds.colours[:] = np.array([face.colour for face in _clouds(town.seed)])
