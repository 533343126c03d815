"""Paints all that stands still, and remembers which thing each pixel shows, so that what moves can pass behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from drivers.simulator.picture.light import HAZE, SHADE, SHADE_OPACITY, ZENITH, mixed
from drivers.simulator.picture.projection import NEAR_M, Projection, clip_near
from drivers.simulator.picture.scene import Layer, Scene

Pixels = npt.NDArray[np.uint8]
_FINEST_PX = 0.55
"""Narrower details than this are left out."""
_COARSE_PX = 1.5
"""The same while the head moves: what is that small is blurred then."""
_NOBODY = 0


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The town without anybody in it, as one view shows it."""

    picture: Pixels
    """(H, W, 3) RGB."""
    owners: npt.NDArray[np.int32]
    """(H, W): index of the solid seen there plus one; 0 for ground and sky."""
    shade: npt.NDArray[np.uint8]
    """(H, W): more than 0 where the ground lies in shadow."""


def _visible(polygons: Layer, view: Projection, finest_px: float) -> list[tuple[int, npt.NDArray[np.float32]]]:
    """Return (index, pixel corners) of the polygons of a layer that touch the view, in their order."""
    inside = view.spheres_in_view(polygons.centres, polygons.radii)
    depth = (polygons.centres - view.eye) @ view.axes[2]
    nearest = np.maximum(depth - polygons.radii, NEAR_M)
    inside &= polygons.detail_m * view.focal_px / nearest > finest_px
    chosen = np.flatnonzero(inside)
    if not len(chosen):
        return []
    count = polygons.count[chosen]
    begins = np.concatenate(([0], np.cumsum(count)[:-1]))
    rows = np.repeat(polygons.first[chosen] - begins, count) + np.arange(int(count.sum()))
    seen = view.to_camera(polygons.corners[rows])
    closest = np.minimum.reduceat(seen[:, 2], begins)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        pixels = view.to_pixels(seen).astype(np.float32)
    low, high = np.minimum.reduceat(pixels, begins), np.maximum.reduceat(pixels, begins)
    on_screen = (high[:, 0] >= 0) & (low[:, 0] < view.width) & (high[:, 1] >= 0) & (low[:, 1] < view.height)
    found: list[tuple[int, npt.NDArray[np.float32]]] = []
    for index, start, length, near, shown in zip(
        chosen.tolist(), begins.tolist(), count.tolist(), closest.tolist(), on_screen.tolist(), strict=True
    ):
        if near >= NEAR_M:
            if shown:
                found.append((index, pixels[start : start + length]))
            continue
        clipped = clip_near(seen[start : start + length])
        if len(clipped) >= 3:
            found.append((index, view.to_pixels(clipped).astype(np.float32)))
    return found


@lru_cache(maxsize=8)
def _sky(steps: int) -> npt.NDArray[np.uint8]:
    """Return the sky's colour at elevations 0..90 degrees in ``steps`` rows."""
    rows = []
    for step in range(steps):
        share = 1.0 - (1.0 - step / (steps - 1)) ** 5
        rows.append(mixed(HAZE, ZENITH, share))
    return np.array(rows, dtype=np.uint8)


def _gradient(view: Projection) -> Image.Image:
    """Return sky down to the horizon and far land below it."""
    rows = np.arange(view.height)
    cos_tilt, sin_tilt = float(view.axes[1, 2]), float(view.axes[2, 2])
    up = (view.height / 2 - rows) / view.focal_px
    rise = np.degrees(np.arctan2(sin_tilt + up * cos_tilt, np.abs(cos_tilt - up * sin_tilt)))
    table = _sky(512)
    colours = table[np.clip(rise / 90 * 511, 0, 511).astype(np.intp)]
    colours[rise < 0.0] = mixed((120, 134, 110), HAZE, 0.55)
    return Image.fromarray(np.repeat(colours[:, None], view.width, axis=1))


def paint_backdrop(scene: Scene, view: Projection, *, fine: bool) -> Backdrop:
    """Paint one view; ``fine`` smooths edges by painting twice as large and adds the grain of the ground."""
    factor = 2 if fine else 1
    finest_px = _FINEST_PX if fine else _COARSE_PX
    large = view.scaled(factor)
    image = _gradient(large)
    draw = ImageDraw.Draw(image).draw
    _fill(draw.draw_polygon, draw.draw_ink, scene.clouds, large, finest_px)
    _fill(draw.draw_polygon, draw.draw_ink, scene.ground, large, finest_px)
    mask = Image.new("L", image.size)
    mask_draw = ImageDraw.Draw(mask).draw
    opaque = round(255 * SHADE_OPACITY)
    for _, pixels in _visible(scene.shadows, large, finest_px):
        mask_draw.draw_polygon(pixels, opaque, 1)
    image.paste(SHADE, (0, 0), mask)
    if fine:
        _grain(image, large)
        draw = ImageDraw.Draw(image).draw
    owners = Image.new("I", (view.width, view.height), _NOBODY)
    owner_draw = ImageDraw.Draw(owners).draw
    colours = scene.standing.colours.tolist()
    owner_of = scene.standing.owner.tolist()
    for index, pixels in _visible(scene.standing, large, finest_px):
        draw.draw_polygon(pixels, draw.draw_ink(tuple(colours[index])), 1)
        if owner_of[index] >= 0:
            owner_draw.draw_polygon(pixels / factor if factor > 1 else pixels, owner_of[index] + 1, 1)
    if fine:
        image = image.reduce(factor)
        mask = mask.resize((view.width, view.height), Image.Resampling.NEAREST)
    return Backdrop(np.asarray(image), np.asarray(owners), np.asarray(mask))


def _fill(
    polygon: Callable[[npt.NDArray[np.float32], int, int], None],
    ink: Callable[[tuple[int, ...]], int],
    polygons: Layer,
    view: Projection,
    finest_px: float,
) -> None:
    colours = polygons.colours.tolist()
    for index, pixels in _visible(polygons, view, finest_px):
        polygon(pixels, ink(tuple(colours[index])), 1)


@lru_cache(maxsize=1)
def _noise() -> npt.NDArray[np.float32]:
    """Return a tile of mixed fine and coarse grain around 0, 512 x 512, that repeats without a seam."""
    rng = np.random.default_rng(7)
    total = np.zeros((512, 512), dtype=np.float32)
    for size, weight in ((512, 0.5), (128, 0.8), (32, 1.0)):
        small = rng.standard_normal((size, size)).astype(np.float32)
        total += weight * np.kron(small, np.ones((512 // size, 512 // size), dtype=np.float32))
    return total / 1.4


def _grain(image: Image.Image, view: Projection) -> None:
    """Roughen the ground of a picture: each of its points keeps its grain from wherever it is seen."""
    half = 2  # worked out at half the size: grain needs no more
    width, height = view.width // half, view.height // half
    top = min(height, max(0, int(view.horizon_px / half) + 1))
    if top >= height - 2:
        return
    x = (np.arange(width) * half + half / 2 - view.width / 2) / view.focal_px
    y = (view.height / 2 - (np.arange(top, height) * half + half / 2)) / view.focal_px
    right, up, forward = view.axes
    fall = up[2] * y + forward[2]
    reach = (-view.eye[2] / np.minimum(fall, -1e-4))[:, None]
    east = view.eye[0] + reach * (right[0] * x[None, :] + up[0] * y[:, None] + forward[0])
    north = view.eye[1] + reach * (right[1] * x[None, :] + up[1] * y[:, None] + forward[1])
    scale = 12.0  # grains per metre
    grain = _noise()[(north * scale).astype(np.int64) & 511, (east * scale).astype(np.int64) & 511]
    strength = np.clip(7.0 - reach * 0.055, 0.0, 5.0).astype(np.float32)
    shift = np.clip(grain * strength, -14, 14).astype(np.int16)
    pixels = np.array(image)
    lower = pixels[top * half : height * half, : width * half]
    shift = np.repeat(np.repeat(shift, half, axis=0), half, axis=1)[..., None]
    lower[...] = np.clip(lower.astype(np.int16) + shift, 0, 255)
    image.paste(Image.fromarray(pixels))
