"""Cars, vans, buses and people as flat faces, turned to where they are going."""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from drivers.simulator.picture.light import SUN, Colour, lit, scaled
from drivers.simulator.picture.projection import Floats, Vertex
from drivers.simulator.picture.solids import Face, towards
from drivers.simulator.town.streets import Point
from drivers.simulator.town.traffic import SKINS, Actor

_CORNERS = 8
_GLASS: Colour = (48, 58, 70)
_TYRE: Colour = (30, 30, 32)


@dataclass(frozen=True)
class _Mould:
    """One kind of vehicle: x forward, y left, z up. All faces have eight corners, the last repeated."""

    corners: Floats
    normals: Floats
    colours: Floats
    painted: npt.NDArray[np.bool_]
    """Faces in the vehicle's own colour: ``colours`` holds factors for them."""
    braking: npt.NDArray[np.bool_]


class _Builder:
    def __init__(self) -> None:
        self.faces: list[tuple[list[Vertex], Vertex, tuple[float, float, float], bool, bool]] = []

    def face(self, corners: list[Vertex], colour: Colour | float, *, brake: bool = False) -> None:
        a, b, c = (np.array(corner) for corner in corners[:3])
        normal = np.cross(b - a, c - a)
        x, y, z = (float(part) for part in normal / np.linalg.norm(normal))
        own = isinstance(colour, float)
        tint = (colour, colour, colour) if isinstance(colour, float) else colour
        padded = corners + [corners[-1]] * (_CORNERS - len(corners))
        self.faces.append((padded, (x, y, z), tint, own, brake))

    def block(self, low: Vertex, high: Vertex, taper: Vertex,
              colour: Colour | float, *, top: Colour | float | None = None) -> None:  # fmt: skip
        """Add a box whose top is shorter by ``taper``: front, rear, each side."""
        (x0, w0, z0), (x1, _, z1) = low, high
        front, rear, side = taper
        b = {(-1, -1): (x0, -w0, z0), (1, -1): (x1, -w0, z0), (1, 1): (x1, w0, z0), (-1, 1): (x0, w0, z0)}
        w1 = w0 - side
        t = {
            (-1, -1): (x0 + rear, -w1, z1),
            (1, -1): (x1 - front, -w1, z1),
            (1, 1): (x1 - front, w1, z1),
            (-1, 1): (x0 + rear, w1, z1),
        }
        ring = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        for one, two in zip(ring, ring[1:] + ring[:1], strict=True):
            self.face([b[one], b[two], t[two], t[one]], colour)
        self.face([t[key] for key in ring], colour if top is None else top)

    def pane(  # noqa: PLR0913, PLR0917 - the coordinates of a rectangle
        self, x0: float, x1: float, z0: float, z1: float, y: float, colour: Colour | float
    ) -> None:
        """Add a rectangle on both long sides, ``y`` from the middle."""
        self.face([(x0, -y, z0), (x1, -y, z0), (x1, -y, z1), (x0, -y, z1)], colour)
        self.face([(x1, y, z0), (x0, y, z0), (x0, y, z1), (x1, y, z1)], colour)

    def ends(  # noqa: PLR0913, PLR0917 - the coordinates of a rectangle
        self, x: float, y0: float, y1: float, z0: float, z1: float, colour: Colour | float, *, brake: bool = False
    ) -> None:
        """Add a rectangle on the front (``x`` > 0) or the rear."""
        ring: list[Vertex] = [(x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1)]
        self.face(ring if x > 0 else ring[::-1], colour, brake=brake)

    def wheels(self, places: tuple[float, ...], radius: float, y: float) -> None:
        for place in places:
            for side in (-1, 1):
                for reach, colour in ((radius, _TYRE), (radius * 0.52, (150, 152, 156))):
                    turns = [side * 2 * math.pi * index / 8 for index in range(8)]
                    ring: list[Vertex] = [
                        (place - math.sin(turn) * reach, side * (y + 0.004), radius + math.cos(turn) * reach)
                        for turn in turns
                    ]
                    self.face(ring[::-1], colour)

    def mould(self) -> _Mould:
        return _Mould(
            np.array([face[0] for face in self.faces]),
            np.array([face[1] for face in self.faces]),
            np.array([face[2] for face in self.faces], dtype=np.float64),
            np.array([face[3] for face in self.faces]),
            np.array([face[4] for face in self.faces]),
        )


def _car(build: _Builder) -> None:
    build.block((-2.1, 0.88, 0.28), (2.1, 0.88, 0.88), (0.12, 0.06, 0.05), 1.0)
    build.wheels((-1.3, 1.3), 0.32, 0.86)
    build.block((-1.75, 0.80, 0.86), (1.0, 0.80, 1.45), (0.75, 0.55, 0.16), _GLASS, top=1.04)
    for x in (-0.35, 0.02):
        build.pane(x, x + 0.09, 0.88, 1.42, 0.74, 0.92)
    build.ends(2.06, -0.82, -0.5, 0.58, 0.76, (236, 238, 232))
    build.ends(2.06, 0.5, 0.82, 0.58, 0.76, (236, 238, 232))
    build.ends(2.07, -0.26, 0.26, 0.42, 0.53, (240, 240, 236))
    for side in (-1, 1):
        build.ends(
            -2.1, min(side * 0.5, side * 0.84), max(side * 0.5, side * 0.84), 0.6, 0.78, (150, 24, 22), brake=True
        )
    build.ends(-2.1, -0.26, 0.26, 0.44, 0.55, (230, 200, 70))


def _van(build: _Builder) -> None:
    build.block((-2.7, 0.98, 0.32), (2.5, 0.98, 1.25), (0.15, 0.0, 0.0), 1.0)
    build.wheels((-1.7, 1.6), 0.36, 0.97)
    build.block((-2.7, 0.98, 1.25), (1.9, 0.98, 2.35), (0.55, 0.0, 0.06), 1.0)
    build.face([(1.88, -0.84, 1.3), (1.88, 0.84, 1.3), (1.52, 0.8, 1.95), (1.52, -0.8, 1.95)], _GLASS)
    build.pane(0.62, 1.5, 1.3, 1.92, 0.965, _GLASS)
    build.pane(-2.62, 0.4, 0.62, 0.70, 0.985, 0.8)
    build.ends(2.46, -0.9, -0.5, 0.72, 0.96, (236, 238, 232))
    build.ends(2.46, 0.5, 0.9, 0.72, 0.96, (236, 238, 232))
    build.ends(2.47, -0.3, 0.3, 0.48, 0.6, (240, 240, 236))
    build.ends(-2.705, -0.012, 0.012, 0.4, 2.25, 0.6)
    for side in (-1, 1):
        build.ends(
            -2.71, min(side * 0.84, side * 0.97), max(side * 0.84, side * 0.97), 0.9, 1.4, (150, 24, 22), brake=True
        )
        build.ends(-2.71, min(side * 0.1, side * 0.75), max(side * 0.1, side * 0.75), 1.5, 2.0, _GLASS)
    build.ends(-2.71, -0.3, 0.3, 0.5, 0.62, (230, 200, 70))


def _bus(build: _Builder) -> None:
    build.block((-5.2, 1.25, 0.34), (5.2, 1.25, 4.25), (0.12, 0.05, 0.04), 1.0, top=0.96)
    build.wheels((-3.0, 3.4), 0.48, 1.25)
    build.pane(-4.9, 4.9, 1.25, 2.0, 1.256, _GLASS)
    build.pane(-4.9, 4.9, 2.85, 3.6, 1.245, _GLASS)
    for x in (-3.6, -2.3, -1.0, 0.3, 1.6, 2.9):
        build.pane(x, x + 0.14, 1.25, 2.0, 1.262, 0.95)
        build.pane(x, x + 0.14, 2.85, 3.6, 1.25, 0.95)
    build.pane(-4.0, 1.5, 2.2, 2.65, 1.256, (222, 206, 120))
    build.ends(5.2, -1.1, 1.1, 1.0, 2.15, _GLASS)
    build.ends(5.16, -1.1, 1.1, 2.85, 3.75, _GLASS)
    build.ends(5.19, -0.8, 0.8, 2.32, 2.66, (30, 30, 30))
    build.ends(5.195, -0.6, 0.5, 2.4, 2.58, (240, 180, 40))
    build.ends(5.205, -1.1, -0.7, 0.6, 0.85, (236, 238, 232))
    build.ends(5.205, 0.7, 1.1, 0.6, 0.85, (236, 238, 232))
    build.ends(-5.2, -1.0, 1.0, 2.85, 3.7, _GLASS)
    for side in (-1, 1):
        build.ends(
            -5.21, min(side * 0.9, side * 1.15), max(side * 0.9, side * 1.15), 0.9, 1.3, (150, 24, 22), brake=True
        )


@cache
def _mould(kind: str) -> _Mould:
    build = _Builder()
    {"car": _car, "van": _van, "bus": _bus}[kind](build)
    return build.mould()


LENGTH_M = {"car": 4.3, "van": 5.4, "bus": 10.5, "person": 0.6}
WIDTH_M = {"car": 1.8, "van": 2.0, "bus": 2.5, "person": 0.5}
HEIGHT_M = {"car": 1.5, "van": 2.4, "bus": 4.3, "person": 1.78}


def vehicle(  # noqa: PLR0913 - one vehicle and one eye
    kind: str, at: Point, heading: Point, colour: Colour, eye: Vertex, *, braking: bool = False
) -> tuple[Floats, Floats]:
    """Return the visible faces of a vehicle: corners (n, 8, 3) in the town, and lit colours (n, 3)."""
    mould = _mould(kind)
    (hx, hy), (dx, dy) = heading, (eye[0] - at[0], eye[1] - at[1])
    local = np.array((dx * hx + dy * hy, dy * hx - dx * hy, eye[2]))
    visible = np.einsum("ij,ij->i", local - mould.corners[:, 0], mould.normals) > 0.0
    corners, normals = mould.corners[visible], mould.normals[visible]
    turn = np.array(((hx, hy, 0.0), (-hy, hx, 0.0), (0.0, 0.0, 1.0)))
    sun = np.clip(normals @ (turn @ np.array(SUN)), 0.0, None)[:, None]
    own = np.where(mould.painted[visible][:, None], mould.colours[visible] * np.array(colour), mould.colours[visible])
    shown = own * (np.array((0.56, 0.60, 0.68)) + np.array((0.60, 0.565, 0.49)) * sun)
    if braking:
        shown[mould.braking[visible]] = (255.0, 60.0, 46.0)
    return corners @ turn + np.array((at[0], at[1], 0.0)), np.clip(shown, 0, 255)


def car_faces(kind: str, at: Point, heading: Point, colour: Colour, eye: Vertex) -> list[Face]:
    """Return a vehicle that stands for good."""
    corners, colours = vehicle(kind, at, heading, colour, eye)
    faces = []
    for ring, shade in zip(corners, colours, strict=True):
        narrow = float(np.ptp(ring[:, 2]) + 0.2)
        r, g, b = (round(float(part)) for part in shade)
        faces.append(Face(tuple((float(x), float(y), float(z)) for x, y, z in ring), (r, g, b), min(1.0, narrow)))
    return faces


@dataclass(frozen=True)
class _Pose:
    """A person's shapes as (right, up), and how they follow the stride: all (8 shapes, 8 corners, 2)."""

    rest: Floats
    step: Floats
    left_foot: Floats
    right_foot: Floats
    turn: Floats


@cache
def _pose() -> _Pose:
    rest, step, left, right, turn = (np.zeros((8, _CORNERS, 2)) for _ in range(5))
    shapes: list[list[tuple[float, float]]] = [
        [(-0.02, 0.86), (0.16, 0.86), (0.14, 0.02), (0.0, 0.02)],
        [(-0.16, 0.86), (0.02, 0.86), (0.0, 0.0), (-0.14, 0.0)],
        [(-0.24, 1.4), (-0.16, 1.45), (-0.13, 0.8), (-0.22, 0.78)],
        [(-0.19, 0.8), (0.19, 0.8), (0.21, 1.25), (0.17, 1.47), (-0.17, 1.47), (-0.21, 1.25)],
        [(0.0, 0.8), (0.19, 0.8), (0.21, 1.25), (0.17, 1.47), (0.0, 1.47)],
        [(0.24, 1.4), (0.16, 1.45), (0.13, 0.8), (0.22, 0.78)],
        _round(0.0, 1.62, 0.115, 0.15),
        _round(0.0, 1.59, 0.085, 0.11),
    ]
    for index, shape in enumerate(shapes):
        rest[index] = shape + [shape[-1]] * (_CORNERS - len(shape))
    for shape_index, sign, lift in ((0, -1.0, left), (1, 1.0, right), (2, -0.8, None), (5, 0.8, None)):
        # Feet and hands are the last corners of legs and arms.
        step[shape_index, 2:, 0] = sign
        if lift is not None:
            lift[shape_index, 2:, 1] = 1.0
    turn[7, :, 0] = 0.03
    return _Pose(rest, step, left, right, turn)


@lru_cache(maxsize=4096)
def _clothes(identity: int, coat: Colour, *, sunlit: bool) -> Floats:
    skin = SKINS[identity // 11 % len(SKINS)]
    trousers = ((40, 44, 58), (58, 54, 50), (84, 88, 100), (32, 32, 36), (110, 100, 84))[identity // 5 % 5]
    hair = ((40, 30, 26), (90, 66, 44), (24, 22, 22), (168, 150, 120))[identity // 13 % 4]
    bright = 1.1 if sunlit else 0.96
    worn = [
        scaled(trousers, 0.8),
        trousers,
        scaled(coat, 0.8),
        scaled(coat, 0.96),
        scaled(coat, bright),
        scaled(coat, 0.86),
        hair,
        skin,
    ]
    return np.array([lit(colour, (-0.3, -0.4, 0.866)) for colour in worn], dtype=np.float64)


def person(actor: Actor, eye: Vertex) -> tuple[Floats, Floats]:
    """Return a walking person as flat shapes facing ``eye``: corners (8, 8, 3) and colours (8, 3)."""
    right, _ = towards(eye, (actor.x, actor.y))
    # How much of the stride is seen from the side.
    across = actor.heading[0] * right[0] + actor.heading[1] * right[1]
    swing = math.sin(actor.stride) * min(1.0, actor.speed_m_s)
    lift = 0.12 * swing * (1.0 - abs(across))
    pose = _pose()
    shape = pose.rest + pose.step * (0.34 * swing * across) + pose.turn * across
    shape += (pose.left_foot if lift > 0 else pose.right_foot) * abs(lift)
    corners = np.empty((8, _CORNERS, 3))
    corners[..., 0] = actor.x + right[0] * shape[..., 0]
    corners[..., 1] = actor.y + right[1] * shape[..., 0]
    corners[..., 2] = shape[..., 1] * (0.92 + actor.identity % 17 / 100)
    sunlit = SUN[0] * right[0] + SUN[1] * right[1] > 0
    return corners, _clothes(actor.identity, actor.colour, sunlit=sunlit)


def _round(u: float, v: float, wide: float, high: float) -> list[tuple[float, float]]:
    return [(u + wide * math.cos(turn * math.pi / 4), v + high * math.sin(turn * math.pi / 4)) for turn in range(8)]
