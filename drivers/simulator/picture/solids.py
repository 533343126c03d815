"""What stands, as flat painted faces: the common shape of buildings, trees, furniture and vehicles."""

import math
import random
from dataclasses import dataclass, field

import numpy as np

from drivers.simulator.picture.light import Colour, lit, scaled
from drivers.simulator.picture.projection import Vertex
from drivers.simulator.town.streets import Point


@dataclass(slots=True)
class Face:
    """A flat polygon. ``detail_m`` is its narrowest side; ``solid`` faces hide what is behind them."""

    corners: tuple[Vertex, ...]
    colour: Colour
    detail_m: float = 1.0
    solid: bool = True


@dataclass(slots=True)
class Solid:
    """One thing that stands on a convex footprint (anticlockwise); ``faces`` in painting order, back faces left out."""

    footprint: tuple[Point, ...]
    top_m: float
    faces: list[Face] = field(default_factory=list)
    opaque_m: float = 0.0
    """Up to this height nothing behind it can be seen."""


@dataclass(frozen=True, slots=True)
class Wall:
    """A vertical plane with its own coordinates: ``u`` metres to the right as seen from outside, ``v`` up."""

    corner: Point
    along: Point
    width_m: float

    @classmethod
    def between(cls, left: Point, right: Point) -> "Wall":
        """Return the wall whose left end, seen from outside, is ``left``."""
        width = math.dist(left, right)
        return cls(left, ((right[0] - left[0]) / width, (right[1] - left[1]) / width), width)

    @property
    def normal(self) -> Vertex:
        """Return the unit vector outwards."""
        return self.along[1], -self.along[0], 0.0

    def at(self, u: float, v: float, out: float = 0.0) -> Vertex:
        """Return the town point at ``u``, ``v``, ``out`` metres before the wall."""
        nx, ny, _ = self.normal
        return self.corner[0] + self.along[0] * u + nx * out, self.corner[1] + self.along[1] * u + ny * out, v

    def pane(self, u0: float, u1: float, v0: float, v1: float) -> tuple[Vertex, ...]:
        """Return a rectangle on the wall."""
        return self.at(u0, v0), self.at(u1, v0), self.at(u1, v1), self.at(u0, v1)

    def faces(self, eye: Vertex) -> bool:
        """Return whether the wall's outside is seen from ``eye``."""
        nx, ny, _ = self.normal
        return (eye[0] - self.corner[0]) * nx + (eye[1] - self.corner[1]) * ny > 0.01


def seen_from(eye: Vertex, corners: tuple[Vertex, ...]) -> Vertex | None:
    """Return the unit normal of a face given anticlockwise from outside, or None where ``eye`` is behind it."""
    a, b, c = (np.array(corner) for corner in corners[:3])
    normal = np.cross(b - a, c - a)
    if float(np.dot(np.array(eye) - a, normal)) <= 0.0:
        return None
    x, y, z = (float(part) for part in normal / np.linalg.norm(normal))
    return x, y, z


def add_box(  # noqa: PLR0913, PLR0917 - a prism and one eye
    solid: Solid,
    eye: Vertex,
    outline: tuple[Point, ...],
    low_m: float,
    high_m: float,
    colour: Colour,
    *,
    top: bool = True,
) -> None:
    """Add the visible sides, and the top, of an upright prism over an anticlockwise outline."""
    for left, right in zip(outline, outline[1:] + outline[:1], strict=True):
        wall = Wall.between(left, right)
        if wall.faces(eye):
            narrow = min(wall.width_m, high_m - low_m)
            solid.faces.append(Face(wall.pane(0.0, wall.width_m, low_m, high_m), lit(colour, wall.normal), narrow))
    if top and eye[2] > high_m:
        roof = tuple((x, y, high_m) for x, y in outline)
        solid.faces.append(Face(roof, lit(colour, (0.0, 0.0, 1.0)), min(math.dist(outline[0], outline[1]), 3.0)))


def square(at: Point, heading: Point, length: float, width: float) -> tuple[Point, ...]:
    """Return a rectangle around ``at``, ``length`` along ``heading``, anticlockwise."""
    (x, y), (hx, hy) = at, heading
    a, b = length / 2, width / 2
    return (
        (x + hx * a + hy * b, y + hy * a - hx * b),
        (x + hx * a - hy * b, y + hy * a + hx * b),
        (x - hx * a - hy * b, y - hy * a + hx * b),
        (x - hx * a + hy * b, y - hy * a - hx * b),
    )


def towards(eye: Vertex, at: Point) -> tuple[Point, float]:
    """Return the unit vector to the right as ``eye`` looks at a point, and how far it is."""
    dx, dy = at[0] - eye[0], at[1] - eye[1]
    distance = max(0.1, math.hypot(dx, dy))
    return (dy / distance, -dx / distance), distance


def upright(at: Point, right: Point, shape: list[tuple[float, float]], base_m: float = 0.0) -> tuple[Vertex, ...]:
    """Return a flat shape of (right, up) points that stands at ``at``."""
    return tuple((at[0] + right[0] * u, at[1] + right[1] * u, base_m + v) for u, v in shape)


def blob(rng: random.Random, radius: float, flat: float = 1.0, sides: int = 11) -> list[tuple[float, float]]:
    """Return a leafy round as (right, up) points around its middle."""
    start = rng.uniform(0.0, 1.0)
    shape = []
    for index in range(sides):
        turn = 2 * math.pi * (index + start) / sides
        reach = radius * rng.uniform(0.84, 1.12)
        shape.append((reach * math.cos(turn), reach * flat * math.sin(turn)))
    return shape


def tree(eye: Vertex, at: Point, height: float, leaf: Colour, seed: int) -> Solid:
    """Return a broad-leaved tree: dark below and away from the sun, light where the sun falls."""
    rng = random.Random(seed)  # noqa: S311 - a drawing
    right, _ = towards(eye, at)
    crown, middle = height * 0.34, height * 0.64
    leaf = scaled(leaf, rng.uniform(0.9, 1.12))
    solid = Solid(square(at, (1.0, 0.0), 0.5, 0.5), height)
    trunk = [(-0.16, 0.0), (0.16, 0.0), (0.1, height * 0.5), (-0.1, height * 0.5)]
    solid.faces.append(Face(upright(at, right, trunk), (92, 76, 62), 0.3))
    # Which side of the picture the sun is on.
    sunward = -0.40 * right[0] - 0.50 * right[1]
    lobes = [(rng.uniform(-0.5, 0.5) * crown, rng.uniform(-0.35, 0.45) * crown, crown * rng.uniform(0.55, 0.75))
             for _ in range(5)]  # fmt: skip

    def add(radius: float, u: float, v: float, shade: float, flat: float = 0.95) -> None:
        shape = [(u + du, middle + v + dv) for du, dv in blob(rng, radius, flat)]
        solid.faces.append(Face(upright(at, right, shape), scaled(leaf, shade), radius))

    add(crown, 0.0, -0.06 * crown, 0.62)
    for u, v, radius in lobes:
        add(radius, u, v, 0.78)
    for u, v, radius in lobes:
        add(radius * 0.66, u + sunward * 0.7 * radius, v + 0.3 * radius, 1.02)
    for u, v, radius in lobes[:4]:
        add(radius * 0.3, u + sunward * radius, v + 0.5 * radius, 1.24)
    return solid
