"""The eye of one camera: a backdrop that is kept while the head stands, and everybody who moves painted into it."""

import math
import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from drivers.simulator.device import Aim, Mount
from drivers.simulator.picture.backdrop import Backdrop, paint_backdrop
from drivers.simulator.picture.bodies import HEIGHT_M, LENGTH_M, WIDTH_M, person, vehicle
from drivers.simulator.picture.light import SHADE, hazed_all, shadow_shift
from drivers.simulator.picture.projection import NEAR_M, Floats, Projection, Vertex
from drivers.simulator.picture.scene import Scene
from drivers.simulator.picture.solids import square
from drivers.simulator.town.town import PLANE, Town
from drivers.simulator.town.traffic import Actor, Near
from kernel.geography import Place

Pixels = npt.NDArray[np.uint8]
_SIGHT_M = 230.0
_SMALLEST_PX = 4.0
_SMOOTHED_PX = 200
"""Actors up to this size are painted twice as large and scaled down."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """One actor's polygons in pixels, its box in the picture, and which solids stand before it."""

    shadow: npt.NDArray[np.float32] | None
    rings: npt.NDArray[np.float32]
    colours: list[tuple[int, ...]]
    box: tuple[int, int, int, int]
    hiding: npt.NDArray[np.bool_]
    """By the numbers of ``Backdrop.owners``."""


def view_of(mount: Mount, aim: Aim, width: int, height: int) -> Projection:
    """Return the projection of a camera's picture: the ground truth of its head."""
    east, north = PLANE.to_metres(mount.place)
    return Projection.of(
        (east, north, mount.place.height_m),
        bearing_deg=mount.bearing_deg + aim.pan_deg,
        tilt_deg=aim.tilt_deg + mount.lean_deg,
        hfov_deg=aim.hfov_deg,
        width=width,
        height=height,
    )


def actors_in_view(town: Town, view: Projection, wall_ns: int, *, reach_m: float = _SIGHT_M) -> list[Actor]:
    """Return everybody within the view's pyramid and ``reach_m``, the farthest first; walls are not asked."""
    actors = town.actors(wall_ns, Near(float(view.eye[0]), float(view.eye[1]), reach_m))
    if not actors:
        return []
    centres = np.array([(actor.x, actor.y, HEIGHT_M[actor.kind] / 2) for actor in actors])
    radii = np.array([math.hypot(LENGTH_M[actor.kind], HEIGHT_M[actor.kind]) / 2 for actor in actors])
    inside = view.spheres_in_view(centres, radii)
    distances = np.hypot(*(centres[:, :2] - view.eye[:2]).T)
    inside &= distances > 1.5
    return [actors[index] for index in np.argsort(-distances) if inside[index]]


class Painter:
    """Satisfies ``drivers.simulator.feed.Eye``."""

    def __init__(self, town: Town, mount: Mount) -> None:
        self._town = town
        self.mount = mount
        """Where the camera stands; another one holds from the next picture on."""
        self._scene: tuple[Place, Scene] | None = None
        self._backdrop: tuple[tuple[object, ...], bool, Backdrop] | None = None
        self._lock = threading.Lock()

    def paint(self, aim: Aim, wall_ns: int, width: int, height: int) -> Pixels:
        """Return a fresh (height, width, 3) RGB picture of the true instant ``wall_ns``."""
        with self._lock:
            mount = self.mount
            view = view_of(mount, aim, width, height)
            backdrop = self._still(view, mount, aim)
            picture = backdrop.picture.copy()
            for figure in self._figures(view, wall_ns, backdrop):
                _enter(picture, figure, backdrop)
            return picture

    def _still(self, view: Projection, mount: Mount, aim: Aim) -> Backdrop:
        """Return the backdrop: coarse while the head moves, fine once it has come to rest."""
        key = (mount, aim.pan_deg, aim.tilt_deg, aim.hfov_deg, view.width, view.height)
        if self._scene is None or self._scene[0] != mount.place:
            x, y, z = (float(part) for part in view.eye)
            self._scene = (mount.place, Scene(self._town, (x, y, z)))
        scene = self._scene[1]
        if self._backdrop is not None and self._backdrop[0] == key and (self._backdrop[1] or aim.moving):
            return self._backdrop[2]
        backdrop = paint_backdrop(scene, view, fine=not aim.moving)
        self._backdrop = (key, not aim.moving, backdrop)
        return backdrop

    def _figures(self, view: Projection, wall_ns: int, backdrop: Backdrop) -> list[_Figure]:
        actors = actors_in_view(self._town, view, wall_ns)
        if not actors:
            return []
        assert self._scene is not None
        at = np.array([(actor.x, actor.y, 0.0) for actor in actors])
        tall = np.array([HEIGHT_M[actor.kind] for actor in actors])
        around = np.array([math.hypot(LENGTH_M[actor.kind], HEIGHT_M[actor.kind]) / 2 for actor in actors])
        middles = view.to_camera(at + tall[:, None] * np.array((0.0, 0.0, 0.5)))
        depths = np.maximum(middles[:, 2], NEAR_M)
        centres = view.to_pixels(np.stack((middles[:, 0], middles[:, 1], depths), axis=1))
        reach = view.focal_px * around / depths
        left_top = np.maximum(np.floor(centres - reach[:, None]), 0).astype(int)
        right_bottom = np.minimum(np.ceil(centres + reach[:, None]), (view.width, view.height)).astype(int)
        hiding = self._scene[1].depths.hiding(at[:, :2])
        hiding = np.concatenate((np.zeros((len(actors), 1), dtype=np.bool_), hiding), axis=1)
        large = tall * view.focal_px / depths >= _SMALLEST_PX
        figures = []
        for index in np.flatnonzero(large & (left_top < right_bottom).all(axis=1)).tolist():
            (left, top), (right, bottom) = left_top[index].tolist(), right_bottom[index].tolist()
            if middles[index, 2] > 2 * NEAR_M and hiding[index][backdrop.owners[top:bottom, left:right]].all():
                continue
            figure = self._figure(view, actors[index], hiding[index], backdrop)
            if figure is not None:
                figures.append(figure)
        return figures

    def _figure(
        self, view: Projection, actor: Actor, hiding: npt.NDArray[np.bool_], backdrop: Backdrop
    ) -> _Figure | None:
        """Return one actor in pixels, or None where nothing of him is in the picture."""
        eye: Vertex = (float(view.eye[0]), float(view.eye[1]), float(view.eye[2]))
        foot = view.pixel((actor.x, actor.y, 0.0))
        shaded = foot is not None and _at(backdrop.shade, foot) > 0
        if actor.kind == "person":
            corners, colours = person(actor, eye)
        else:
            corners, colours = vehicle(
                actor.kind, (actor.x, actor.y), actor.heading, actor.colour, eye, braking=actor.braking
            )
        count = corners.shape[0] * corners.shape[1]
        points = corners.reshape(-1, 3) if shaded else np.concatenate((corners.reshape(-1, 3), _shadow(actor)))
        seen = view.to_camera(points)
        if seen[:, 2].min() < NEAR_M:
            return None
        pixels = view.to_pixels(seen)
        low, high = pixels.min(axis=0).tolist(), pixels.max(axis=0).tolist()
        box = (max(0, math.floor(low[0]) - 1), max(0, math.floor(low[1]) - 1),
               min(view.width, math.ceil(high[0]) + 2), min(view.height, math.ceil(high[1]) + 2))  # fmt: skip
        if box[0] >= box[2] or box[1] >= box[3]:
            return None
        if shaded:
            colours = colours * np.array((0.66, 0.68, 0.74))
        return _Figure(
            None if shaded else pixels[count:].astype(np.float32),
            pixels[:count].reshape(-1, corners.shape[1], 2).astype(np.float32),
            [tuple(colour) for colour in hazed_all(colours, math.dist((actor.x, actor.y), eye[:2])).tolist()],
            box,
            hiding,
        )


def _enter(picture: Pixels, figure: _Figure, backdrop: Backdrop) -> None:
    """Paint a figure into the picture, but not over what stands before it."""
    left, top, right, bottom = figure.box
    width, height = right - left, bottom - top
    factor = 2 if max(width, height) <= _SMOOTHED_PX else 1
    place = picture[top:bottom, left:right]
    patch = Image.fromarray(place.repeat(2, axis=0).repeat(2, axis=1) if factor > 1 else place)
    origin = np.array((left, top), dtype=np.float32)
    if figure.shadow is not None:
        mask = Image.new("L", patch.size)
        ImageDraw.Draw(mask).draw.draw_polygon(_on(figure.shadow, origin, factor), 105, 1)
        patch.paste(SHADE, (0, 0), mask)
    draw = ImageDraw.Draw(patch).draw
    rings = (figure.rings - origin) * np.float32(factor)
    for ring, colour in zip(rings, figure.colours, strict=True):
        draw.draw_polygon(ring, draw.draw_ink(colour), 1)
    painted = np.asarray(patch.reduce(factor) if factor > 1 else patch)
    hidden = figure.hiding[backdrop.owners[top:bottom, left:right]]
    place[...] = np.where(hidden[..., None], place, painted) if hidden.any() else painted


def _at(shade: npt.NDArray[np.uint8], pixel: tuple[float, float]) -> int:
    x, y = int(pixel[0]), int(pixel[1])
    return int(shade[y, x]) if 0 <= y < shade.shape[0] and 0 <= x < shade.shape[1] else 0


def _on(ring: npt.NDArray[np.float32], origin: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray((ring - origin) * np.float32(factor))


def _shadow(actor: Actor) -> Floats:
    """Return the outline of an actor's shadow on the ground, (n, 3)."""
    dx, dy = shadow_shift(HEIGHT_M[actor.kind])
    if actor.kind == "person":
        length = math.hypot(dx, dy)
        nx, ny = -dy / length * 0.2, dx / length * 0.2
        outline = [(actor.x + nx, actor.y + ny), (actor.x - nx, actor.y - ny),
                   (actor.x + dx - nx, actor.y + dy - ny), (actor.x + dx + nx, actor.y + dy + ny)]  # fmt: skip
        return np.array([(x, y, 0.0) for x, y in outline])
    foot = square((actor.x, actor.y), actor.heading, LENGTH_M[actor.kind], WIDTH_M[actor.kind])
    points = np.array([*foot, *((x + dx, y + dy) for x, y in foot)])
    middle = points.mean(axis=0)
    # The hull of eight points, four of which lie inside it or on it: by angle and reach.
    hull = _convex(points - middle) + middle
    return np.concatenate((hull, np.zeros((len(hull), 1))), axis=1)


def _convex(points: Floats) -> Floats:
    ordered = sorted(map(tuple, points.tolist()))

    def half(sequence: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
        chain: list[tuple[float, ...]] = []
        for x, y in sequence:
            while len(chain) > 1 and (chain[-1][0] - chain[-2][0]) * (y - chain[-2][1]) <= (
                chain[-1][1] - chain[-2][1]
            ) * (x - chain[-2][0]):
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))
