"""One small grey picture: is it black, covered, blurred? No clock, no memory; two milliseconds each.

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
"""So much of a picture must be lighter: 115 pixels of it, more than a hot pixel, less than one street lamp."""
BLOCK = 20
PLAIN_SPREAD = 3.0
"""A block is plain whose grey levels spread (standard deviation) by no more: a wall close by, a bag, paint, fog."""
COVERED_SHARE = 0.92
"""So much of a covered picture is plain. Of drawn streets 0.12 to 0.34 are (120 of them)."""
BLURRED = 0.62
"""By :func:`blur`. Of drawn streets 120 have 0.19 to 0.23; 40, softened by one pixel of 320, 0.55, and by two 0.73."""
_TAPS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What was measured of one picture."""

    brightest: float
    """The grey level that only ``BRIGHTEST_SHARE`` of the picture is above."""
    plain_share: float
    """How much of it is without any detail, 0 to 1."""
    blur: float


def measure(grey: Grey) -> Measures:
    """Measure a picture."""
    return Measures(
        brightest=float(np.quantile(grey, 1.0 - BRIGHTEST_SHARE)), plain_share=plain_share(grey), blur=blur(grey)
    )


def fault_of(found: Measures) -> PictureFault | None:
    """Return what is wrong with a picture by itself; ``None`` where nothing is that one picture can show."""
    if found.brightest <= BLACK_MOST:
        return PictureFault.BLACK
    if found.plain_share >= COVERED_SHARE:
        return PictureFault.COVERED
    return PictureFault.BLURRED if found.blur >= BLURRED else None


def plain_share(grey: Grey) -> float:
    """Return the share of a picture's blocks that have no detail."""
    rows, columns = HEIGHT // BLOCK, WIDTH // BLOCK
    blocks = grey.reshape(rows, BLOCK, columns, BLOCK).astype(np.float32)
    return float(np.mean(blocks.std(axis=(1, 3)) <= PLAIN_SPREAD))


def blur(grey: Grey) -> float:
    """Return how soft a picture is: 0 sharp, 1 without any detail.

    A picture that is sharp loses much of its variation between neighbours when it is blurred once more, a soft one
    little (Crete, Dolmiere, Ladret, Nicolas: "The blur effect", SPIE 6492, 2007). What it shows does not matter.
    """
    picture = grey.astype(np.float32)
    return max(_blur_along(picture), _blur_along(picture.T))


def _blur_along(picture: NDArray[np.float32]) -> float:
    sums = np.cumsum(np.pad(picture, ((0, 0), (_TAPS // 2 + 1, _TAPS // 2)), mode="edge"), axis=1, dtype=np.float64)
    softened = (sums[:, _TAPS:] - sums[:, :-_TAPS]) / _TAPS
    own = np.abs(np.diff(picture, axis=1))
    lost = np.maximum(0.0, own - np.abs(np.diff(softened, axis=1)))
    total = float(own.sum())
    return (total - float(lost.sum())) / total if total > 0.0 else 1.0
