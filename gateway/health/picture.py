"""One small grey picture: is it black, covered, blurred? No clock, no memory; three milliseconds each.

A picture is an array of ``HEIGHT`` by ``WIDTH`` bytes, 0 black to 255 white, whatever the shape of the camera's own.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernel.media import PictureFault

WIDTH, HEIGHT = 320, 180
"""Small enough for a bounded share of a processor, large enough to tell a soft picture from a sharp one."""

Grey: TypeAlias = NDArray[np.uint8]

BLACK_MOST = 36
"""A picture whose brightest parts are no lighter is black. A street at night has lamps."""
BRIGHTEST_SHARE = 0.002
"""So much of a picture must be lighter: 89 pixels of it, more than a hot pixel, less than one street lamp."""
BLOCK = 20
PLAIN_SPREAD = 3.0
"""A block is plain whose grey levels spread (standard deviation) by no more: a wall close by, a bag, paint, fog."""
OVERLAY = BLOCK
"""Rows at the top and the bottom where cameras write name and time, sharp and bright whatever the lens sees."""
COVERED_SHARE = 0.92
"""So much of a covered picture is plain. Of drawn streets 0.12 to 0.34 are (120 of them)."""
LIT = 40
"""By night, where the median is darker, no picture is called blurred: long exposures and noise reduction soften it.
What is out of focus is so by day too."""
BLURRED = 0.21
"""By :func:`sharpness`. Twelve scenes of the simulated borough have 0.26 and more in eight weathers, 0.20 at most out
of focus by two of 320 pixels (standard deviation), 0.15 by four."""
_APART = 8
_STEEPEST = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What was measured of one picture."""

    brightest: float
    """The grey level that only ``BRIGHTEST_SHARE`` of the picture is above."""
    median: float
    plain_share: float
    """How much of it is without any detail, 0 to 1."""
    sharpness: float


def measure(grey: Grey) -> Measures:
    """Measure a picture, but for where it is written into."""
    seen = grey[OVERLAY : HEIGHT - OVERLAY]
    return Measures(
        brightest=float(np.quantile(seen, 1.0 - BRIGHTEST_SHARE)),
        median=float(np.median(seen)),
        plain_share=plain_share(seen),
        sharpness=sharpness(seen),
    )


def fault_of(found: Measures) -> PictureFault | None:
    """Return what is wrong with a picture by itself; ``None`` where nothing is that one picture can show."""
    if found.brightest <= BLACK_MOST:
        return PictureFault.BLACK
    if found.plain_share >= COVERED_SHARE:
        return PictureFault.COVERED
    return PictureFault.BLURRED if found.median >= LIT and found.sharpness <= BLURRED else None


def plain_share(grey: Grey) -> float:
    """Return the share of a picture's blocks that have no detail."""
    rows, columns = grey.shape[0] // BLOCK, grey.shape[1] // BLOCK
    blocks = grey.reshape(rows, BLOCK, columns, BLOCK).astype(np.float32)
    return float(np.mean(blocks.std(axis=(1, 3)) <= PLAIN_SPREAD))


def sharpness(grey: Grey) -> float:
    """Return how steep the steepest edges are: the change over one pixel as a share of that over eight.

    About the inverse of an edge's width in pixels, so neither light nor contrast matters, nor how many edges there are.
    The picture is smoothed a little before: noise that a sensor adds behind a soft lens is no sharpness.
    """
    picture = _smoothed(_smoothed(grey.astype(np.float32)).T)
    return max(_steepness(picture), _steepness(picture.T))


def _smoothed(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return (picture[:, :-2] + 2 * picture[:, 1:-1] + picture[:, 2:]) / np.float32(4.0)


def _steepness(picture: NDArray[np.float32]) -> float:
    near = np.abs(picture[:, 1:] - picture[:, :-1])
    far = np.abs(picture[:, _APART:] - picture[:, :-_APART])
    return float(np.quantile(near, _STEEPEST)) / max(1.0, float(np.quantile(far, _STEEPEST)))
