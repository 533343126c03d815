"""An early afternoon in summer: sun from the south-west, a blue sky, some haze over the distance."""

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
SUN = (-0.40, -0.50, 0.768)
"""Unit vector towards the sun."""
_SKYLIGHT = (0.56, 0.60, 0.68)
_SUNLIGHT = (0.60, 0.565, 0.49)
HAZE: Colour = (196, 208, 218)
_HAZE_M = 900.0
ZENITH: Colour = (84, 136, 196)
SHADE: Colour = (26, 32, 52)
SHADE_OPACITY = 0.42


def lit(colour: Colour, normal: tuple[float, float, float]) -> Colour:
    """Return ``colour`` of a surface in the sun with this unit normal."""
    sun = max(0.0, normal[0] * SUN[0] + normal[1] * SUN[1] + normal[2] * SUN[2])
    r, g, b = (
        min(255, round(part * (sky + light * sun)))
        for part, sky, light in zip(colour, _SKYLIGHT, _SUNLIGHT, strict=True)
    )
    return r, g, b


def scaled(colour: Colour, factor: float) -> Colour:
    """Return ``colour`` brighter or darker."""
    r, g, b = (max(0, min(255, round(part * factor))) for part in colour)
    return r, g, b


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return ``one`` with ``share`` (0..1) of ``other``."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(one, other, strict=True))
    return r, g, b


def hazed_all(colours: npt.NDArray[np.float64], distances_m: npt.NDArray[np.float64] | float) -> npt.NDArray[np.int64]:
    """Return (n, 3) colours as they look from (n,) distances, or all from one."""
    share = 1.0 - np.exp(-np.asarray(distances_m) / _HAZE_M)[..., None]
    return np.rint(colours + (np.array(HAZE) - colours) * share).astype(np.int64)


def shadow_shift(height_m: float) -> tuple[float, float]:
    """Return by how much the shadow of a point at ``height_m`` lies beside its foot."""
    return -SUN[0] / SUN[2] * height_m, -SUN[1] / SUN[2] * height_m
