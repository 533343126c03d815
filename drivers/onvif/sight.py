"""How far the picture moved between two snapshots: the judge of what a head claims about its field of view.

Phase correlation of the middle of two pictures. The middle only: overlays along the edges stand still however the
head turns. Cars and people that move are a small part of it, and the peak is asked to stand out.
"""

import asyncio
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH = 480
_MARGIN = 0.16
_PEAK = 2.0
"""A peak must be this many times as high as the next one that is not its neighbour."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How the scene moved in the picture: -1..+1 is half its width or height; right and up are positive."""

    right: float
    up: float
    sure: bool


async def shift_between(before: bytes, after: bytes) -> Shift | None:
    """Return the shift of the scene from one JPEG to the next, None where they are no comparable pictures."""
    return await asyncio.to_thread(measure_shift, before, after)


def measure_shift(before: bytes, after: bytes) -> Shift | None:
    """Return the shift, as :func:`shift_between`; takes some milliseconds of processor time."""
    try:
        first, second = _luma(before), _luma(after)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    if first.shape != second.shape:
        return None
    height, width = first.shape
    top, side = round(height * _MARGIN), round(width * _MARGIN)
    one, other = (picture[top : height - top, side : width - side] for picture in (first, second))
    window = np.outer(np.hanning(one.shape[0]), np.hanning(one.shape[1]))
    spectra = [np.fft.rfft2((part - part.mean()) * window) for part in (one, other)]
    cross = spectra[1] * np.conj(spectra[0])
    # Whitening makes the peak sharp; its floor keeps the noise of an empty sky from speaking as loud as an edge.
    magnitude = np.abs(cross)
    plane = np.fft.irfft2(cross / (magnitude + 0.02 * magnitude.mean() + 1e-9), s=one.shape)
    row, column = (int(index) for index in np.unravel_index(int(np.argmax(plane)), plane.shape))
    peak = float(plane[row, column])
    rest = plane.copy()
    rest[np.ix_(_near(row, plane.shape[0]), _near(column, plane.shape[1]))] = 0.0
    sure = peak > _PEAK * float(rest.max())
    down = _signed(row, plane.shape[0]) + _between(plane[:, column], row)
    right = _signed(column, plane.shape[1]) + _between(plane[row, :], column)
    return Shift(right / (width / 2), -down / (height / 2), sure)


def _signed(index: int, size: int) -> int:
    return index - size if index > size // 2 else index


def _between(line: NDArray[np.float64], at: int) -> float:
    """Return where between samples the peak lies, by the parabola through it and its neighbours."""
    before, peak, after = (float(line[(at + step) % len(line)]) for step in (-1, 0, 1))
    bend = before - 2.0 * peak + after
    return 0.0 if bend >= 0.0 else max(-0.5, min(0.5, (before - after) / (2.0 * bend)))


def _near(index: int, size: int) -> list[int]:
    return [(index + step) % size for step in range(-3, 4)]


def _luma(jpeg: bytes) -> NDArray[np.float64]:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        grey = picture.convert("L")
        height = max(16, round(WIDTH * grey.height / grey.width))
        return np.asarray(grey.resize((WIDTH, height)), dtype=np.float64)
