"""What hides what: painting order of everything that stands, as seen from one pole, wherever the head turns.

Footprints are convex and do not overlap, so two of them always have an edge of one between them. Whichever lies on
the camera's side of such an edge cannot be hidden by the other. That depends on the place of the camera only.
"""

import numpy as np
import numpy.typing as npt

from drivers.simulator.picture.projection import Floats, Vertex
from drivers.simulator.picture.solids import Solid

_SLACK_M = 0.02


def _outward(solid: Solid) -> tuple[Floats, Floats]:
    """Return the edges of a footprint as outward unit normals (4, 2) and their distances from the origin (4,)."""
    corners = np.array(solid.footprint, dtype=np.float64)
    step = np.roll(corners, -1, axis=0) - corners
    normals = np.stack((step[:, 1], -step[:, 0]), axis=1) / np.hypot(*step.T)[:, None]
    return normals, np.einsum("ij,ij->i", normals, corners)


class Depths:
    """Answers whether something that moves is behind something that stands."""

    def __init__(self, solids: list[Solid], eye: Vertex) -> None:
        edges = [_outward(solid) for solid in solids]
        self.normals = np.array([normals for normals, _ in edges]).reshape(-1, 4, 2)
        self.offsets = np.array([offsets for _, offsets in edges]).reshape(-1, 4)
        self.to_eye = self.normals @ np.array(eye[:2]) - self.offsets > 0.0
        """Which edges are turned to the camera."""

    def hiding(self, points: Floats) -> npt.NDArray[np.bool_]:
        """Return (n, solids): which solids stand between the camera and each of (n, 2) points."""
        outside = np.einsum("sek,nk->nse", self.normals, points) >= self.offsets - _SLACK_M
        # On the camera's side of an edge that is turned to the camera nothing of the solid can be nearer.
        return np.asarray(~(outside & self.to_eye).any(axis=2))


def _hidden(solids: list[Solid], eye: Vertex, bins: int = 1440) -> npt.NDArray[np.bool_]:
    """Return which solids stand wholly behind the walls of nearer ones."""
    wall = np.full(bins, -np.inf)
    hidden = np.zeros(len(solids), dtype=np.bool_)
    spans = []
    for solid in solids:
        corners = np.array(solid.footprint) - np.array(eye[:2])
        reach = np.hypot(*corners.T)
        turns = np.degrees(np.arctan2(corners[:, 0], corners[:, 1]))
        middle = turns[int(np.argmin(reach))]
        around = (turns - middle + 180.0) % 360.0 - 180.0
        # A margin for what hangs over the footprint: crowns, arms, awnings.
        over = 0.0 if solid.opaque_m else np.degrees(np.arctan2(4.0, reach.min()))
        spans.append(
            (float(reach.min()), float(reach.max()), middle + around.min() - over, middle + around.max() + over)
        )
    for index in np.argsort([span[0] for span in spans]):
        near, far, left, right = spans[index]
        solid = solids[index]
        first, last = int(np.floor(left / 360 * bins)), int(np.ceil(right / 360 * bins))
        cells = np.arange(first, last + 1) % bins
        rise = solid.top_m - eye[2]
        top = rise / (near if rise > 0 else far)
        hidden[index] = bool((wall[cells] > top).all())
        if solid.opaque_m and last - first > 2:
            inner = np.arange(first + 1, last) % bins
            cap = solid.opaque_m - eye[2]
            wall[inner] = np.maximum(wall[inner], cap / (far if cap > 0 else near))
    return hidden


def in_order(solids: list[Solid], eye: Vertex) -> list[Solid]:
    """Return the solids that can be seen from ``eye`` at all, the farthest first."""
    gone = _hidden(solids, eye)
    shown = [solid for solid, hidden in zip(solids, gone, strict=True) if not hidden]
    if not shown:
        return []
    depths = Depths(shown, eye)
    corners = np.array([solid.footprint for solid in shown])
    count = len(shown)
    # outside[a, e, b]: all of b lies outside edge e of a.
    outside = np.empty((count, 4, count), dtype=np.bool_)
    for index in range(count):
        reach = corners @ depths.normals[index].T - depths.offsets[index]
        outside[index] = (reach >= -_SLACK_M).all(axis=1).T
    nearer = (outside & depths.to_eye[:, :, None]).any(axis=1)  # b cannot be hidden by a
    farther = (outside & ~depths.to_eye[:, :, None]).any(axis=1)  # a cannot be hidden by b
    may_hide = ~(nearer | farther.T)  # a may hide b
    np.fill_diagonal(may_hide, val=False)
    distance = np.hypot(*(corners.mean(axis=1) - np.array(eye[:2])).T)
    waiting = may_hide.sum(axis=1)  # how many, that it may hide, are not yet painted
    done = np.zeros(count, dtype=np.bool_)
    order = []
    for _ in range(count):
        free = np.flatnonzero(~done & (waiting <= 0))
        if not len(free):  # a ring of overlaps: break it where it is farthest
            free = np.flatnonzero(~done)
        chosen = int(free[np.argmax(distance[free])])
        done[chosen] = True
        order.append(shown[chosen])
        waiting -= may_hide[:, chosen]
    return order
