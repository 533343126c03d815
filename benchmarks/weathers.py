"""What light, weather and faults make of a painted picture: arrays of (height, width, 3) bytes in and out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels: TypeAlias = NDArray[np.uint8]
Change: TypeAlias = Callable[[Pixels, int], Pixels]
"""``seed`` is the picture's: rain and noise are others in the next one."""


def _bytes(picture: NDArray[np.floating[Any]]) -> Pixels:
    seen: Pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return seen


def _noisy(picture: NDArray[np.floating[Any]], sigma: float, seed: int) -> Pixels:
    return _bytes(picture + np.random.default_rng(seed).normal(0.0, sigma, picture.shape[:2])[..., None])


def day(picture: Pixels, seed: int) -> Pixels:
    """As painted, with a sensor's noise."""
    return _noisy(picture.astype(np.float64), 1.5, seed)


def dusk(picture: Pixels, seed: int) -> Pixels:
    """A third of the light, and more gain."""
    return _noisy(picture * 0.33, 3.0, seed)


def lamplight(picture: Pixels, seed: int) -> Pixels:
    """Night: a tenth of the light, four lamps with their pools, a sensor's noise at full gain."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width] / height
    seen = picture * 0.1
    for lamp in range(4):
        across = (0.15 + 0.23 * lamp) * width / height
        away = np.hypot(rows - 0.3, columns - across)
        pool = np.hypot((rows - 0.75) * 2.0, columns - across)
        glow = 230.0 * (away < 0.02) + 60.0 * np.exp(-away * 14.0)
        seen = seen * (1.0 + 4.0 * np.exp(-((pool / 0.25) ** 2)))[..., None] + glow[..., None]
    return _noisy(seen, 4.0, seed)


def infrared(picture: Pixels, seed: int) -> Pixels:
    """Night with a camera's own lamp: no colour, bright in the middle, dark at the edges."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    grey = picture @ np.array([0.3, 0.59, 0.11])
    seen = grey * (0.15 + 0.7 * np.exp(-1.5 * (rows**2 + columns**2)))
    return _noisy(np.repeat(seen[..., None], 3, axis=2), 3.0, seed)


def rain(picture: Pixels, seed: int) -> Pixels:
    """Less contrast, and 600 streaks."""
    height, width = picture.shape[:2]
    drawn = np.random.default_rng(seed)
    seen = picture * 0.55 + 60.0
    for row, column in zip(drawn.integers(0, height - 24, 600), drawn.integers(0, width - 4, 600), strict=True):
        for step in range(0, 24, 2):
            seen[row + step : row + step + 2, column + step // 8] += 45.0
    return _noisy(seen, 2.0, seed)


def _fog(picture: Pixels, seed: int, clear: float) -> Pixels:
    """Grey that is the thicker the higher in the picture, which is the further away."""
    share = clear * np.linspace(0.25, 1.0, picture.shape[0])[:, None, None]
    return _noisy(picture * share + 185.0 * (1.0 - share), 1.5, seed)


def mist(picture: Pixels, seed: int) -> Pixels:
    """What is near is seen well, what is far is not."""
    return _fog(picture, seed, 0.7)


def fog(picture: Pixels, seed: int) -> Pixels:
    """Little is seen but what is near."""
    return _fog(picture, seed, 0.3)


def low_sun(picture: Pixels, seed: int) -> Pixels:
    """The sun in the lens: a third of the picture drowns."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width] / height
    away = np.hypot(rows - 0.2, columns - 0.8)
    return _noisy(picture * 0.8 + (260.0 * np.exp(-((away / 0.45) ** 2)))[..., None], 1.5, seed)


def snow(picture: Pixels, seed: int) -> Pixels:
    """White ground, and flakes."""
    height, width = picture.shape[:2]
    drawn = np.random.default_rng(seed)
    seen = picture.astype(np.float64)
    ground = np.clip((np.linspace(0, 1, height) - 0.45) * 4, 0, 0.75)[:, None, None]
    seen = seen * (1 - ground) + 225.0 * ground
    for row, column in zip(drawn.integers(0, height - 3, 500), drawn.integers(0, width - 3, 500), strict=True):
        seen[row : row + 3, column : column + 3] = 240.0
    return _noisy(seen, 1.5, seed)


WEATHERS: Mapping[str, Change] = MappingProxyType(
    {one.__name__: one for one in (day, dusk, lamplight, infrared, rain, mist, fog, low_sun, snow)}
)


def black(picture: Pixels, seed: int) -> Pixels:
    """An iris that is shut."""
    return _noisy(picture * 0.03 + 6.0, 1.5, seed)


def covered(picture: Pixels, seed: int) -> Pixels:
    """A bag that lets light through: no detail, a little darker below."""
    shade = np.linspace(130.0, 100.0, picture.shape[0])[:, None, None]
    return _noisy(np.broadcast_to(shade, picture.shape).astype(np.float64), 1.5, seed)


def blurred(picture: Pixels, seed: int) -> Pixels:
    """A lens that has lost its focus: each point is a disc of a fiftieth of the width."""
    soft = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(picture.shape[1] / 80))
    return day(np.asarray(soft), seed)


FAULTS: Mapping[str, Change] = MappingProxyType({one.__name__: one for one in (black, covered, blurred)})
